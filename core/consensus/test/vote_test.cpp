#include "draco/consensus/batch_age.hpp"
#include "draco/consensus/vote_aggregator.hpp"
#include "draco/consensus/voter.hpp"

#include "fixture.hpp"

#include <gtest/gtest.h>

namespace draco::consensus::test {
namespace {

class VoterTest : public ::testing::Test {
protected:
    Result<Voter::Reception, Refusal> receive(types::Header header) {
        return voter.receive(four.checked_header(std::move(header)), dag, {});
    }

    bool votes(std::uint64_t now_ms = 1000) {
        return voter.next(dag, batches, UnixTime{now_ms}).has_value();
    }

    void fill_round_zero() {
        std::vector<VertexId> accepted;
        for (std::size_t author = 0; author < 4; ++author)
            dag.add(four.vertex(0, author), accepted);
    }

    TestCommittee four = TestCommittee::make(4);
    Dag dag{4, 3, 16};
    BatchStore batches{4, 1U << 20U, 1U << 22U, 100};
    Voter voter{4, 500, 100};
};

TEST_F(VoterTest, VotesOncePerAuthorAndRound) {
    // The same header again is answered with the same vote; another one of that round never is, nor
    // one of a lower round.
    ASSERT_TRUE(receive(four.header(0, 1)).has_value());
    EXPECT_TRUE(votes());
    EXPECT_FALSE(votes());
    EXPECT_EQ(receive(four.header(0, 1)).value(), Voter::Reception::VotedBefore);
    types::Header other = four.header(0, 1);
    other.created.ms = 999;
    EXPECT_EQ(receive(other).error(), Refusal::Equivocation);
    fill_round_zero();
    ASSERT_TRUE(receive(four.header(1, 1)).has_value());
    EXPECT_TRUE(votes());
    EXPECT_EQ(receive(four.header(0, 1)).error(), Refusal::Stale);
}

TEST_F(VoterTest, RemembersVotesOfEarlierLives) {
    // A vote from the log counts as cast.
    const types::Header header = four.header(0, 1);
    voter.restore({Round(0), member(1), types::digest_of(kChain, header)});
    EXPECT_EQ(receive(header).value(), Voter::Reception::VotedBefore);
    types::Header other = header;
    other.created.ms = 999;
    EXPECT_EQ(receive(other).error(), Refusal::Equivocation);
}

TEST_F(VoterTest, WaitsForParentsAndForTime) {
    // No vote before all parents are in the DAG with the digests named, nor for headers from the
    // future.
    ASSERT_TRUE(receive(four.header(1, 1)).has_value());
    EXPECT_FALSE(votes());
    fill_round_zero();
    EXPECT_FALSE(votes(499));
    EXPECT_EQ(voter.future_delay(UnixTime{499}), std::chrono::milliseconds(1));
    EXPECT_TRUE(votes(500));
}

TEST_F(VoterTest, RefusesParentsThatAreOthers) {
    // A parent of the right author with another digest is not a parent.
    fill_round_zero();
    types::Header header = four.header(1, 1);
    header.parents = {};
    for (std::size_t i = 0; i < 3; ++i)
        ASSERT_TRUE(header.parents.try_push_back(types::HeaderDigest{}));
    ASSERT_TRUE(receive(header).has_value());
    EXPECT_FALSE(votes());
}

TEST_F(VoterTest, AVoteProvesThatTheBatchesAreHeld) {
    // Missing, another author's, or of another length: no vote.
    const CheckedBatch own = checked(kChain, four.batch(1, 1));
    const CheckedBatch stolen = checked(kChain, four.batch(2, 1));
    types::Header header = four.header(0, 1);
    ASSERT_TRUE(header.batches.try_push_back(
        types::BatchReference{own.digest, types::WorkerIndex(0), own.bytes}));
    ASSERT_TRUE(receive(header).has_value());
    EXPECT_FALSE(votes());
    batches.add(own, Round(0), BatchStore::Demand::Pushed);
    EXPECT_TRUE(votes());
    batches.add(stolen, Round(0), BatchStore::Demand::Pushed);
    fill_round_zero();
    header = four.header(1, 1);
    ASSERT_TRUE(header.batches.try_push_back(
        types::BatchReference{stolen.digest, types::WorkerIndex(0), stolen.bytes}));
    ASSERT_TRUE(receive(header).has_value());
    EXPECT_FALSE(votes());
    header = four.header(1, 3);
    header.batches = {};
    const CheckedBatch third = checked(kChain, four.batch(3, 1));
    batches.add(third, Round(0), BatchStore::Demand::Pushed);
    ASSERT_TRUE(header.batches.try_push_back(
        types::BatchReference{third.digest, types::WorkerIndex(0), third.bytes + 1}));
    ASSERT_TRUE(receive(header).has_value());
    EXPECT_FALSE(votes());
}

TEST_F(VoterTest, VotesForBatchesOfItsRoundAndTheHundredBefore) {
    // A batch that is older than that may have been ordered when nobody remembers it; one that was
    // sealed in a later round would be of age for too long.
    const auto votes_for = [&](std::uint64_t sealed, std::uint64_t round) {
        Voter fresh{4, 500, 100};
        Dag high{4, 3, 16};
        std::vector<VertexId> accepted;
        high.raise_floor(Round(round - 1), accepted);
        for (std::size_t author = 0; author < 4; ++author)
            high.add(four.vertex(round - 1, author), accepted);
        const CheckedBatch batch =
            checked(kChain, four.batch(1, first_sequence(Round(sealed)) + kBatchesPerRound - 1));
        batches.add(batch, Round(round), BatchStore::Demand::Pushed);
        types::Header header = four.header(round, 1);
        EXPECT_TRUE(header.batches.try_push_back(
            types::BatchReference{batch.digest, types::WorkerIndex(0), batch.bytes}));
        EXPECT_TRUE(fresh.receive(four.checked_header(std::move(header)), high, {}).has_value());
        return fresh.next(high, batches, UnixTime{1000}).has_value();
    };
    EXPECT_TRUE(votes_for(200, 200));
    EXPECT_TRUE(votes_for(100, 200));
    EXPECT_FALSE(votes_for(99, 200));
    EXPECT_FALSE(votes_for(201, 200));
}

TEST(VoteAggregator, CertifiesWithAQuorumOfItsHeader) {
    // The own vote and n - f - 1 others make a certificate that verifies, once.
    const TestCommittee four = TestCommittee::make(4);
    const types::Header header = four.header(0, 2);
    VoteAggregator aggregator(four.committee);
    EXPECT_FALSE(aggregator.add(four.vote(header, 0)).has_value()) << "before any header";
    aggregator.start(four.checked_header(header), member(2), four.vote(header, 2).signature);
    EXPECT_TRUE(aggregator.add(four.vote(header, 0)).has_value());
    EXPECT_EQ(aggregator.add(four.vote(header, 0)).error(), Refusal::Stale);
    EXPECT_EQ(aggregator.add(four.vote(four.header(1, 2), 1)).error(), Refusal::Stale);
    EXPECT_FALSE(aggregator.take_certificate().has_value());
    EXPECT_TRUE(aggregator.add(four.vote(header, 3)).has_value());
    const auto certificate = aggregator.take_certificate();
    ASSERT_TRUE(certificate.has_value());
    EXPECT_TRUE(verify(*certificate->certificate, member(0), four.committee, kChain).has_value());
    EXPECT_FALSE(aggregator.take_certificate().has_value());
}

}  // namespace
}  // namespace draco::consensus::test
