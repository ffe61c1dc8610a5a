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
    ThreadCounter unanswered;
    ThreadCounter cut_off;
    ThreadCounter accept_pauses;
    ThreadCounter bytes_sent;
    std::array<ThreadCounter, 6> answers;
};

}  // namespace draco::http
