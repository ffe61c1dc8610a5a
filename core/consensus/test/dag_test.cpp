#include "draco/consensus/dag.hpp"

#include "draco/consensus/proposer.hpp"
#include "draco/consensus/synchronizer.hpp"

#include "fixture.hpp"

#include <gtest/gtest.h>

namespace draco::consensus::test {
namespace {

class DagTest : public ::testing::Test {
protected:
    void fill(std::uint64_t first, std::uint64_t end) {
        for (std::uint64_t round = first; round < end; ++round)
            for (std::size_t author = 0; author < 4; ++author) add(round, author);
    }

    Dag::Addition add(std::uint64_t round, std::size_t author) {
        return dag.add(four.vertex(round, author), accepted);
    }

    TestCommittee four = TestCommittee::make(4);
    Dag dag{4, 3, 16};
    std::vector<VertexId> accepted;
};

TEST_F(DagTest, AcceptsParentsBeforeChildren) {
    // A vertex waits in its slot for its parents; the last one releases all above, lowest first.
    fill(0, 1);
    EXPECT_EQ(add(2, 3), Dag::Addition::Suspended);
    EXPECT_EQ(add(1, 0), Dag::Addition::Accepted);
    EXPECT_EQ(add(1, 1), Dag::Addition::Accepted);
    EXPECT_EQ(dag.find({Round(2), member(3)}), nullptr);
    EXPECT_EQ(dag.lowest_missing(), Round(1));
    accepted.clear();
    EXPECT_EQ(add(1, 2), Dag::Addition::Accepted);
    EXPECT_EQ(accepted, (std::vector<VertexId>{{Round(1), member(2)}, {Round(2), member(3)}}));
    EXPECT_EQ(dag.quorum_round(), Round(1));
    EXPECT_EQ(dag.votes({Round(1), member(2)}), 1U);
    EXPECT_EQ(dag.suspended_count(), 0U);
    EXPECT_EQ(add(1, 2), Dag::Addition::Known);
}

TEST_F(DagTest, HasBoundsBelowAndAbove) {
    // Below the floor and beyond the window nothing is taken; a second vertex in a slot is told.
    fill(0, 3);
    dag.raise_floor(Round(2), accepted);
    EXPECT_EQ(add(1, 0), Dag::Addition::BelowFloor);
    EXPECT_EQ(add(18, 0), Dag::Addition::BeyondWindow);
    types::Header other = four.header(2, 0);
    other.created.ms += 1;
    EXPECT_EQ(dag.add(checked(kChain, four.certify(other, 0)), accepted), Dag::Addition::Conflict);
}

TEST_F(DagTest, ACertificateIsItsHeaderWhoeverSigned) {
    // Two certificates of one header by other signers are one vertex, with one identity.
    const types::Header header = four.header(0, 1);
    const CheckedCertificate by_three = checked(kChain, four.certify(header, 3));
    const CheckedCertificate by_four = checked(kChain, four.certify(header, 4));
    ASSERT_NE(*by_three.certificate, *by_four.certificate);
    EXPECT_EQ(by_three.digest, by_four.digest);
    EXPECT_EQ(dag.add(by_three, accepted), Dag::Addition::Accepted);
    EXPECT_EQ(dag.add(by_four, accepted), Dag::Addition::Known);
}

TEST_F(DagTest, TheFloorAndBlocksStandInForParents) {
    // What misses parents below the floor, or parents that a block settled, is accepted.
    EXPECT_EQ(add(5, 0), Dag::Addition::Suspended);
    EXPECT_EQ(add(7, 1), Dag::Addition::Suspended);
    dag.raise_floor(Round(5), accepted);
    EXPECT_EQ(accepted, (std::vector<VertexId>{{Round(5), member(0)}}));
    AuthoritySet three;
    for (std::size_t i = 0; i < 3; ++i) three.insert(member(i));
    accepted.clear();
    dag.settle(Round(6), three, accepted);
    EXPECT_EQ(accepted, (std::vector<VertexId>{{Round(7), member(1)}}));
}

TEST_F(DagTest, CountsPayloadUntilItIsSettledOrForgotten) {
    // The count that keeps the engine awake goes back to zero on both ways.
    for (std::size_t author = 0; author < 2; ++author) {
        types::Header header = four.header(0, author);
        ASSERT_TRUE(header.batches.try_push_back(types::BatchReference{}));
        dag.add(checked(kChain, four.certify(header, 0)), accepted);
    }
    EXPECT_EQ(dag.unsettled_payload(), 2U);
    AuthoritySet first;
    first.insert(member(0));
    dag.settle(Round(0), first, accepted);
    EXPECT_EQ(dag.unsettled_payload(), 1U);
    dag.raise_floor(Round(1), accepted);
    EXPECT_EQ(dag.unsettled_payload(), 0U);
}

TEST_F(DagTest, AnswersWithWhatTheOtherLacks) {
    // A full DAG serves an empty one round by round until both are equal, in bounded answers.
    fill(0, 16);
    Dag other(4, 3, 16);
    for (int answers = 0; answers < 3; ++answers) {
        const auto response = certificates_for(
            certificates_lacking(other, Epoch(3)), dag, Epoch(3), types::Height(7));
        EXPECT_LE(response.certificates->size(), kResponseCertificatesMax);
        for (const auto& certificate : *response.certificates)
            other.add(checked(kChain, certificate), accepted);
    }
    EXPECT_EQ(other.quorum_round(), Round(15));
    const auto rest =
        certificates_for(certificates_lacking(other, Epoch(3)), dag, Epoch(3), types::Height(7));
    EXPECT_TRUE(rest.certificates->empty());
}

class ProposerTest : public DagTest {
protected:
    Proposer::Decision decide(std::uint64_t ms) {
        return proposer.decide(dag, committer, Instant{std::chrono::milliseconds(ms)});
    }

