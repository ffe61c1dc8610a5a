// Whole networks under faults: many seeds, each run twice and compared; and proof that the checkers
// can fail.
#include "draco/sim/scenario.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <ostream>
#include <string>
#include <vector>

namespace draco::sim {
namespace {

const NetworkScenario& named(std::string_view name) {
    const NetworkScenario* found = find_scenario(name);
    EXPECT_NE(found, nullptr) << name;
    return *found;
}

// Under a sanitizer a seed costs five times as much and shows what it can show within a few.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t kSeedsShare = 5;
#else
constexpr std::uint64_t kSeedsShare = 1;
#endif

// Seeds first .. first + count - 1 of a scenario, each twice.
void expect_holds(std::string_view name, std::uint64_t first, std::uint64_t count) {
    const auto report =
        simulon::run_seeds(make_scenario(named(name)),
                           testing::test_seed(first),
                           testing::scaled((count + kSeedsShare - 1) / kSeedsShare));
    EXPECT_TRUE(report.verdict) << name << ": " << to_string(report);
}

// Every seed of a planted bug is found: once is enough.
void expect_found(std::string_view name, PlantedBug bug, std::string_view complaint) {
    const auto report = simulon::run(make_scenario(named(name), bug), testing::test_seed(1));
    ASSERT_FALSE(report.verdict) << "the planted bug was not found";
    EXPECT_TRUE(report.verdict.error().context.contains(complaint)) << to_string(report);
}

// Without faults a network of four and a follower orders, executes and changes epochs.
TEST(Networks, CalmNetworksAgree) {
    expect_holds("network/calm", 1, 2);
}

// Who watches sees the time pass to the end of the load and beyond, and changes nothing.
TEST(Networks, AWatcherSeesTimePass) {
    std::uint64_t calls = 0;
    Duration last{};
    const Watch watch = [&](Duration virtual_time) {
        EXPECT_GE(virtual_time, last);
        last = virtual_time;
        ++calls;
    };
    const NetworkScenario& scenario = named("network/calm");
    const auto watched = simulon::run(make_scenario(scenario, PlantedBug::None, watch), 3);
    const auto alone = simulon::run(make_scenario(scenario), 3);
    EXPECT_TRUE(watched.verdict) << to_string(watched);
    EXPECT_EQ(watched.digest, alone.digest);
    EXPECT_GT(calls, 1'000U);
    EXPECT_GE(last, scenario.duration);
}

// Of a scenario's seeds, one after the other; each must go well.
Pace pace_of(std::string_view name, std::uint64_t seeds) {
    Pace all;
    const auto append = [](std::vector<Duration>& to, const std::vector<Duration>& more) {
        to.insert(to.end(), more.begin(), more.end());
    };
    const PaceReport report = [&](const Pace& pace) {
        append(all.epoch_gaps, pace.epoch_gaps);
        append(all.block_gaps, pace.block_gaps);
        append(all.follower_lags, pace.follower_lags);
    };
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const auto outcome =
            simulon::run(make_scenario(named(name), PlantedBug::None, {}, report), seed);
        EXPECT_TRUE(outcome.verdict) << name << ": " << to_string(outcome);
    }
    return all;
}

double milliseconds_of(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

void print(std::string_view what, const std::vector<Duration>& durations) {
    std::cout << what << ": " << durations.size() << ", p50 " << milliseconds_of(median(durations))
              << " ms, max " << milliseconds_of(longest(durations)) << " ms\n";
}

// In virtual time, on every member: the first block of an epoch is executed within 1 s of the last
// one of the epoch before, near and far from each other.
TEST(Pace, AnEpochFollowsTheOneBeforeWithinASecond) {
    for (const std::string_view name : {"network/epochs", "network/far"}) {
        const Pace pace = pace_of(name, 3);
        ASSERT_GT(pace.epoch_gaps.size(), 30U) << name;
        print(std::string(name) + " between epochs", pace.epoch_gaps);
        EXPECT_LE(longest(pace.epoch_gaps), std::chrono::seconds(1)) << name;
    }
}

// Between nodes 50 ms apart: a signature's way to the members, and the way of the blocks with their
// certificate to the follower.
TEST(Pace, AFollowerIsARoundTripBehindTheMembers) {
    const Pace pace = pace_of("network/far", 3);
    ASSERT_GT(pace.follower_lags.size(), 300U);
    print("a follower's lag", pace.follower_lags);
    EXPECT_LE(median(pace.follower_lags), std::chrono::milliseconds(100));
    EXPECT_LE(longest(pace.follower_lags), std::chrono::milliseconds(100));
    EXPECT_GT(median(pace.follower_lags), std::chrono::milliseconds(50)) << "nothing is measured";
}

struct Slice {
    const char* scenario;
    std::uint64_t first;
    std::uint64_t count;

    friend void PrintTo(const Slice& slice, std::ostream* out) {
        *out << slice.scenario << " from seed " << slice.first;
    }
};

class Faults : public ::testing::TestWithParam<Slice> {};

// Agreement, conservation of money, exact balances and, after healing, progress, through crashes,
// loss, repeats, pauses and partitions. In slices, so that they run side by side.
TEST_P(Faults, SeedsHold) {
    expect_holds(GetParam().scenario, GetParam().first, GetParam().count);
}

INSTANTIATE_TEST_SUITE_P(Four,
                         Faults,
                         ::testing::Values(Slice{"network/four", 1, 25},
                                           Slice{"network/four", 26, 25},
                                           Slice{"network/four", 51, 25},
                                           Slice{"network/four", 76, 25}));
INSTANTIATE_TEST_SUITE_P(Seven,
                         Faults,
                         ::testing::Values(Slice{"network/seven", 1, 20},
                                           Slice{"network/seven", 21, 20},
                                           Slice{"network/seven", 41, 20},
                                           Slice{"network/seven", 61, 20},
                                           Slice{"network/seven", 81, 20}));
INSTANTIATE_TEST_SUITE_P(Others,
                         Faults,
                         ::testing::Values(Slice{"network/followers", 1, 20},
                                           Slice{"network/blackout", 1, 20}));

// Every file can be read from every node, no wrong byte is served although nodes lie, and what was
// acknowledged is settled and paid exactly, through the same faults.
INSTANTIATE_TEST_SUITE_P(Delivery,
                         Faults,
                         ::testing::Values(Slice{"delivery/calm", 1, 4},
                                           Slice{"delivery/four", 1, 30},
                                           Slice{"delivery/four", 31, 30},
                                           Slice{"delivery/liars", 1, 20},
                                           Slice{"delivery/liars", 21, 20}));

// A byte that is not the published one is noticed.
TEST(PlantedBugs, AWrongByteIsFound) {
    expect_found("delivery/calm", PlantedBug::WrongByte, "wrong block");
}

// A word that a node said it has taken, and that is never settled, is noticed.
TEST(PlantedBugs, ALostWordIsFound) {
    expect_found("delivery/calm", PlantedBug::LostWord, "taken");
}

// A node whose blocks differ from the others' is noticed.
TEST(PlantedBugs, AForkIsFound) {
    expect_found("network/calm", PlantedBug::ForkedState, "two blocks");
}

// A coin too many is noticed.
TEST(PlantedBugs, MintedMoneyIsFound) {
    expect_found("network/calm", PlantedBug::MintedMoney, "executed transfers come to");
}

// A node that is cut off after everything was healed is noticed.
TEST(PlantedBugs, AStalledNodeIsFound) {
    expect_found("network/calm", PlantedBug::StalledNode, "node 1");
}

// A run that depends on more than its seed is noticed.
TEST(PlantedBugs, AHiddenInputIsFound) {
    const auto report = simulon::run_twice(
        make_scenario(named("network/calm"), PlantedBug::HiddenInput), testing::test_seed(1));
    EXPECT_FALSE(report.verdict);
}

// Names are unique and say what they do.
TEST(Catalogue, EveryScenarioIsFoundByItsName) {
    for (const NetworkScenario& scenario : scenarios()) {
        EXPECT_EQ(find_scenario(scenario.name), &scenario);
        EXPECT_FALSE(scenario.what.empty());
    }
    EXPECT_EQ(find_scenario("network/none"), nullptr);
}

}  // namespace
}  // namespace draco::sim
