// A client gets its rate and its burst, pays its debt in time, and costs bounded memory.

#include "../src/rate_limiter.hpp"

#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>

namespace draco::gateway {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

constexpr RateLimits kLimits{.requests_per_s = 10,
                             .bytes_per_s = 1'000,
                             .requests_burst = 5,
                             .bytes_burst = 2'000,
                             .clients_max = 100};

TEST(RateLimiter, GivesTheBurstAndThenTheRate) {
    RateLimiter limiter(kLimits);
    Instant now{};
    for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.refuse(1, now), std::nullopt);
    EXPECT_EQ(limiter.refuse(1, now), 100ms);
    EXPECT_EQ(limiter.refuse(2, now), std::nullopt);
    EXPECT_EQ(limiter.refuse(1, now + 99ms), 1ms);
    EXPECT_EQ(limiter.refuse(1, now + 100ms), std::nullopt);
    EXPECT_EQ(limiter.refuse(1, now + 100ms), 100ms);
    now = now + 1h;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.refuse(1, now), std::nullopt);
    EXPECT_NE(limiter.refuse(1, now), std::nullopt);
}

TEST(RateLimiter, WaitsUntilBytesArePaidFor) {
    RateLimiter limiter(kLimits);
    const Instant now{};
    limiter.charge_bytes(1, 2'000, now);
    EXPECT_EQ(limiter.refuse(1, now), std::nullopt);
    limiter.charge_bytes(1, 10'000, now);
    EXPECT_EQ(limiter.refuse(1, now), 10s);
    EXPECT_EQ(limiter.refuse(1, now + 9s), 1s);
    EXPECT_EQ(limiter.refuse(1, now + 10s), std::nullopt);
    limiter.charge_bytes(1, ~std::uint64_t{0}, now);
    EXPECT_GT(limiter.refuse(1, now).value(), 24h);
}

TEST(RateLimiter, ZeroIsUnbounded) {
    RateLimiter limiter(
        {.requests_per_s = 0, .bytes_per_s = 0, .requests_burst = 0, .bytes_burst = 0});
    for (int i = 0; i < 1'000; ++i) {
        limiter.charge_bytes(1, ~std::uint64_t{0}, {});
        EXPECT_EQ(limiter.refuse(1, {}), std::nullopt);
    }
}

TEST(RateLimiter, RemembersABoundedNumberOfClients) {
    RateLimiter limiter(kLimits);
    for (int i = 0; i < 5; ++i) static_cast<void>(limiter.refuse(0, {}));
    for (std::uint64_t client = 1; client < 50; ++client)
        static_cast<void>(limiter.refuse(client, {}));
    EXPECT_NE(limiter.refuse(0, {}), std::nullopt);
    for (std::uint64_t client = 1; client < 100'000; ++client) {
        static_cast<void>(limiter.refuse(client, {}));
        ASSERT_LE(limiter.remembered(), kLimits.clients_max);
    }
    EXPECT_EQ(limiter.refuse(0, {}), std::nullopt);
}

// Model: buckets that are filled step by step, in ticks that divide without a remainder.
TEST(RateLimiter, AgreesWithBucketsOfTokens) {
    std::mt19937_64 random(testing::test_seed(13));
    constexpr std::int64_t kTicksPerRequest = 100;  // of 1 ms
    RateLimiter limiter(kLimits);
    std::int64_t request_ticks = 5 * kTicksPerRequest;
    std::int64_t bytes = 2'000;  // one per tick
    Instant now{};
    for (std::uint64_t step = 0; step < testing::scaled(50'000); ++step) {
        const auto ticks = static_cast<std::int64_t>(random() % 200);
        now = now + std::chrono::milliseconds(ticks);
        request_ticks = std::min(request_ticks + ticks, 5 * kTicksPerRequest);
        bytes = std::min<std::int64_t>(bytes + ticks, 2'000);
        if (random() % 4 == 0) {
            const std::uint64_t taken = random() % 1'000;
            limiter.charge_bytes(7, taken, now);
            bytes -= static_cast<std::int64_t>(taken);
            continue;
        }
        const bool allowed = request_ticks >= kTicksPerRequest && bytes >= 0;
        const auto wait = limiter.refuse(7, now);
        ASSERT_EQ(!wait, allowed) << step;
        if (allowed) {
            request_ticks -= kTicksPerRequest;
        } else {
            const std::int64_t expected = std::max(kTicksPerRequest - request_ticks, -bytes);
            ASSERT_EQ(std::chrono::round<std::chrono::milliseconds>(*wait).count(), expected);
        }
    }
}

}  // namespace
}  // namespace draco::gateway