    using Kind = Proposer::Decision::Kind;
    Parameters parameters;
    CommitRule rule = CommitRule::fast(four.committee);
    PipelinedCommitter committer{LeaderSchedule(4, 1, 40, types::Height(0)), rule};
    Proposer proposer{parameters, member(3), rule, four.committee};
};

TEST_F(ProposerTest, BeginsAtRoundZeroOnce) {
    // Nothing stands before round 0; after it a quorum is needed.
    EXPECT_EQ(decide(0).kind, Kind::Propose);
    proposer.proposed(four.checked_header(four.header(0, 3)), {});
    EXPECT_EQ(decide(0).kind, Kind::Nothing);
}

TEST_F(ProposerTest, WaitsForTheLeaderOrItsTimeout) {
    // A quorum without the leader's vertex waits for exactly the timeout.
    for (const std::size_t author : {1U, 2U, 3U}) add(0, author);
    const auto waiting = decide(10);
    ASSERT_EQ(waiting.kind, Kind::Wait);
    EXPECT_EQ(waiting.deadline, Instant{std::chrono::milliseconds(10)} + parameters.leader_timeout);
    EXPECT_EQ(decide(209).kind, Kind::Wait);
    EXPECT_EQ(decide(210).kind, Kind::Propose);
    add(0, 0);
    EXPECT_EQ(decide(11).kind, Kind::Propose);
}

TEST_F(ProposerTest, WaitsForVotesOrForTooManyWithout) {
    // Votes for the leader of the round before: f + 1 are enough, and so are n - f vertices that do
    // not vote.
    fill(0, 1);
    proposer.proposed(four.checked_header(four.header(0, 3)), {});
    for (const std::size_t author : {0U, 1U, 2U}) add(1, author);
    const auto waiting = decide(8);
    ASSERT_EQ(waiting.kind, Kind::Wait) << "for a moment, for the fourth";
    EXPECT_EQ(waiting.deadline, Instant{std::chrono::milliseconds(9)}) << "an eighth of the round";
    EXPECT_EQ(decide(9).kind, Kind::Propose) << "three votes for the anchor";
    EXPECT_EQ(decide(9).round, Round(2));
}

TEST_F(ProposerTest, DoesNotWaitOnceAllAreThere) {
    // A round with a vertex of every member is left at once.
    fill(0, 1);
    EXPECT_EQ(decide(0).kind, Kind::Propose);
}

TEST_F(ProposerTest, KeepsItsPaceAfterMuchPayload) {
    // The next header comes when the own last one is as old as the round's payload takes at the
    // unpaced rate, at most pace_max; little payload costs nothing.
    parameters.unpaced_bytes_per_s = 1'000'000;
    parameters.pace_max = std::chrono::milliseconds(40);
    const auto pace_ms_after = [&](std::uint32_t payload_bytes) {
        Dag round(4, 3, 16);
        Proposer paced(parameters, member(3), rule, four.committee);
        for (std::size_t author = 0; author < 4; ++author) {
            types::Header header = four.header(0, author);
            types::BatchReference batch{};
            batch.bytes = payload_bytes / 4;
            EXPECT_TRUE(header.batches.try_push_back(batch));
            if (author == 3) paced.proposed(four.checked_header(header), {});
            round.add(checked(kChain, four.certify(header, 0)), accepted);
        }
        std::int64_t ms = 0;
        while (paced.decide(round, committer, Instant{std::chrono::milliseconds(ms)}).kind !=
               Kind::Propose)
            ++ms;
        return ms;
    };
    EXPECT_EQ(pace_ms_after(0), 0);
    EXPECT_EQ(pace_ms_after(20'000), 20);
    EXPECT_EQ(pace_ms_after(400'000), 40);
}

TEST_F(ProposerTest, WaitsForItsOwnVertexAndJumpsAhead) {
    // The own vertex is waited for, unless others are further already.
    fill(0, 1);
    for (const std::size_t author : {0U, 1U, 2U}) add(1, author);
    proposer.proposed(four.checked_header(four.header(1, 3)), {});
    EXPECT_EQ(decide(0).kind, Kind::Wait);
    for (const std::size_t author : {0U, 1U, 2U}) add(2, author);
    add(3, 0);
    add(4, 0);
    EXPECT_EQ(decide(0).round, Round(3));
}

}  // namespace
}  // namespace draco::consensus::test
