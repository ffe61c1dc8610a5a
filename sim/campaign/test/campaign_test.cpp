// Committees of cores under faults and lies: many seeds of each scenario, each run twice and
// compared.
#include "draco/campaign/scenario.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace draco::campaign {
namespace {

// Under a sanitizer a seed costs many times as much and shows what it can show within a few.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t kSeedsShare = 10;
#else
constexpr std::uint64_t kSeedsShare = 1;
#endif

struct Slice {
    const char* scenario;
    std::uint64_t first;
    std::uint64_t count;

    friend void PrintTo(const Slice& slice, std::ostream* out) {
        *out << slice.scenario << " from seed " << slice.first;
    }
};

class Seeds : public ::testing::TestWithParam<Slice> {};

// Agreement, order, durability and, after healing, progress; see the checkers. In slices, so that
// they run side by side.
TEST_P(Seeds, Hold) {
    const Slice& slice = GetParam();
    const Scenario* scenario = find_scenario(slice.scenario);
    ASSERT_NE(scenario, nullptr);
    const Report report = run_seeds(*scenario,
                                    testing::test_seed(slice.first),
                                    testing::scaled((slice.count + kSeedsShare - 1) / kSeedsShare));
    EXPECT_TRUE(report.verdict) << slice.scenario << ": " << to_string(report);
}

INSTANTIATE_TEST_SUITE_P(Default,
                         Seeds,
                         ::testing::Values(Slice{"consensus/default", 1, 100},
                                           Slice{"consensus/default", 101, 100}));
INSTANTIATE_TEST_SUITE_P(Persistence,
                         Seeds,
                         ::testing::Values(Slice{"consensus/persistence", 0, 200}));
INSTANTIATE_TEST_SUITE_P(Faults,
                         Seeds,
                         ::testing::Values(Slice{"consensus/delays", 1, 20},
                                           Slice{"consensus/stragglers", 1, 20},
                                           Slice{"consensus/partitions", 1, 20},
                                           Slice{"consensus/one-way", 1, 20},
                                           Slice{"consensus/slow-disk", 1, 20},
                                           Slice{"consensus/full-disk", 1, 20},
                                           Slice{"consensus/clocks", 1, 20},
                                           Slice{"consensus/twins", 1, 20}));
INSTANTIATE_TEST_SUITE_P(Lies,
                         Seeds,
                         ::testing::Values(Slice{"consensus/equivocation", 1, 20},
                                           Slice{"consensus/withheld", 1, 20},
                                           Slice{"consensus/floods", 1, 10},
                                           Slice{"consensus/far-rounds", 1, 10},
                                           Slice{"consensus/garbage", 1, 20},
                                           Slice{"consensus/repeats", 1, 20},
                                           Slice{"consensus/everything", 1, 20}));
INSTANTIATE_TEST_SUITE_P(Workers,
                         Seeds,
                         ::testing::Values(Slice{"consensus/workers", 1, 30},
                                           Slice{"consensus/workers-withheld", 1, 20}));
INSTANTIATE_TEST_SUITE_P(Measured,
                         Seeds,
                         ::testing::Values(Slice{"consensus/blip-1s", 1, 1},
                                           Slice{"consensus/blip-20s", 1, 1},
                                           Slice{"consensus/latency-4", 1, 1},
                                           Slice{"consensus/latency-10", 1, 1}));

// Worker processes with links of their own: twice as many order nearly twice as much.
TEST(Workers, ScaleOut) {
    const Report one = run(*find_scenario("consensus/scale-1"), 1);
    const Report two = run(*find_scenario("consensus/scale-2"), 1);
    ASSERT_TRUE(one.verdict && two.verdict) << to_string(one) << to_string(two);
    EXPECT_GT(two.throughput->ordered_megabytes_per_s,
              1.7 * one.throughput->ordered_megabytes_per_s);
    // And nearly all that the links of three copies carry.
    EXPECT_GT(one.throughput->ordered_megabytes_per_s,
              0.85 * 4.0 / 3.0 * one.throughput->process_megabytes_per_s);
}

// Names are unique and say what they do.
TEST(Catalogue, EveryScenarioIsFoundByItsName) {
    for (const Scenario& scenario : scenarios()) {
        EXPECT_EQ(find_scenario(scenario.name), &scenario);
        EXPECT_FALSE(scenario.what.empty());
    }
    EXPECT_EQ(find_scenario("consensus/none"), nullptr);
}

}  // namespace
}  // namespace draco::campaign
