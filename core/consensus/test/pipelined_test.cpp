#include "draco/consensus/committer.hpp"
#include "draco/testing/seed.hpp"

#include "member_of_random_dag.hpp"

#include <gtest/gtest.h>

#include <set>

namespace draco::consensus::test {
namespace {

// --- the rule, word for word ---

// The rule of PipelinedCommitter on plain sets: votes are counted anew, slots are judged by
// recursion, histories walked, and who kept up is looked up anchor by anchor. `judge_distance` is
// how far above a slot its judge must be: 2, or a planted bug.
class NaivePipelined {
public:
    NaivePipelined(std::size_t members, CommitRule rule, std::uint64_t judge_distance = 2)
        : members_(members), rule_(rule), judge_distance_(judge_distance) {}

    // Parents first.
    void deliver(const CheckedCertificate& vertex) {
        const types::Header& header = vertex.certificate->header;
        parents_[{header.round, header.author}] = parents_of(header);
        while (order_next()) {
        }
    }

    // After its parents.
    void deliver(const types::Header& proposal) {
        proposals_.insert({{proposal.round, proposal.author}, parents_of(proposal)});
        while (order_next()) {
        }
    }

    const Sequence& sequence() const { return sequence_; }

private:
    enum class Verdict : std::uint8_t { Open, Committed, Skipped };

    static std::set<VertexId> parents_of(const types::Header& header) {
        std::set<VertexId> parents;
        header.parent_authors.for_each([&](AuthorityIndex author) {
            parents.insert({Round(header.round.value() - 1), author});
        });
        return parents;
    }

    bool order_next() {
        if (parents_.empty()) return false;
        const std::uint64_t highest = parents_.rbegin()->first.round.value();
        for (std::uint64_t round = anchors_.empty() ? 0 : anchors_.back().round.value() + 1;
             round <= highest;
             ++round) {
            const Verdict verdict = judge(round, highest);
            if (verdict == Verdict::Open) return false;
            if (verdict == Verdict::Skipped) continue;
            order(leader_of(round));
            return true;
        }
        return false;
    }

    Verdict judge(std::uint64_t round, std::uint64_t highest) const {
        const VertexId slot = leader_of(round);
        std::set<AuthorityIndex> certified;
        std::set<AuthorityIndex> proposed;
        std::size_t others = 0;
        for (const auto& [vertex, parents] : parents_) {
            if (vertex.round.value() != round + 1) continue;
            if (parents.contains(slot))
                certified.insert(vertex.author);
            else
                ++others;
        }
        proposed = certified;
        for (const auto& [vertex, parents] : proposals_)
            if (parents.contains(slot)) proposed.insert(vertex.author);
        const bool is_here = parents_.contains(slot);
        if (is_here && (certified.size() >= rule_.certified || proposed.size() >= *rule_.proposed))
            return Verdict::Committed;
        if (others >= *rule_.skip) return Verdict::Skipped;
        for (std::uint64_t above = round + judge_distance_; above <= highest; ++above) {
            const Verdict verdict = judge(above, highest);
            if (verdict == Verdict::Open) return Verdict::Open;
            if (verdict == Verdict::Skipped) continue;
            return history(leader_of(above)).contains(slot) ? Verdict::Committed : Verdict::Skipped;
        }
        return Verdict::Open;
    }

    void order(VertexId anchor) {
        std::vector<VertexId> batch;
        for (const VertexId vertex : history(anchor))
            if (vertex.round.value() >= floor_ && ordered_.insert(vertex).second)
                batch.push_back(vertex);
        sequence_.push_back(std::move(batch));
        anchors_.push_back(anchor);
        floor_ = floor_of(anchor.round.value());
    }

    std::set<VertexId> history(VertexId from) const {
        std::set<VertexId> reached;
        std::vector<VertexId> open = {from};
        while (!open.empty()) {
            const VertexId vertex = open.back();
            open.pop_back();
            const auto found = parents_.find(vertex);
            if (found == parents_.end() || !reached.insert(vertex).second) continue;
            open.insert(open.end(), found->second.begin(), found->second.end());
        }
        return reached;
    }

