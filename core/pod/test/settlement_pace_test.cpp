// Settlements are spread over the epoch, some are left for its end and for closing lanes, and never
// are there more than the chain takes.

#include "draco/pod/settlement_pace.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace draco::pod {
namespace {

using namespace std::chrono_literals;

ChainClock clock_of(std::uint32_t settlements_max, std::uint64_t epoch = 1) {
    return {.time = {1'000'000 * epoch},
            .epoch = types::Epoch(epoch),
            .epoch_started = {1'000'000 * epoch},
            .epoch_ms = 100'000,
            .settlements_max = settlements_max,
            .settlements_used = 0};
}

// Settles whenever it may, with a block every second; the times since the epoch began.
std::vector<Duration> settle_for(SettlementPace& pace,
                                 ChainClock clock,
                                 Duration length,
                                 Urgency urgency) {
    std::vector<Duration> settled;
    const Instant begin{50s};
    const std::uint64_t started = clock.time.ms;
    for (Duration passed{0}; passed < length; passed += 100ms) {
        const Instant now = begin + passed;
        if (passed % 1s == Duration{0}) {
            clock.time.ms = started + static_cast<std::uint64_t>(passed / 1ms);
            clock.settlements_used = static_cast<std::uint32_t>(settled.size());
            pace.saw(clock, now);
        }
        const auto due = pace.due(urgency);
        if (!due || now < *due) continue;
        pace.began(now, urgency);
        pace.counted();
        settled.push_back(passed);
    }
    return settled;
}

// Three quarters spread evenly up to the margin, the rest behind it but for an eighth.
TEST(SettlementPace, SpreadsOverTheEpoch) {
    SettlementPace pace({.interval = 1s, .epoch_margin = 10s});
    const auto settled = settle_for(pace, clock_of(16), 100s, Urgency::Regular);
    ASSERT_EQ(settled.size(), 14U);
    for (std::size_t i = 0; i < 12; ++i)
        EXPECT_NEAR(
            static_cast<double>(settled[i] / 1ms), 7500.0 * static_cast<double>(i + 1), 2000.0)
            << i;
    EXPECT_GE(settled[12], 90s);
    EXPECT_LE(settled[12], 92s);
}

// Where there are plenty, the interval decides.
TEST(SettlementPace, KeepsTheInterval) {
    SettlementPace pace({.interval = 5s, .epoch_margin = 10s});
    const auto settled = settle_for(pace, clock_of(1000), 100s, Urgency::Regular);
    ASSERT_EQ(settled.size(), 19U);
    for (std::size_t i = 1; i < settled.size(); ++i) EXPECT_GE(settled[i] - settled[i - 1], 5s);
}

// The only one of an epoch is at its end.
TEST(SettlementPace, OneIsForTheEnd) {
    SettlementPace pace({.interval = 1s, .epoch_margin = 10s});
    const auto settled = settle_for(pace, clock_of(1), 300s, Urgency::Regular);
    ASSERT_EQ(settled.size(), 1U);
    EXPECT_EQ(settled[0], 90s);
}

// In a short epoch the margin is a quarter of it.
TEST(SettlementPace, TheMarginFitsTheEpoch) {
    SettlementPace pace({.interval = 1s, .epoch_margin = 10s});
    ChainClock clock = clock_of(1);
    clock.epoch_ms = 8'000;
    const auto settled = settle_for(pace, clock, 20s, Urgency::Regular);
    ASSERT_EQ(settled.size(), 1U);
    EXPECT_EQ(settled[0], 6s);
}

// Lanes that close may use what is held back, but not all of it at once.
TEST(SettlementPace, ClosingLanesAreFirst) {
    SettlementPace pace({.interval = 1s, .epoch_margin = 10s});
    const auto settled = settle_for(pace, clock_of(16), 60s, Urgency::Closing);
    ASSERT_GE(settled.size(), 3U);
    EXPECT_EQ(settled[0], 0s);
    EXPECT_LE(settled.size(), 12U);
    SettlementPace spent({.interval = 1s, .epoch_margin = 10s});
    ChainClock clock = clock_of(16);
    clock.settlements_used = 14;
    spent.saw(clock, Instant{50s});
    EXPECT_FALSE(spent.due(Urgency::Regular));
    EXPECT_TRUE(spent.due(Urgency::Closing));
    clock.settlements_used = 16;
    spent.saw(clock, Instant{50s});
    EXPECT_FALSE(spent.due(Urgency::Closing));
}

// If more wait than one settlement takes, the end of the epoch sees one after the other.
TEST(SettlementPace, NoPauseAtTheEndIfMoreWait) {
    SettlementPace pace({.interval = 5s, .epoch_margin = 10s});
    const auto settled = settle_for(pace, clock_of(16), 100s, Urgency::More);
    ASSERT_EQ(settled.size(), 14U);
    EXPECT_LE(settled[13], 91s);
}

// Before the chain was seen, and for whatever clock it shows, there is an answer.
TEST(SettlementPace, StrangeClocks) {
    SettlementPace pace({.interval = 1s, .epoch_margin = 10s});
    EXPECT_FALSE(pace.due(Urgency::Closing));
    constexpr std::uint64_t kMax = ~std::uint64_t{0};
    for (const std::uint64_t time : {std::uint64_t{0}, kMax})
        for (const std::uint64_t started : {std::uint64_t{0}, kMax})
            for (const std::uint64_t length : {std::uint64_t{0}, kMax}) {
                pace.saw({.time = {time},
                          .epoch = {},
                          .epoch_started = {started},
                          .epoch_ms = length,
                          .settlements_max = ~std::uint32_t{0},
                          .settlements_used = 0},
                         Instant{1s});
                EXPECT_TRUE(pace.due(Urgency::Regular));
                EXPECT_TRUE(pace.due(Urgency::Closing));
            }
}

// Whoever closes one lane to use up the turn cannot keep another one from being settled before it
// ends, however long the epoch is.
TEST(SettlementPace, ALaneThatEndsIsSettledBeforeThat) {
    SettlementPace pace{PaceOptions{}};
    ChainClock clock = clock_of(64);
    clock.epoch_ms = 24ULL * 3'600'000;
    const Instant now{50s};
    pace.saw(clock, now);
    pace.began(now, Urgency::Closing);
    pace.counted();
    const UnixTime ends{clock.time.ms + 600'000};
    const auto due = pace.due(Urgency::Closing, ends);
    ASSERT_TRUE(due);
    EXPECT_LT(*due, now + 600s);
    EXPECT_GT(*due, now + 500s) << "all that closes until then shares it";
    EXPECT_GT(*pace.due(Urgency::Closing), now + 600s) << "without the end it would be late";
}

}  // namespace
}  // namespace draco::pod
