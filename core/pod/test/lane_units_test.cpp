// units_max is where the chain's own rule begins to refuse: the cost of one unit more is above the
// reserve, that of this one is not.

#include "draco/pod/lane_units.hpp"

#include "draco/simulon/seeded_rng.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace draco::pod {
namespace {

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

bool settles(const types::Lane& lane, std::uint64_t cumulative) {
    const auto due =
        types::cost(lane.price, cumulative)->minus(*types::cost(lane.price, lane.settled));
    return due && *due <= lane.reserve;
}

// Numbers of all magnitudes.
std::uint64_t draw(simulon::SeededRng& rng) {
    return rng.between(0, kAll) >> rng.below(64);
}

TEST(LaneUnits, IsTheLastThatTheReservePaysFor) {
    simulon::SeededRng rng(draco::testing::test_seed(3));
    for (std::uint64_t i = 0; i < draco::testing::scaled(20'000); ++i) {
        types::Lane lane;
        lane.price = {types::UsdAmount{draw(rng)}, std::max<std::uint64_t>(1, draw(rng))};
        lane.settled = draw(rng);
        lane.reserve = types::UsdAmount{draw(rng)};
        if (rng.chance(0.1)) lane.reserve.units <<= 64U;
        const std::uint64_t most = units_max(lane);
        ASSERT_GE(most, lane.settled);
        ASSERT_TRUE(settles(lane, most));
        if (most != kAll) ASSERT_FALSE(settles(lane, most + 1));
    }
}

TEST(LaneUnits, ExtremesOfPriceAndReserve) {
    types::Lane lane;
    EXPECT_EQ(units_max(lane), kAll) << "a price of nothing";
    lane.price = {types::UsdAmount{1}, 1};
    EXPECT_EQ(units_max(lane), 0U);
    lane.reserve = types::UsdAmount{~static_cast<unsigned __int128>(0)};
    EXPECT_EQ(units_max(lane), kAll);
    lane.reserve = types::UsdAmount{5};
    lane.settled = 3;
    EXPECT_EQ(units_max(lane), 8U);
    lane.price = {types::UsdAmount{kAll}, kAll};
    EXPECT_EQ(units_max(lane), 8U);
}

}  // namespace
}  // namespace draco::pod
