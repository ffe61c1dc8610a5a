#pragma once
// Time as a capability. Cores receive `now` as a parameter and never hold a Clock; drivers hold
// one.

#include "draco/base/checked.hpp"

#include <chrono>
#include <cstdint>

namespace draco {

using Duration = std::chrono::nanoseconds;

// A point on a monotonic time line whose origin is arbitrary (process start, or the start of a
// simulated world). Its arithmetic saturates: what lies beyond the ends of the 64-bit time line
// (292 years each way) is its end, so that any Duration may be added to any Instant.
struct Instant {
    Duration since_origin{0};

    constexpr auto operator<=>(const Instant&) const = default;

    constexpr Instant operator+(Duration d) const {
        const auto sum = checked_add(since_origin.count(), d.count());
        return {sum ? Duration(*sum) : end_toward(d > Duration{0})};
    }

    constexpr Instant operator-(Duration d) const { return {*this - Instant{d}}; }

    constexpr Duration operator-(Instant other) const {
        const auto difference = checked_sub(since_origin.count(), other.since_origin.count());
        return difference ? Duration(*difference) : end_toward(other.since_origin < Duration{0});
    }

private:
    static constexpr Duration end_toward(bool future) {
        return future ? Duration::max() : Duration::min();
    }
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
