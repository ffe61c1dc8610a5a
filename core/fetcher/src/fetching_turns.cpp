// What ends each turn: what is over goes, slots are given, the timer is set. And what the store has
// is provided.
#include "draco/base/text_encoding.hpp"

#include "fetching.hpp"

#include <algorithm>
#include <utility>

namespace draco::fetcher {

using types::ContentHash;

// ---- Saying what is here

void Fetching::list_store() {
    is_listing_ = true;
    shared_->run_on_disk([&store = parts_.store, &providers = parts_.providers, shared = shared_] {
        constexpr std::size_t kPage = 256;
        std::set<ContentHash> objects;
        std::optional<ContentHash> last;
        // What the owner wants kept comes first, so that what strangers fetched cannot crowd it
        // out.
        for (const bool pinned : {true, false}) {
            last.reset();
            for (bool has_room = true; has_room;) {
                const auto page = store.list(last, kPage);
                if (page.empty()) break;
                last = page.back().info.hash;
                for (const interfaces::ListedContent& one : page) {
                    if (one.pinned != pinned) continue;
                    has_room = has_room && providers.provide(one.info.hash).has_value();
                    if (has_room) objects.insert(one.info.hash);
                }
            }
        }
        shared->board.note([objects = std::move(objects)](Fetching* object) mutable {
            object->listed(std::move(objects));
        });
    });
}

void Fetching::listed(std::set<ContentHash> objects) {
    is_listing_ = false;
    list_at_ = now() + shared_->options.list_pause;
    for (const ContentHash& hash : provided_) {
        if (objects.contains(hash)) continue;
        if (parts_.store.has(hash)) {
            objects.insert(hash);  // it came meanwhile
        } else {
            parts_.providers.withdraw(hash);
        }
    }
    provided_ = std::move(objects);
}

// ---- The end of a turn

void Fetching::sweep() {
    const auto is_done = [](const auto& one) {
        return one.second.judging == 0 && (one.second.is_dropped || one.second.ended);
    };
    for (auto done = std::ranges::find_if(asks_, is_done); done != asks_.end();
         done = std::ranges::find_if(asks_, is_done))
        settle_ask(done->first);
    std::vector<ContentHash> over;
    for (auto& [hash, download] : downloads_)
        if (download.outcome) over.push_back(hash);
    for (const ContentHash& hash : over) {
        const auto found = downloads_.find(hash);
        const Result<>& outcome = *found->second.outcome;
        if (!outcome && outcome.error().code != Errc::Abandoned) {
            ++counts_.failed;
            parts_.log.info("an object could not be got", {{"error", to_string(outcome.error())}});
        }
        shared_->remove_arrival(hash);
        downloads_.erase(found);
    }
}

bool Fetching::may_ask(const Running& download) const {
    const Options& options = shared_->options;
    const bool is_head = !download.core.is_open();
    if (is_head && heads_ >= options.heads_max) return false;
    if (download.kind != interfaces::AskerClass::Stranger) return true;
    return asks_for_strangers_ < options.asks_strangers_max &&
           (!is_head || heads_for_strangers_ < options.heads_strangers_max);
}

void Fetching::give_slots() {
    bool was_taken = true;
    while (was_taken && asks_.size() < shared_->options.asks_max) {
        was_taken = false;
        // Each in turn, from the one after who had the last slot.
        std::vector<ContentHash> order;
        for (auto one = downloads_.upper_bound(served_last_); one != downloads_.end(); ++one)
            order.push_back(one->first);
        for (auto one = downloads_.begin(); one != downloads_.upper_bound(served_last_); ++one)
            order.push_back(one->first);
        for (const ContentHash& hash : order) {
            Running& download = downloads_.at(hash);
            if (asks_.size() >= shared_->options.asks_max) return;
            if (download.outcome || !may_ask(download)) continue;
            const std::size_t before = asks_.size();
            step(download, SlotFree{next_number_++});
            if (asks_.size() == before) continue;
            was_taken = true;
            served_last_ = hash;
        }
    }
}

void Fetching::expire_openers() {
    const Instant time = now();
    for (auto& [hash, download] : downloads_) {
        const auto late = std::ranges::partition(
            download.openers, [time](const Opener& opener) { return opener.deadline > time; });
        std::vector<Opener> expired(std::make_move_iterator(late.begin()),
                                    std::make_move_iterator(late.end()));
        download.openers.erase(late.begin(), late.end());
        for (Opener& opener : expired) {
            opener.answer(fail(Errc::DeadlineExceeded,
                               "the nodes that have " + to_hex(hash.view()) +
                                   " did not answer in time; try again"));
            remove_holder(download, opener.asker);
        }
    }
}

void Fetching::finish_turn() {
    if (!is_listing_ && now() >= list_at_) list_store();
    expire_openers();
    drop_unheld();
    sweep();
    give_slots();
    sweep();
    counts_.reads_waiting = 0;
    for (const auto& [hash, download] : downloads_)
        for (const auto& [index, waiters] : download.waiters)
            counts_.reads_waiting += waiters.size();
    counts_.running = downloads_.size();
    counts_.asks_in_flight = asks_.size();
    shared_->set_counts(counts_);
    arm();
}

void Fetching::arm() {
    std::optional<Instant> wake;
    const auto sooner = [&wake](Instant when) {
        if (!wake || when < *wake) wake = when;
    };
    if (!is_listing_) sooner(list_at_);
    for (const auto& [hash, download] : downloads_) {
        if (const auto when = download.core.wake_at()) sooner(*when);
        if (download.dropped_at) sooner(*download.dropped_at);
        for (const Opener& opener : download.openers) sooner(opener.deadline);
    }
    if (wake == armed_) return;
    disarm();
    if (!wake) return;
    auto turn = self_.in_turn([](Fetching& object) {
        object.armed_.reset();
        for (auto& [hash, download] : object.downloads_) object.step(download, TimePassed{});
        object.finish_turn();
    });
    if (!turn) return;
    armed_ = wake;
    timer_ = self_.executor().post_at(*wake, *std::move(turn));
}

void Fetching::disarm() {
    if (armed_) self_.executor().cancel(timer_);
    armed_.reset();
}

}  // namespace draco::fetcher
