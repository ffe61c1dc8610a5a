#pragma once
// What one worker of an object is doing now. Written by that worker at every message, without a
// lock; read by anyone. A sequence lock: the version is odd while the fields change.

#include "draco/base/clock.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string_view>

namespace draco::affair::detail {

class Activity {
public:
    struct Trace {
        const std::string_view* message;
        std::source_location where;
        Instant since;
    };

    // `message` has static lifetime.
    void begin(const std::string_view& message, std::source_location where, Instant since) {
        const auto version = version_.load(std::memory_order_relaxed);
        version_.store(version + 1, std::memory_order_relaxed);
        // Release, so that who reads one of these new values also reads the odd version after it.
        message_.store(&message, std::memory_order_release);
        where_.store(where, std::memory_order_release);
        since_.store(since, std::memory_order_release);
        version_.store(version + 2, std::memory_order_release);
    }

    void end() { message_.store(nullptr, std::memory_order_release); }

    // Nothing when idle, or when the worker goes from message to message faster than one can look.
    std::optional<Trace> read() const {
        for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
            const auto version = version_.load(std::memory_order_acquire);
            const Trace trace{.message = message_.load(std::memory_order_acquire),
                              .where = where_.load(std::memory_order_acquire),
                              .since = since_.load(std::memory_order_acquire)};
            if (trace.message == nullptr) return std::nullopt;
            if (version % 2 == 0 && version == version_.load(std::memory_order_relaxed))
                return trace;
        }
        return std::nullopt;
    }

private:
    static constexpr int kReadAttempts = 16;

    std::atomic<std::uint64_t> version_ = 0;
    std::atomic<const std::string_view*> message_ = nullptr;
    std::atomic<std::source_location> where_{};
    std::atomic<Instant> since_{};
};

}  // namespace draco::affair::detail
