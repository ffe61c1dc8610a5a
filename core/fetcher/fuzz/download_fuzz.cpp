// Any order of events, true or not, to one download: its count of what is here is that of a plain
// set, it asks for nothing that is here, its asks stay within bounds, and it ends whole or failed.

#include "draco/base/assert.hpp"
#include "draco/fetcher/download.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace {

using namespace draco;           // NOLINT(google-build-using-namespace)
using namespace draco::fetcher;  // NOLINT(google-build-using-namespace)

types::NodeKey key_number(std::uint8_t number) {
    types::NodeKey key;
    key.data()[0] = number;
    return key;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::uint64_t kLeaves = 19;
    DownloadLimits limits;
    limits.range_blocks = 4;
    limits.failures_max = 3;
    limits.read_ahead_blocks = 5;
    const auto is_near = [&limits](std::uint64_t place, std::uint64_t index) {
        return place <= index && index < place + limits.read_ahead_blocks;
    };
    Download download(types::ContentHash{}, limits);
    std::set<std::uint64_t> here;
    std::map<std::uint64_t, Ask> open;
    Instant now{std::chrono::seconds(1)};
    std::uint64_t next_ticket = 1;
    bool has_failed = false;
    bool wants_all = false;
    std::map<std::uint64_t, std::uint64_t> readers;
    std::set<std::uint64_t> wanted;
    const auto check_may_ask = [&](std::uint64_t index) {
        DRACO_ASSERT(!here.contains(index), "it asks for what is missing");
        const bool may =
            wants_all ||
            std::ranges::any_of(wanted, [&](std::uint64_t w) { return is_near(w, index); }) ||
            std::ranges::any_of(readers, [&](const auto& r) { return is_near(r.second, index); });
        DRACO_ASSERT(may, "it asks for what somebody is near");
    };
    const auto step = [&](const Event& event) {
        Effects out;
        const bool was_open = download.is_open();
        download.step(event, now, out);
        if (!was_open && download.is_open()) here.insert(kLeaves - 1);
        for (const std::uint64_t ticket : out.cancels) open.erase(ticket);
        if (out.ask) {
            if (out.ask->blocks)
                for (std::uint64_t i = out.ask->blocks->first; i < out.ask->blocks->end; ++i)
                    check_may_ask(i);
            open.emplace(out.ask->ticket, *out.ask);
        }
        has_failed = has_failed || out.failure.has_value();
        if (out.is_complete) DRACO_ASSERT(here.size() == kLeaves, "it is whole");
        return out;
    };
    step(Start{});
    for (std::size_t i = 0; i + 1 < size; i += 2) {
        const std::uint8_t what = data[i] % 13;
        const std::uint8_t which = data[i + 1];
        now = now + std::chrono::milliseconds(which);
        auto ask = open.begin();
        if (!open.empty()) std::advance(ask, which % open.size());
        if (what == 0) {
            std::vector<types::NodeKey> found;
            for (std::uint8_t n = 0; n < which % 5; ++n) found.push_back(key_number(n));
            step(ProvidersFound{std::move(found)});
        } else if (what == 1) {
            step(SlotFree{next_ticket++});
        } else if (what == 2 && !open.empty() && !ask->second.blocks) {
            const std::uint64_t ticket = ask->first;  // the step may take the ask back
            step(HeadJudged{.ticket = ticket, .is_true = which % 4 != 0, .leaves = kLeaves});
            open.erase(ticket);
        } else if (what == 3 && !open.empty() && ask->second.blocks) {
            const auto range = *ask->second.blocks;
            const std::uint64_t index = range.first + which % (range.end - range.first);
            const bool is_true = which % 8 != 0;
            if (is_true) here.insert(index);
            if (is_true) wanted.erase(index);
            step(BlockJudged{.ticket = ask->first, .index = index, .is_true = is_true});
        } else if (what == 4 && !open.empty()) {
            const std::uint64_t ticket = ask->first;
            open.erase(ask);
            step(AskEnded{ticket, which % 2 == 0 ? Result<>() : fail(Errc::Unavailable, "")});
        } else if (what == 5 && download.is_open()) {
            if (!here.contains(which % kLeaves)) wanted.insert(which % kLeaves);
            step(Wanted{which % kLeaves});
        } else if (what == 6 && download.is_open()) {
            if (here.erase(which % kLeaves) > 0) wanted.insert(which % kLeaves);
            step(BlockLost{which % kLeaves});
        } else if (what == 9 && download.is_open()) {
            readers[which % 3] = which % kLeaves;
            step(ReaderAt{.reader = which % 3U, .index = which % kLeaves});
        } else if (what == 10) {
            readers.erase(which % 3);
            step(ReaderGone{which % 3U});
        } else if (what == 11) {
            wanted.erase(which % kLeaves);
            step(Unwanted{which % kLeaves});
        } else if (what == 12) {
            wants_all = which % 2 == 0;
            step(WholeWanted{wants_all});
        } else if (what == 7) {
            step(PeerLied{key_number(which % 5)});
        } else {
            now = now + std::chrono::seconds(which % 32);
            step(TimePassed{});
        }
        if (has_failed) return 0;
        DRACO_ASSERT(download.here_count() == here.size(), "as in the model");
        DRACO_ASSERT(download.ask_count() <= 5 * limits.asks_per_peer_max, "asks are bounded");
        for (std::uint64_t b = 0; download.is_open() && b < kLeaves; ++b)
            DRACO_ASSERT(download.is_here(b) == here.contains(b), "as in the model");
    }
    return 0;
}
