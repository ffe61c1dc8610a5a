#pragma once
// Time as a capability. Cores receive `now` as a parameter and never hold a Clock; drivers hold
// one.

#include <chrono>
#include <cstdint>

namespace draco {

using Duration = std::chrono::nanoseconds;

namespace detail {

constexpr Duration saturated_sum(Duration a, Duration b) {
    Duration::rep sum = 0;
    if (!__builtin_add_overflow(a.count(), b.count(), &sum)) return Duration(sum);
    return b > Duration(0) ? Duration::max() : Duration::min();
}

}  // namespace detail

// A point on a monotonic time line whose origin is arbitrary (process start, or the start of a
// simulated world). Moved by more than the time line has left, it stops at its end.
struct Instant {
    Duration since_origin{0};

    constexpr auto operator<=>(const Instant&) const = default;

    constexpr Instant operator+(Duration d) const {
        return {detail::saturated_sum(since_origin, d)};
    }

    constexpr Instant operator-(Duration d) const {
        return d == Duration::min() ? Instant{Duration::max()} : *this + -d;
    }

    constexpr Duration operator-(Instant other) const { return since_origin - other.since_origin; }
};

// Milliseconds since 1970-01-01T00:00:00Z, as block and header timestamps carry them.
struct UnixTime {
    std::uint64_t ms = 0;

    constexpr auto operator<=>(const UnixTime&) const = default;
};

// Thread-safe. now() never goes back; unix_now() may, when an operator sets the clock.
class Clock {
public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;
    virtual UnixTime unix_now() const = 0;
};

}  // namespace draco