    // Whether the first anchor above the vertex's round reaches it, or it is an anchor itself.
    bool kept_up(VertexId vertex) const {
        for (const VertexId anchor : anchors_) {
            if (anchor == vertex) return true;
            if (anchor.round > vertex.round) return history(anchor).contains(vertex);
        }
        return false;
    }

    VertexId leader_of(std::uint64_t round) const {
        if (eligible_of_ != anchors_.size()) {
            eligible_ = eligible();
            eligible_of_ = anchors_.size();
        }
        return {Round(round), eligible_[round % eligible_.size()]};
    }

    std::vector<AuthorityIndex> eligible() const {
        const std::uint64_t last = anchors_.empty() ? 0 : anchors_.back().round.value();
        const std::uint64_t from = last - std::min(last, kReputationRounds);
        std::vector<std::pair<std::uint64_t, std::size_t>> suspects;
        for (std::size_t i = 0; i < members_; ++i) {
            std::uint64_t rounds = 0;
            for (std::uint64_t r = from; r < last; ++r) rounds += kept_up({Round(r), member(i)});
            if (last - from >= 8 && 2 * rounds < last - from) suspects.emplace_back(rounds, i);
        }
        std::ranges::sort(suspects);
        if (suspects.size() > (members_ - 1) / 3) suspects.resize((members_ - 1) / 3);
        std::vector<AuthorityIndex> eligible;
        for (std::size_t i = 0; i < members_; ++i)
            if (std::ranges::none_of(suspects, [&](const auto& s) { return s.second == i; }))
                eligible.push_back(member(i));
        return eligible;
    }

