#pragma once
// Counters that one thread writes and any reads.

#include <array>
#include <atomic>
#include <cstdint>

namespace draco::http {

class ThreadCounter {
public:
    // The owner alone.
    void add(std::uint64_t count = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }

    void subtract(std::uint64_t count) { add(0 - count); }

    void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }

    std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

struct ThreadCounters {
    ThreadCounter connections;
    ThreadCounter accepted;
    ThreadCounter refused;
    ThreadCounter requests;
    ThreadCounter malformed;
    ThreadCounter timed_out;
    ThreadCounter stalled;
    ThreadCounter too_slow;
    ThreadCounter crowded_out;
    ThreadCounter room_waits;
    ThreadCounter no_room;
    ThreadCounter unanswered;
    ThreadCounter gone;
    ThreadCounter cut_off;
    ThreadCounter accept_pauses;
    ThreadCounter bytes_sent;
    ThreadCounter body_bytes;
    std::array<ThreadCounter, 6> answers;
};

}  // namespace draco::http
