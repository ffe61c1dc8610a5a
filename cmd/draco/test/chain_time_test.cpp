// Time by the chain passes while blocks come, stands in a pause however long it is, and goes on
// without a jump; a chain that makes no block of ours is probed now and then.

#include "../src/chain_time.hpp"

#include <gtest/gtest.h>

namespace draco {
namespace {

using namespace std::chrono_literals;

TEST(ChainTime, PassesWhileBlocksCome) {
    Instant now{};
    ChainTime time(now);
    for (int i = 0; i < 100; ++i) {
        now = now + 250ms;
        time.saw_block(now, true);
        EXPECT_FALSE(time.stands(now));
        EXPECT_EQ(time.at(now), now);
    }
    EXPECT_EQ(time.at(now + 700ms), now + 700ms);
}

TEST(ChainTime, APauseCountsForASecond) {
    const Instant begin{};
    ChainTime time(begin);
    time.saw_block(begin, true);
    for (const Duration pause : {Duration(2s), Duration(60s), Duration(1h)}) {
        EXPECT_EQ(time.at(begin + pause), begin + 1s);
        EXPECT_TRUE(time.stands(begin + pause));
    }
    time.saw_block(begin + 60s, true);
    EXPECT_EQ(time.at(begin + 60s), begin + 1s);
    EXPECT_FALSE(time.stands(begin + 60s));
    EXPECT_EQ(time.at(begin + 60s + 300ms), begin + 1s + 300ms);
}

TEST(ChainTime, StandsBeforeTheFirstBlock) {
    const Instant begin{};
    const ChainTime time(begin);
    EXPECT_EQ(time.at(begin + 30s), begin + 1s);
}

// Blocks without ours, such as the last one of an epoch, do not make up for them.
TEST(ChainTime, ProbesOnceInEachStandstill) {
    Instant now{};
    ChainTime time(now);
    int probes = 0;
    for (int i = 0; i < 1000; ++i) {
        now = now + 100ms;
        if (i % 50 == 0) time.saw_block(now, false);
        probes += time.take_probe(now) ? 1 : 0;
    }
    EXPECT_EQ(probes, 5);
    for (int i = 0; i < 1000; ++i) {
        now = now + 100ms;
        if (i % 150 == 0) time.saw_block(now, true);
        EXPECT_FALSE(time.take_probe(now));
    }
}

}  // namespace
}  // namespace draco
