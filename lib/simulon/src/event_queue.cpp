#include "event_queue.hpp"

#include <algorithm>
#include <utility>

namespace draco::simulon {

TimerId EventQueue::add(Instant due, Event event) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    Slot& slot = slots_[index];
    slot.event = std::move(event);
    slot.event.due = due;
    slot.taken = true;
    heap_.push_back({due, due, next_order_++, index, slot.generation});
    sift_up(heap_.size() - 1);
    return TimerId(std::uint64_t{slot.generation} << 32 | index);
}

std::optional<Event> EventQueue::remove_task(TimerId id, std::uint32_t node) {
    const auto index = static_cast<std::uint32_t>(id.value());
    if (index >= slots_.size()) return std::nullopt;
    const Slot& slot = slots_[index];
    if (!slot.taken || slot.generation != id.value() >> 32 || slot.event.node != node ||
        slot.event.kind != EventKind::Task)
        return std::nullopt;
    Event event = free_slot(index);
    ++removed_;
    drop_removed();
    return event;
}

std::vector<Event> EventQueue::remove_tasks(std::uint32_t node) {
    std::vector<Event> events;
    for (std::uint32_t index = 0; index < slots_.size(); ++index) {
        const Slot& slot = slots_[index];
        if (!slot.taken || slot.event.node != node || slot.event.kind != EventKind::Task) continue;
        events.push_back(free_slot(index));
        ++removed_;
    }
    drop_removed();
    return events;
}

Event EventQueue::take_first() {
    Event event = free_slot(heap_.front().slot);
    pop_key();
    drop_removed();
    return event;
}

void EventQueue::defer_first(Instant run_at) {
    heap_.front().run_at = run_at;
    sift_down(0);
    drop_removed();
}

Event EventQueue::free_slot(std::uint32_t index) {
    Slot& slot = slots_[index];
    slot.taken = false;
    if (++slot.generation == 0) slot.generation = 1;
    free_.push_back(index);
    return std::move(slot.event);
}

void EventQueue::drop_removed() {
    if (removed_ > heap_.size() / 2 + 16) {
        std::erase_if(heap_, [this](const Key& key) { return is_removed(key); });
        for (std::size_t at = heap_.size() / 4 + 1; at-- > 0;) sift_down(at);
        removed_ = 0;
    }
    while (!heap_.empty() && is_removed(heap_.front())) {
        pop_key();
        --removed_;
    }
}

void EventQueue::pop_key() {
    heap_.front() = heap_.back();
    heap_.pop_back();
    sift_down(0);
}

void EventQueue::sift_up(std::size_t at) {
    const Key key = heap_[at];
    for (; at > 0 && key < heap_[(at - 1) / 4]; at = (at - 1) / 4) heap_[at] = heap_[(at - 1) / 4];
    heap_[at] = key;
}

void EventQueue::sift_down(std::size_t at) {
    if (at >= heap_.size()) return;
    const Key key = heap_[at];
    for (;;) {
        const std::size_t first = 4 * at + 1;
        if (first >= heap_.size()) break;
        const std::size_t last = std::min(first + 4, heap_.size());
        std::size_t least = first;
        for (std::size_t child = first + 1; child < last; ++child)
            if (heap_[child] < heap_[least]) least = child;
        if (!(heap_[least] < key)) break;
        heap_[at] = heap_[least];
        at = least;
    }
    heap_[at] = key;
}

}  // namespace draco::simulon
