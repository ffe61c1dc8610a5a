#pragma once
// Time as a capability. Cores receive `now` as a parameter and never hold a Clock; drivers hold
// one.

#include <chrono>
#include <cstdint>

namespace draco {

using Duration = std::chrono::nanoseconds;

// A point on a monotonic time line whose origin is arbitrary (process start, or the start of a
// simulated world).
struct Instant {
    Duration since_origin{0};

    constexpr auto operator<=>(const Instant&) const = default;

    constexpr Instant operator+(Duration d) const { return {since_origin + d}; }

    constexpr Instant operator-(Duration d) const { return {since_origin - d}; }

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
