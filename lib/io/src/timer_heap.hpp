#pragma once
// The pending timers of a pool, earliest first: a 4-ary heap of small keys over a slab of tasks
// that are reused, so that nothing is allocated once there is room for the most that were ever
// pending. Each slot knows where its key is, so removing is O(log n) too and leaves nothing behind.

#include "draco/base/executor.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace draco::io {

class TimerHeap {
public:
    // Equal times keep the order of these calls. Never returns the id 0.
    TimerId add(Instant when, Executor::Task task);
    // The task, if its timer is still here.
    std::optional<Executor::Task> remove(TimerId id);

    bool empty() const { return keys_.empty(); }

    std::size_t size() const { return keys_.size(); }

    // Preconditions: not empty.
    Instant first_time() const { return keys_.front().when; }

    Executor::Task take_first();

private:
    static constexpr std::uint32_t kNoKey = ~std::uint32_t{0};

    struct Key {
        Instant when;
        std::uint64_t order;
        std::uint32_t slot;

        friend bool operator<(const Key& a, const Key& b) {
            return a.when != b.when ? a.when < b.when : a.order < b.order;
        }
    };

    struct Slot {
        Executor::Task task;
        std::uint32_t generation = 1;  // of the timer that has the slot, or the next that gets it
        std::uint32_t key = kNoKey;    // where in keys_, while a timer has the slot
    };

    Executor::Task take(std::size_t at);
    // Puts a key where it belongs, when the place `at` is free.
    void settle(std::size_t at, const Key& key);
    void put(std::size_t at, const Key& key);

    std::vector<Key> keys_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    std::uint64_t next_order_ = 0;
};

}  // namespace draco::io
