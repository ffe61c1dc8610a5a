// The ledger of a lane keeps its count over restarts and power cuts, and tells damage and other
// lanes from its own.

#include "draco/client/lane.hpp"
#include "draco/simulon/disk.hpp"

#include <gtest/gtest.h>

namespace draco::client {
namespace {

const types::NodeKey kNode{};
const types::session::LaneClaim kLane{.instance = types::LaneInstance(3)};

Result<std::unique_ptr<FileLedger>> open(Disk& disk) {
    return FileLedger::open(disk, "lane", kNode, kLane);
}

// Power fails at each change to the disk in turn: what record() had reported is never lost, and
// what is read is one of the counts that were written.
TEST(FileLedger, NoPowerCutLosesARecordedCount) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        for (std::uint64_t cut = 1; cut <= 16; ++cut) {
            simulon::SimulatedDisk disk(seed);
            disk.crash_at_change(cut);
            std::uint64_t recorded = 0;
            std::uint64_t tried = 0;
            if (const auto ledger = open(disk))
                for (std::uint64_t count = 10; count <= 50; count += 10) {
                    tried = count;
                    if (!(*ledger)->record(count)) break;
                    recorded = count;
                }
            disk.crash();
            disk.restart();
            const auto again = open(disk);
            ASSERT_TRUE(again) << to_string(again.error()) << " seed " << seed << " cut " << cut;
            EXPECT_GE((*again)->received(), recorded);
            EXPECT_LE((*again)->received(), tried);
            EXPECT_EQ((*again)->received() % 10, 0);
        }
    }
}

// A count never falls; a flipped bit and another lane are told.
TEST(FileLedger, DamageAndOtherLanesAreTold) {
    simulon::SimulatedDisk disk(1);
    {
        const auto ledger = open(disk).value();
        ASSERT_TRUE(ledger->record(7));
        ASSERT_TRUE(ledger->record(5));
        EXPECT_EQ(ledger->received(), 7);
    }
    EXPECT_EQ(open(disk).value()->received(), 7);
    types::session::LaneClaim other = kLane;
    other.instance = types::LaneInstance(4);
    const auto mixed_up = FileLedger::open(disk, "lane", kNode, other);
    ASSERT_FALSE(mixed_up);
    EXPECT_EQ(mixed_up.error().code, Errc::InvalidArgument);
    for (const std::uint64_t bit : {0U, 8U * 64U, 8U * 80U}) {
        ASSERT_TRUE(disk.flip_bit("lane", bit));
        const auto damaged = open(disk);
        ASSERT_FALSE(damaged) << bit;
        EXPECT_EQ(damaged.error().code, Errc::Corrupt);
        ASSERT_TRUE(disk.flip_bit("lane", bit));
    }
    EXPECT_TRUE(open(disk));
}

}  // namespace
}  // namespace draco::client
