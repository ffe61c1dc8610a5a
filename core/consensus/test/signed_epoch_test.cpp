#include "../src/signed_epoch.hpp"

#include "draco/simulon/disk.hpp"
#include "draco/simulon/seeded_rng.hpp"
#include "draco/types/keys.hpp"

#include <gtest/gtest.h>

namespace draco::consensus::test {
namespace {

using File = SignedEpoch::File;
using types::Epoch;

const types::ChainId kChain(1337);

types::NodeKey key(std::uint64_t seed) {
    simulon::SeededRng rng(seed);
    return types::NodeSecretKey::generate(rng).public_key();
}

SignedEpoch past_on(Disk& disk, std::uint64_t key_seed = 1) {
    return {disk, "data/consensus", kChain, key(key_seed)};
}

TEST(SignedEpoch, KnowsWhatWasNeverTouched) {
    // Without the file nothing is known; with it, what lies above, and an epoch whose log was only
    // about to be made, is untouched; nothing lowers it.
    simulon::SimulatedDisk disk(1);
    auto past = past_on(disk);
    EXPECT_EQ(past.read().value(), File::Absent);
    EXPECT_FALSE(past.is_known());
    EXPECT_FALSE(past.is_untouched(Epoch(0)));
    ASSERT_TRUE(past.begin());
    EXPECT_TRUE(past.is_untouched(Epoch(0)));
    ASSERT_TRUE(past.before_log(Epoch(4)));
    for (SignedEpoch each : {past, past_on(disk)}) {
        EXPECT_EQ(each.read().value(), File::Sound);
        EXPECT_FALSE(each.is_untouched(Epoch(3)));
        EXPECT_TRUE(each.is_untouched(Epoch(4)));
        EXPECT_TRUE(each.is_untouched(Epoch(5)));
    }
    ASSERT_TRUE(past.after_log(Epoch(4)));
    ASSERT_TRUE(past.before_log(Epoch(4)));
    ASSERT_TRUE(past.before_log(Epoch(2)));
    ASSERT_TRUE(past.after_log(Epoch(2)));
    auto again = past_on(disk);
    EXPECT_EQ(again.read().value(), File::Sound);
    EXPECT_FALSE(again.is_untouched(Epoch(4)));
    EXPECT_TRUE(again.is_untouched(Epoch(5)));
    ASSERT_TRUE(again.forget());
    ASSERT_TRUE(again.forget());
    EXPECT_EQ(again.read().value(), File::Absent);
}

TEST(SignedEpoch, FindsEveryDamage) {
    // Each flipped bit, each cut, a longer file, and the file of another key are damaged.
    simulon::SimulatedDisk disk(1);
    auto past = past_on(disk);
    ASSERT_TRUE(past.after_log(Epoch(7)));
    const std::string path = "data/consensus/signed-epoch";
    EXPECT_EQ(past_on(disk, 2).read().value(), File::Damaged);
    const std::uint64_t size = disk.open(path, OpenMode::Read).value()->size().value();
    for (std::uint64_t bit = 0; bit < size * 8; ++bit) {
        ASSERT_TRUE(disk.flip_bit(path, bit));
        EXPECT_EQ(past.read().value(), File::Damaged) << bit;
        EXPECT_FALSE(past.is_known());
        ASSERT_TRUE(disk.flip_bit(path, bit));
    }
    EXPECT_EQ(past.read().value(), File::Sound);
    auto file = disk.open(path, OpenMode::ReadWrite).value();
    ASSERT_TRUE(file->truncate(size + 1));
    EXPECT_EQ(past.read().value(), File::Damaged);
    for (std::uint64_t left = size; left-- > 0;) {
        ASSERT_TRUE(file->truncate(left));
        EXPECT_EQ(past.read().value(), File::Damaged) << left;
    }
}

TEST(SignedEpoch, ACrashLeavesTheOldOrTheNew) {
    // Power fails inside each change of the disk: the file is one of the two that it was, and what
    // was acknowledged holds.
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
        for (std::uint64_t change = 1; change <= 8; ++change) {
            simulon::SimulatedDisk disk(seed);
            ASSERT_TRUE(past_on(disk).after_log(Epoch(1)));
            disk.crash_at_change(change);
            auto past = past_on(disk);
            ASSERT_EQ(past.read().value(), File::Sound);
            const bool done = past.after_log(Epoch(2)).has_value();
            disk.crash();
            disk.restart();
            auto found = past_on(disk);
            ASSERT_EQ(found.read().value(), File::Sound) << seed << " " << change;
            EXPECT_FALSE(found.is_untouched(Epoch(1)));
            EXPECT_TRUE(found.is_untouched(Epoch(3)));
            if (done) {
                EXPECT_FALSE(found.is_untouched(Epoch(2))) << seed << " " << change;
            }
        }
}

}  // namespace
}  // namespace draco::consensus::test