    std::size_t members_;
    CommitRule rule_;
    std::uint64_t judge_distance_;
    std::map<VertexId, std::set<VertexId>> parents_;
    std::set<std::pair<VertexId, std::set<VertexId>>> proposals_;
    std::vector<VertexId> anchors_;
    std::set<VertexId> ordered_;
    std::uint64_t floor_ = 0;
    Sequence sequence_;
    mutable std::vector<AuthorityIndex> eligible_;  // after so many anchors
    mutable std::size_t eligible_of_ = std::size_t(-1);
};

// --- what happens ---

DagShape long_shape(std::mt19937_64& random) {
    DagShape shape = random_shape(random);
    const std::size_t f = (shape.members - 1) / 3;
    shape.rounds = 12 + random() % 24;
    shape.liars = random() % (f + 1 - shape.crashed);
    return shape;
}

struct Story {
    DagShape shape;
    std::vector<CheckedCertificate> vertices;
    std::vector<types::Header> proposals;
};

Story random_story(std::mt19937_64& random) {
    Story story{long_shape(random), {}, {}};
    story.vertices = random_dag(story.shape, random);
    story.proposals = random_proposals(story.shape, story.vertices, random);
    return story;
}

// Everything, in an order of its own; only a part of it if `partly`.
template <class Target>
void tell(const Story& story, Target& target, std::mt19937_64& random, bool partly) {
    const auto vertices = shuffled(story.vertices, random);
    std::vector<types::Header> proposals = story.proposals;
    std::ranges::shuffle(proposals, random);
    const std::size_t proposals_end = random() % (proposals.size() + 1);
    const std::size_t end = partly ? random() % (vertices.size() + 1) : vertices.size();
    std::size_t next = 0;
    for (std::size_t v = 0; v < end; ++v) {
        target.deliver(vertices[v]);
        while (next < proposals_end && random() % 2 == 0) target.deliver(proposals[next++]);
    }
    while (next < proposals_end) target.deliver(proposals[next++]);
}

// Whether the rule makes some pair of members fork on one of many random DAGs of four members, of
// whom one is slow, or lies.
bool forks(std::uint64_t seed, std::size_t stories, const auto& change) {
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < stories; ++i) {
        Story story{{.members = 4, .rounds = 16, .liars = i % 2, .slow = 1 - i % 2}, {}, {}};
        story.shape.left_out_percent = 30;
        story.shape.extra_percent = static_cast<unsigned>(random() % 40);
        story.vertices = random_dag(story.shape, random);
        story.proposals = random_proposals(story.shape, story.vertices, random);
        CommitRule rule = fast(story.shape.members);
        change(rule);
        std::vector<Member> members;
        for (std::size_t order = 0; order < 6; ++order) {
            Member& member =
                members.emplace_back(story.shape.members, pipelined(story.shape.members, rule));
            tell(story, member, random, false);
            if (!agree(member.sequence(), members.front().sequence())) return true;
        }
    }
    return false;
}

TEST(PipelinedCommitter, EveryOrderOfDeliveryGivesTheSameSequence) {
    // Random DAGs with headers that are never certified and liars who propose several, told to
    // members in many orders and to different extents: all sequences and blocks are prefixes of
    // one.
    std::mt19937_64 random(testing::test_seed(17));
    std::size_t committed = 0;
    for (std::uint64_t i = 0; i < testing::scaled(150); ++i) {
        const Story story = random_story(random);
        Member reference(story.shape.members,
                         pipelined(story.shape.members, fast(story.shape.members)));
        tell(story, reference, random, false);
        committed += reference.sequence().size();
        for (std::size_t order = 0; order < 20; ++order) {
            Member member(story.shape.members,
                          pipelined(story.shape.members, fast(story.shape.members)));
            tell(story, member, random, order % 2 == 0);
            ASSERT_TRUE(agree(member.sequence(), reference.sequence())) << "story " << i;
            ASSERT_TRUE(agree(member.blocks(), reference.blocks())) << "story " << i;
        }
    }
    EXPECT_GT(committed, testing::scaled(150)) << "the test has something to compare";
}

TEST(PipelinedCommitter, OrdersAsTheNaiveRuleDoes) {
    // The committer over bit sets, and its schedule, against the rule on plain sets, step by step.
    std::mt19937_64 random(testing::test_seed(18));
    std::size_t passed_over = 0;
    for (std::uint64_t i = 0; i < testing::scaled(60); ++i) {
        const Story story = random_story(random);
        const CommitRule rule = fast(story.shape.members);
        Member member(story.shape.members, pipelined(story.shape.members, rule));
        NaivePipelined naive(story.shape.members, rule);
        std::size_t next = 0;
        for (const auto& vertex : story.vertices) {
            member.deliver(vertex);
            naive.deliver(vertex);
            const std::uint64_t round = vertex.certificate->header.round.value();
            // A proposal's parents are in by the time that its own round begins to come.
            for (; next < story.proposals.size() && story.proposals[next].round.value() <= round;
                 ++next) {
                member.deliver(story.proposals[next]);
                naive.deliver(story.proposals[next]);
            }
            ASSERT_EQ(member.sequence(), naive.sequence()) << "story " << i;
        }
        passed_over += member.committer().passed_over().count();
    }
    EXPECT_GT(passed_over, 0U) << "somebody is passed over";
}

TEST(PipelinedCommitter, UnsafeThresholdsAreFound) {
    // Planted bugs: each bound of the rule one too low makes members fork, and the comparison sees
    // it.
    EXPECT_TRUE(forks(1, 3000, [](CommitRule& rule) { rule.certified -= 1; }));
    EXPECT_TRUE(forks(2, 6000, [](CommitRule& rule) { *rule.proposed -= 1; }));
    EXPECT_TRUE(forks(3, 3000, [](CommitRule& rule) { *rule.skip -= 1; }));
    EXPECT_FALSE(forks(4, 200, [](CommitRule&) {}));
}

TEST(PipelinedCommitter, AJudgeTooNearIsFound) {
    // Planted bug: a slot judged by the anchor of the next round, which needs not see its votes.
    std::mt19937_64 random(5);
    bool forked = false;
    for (std::size_t i = 0; i < 3000 && !forked; ++i) {
        const Story story = random_story(random);
        const CommitRule rule = fast(story.shape.members);
        Member member(story.shape.members, pipelined(story.shape.members, rule));
        NaivePipelined hasty(story.shape.members, rule, 1);
        for (const auto& vertex : story.vertices) {
            member.deliver(vertex);
            hasty.deliver(vertex);
        }
        forked = !agree(member.sequence(), hasty.sequence());
    }
    EXPECT_TRUE(forked);
}

TEST(PipelinedCommitter, CommitsAnAnchorInEveryRound) {
    // With every vertex there, each round's anchor is ordered one round later, and the headers of
    // that round are enough.
    DagShape full{.members = 4, .rounds = 10, .left_out_percent = 0, .extra_percent = 100};
    std::mt19937_64 random(1);
    const auto vertices = random_dag(full, random);
    Member by_certificates(4, pipelined(4, fast(4)));
    Member by_headers(4, pipelined(4, fast(4)));
    for (const auto& vertex : vertices) {
        by_certificates.deliver(vertex);
        if (vertex.certificate->header.round.value() < 9) by_headers.deliver(vertex);
    }
    EXPECT_EQ(by_certificates.sequence().size(), 9U);
    EXPECT_EQ(by_headers.sequence().size(), 8U);
    std::size_t told = 0;
    for (const auto& vertex : vertices) {
        if (vertex.certificate->header.round.value() < 9) continue;
        by_headers.deliver(vertex.certificate->header);
        ++told;
        EXPECT_EQ(by_headers.sequence().size(), told < 3 ? 8U : 9U);
    }
}

// --- who leads ---

types::Block block(std::uint64_t height,
                   std::uint64_t round,
                   const std::vector<std::vector<std::size_t>>& authors) {
    types::Block block;
    block.height = types::Height(height);
    block.anchor_round = Round(round);
    for (const auto& at_depth : authors) {
        AuthoritySet set;
        for (const std::size_t author : at_depth) set.insert(member(author));
        static_cast<void>(block.vertices.try_push_back(set));
    }
    return block;
}

TEST(LeaderSchedule, LetsEveryoneLead) {
    // In n rounds each member leads once, for even and odd n.
    for (const std::size_t n : {1U, 4U, 7U, 10U}) {
        const LeaderSchedule schedule(n, (n - 1) / 3, 10, types::Height(0));
        std::set<AuthorityIndex> leaders;
        for (std::uint64_t round = 0; round < n; ++round)
            leaders.insert(schedule.leader(Round(round)));
        EXPECT_EQ(leaders.size(), n);
    }
}

TEST(LeaderSchedule, PassesOverWhoIsAwayAndTakesThemBack) {
    // A member that is in no block leads no more once the window says so; it leads again when it
    // was in most of the window's rounds. Never more than f are passed over.
    LeaderSchedule schedule(4, 1, 10, types::Height(0));
    std::uint64_t height = 1;
    const auto pass = [&](std::uint64_t rounds, const std::vector<std::size_t>& present) {
        for (std::uint64_t i = 0; i < rounds; ++i, ++height) {
            std::vector<std::size_t> others = present;
            std::erase(others, present[(height - 1) % present.size()]);
            schedule.ordered(block(height, height, {{present[height % present.size()]}, others}));
        }
    };
    pass(8, {0, 1, 3});
    EXPECT_TRUE(schedule.passed_over().contains(member(2)));
    for (std::uint64_t round = 9; round < 20; ++round)
        EXPECT_NE(schedule.leader(Round(round)), member(2));
    pass(10, {0, 1, 2, 3});
    EXPECT_TRUE(schedule.passed_over().empty());
    pass(20, {0});
    EXPECT_EQ(schedule.passed_over().count(), 1U);
}

TEST(LeaderSchedule, SaysWhenItCannotKnow) {
    // Who begins in the middle of an epoch knows the schedule after a window of rounds.
    LeaderSchedule schedule(4, 1, 10, types::Height(5));
    EXPECT_TRUE(schedule.is_known());
    for (std::uint64_t i = 0; i < 10; ++i) {
        schedule.ordered(block(20 + i, 100 + i, {{0}, {1, 2, 3}}));
        EXPECT_FALSE(schedule.is_known()) << i;
    }
    schedule.ordered(block(30, 110, {{0}, {1, 2, 3}}));
    EXPECT_TRUE(schedule.is_known());
    LeaderSchedule early(4, 1, 10, types::Height(5));
    early.ordered(block(6, 3, {{0}}));
    EXPECT_TRUE(early.is_known());
}

}  // namespace
}  // namespace draco::consensus::test
