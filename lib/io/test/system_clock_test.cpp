#include "draco/io/system_clock.hpp"

#include <gtest/gtest.h>

#include <ctime>

namespace draco::io {
namespace {

// now() never goes back and lies between two readings of CLOCK_MONOTONIC.
TEST(SystemClock, NowIsTheMonotonicClock) {
    const auto monotonic = [] {
        timespec time{};
        ::clock_gettime(CLOCK_MONOTONIC, &time);
        return Instant{std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)};
    };
    const SystemClock clock;
    for (int i = 0; i < 100; ++i) {
        const Instant before = monotonic();
        const Instant now = clock.now();
        EXPECT_LE(before, now);
        EXPECT_LE(now, monotonic());
    }
}

// unix_now() counts milliseconds since 1970.
TEST(SystemClock, UnixNowCountsMilliseconds) {
    const SystemClock clock;
    const auto seconds = static_cast<std::uint64_t>(std::time(nullptr));
    const std::uint64_t ms = clock.unix_now().ms;
    EXPECT_GE(ms / 1000 + 60, seconds);
    EXPECT_LE(ms / 1000, seconds + 60);
}

}  // namespace
}  // namespace draco::io
