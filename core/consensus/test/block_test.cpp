#include "draco/consensus/block_builder.hpp"
#include "draco/consensus/block_signatures.hpp"
#include "draco/consensus/committer.hpp"
#include "draco/consensus/synchronizer.hpp"

#include "fixture.hpp"

#include <gtest/gtest.h>

namespace draco::consensus::test {
namespace {

constexpr Instant at(std::int64_t ms) {
    return Instant{std::chrono::milliseconds(ms)};
}

types::BatchDigest batch_number(std::uint8_t number) {
    types::BatchDigest digest;
    digest.bytes[0] = number;
    return digest;
}

class BlockBuilderTest : public ::testing::Test {
protected:
    void add(std::uint64_t round, std::size_t author, std::uint64_t created, std::uint8_t batch) {
        types::Header header = four.header(round, author);
        header.created = UnixTime{created};
        EXPECT_TRUE(
            header.batches.try_push_back(types::BatchReference{batch_number(batch), {}, 1}));
        std::vector<VertexId> accepted;
        dag.add(checked(kChain, four.certify(header, 0)), accepted);
    }

    types::Block build(std::uint64_t round, std::size_t author) const {
        const VertexId anchor{Round(round), member(author)};
        return builder.build(dag, anchor, unsettled_history(dag, anchor));
    }

