#include "index.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>

namespace draco::blockstore {

using types::ContentHash;

Room& Room::operator+=(const Room& other) {
    bytes += other.bytes;
    objects += other.objects;
    return *this;
}

Room& Room::operator-=(const Room& other) {
    DRACO_ASSERT(bytes >= other.bytes && objects >= other.objects, "what is freed was in use");
    bytes -= other.bytes;
    objects -= other.objects;
    return *this;
}

std::shared_ptr<Entry> Index::find(const ContentHash& hash) const {
    const auto at = entries_.find(hash);
    return at == entries_.end() ? nullptr : at->second;
}

std::shared_ptr<Entry> Index::first_after(const std::optional<ContentHash>& hash) const {
    const auto at = hash ? entries_.upper_bound(*hash) : entries_.begin();
    return at == entries_.end() ? nullptr : at->second;
}

std::vector<interfaces::ListedContent> Index::list(const std::optional<ContentHash>& after,
                                                   std::size_t count_max) const {
    std::vector<interfaces::ListedContent> listed;
    auto at = after ? entries_.upper_bound(*after) : entries_.begin();
    for (; at != entries_.end() && listed.size() < count_max; ++at)
        listed.push_back({.info = at->second->info, .pinned = at->second->pinned});
    return listed;
}

interfaces::StoreUsage Index::usage() const {
    return {.bytes = used_.bytes,
            .bytes_max = limit_.bytes,
            .objects = entries_.size(),
            .pinned_objects = pinned_.objects,
            .evicted_objects = evicted_,
            .damaged_objects = damaged_};
}

bool Index::is_over_limit() const {
    return used_.bytes > limit_.bytes || used_.objects > limit_.objects;
}

bool Index::reserve(const Room& room) {
    if (is_over_limit() || room.bytes > limit_.bytes - used_.bytes ||
        room.objects > limit_.objects - used_.objects)
        return false;
    used_ += room;
    return true;
}

bool Index::could_reserve(const Room& room) const {
    Room staying = used_;
    staying -= may_go_;
    return staying.bytes <= limit_.bytes && staying.objects <= limit_.objects &&
           room.bytes <= limit_.bytes - staying.bytes &&
           room.objects <= limit_.objects - staying.objects;
}

template <class F>
void Index::change(Entry& entry, F&& make) {
    if (may_go(entry)) may_go_ -= entry.room();
    make();
    if (may_go(entry)) may_go_ += entry.room();
}

void Index::add(const std::shared_ptr<Entry>& entry) {
    const bool is_new = entries_.emplace(entry->info.hash, entry).second;
    DRACO_ASSERT(is_new, "an object is added once");
    next_sequence_ = std::max(next_sequence_, entry->sequence + 1);
    entry->pinned = false;
    change(*entry, [&] { entry->present = true; });
    if (pins_.contains(entry->info.hash))
        set_pinned(entry, true);
    else
        entry->place = queue_.insert(entry);
}

void Index::set_pinned(const std::shared_ptr<Entry>& entry, bool pinned) {
    if (entry->pinned == pinned) return;
    change(*entry, [&] { entry->pinned = pinned; });
    if (pinned) {
        pinned_ += entry->room();
        if (entry->place) queue_.erase(*std::exchange(entry->place, std::nullopt));
    } else {
        pinned_ -= entry->room();
        entry->place = queue_.insert(entry);
    }
}

bool Index::take_out(Entry& entry, Departure departure) {
    if (!entry.present) return false;
    // The queue and the map may be the last to own it.
    const std::shared_ptr<Entry> owned = find(entry.info.hash);
    change(entry, [&] { entry.present = false; });
    if (entry.pinned) pinned_ -= entry.room();
    if (entry.place) queue_.erase(*std::exchange(entry.place, std::nullopt));
    entries_.erase(entry.info.hash);
    if (departure == Departure::Evicted) ++evicted_;
    if (departure == Departure::Damaged) ++damaged_;
    return true;
}

std::shared_ptr<Entry> Index::take_victim() {
    const auto place =
        queue_.victim([](const std::shared_ptr<Entry>& entry) { return may_go(*entry); });
    if (!place) return nullptr;
    const std::shared_ptr<Entry> victim = (*place)->value;
    take_out(*victim, Departure::Evicted);
    return victim;
}

void Index::file_removed(Entry& entry) {
    entry.file_removed = true;
    release_if_gone(entry);
}

void Index::hold(Entry& entry) {
    change(entry, [&] { ++entry.holds; });
}

void Index::let_go(Entry& entry) {
    change(entry, [&] { --entry.holds; });
    release_if_gone(entry);
}

void Index::release_if_gone(const Entry& entry) {
    if (!entry.present && entry.file_removed && entry.holds == 0) release(entry.room());
}

void Index::use(Entry& entry) {
    if (entry.place) (*entry.place)->used = true;
}

void Index::pin(const ContentHash& hash) {
    pins_.insert(hash);
    if (const auto entry = find(hash)) set_pinned(entry, true);
}

void Index::unpin(const ContentHash& hash) {
    pins_.erase(hash);
    if (const auto entry = find(hash)) set_pinned(entry, false);
}

std::vector<ContentHash> Index::missing_pins() const {
    std::vector<ContentHash> missing;
    std::ranges::copy_if(pins_, std::back_inserter(missing), [&](const ContentHash& hash) {
        return !entries_.contains(hash);
    });
    return missing;
}

std::string Index::describe_room() const {
    return std::to_string(used_.bytes) + " of " + std::to_string(limit_.bytes) + " bytes and " +
           std::to_string(used_.objects) + " of " + std::to_string(limit_.objects) +
           " objects are in use; " + std::to_string(pinned_.bytes) + " bytes are pinned and " +
           std::to_string(may_go_.bytes) + " bytes may be evicted";
}

}  // namespace draco::blockstore
