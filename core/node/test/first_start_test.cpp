// Proves that a key has one first start, whatever happens to the rest of the home and whenever the
// power fails.

#include "draco/node/first_start.hpp"

#include "draco/simulon/disk.hpp"

#include <gtest/gtest.h>

namespace draco::node {
namespace {

TEST(FirstStart, IsTrueOnce) {
    // The keys decide, not the data directory.
    simulon::SimulatedDisk disk(1);
    ASSERT_TRUE(disk.create_directory("keys"));
    EXPECT_TRUE(take_first_start(disk, "keys").value());
    EXPECT_FALSE(take_first_start(disk, "keys").value());
    ASSERT_TRUE(disk.create_directory("other"));
    EXPECT_TRUE(take_first_start(disk, "other").value());
}

TEST(FirstStart, IsNeverTrueTwiceOverCrashes) {
    // Power fails inside each change of the disk: who was told "first" is told so never again.
    for (std::uint64_t seed = 1; seed <= 40; ++seed)
        for (std::uint64_t change = 1; change <= 6; ++change) {
            simulon::SimulatedDisk disk(seed);
            ASSERT_TRUE(disk.create_directory("keys"));
            ASSERT_TRUE(disk.sync_directory(""));
            disk.crash_at_change(change);
            const auto first = take_first_start(disk, "keys");
            disk.crash();
            disk.restart();
            const auto second = take_first_start(disk, "keys");
            ASSERT_TRUE(second) << to_string(second.error());
            EXPECT_FALSE(first && *first && *second) << seed << " " << change;
        }
}

}  // namespace
}  // namespace draco::node
