#include "timer_heap.hpp"

#include <algorithm>
#include <utility>

namespace draco::io {

TimerId TimerHeap::add(Instant when, Executor::Task task) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    Slot& slot = slots_[index];
    slot.task = std::move(task);
    const Key key{when, next_order_++, index};
    keys_.push_back(key);
    settle(keys_.size() - 1, key);
    return TimerId(std::uint64_t{slot.generation} << 32 | index);
}

std::optional<Executor::Task> TimerHeap::remove(TimerId id) {
    const auto index = static_cast<std::uint32_t>(id.value());
    if (index >= slots_.size()) return std::nullopt;
    const Slot& slot = slots_[index];
    if (slot.key == kNoKey || slot.generation != id.value() >> 32) return std::nullopt;
    return take(slot.key);
}

Executor::Task TimerHeap::take_first() {
    return take(0);
}

Executor::Task TimerHeap::take(std::size_t at) {
    const std::uint32_t index = keys_[at].slot;
    const Key last = keys_.back();
    keys_.pop_back();
    if (at < keys_.size()) settle(at, last);
    Slot& slot = slots_[index];
    slot.key = kNoKey;
    if (++slot.generation == 0) slot.generation = 1;
    free_.push_back(index);
    return std::move(slot.task);
}

void TimerHeap::settle(std::size_t at, const Key& key) {
    for (; at > 0 && key < keys_[(at - 1) / 4]; at = (at - 1) / 4) put(at, keys_[(at - 1) / 4]);
    for (;;) {
        const std::size_t first = 4 * at + 1;
        if (first >= keys_.size()) break;
        std::size_t least = first;
        for (std::size_t child = first + 1; child < std::min(first + 4, keys_.size()); ++child)
            if (keys_[child] < keys_[least]) least = child;
        if (!(keys_[least] < key)) break;
        put(at, keys_[least]);
        at = least;
    }
    put(at, key);
}

void TimerHeap::put(std::size_t at, const Key& key) {
    keys_[at] = key;
    slots_[key.slot].key = static_cast<std::uint32_t>(at);
}

}  // namespace draco::io
