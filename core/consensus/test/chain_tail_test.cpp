#include "../src/chain_tail.hpp"

#include "fixture.hpp"

#include <gtest/gtest.h>

namespace draco::consensus::test {
namespace {

types::Block block(std::uint64_t height, std::uint64_t variant = 0) {
    types::Block made;
    made.epoch = Epoch(3);
    made.height = types::Height(height);
    made.parent.bytes[0] = static_cast<std::uint8_t>(height);
    made.timestamp = UnixTime{height * 10 + variant};
    return made;
}

ChainTail ledger(std::uint64_t first, std::uint64_t last) {
    ChainTail tail{{types::Height(first - 1), {}, UnixTime{7}}, {}};
    for (std::uint64_t height = first; height <= last; ++height)
        tail.blocks.push_back(block(height));
    return tail;
}

std::vector<Record> log(const std::vector<std::uint64_t>& heights) {
    std::vector<Record> records{OwnVote{Round(1), member(1), {}}};
    for (const std::uint64_t height : heights) records.emplace_back(block(height));
    return records;
}

// The start, then the heights of the blocks; empty if refused as Corrupt.
std::vector<std::uint64_t> joined(std::vector<Record> records, const ChainTail& tail) {
    const auto result = join_tail(std::move(records), tail, kChain);
    if (!result) {
        EXPECT_EQ(result.error().code, Errc::Corrupt);
        return {};
    }
    EXPECT_TRUE(std::holds_alternative<OwnVote>(result->records.front())) << "others are kept";
    std::vector<std::uint64_t> heights{result->start.height.value()};
    for (const Record& record : result->records)
        if (const auto* each = std::get_if<types::Block>(&record))
            heights.push_back(each->height.value());
    return heights;
}

using Heights = std::vector<std::uint64_t>;

TEST(ChainTail, JoinsWhicheverIsLonger) {
    // The ledger has more, the log has more, or one continues the other below or above.
    EXPECT_EQ(joined(log({}), ledger(3, 5)), (Heights{2, 3, 4, 5}));
    EXPECT_EQ(joined(log({3}), ledger(3, 5)), (Heights{2, 3, 4, 5}));
    EXPECT_EQ(joined(log({5, 6, 7}), ledger(3, 5)), (Heights{2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(joined(log({6}), ledger(3, 5)), (Heights{2, 3, 4, 5, 6}));
    EXPECT_EQ(joined(log({1, 2}), ledger(3, 5)), (Heights{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(joined(log({}), ledger(3, 2)), (Heights{2}));
    EXPECT_EQ(joined(log({3, 4}), ledger(3, 2)), (Heights{2, 3, 4}));
}

TEST(ChainTail, NamesWhatTheLogLacks) {
    // The ledger's blocks without a record, so that the log gets them back; none that it has.
    const auto missing = [](const std::vector<std::uint64_t>& logged) {
        std::vector<std::uint64_t> heights;
        for (const types::Block& each : join_tail(log(logged), ledger(3, 5), kChain)->missing)
            heights.push_back(each.height.value());
        return heights;
    };
    EXPECT_EQ(missing({}), (Heights{3, 4, 5}));
    EXPECT_EQ(missing({3, 5, 6}), (Heights{4}));
    EXPECT_EQ(missing({2, 3, 4, 5}), Heights{});
}

TEST(ChainTail, LeavesOutWhatIsCutOff) {
    // Old blocks that do not reach the ledger's, and new ones after a gap, do not count.
    EXPECT_EQ(joined(log({1}), ledger(3, 5)), (Heights{2, 3, 4, 5}));
    EXPECT_EQ(joined(log({6, 8}), ledger(3, 5)), (Heights{2, 3, 4, 5, 6}));
}

TEST(ChainTail, FindsContradictions) {
    // The ledger lost blocks that the log goes on from, or has another block of a height.
    EXPECT_TRUE(joined(log({7}), ledger(3, 5)).empty());
    auto other = ledger(3, 5);
    other.blocks[1] = block(4, 1);
    EXPECT_TRUE(joined(log({4}), other).empty());
}

}  // namespace
}  // namespace draco::consensus::test
