// Who holds which downloads, whose places these have, and what becomes of those that nobody holds.
#include "fetching.hpp"

#include <algorithm>
#include <utility>

namespace draco::fetcher {

using interfaces::Asker;
using interfaces::AskerClass;

Result<> Fetching::may_hold(const Asker& asker, const Running* download) {
    const PlaceLimits& limits = shared_->options.downloads;
    if (is_told_apart(asker) && (download == nullptr || !download->holders.contains(asker))) {
        const auto found = downloads_held_by_.find(asker);
        if (found != downloads_held_by_.end() && found->second >= limits.one_max)
            return fail(Errc::Exhausted,
                        std::to_string(found->second) +
                            " objects are on their way for this client, as many as may be; come "
                            "back when one of them is here");
    }
    if (download != nullptr || has_place(asker.kind)) return {};
    return fail(Errc::Exhausted,
                std::to_string(max_of(limits, asker.kind)) +
                    " objects are on their way to this node for clients of this kind, as many as "
                    "may be; come back");
}

// What nobody holds gives way.
bool Fetching::has_place(AskerClass kind) {
    if (downloads_of_[index_of(kind)] < max_of(shared_->options.downloads, kind)) return true;
    Running* first = nullptr;
    for (auto& [hash, download] : downloads_)
        if (!download.outcome && download.kind == kind && download.dropped_at &&
            (first == nullptr || *download.dropped_at < *first->dropped_at))
            first = &download;
    if (first == nullptr) return false;
    end(*first, fail(Errc::Abandoned, "nobody waits for it any more"));
    ++counts_.dropped;
    return true;
}

void Fetching::add_holder(Running& download, const Asker& asker) {
    if (++download.holders[asker] == 1 && is_told_apart(asker)) ++downloads_held_by_[asker];
    download.dropped_at.reset();
    settle_place(download);
    want_as_held(download);
}

void Fetching::remove_holder(Running& download, const Asker& asker) {
    if (download.outcome) return;
    const auto found = download.holders.find(asker);
    if (--found->second > 0) return;
    download.holders.erase(found);
    stop_holding(asker);
    settle_place(download);
    want_as_held(download);
}

void Fetching::stop_holding(const Asker& asker) {
    if (!is_told_apart(asker)) return;
    const auto found = downloads_held_by_.find(asker);
    if (--found->second == 0) downloads_held_by_.erase(found);
}

// Of a download that is over.
void Fetching::release_holders(Running& download) {
    --downloads_of_[index_of(download.kind)];
    for (const auto& [asker, count] : std::exchange(download.holders, {})) stop_holding(asker);
    download.dropped_at.reset();
}

// A place of those who pay is not for strangers who came to what was theirs.
void Fetching::settle_place(Running& download) {
    if (download.holders.empty()) return;
    const AskerClass highest = download.holders.rbegin()->first.kind;
    if (highest == download.kind) return;
    if (has_place(highest)) return move_to(download, highest);
    if (highest < download.kind)
        end(download,
            fail(Errc::Exhausted,
                 "it was on its way for others, who left; as many objects are on their way for "
                 "clients of this kind as may be; come back"));
}

void Fetching::move_to(Running& download, AskerClass kind) {
    --downloads_of_[index_of(download.kind)];
    download.kind = kind;
    ++downloads_of_[index_of(kind)];
}

void Fetching::want_as_held(Running& download) {
    if (download.outcome) return;
    const bool is_held = !download.holders.empty();
    const bool is_more_than_half =
        download.core.is_open() && 2 * download.core.here_count() > download.core.leaves();
    const bool is_whole_wanted =
        is_held ? download.holders.rbegin()->first.kind == AskerClass::Owner : is_more_than_half;
    if (is_whole_wanted != download.is_whole_wanted) {
        download.is_whole_wanted = is_whole_wanted;
        step(download, WholeWanted{is_whole_wanted});
    }
    download.dropped_at.reset();
    if (is_held || is_whole_wanted) return;
    download.dropped_at = download.arrival ? now() + shared_->options.grace : now();
}

void Fetching::drop_unheld() {
    for (auto& [hash, download] : downloads_) {
        if (download.outcome || !download.dropped_at || *download.dropped_at > now()) continue;
        // What was under way may have made it more than half.
        want_as_held(download);
        if (download.is_whole_wanted) continue;
        end(download, fail(Errc::Abandoned, "nobody waits for it any more"));
        ++counts_.dropped;
    }
}

}  // namespace draco::fetcher