    TestCommittee four = TestCommittee::make(4);
    Dag dag{4, 3, 16};
    BlockBuilder builder{kChain, Epoch(3), Tip{types::Height(10), {}, UnixTime{5'000}}, 6};
};

TEST_F(BlockBuilderTest, OrdersBatchesByRoundAndAuthorOnce) {
    // Lowest round first, then author; a batch that two headers name, or that an earlier block
    // ordered, stands once.
    add(0, 0, 1, 9);
    add(0, 1, 1, 7);
    add(0, 2, 1, 9);
    add(1, 1, 1, 3);
    const types::Block block = build(1, 1);
    EXPECT_EQ(*block.batches, (std::vector{batch_number(9), batch_number(7), batch_number(3)}));
    ASSERT_EQ(block.vertices->size(), 2U);
    EXPECT_EQ((*block.vertices)[1].count(), 3U);
    ASSERT_TRUE(builder.extends_tip(block));
    builder.append(block);
    EXPECT_FALSE(builder.extends_tip(block));
    EXPECT_EQ(builder.tip().height, types::Height(11));
    EXPECT_TRUE(build(1, 1).batches->empty());
}

TEST_F(BlockBuilderTest, TimeIsTheParentsMedianAndAlwaysGrows) {
    // The lower median of the anchor's parents, or a millisecond after the block before.
    add(0, 0, 6'000, 1);
    add(0, 1, 9'000'000, 2);
    add(0, 2, 7'000, 3);
    add(1, 1, 1, 4);
    EXPECT_EQ(build(1, 1).timestamp, UnixTime{7'000});
    EXPECT_EQ(build(0, 0).timestamp, UnixTime{6'000}) << "no parents: the anchor's own";
    builder = BlockBuilder(kChain, Epoch(3), Tip{types::Height(1), {}, UnixTime{8'000}}, 6);
    EXPECT_EQ(build(1, 1).timestamp, UnixTime{8'001});
}

TEST_F(BlockBuilderTest, TimeIsTheSameWhetherTheLastAnchorIsKnownOrFollowed) {
    // A member that followed the last block lacks its anchor's vertex, and yet makes the next block
    // like all others: what it needs of the anchor is in the block.
    add(0, 0, 6'000, 1);
    add(0, 1, 7'000, 2);
    add(0, 2, 8'000, 3);
    add(1, 1, 9'000, 4);
    const types::Block last = build(0, 1);
    builder.append(last);
    Dag lacking{4, 3, 16};
    std::vector<VertexId> accepted;
    AuthoritySet followed;
    followed.insert(member(1));
    lacking.settle(Round(0), followed, accepted);
    for (const VertexId vertex : {VertexId{Round(0), member(0)},
                                  VertexId{Round(0), member(2)},
                                  VertexId{Round(1), member(1)}})
        lacking.add(checked(kChain, *dag.find(vertex)), accepted);
    const VertexId anchor{Round(1), member(1)};
    dag.settle(Round(0), followed, accepted);
    const types::Block known = build(1, 1);
    EXPECT_EQ(known.timestamp, UnixTime{7'001}) << "the followed anchor's time is the median";
    EXPECT_EQ(builder.build(lacking, anchor, unsettled_history(lacking, anchor)), known);
}

class BlockSignaturesTest : public ::testing::Test {
protected:
    static types::BlockStatement statement(std::uint64_t height, std::uint8_t block = 1) {
        types::BlockStatement statement{Epoch(3), types::Height(height), {}, {}};
        statement.block.bytes[0] = block;
        return statement;
    }

    void commit(std::uint64_t height) {
        signatures.committed(
            statement(height), member(0), four.block_signature(statement(height), 0).signature);
    }

    Result<void, Refusal> add(std::size_t from, const types::BlockStatement& about) {
        return signatures.add(member(from), four.block_signature(about, from));
    }

    TestCommittee four = TestCommittee::make(4);
    BlockSignatures signatures{four.committee, types::Height(0)};
};

TEST_F(BlockSignaturesTest, CertifyWithAQuorumForTheSameBlock) {
    // Signatures may come before the block; those for another block of the height do not count.
    EXPECT_TRUE(add(1, statement(1)).has_value());
    EXPECT_TRUE(add(2, statement(1, 99)).has_value());
    commit(1);
    EXPECT_TRUE(signatures.take_complete().empty());
    EXPECT_EQ(add(2, statement(1)).error(), Refusal::Equivocation);
    EXPECT_TRUE(signatures.missing_for_last().contains(member(3)));
    EXPECT_TRUE(add(3, statement(1)).has_value());
    const auto complete = signatures.take_complete();
    ASSERT_EQ(complete.size(), 1U);
    EXPECT_TRUE(types::verify(kChain, four.committee, complete[0]).has_value());
    EXPECT_TRUE(signatures.take_complete().empty());
    EXPECT_TRUE(signatures.missing_for_last().empty());
    EXPECT_EQ(add(1, statement(1)).error(), Refusal::Stale);
}

TEST_F(BlockSignaturesTest, AreBoundedAndTellHowFarOthersAre) {
    // Heights far ahead are refused, but f + 1 members who are there are believed to be.
    EXPECT_EQ(add(1, statement(1'000'000)).error(), Refusal::TooFarAhead);
    EXPECT_EQ(signatures.credible_height(), types::Height(0)) << "one may lie";
    EXPECT_EQ(add(2, statement(500)).error(), Refusal::TooFarAhead);
    EXPECT_EQ(signatures.credible_height(), types::Height(500));
    commit(1);
    signatures.end_at(types::Height(0));
    EXPECT_TRUE(signatures.missing_for_last().empty());
}

TEST_F(BlockSignaturesTest, OfBlocksLongAgoAreNotKept) {
    // Before the first certificate of an epoch, one member could fill the memory with them.
    BlockSignatures late(four.committee, types::Height(1'000'000));
    const auto added = [&](std::uint64_t height) {
        return late.add(member(1), four.block_signature(statement(height), 1));
    };
    EXPECT_EQ(added(1).error(), Refusal::Stale);
    EXPECT_EQ(added(1'000'000 - BlockSignatures::kHeightsMax).error(), Refusal::Stale);
    EXPECT_TRUE(added(1'000'001 - BlockSignatures::kHeightsMax).has_value());
    EXPECT_TRUE(added(1'000'001).has_value());
}

TEST_F(BlockSignaturesTest, TheLastBlockGetsItsOwnAlthoughAVoidOneWasFirst) {
    // A certificate covers the blocks before it, unless it turns out to be of a void block.
    commit(1);
    commit(2);
    EXPECT_TRUE(add(1, statement(1)).has_value());
    EXPECT_TRUE(add(1, statement(2)).has_value());
    EXPECT_TRUE(add(2, statement(2)).has_value());
    ASSERT_EQ(signatures.take_complete().size(), 1U);
    EXPECT_EQ(signatures.certified(), types::Height(2));
    signatures.end_at(types::Height(1));
    EXPECT_EQ(signatures.certified(), types::Height(0));
    commit(1);
    EXPECT_TRUE(signatures.missing_for_last().contains(member(1)));
    EXPECT_TRUE(add(1, statement(1)).has_value());
    EXPECT_TRUE(add(3, statement(1)).has_value());
    const auto complete = signatures.take_complete();
    ASSERT_EQ(complete.size(), 1U);
    EXPECT_EQ(complete[0].statement, statement(1));
    EXPECT_TRUE(signatures.missing_for_last().empty());
}

TEST_F(BlockSignaturesTest, TheLastBlockKeepsTheOneItHas) {
    // Certified before void ones were: nothing is asked for again.
    for (std::uint64_t height = 1; height <= 2; ++height) {
        commit(height);
        EXPECT_TRUE(add(1, statement(height)).has_value());
        EXPECT_TRUE(add(2, statement(height)).has_value());
        ASSERT_EQ(signatures.take_complete().size(), 1U);
    }
    signatures.end_at(types::Height(1));
    EXPECT_EQ(signatures.certified(), types::Height(1));
    EXPECT_TRUE(signatures.missing_for_last().empty());
}

TEST(Synchronizer, AsksOneMemberAtATimeAndGoesRound) {
    // The author first, the next member after each deadline, never oneself; an answer ends it.
    const Parameters parameters;
    Synchronizer synchronizer(parameters, 4, member(0));
    using Named = Synchronizer::Named;
    synchronizer.want_batch({batch_number(1), {}, 0}, member(3), Round(5), Named::ByHeader, at(10));
    EXPECT_TRUE(synchronizer.due_batches(Epoch(3), at(9)).empty());
    std::vector<std::uint16_t> asked;
    Instant now = at(10);
    for (int i = 0; i < 3; ++i) {
        const auto due = synchronizer.due_batches(Epoch(3), now);
        ASSERT_EQ(due.size(), 1U);
        asked.push_back(due[0].to.value());
        EXPECT_TRUE(synchronizer.due_batches(Epoch(3), now).empty());
        now = *synchronizer.batches_due_at();
    }
    EXPECT_EQ(asked, (std::vector<std::uint16_t>{3, 1, 2}));
    synchronizer.forget_uncertified(member(3));
    EXPECT_EQ(synchronizer.wanted(), 0U);
    synchronizer.want_batch(
        {batch_number(1), {}, 0}, member(3), Round(5), Named::ByCertificate, now);
    synchronizer.forget_uncertified(member(3));
    EXPECT_EQ(synchronizer.wanted(), 1U);
    synchronizer.raise_floor(Round(6));
    EXPECT_EQ(synchronizer.wanted(), 0U);
    EXPECT_EQ(synchronizer.ask_certificates(now), member(1));
    EXPECT_FALSE(synchronizer.ask_certificates(now).has_value());
    synchronizer.answered(member(1));
    EXPECT_EQ(synchronizer.ask_certificates(now), member(2));
    EXPECT_EQ(synchronizer.ask_certificates(now + parameters.request_deadline), member(3));
}

TEST(ServeBudget, RefillsWithTime) {
    // A peer gets a second's worth at once, then what time gives; another has its own.
    ServeBudget budget(2, 10'000'000);
    EXPECT_TRUE(budget.spend(member(0), 10'000'000, at(0)));
    EXPECT_FALSE(budget.spend(member(0), 1, at(0)));
    EXPECT_TRUE(budget.spend(member(1), 1, at(0)));
    EXPECT_TRUE(budget.spend(member(0), 1'000'000, at(100)));
    EXPECT_FALSE(budget.spend(member(0), 1, at(100)));
    EXPECT_FALSE(budget.spend(member(0), 10'000'001, at(1'000'000)));
}

}  // namespace
}  // namespace draco::consensus::test
