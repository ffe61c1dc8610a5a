#include "draco/consensus/committer.hpp"

#include "draco/consensus/block_builder.hpp"
#include "draco/testing/seed.hpp"

#include "random_dag.hpp"

#include <gtest/gtest.h>

#include <set>

namespace draco::consensus::test {
namespace {

using Sequence = std::vector<std::vector<VertexId>>;  // per anchor, in order

constexpr std::uint64_t kGcDepth = 6;

std::uint64_t floor_of(std::uint64_t anchor_round) {
    return anchor_round - std::min(anchor_round, kGcDepth);
}

// --- the paper, word for word ---

// Bullshark (Spiegelman et al. 2022), algorithms 1 and 2, on plain maps and sets: support is
// counted anew, paths are searched, histories walked. Quadratic and worse; nothing shared with the
// code under test.
class PaperBullshark {
public:
    PaperBullshark(std::size_t members, std::size_t votes_needed)
        : members_(members), votes_needed_(votes_needed) {}

    // Parents-first delivery is the caller's duty here.
    void deliver(const CheckedCertificate& vertex) {
        const types::Header& header = vertex.certificate->header;
        std::set<VertexId> parents;
        header.parent_authors.for_each([&](AuthorityIndex author) {
            parents.insert({Round(header.round.value() - 1), author});
        });
        parents_[{header.round, header.author}] = parents;
        try_commit(header.round.value());
    }

    const Sequence& sequence() const { return sequence_; }

private:
    void try_commit(std::uint64_t round) {
        if (round % 2 == 0) return;
        const VertexId anchor = leader_of(round - 1);
        if (next_ > anchor.round.value() || !parents_.contains(anchor)) return;
        std::size_t votes = 0;
        for (const auto& [vertex, parents] : parents_)
            if (vertex.round.value() == round && parents.contains(anchor)) ++votes;
        if (votes < votes_needed_) return;
        std::vector<VertexId> stack = {anchor};
        for (std::uint64_t back = anchor.round.value(); back >= next_ + 2; back -= 2) {
            const VertexId earlier = leader_of(back - 2);
            if (parents_.contains(earlier) && history(stack.back()).contains(earlier))
                stack.push_back(earlier);
        }
        for (; !stack.empty(); stack.pop_back()) order(stack.back());
    }

    void order(VertexId anchor) {
        std::vector<VertexId> batch;
        for (const VertexId vertex : history(anchor))  // a set: by round, then author
            if (vertex.round.value() >= floor_ && ordered_.insert(vertex).second)
                batch.push_back(vertex);
        sequence_.push_back(std::move(batch));
        next_ = anchor.round.value() + 2;
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

    VertexId leader_of(std::uint64_t round) const {
        return {Round(round), AuthorityIndex(static_cast<std::uint16_t>(round / 2 % members_))};
    }

    std::size_t members_;
    std::size_t votes_needed_;
    std::map<VertexId, std::set<VertexId>> parents_;
    std::set<VertexId> ordered_;
    std::uint64_t next_ = 0;
    std::uint64_t floor_ = 0;
    Sequence sequence_;
};

// --- the code under test ---

class Member {
public:
    Member(std::size_t members, CommitRule rule)
        : dag_(members, members - (members - 1) / 3, 64),
          committer_(LeaderSchedule(members), rule),
          builder_(types::ChainId(1), Epoch(1), {}, kGcDepth) {}

    void deliver(const CheckedCertificate& vertex) {
        std::vector<VertexId> accepted;
        dag_.add(vertex, accepted);
        while (const auto anchor = committer_.next(dag_)) {
            const auto history = unsettled_history(dag_, *anchor);
            builder_.append(builder_.build(dag_, *anchor, history));
            blocks_.push_back(builder_.tip().digest);
            committer_.ordered(anchor->round);
            std::vector<VertexId> ordered;
            for (std::size_t depth = history.size(); depth-- > 0;) {
                const Round round(anchor->round.value() - depth);
                history[depth].for_each(
                    [&](AuthorityIndex author) { ordered.push_back({round, author}); });
                dag_.settle(round, history[depth], accepted);
            }
            sequence_.push_back(std::move(ordered));
            dag_.raise_floor(Round(floor_of(anchor->round.value())), accepted);
        }
    }

    const Sequence& sequence() const { return sequence_; }

    const std::vector<types::BlockDigest>& blocks() const { return blocks_; }

private:
    Dag dag_;
    BullsharkCommitter committer_;
    BlockBuilder builder_;
    Sequence sequence_;
    std::vector<types::BlockDigest> blocks_;
};

CommitRule bullshark(std::size_t members) {
    return {.indirect = 1, .certified = (members - 1) / 3 + 1, .proposed = {}, .skip = {}};
}

template <class T>
bool is_prefix(const std::vector<T>& shorter, const std::vector<T>& longer) {
    return shorter.size() <= longer.size() &&
           std::equal(shorter.begin(), shorter.end(), longer.begin());
}

template <class T>
bool agree(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() <= b.size() ? is_prefix(a, b) : is_prefix(b, a);
}

DagShape random_shape(std::mt19937_64& random) {
    constexpr std::size_t kSizes[] = {4, 7, 10};
    DagShape shape;
    shape.members = kSizes[random() % 3];
    const std::size_t f = (shape.members - 1) / 3;
    shape.rounds = 8 + random() % 16;
    shape.crashed = random() % (f + 1);
    shape.slow = random() % (f + 1);
    shape.left_out_percent = static_cast<unsigned>(random() % 50);
    shape.extra_percent = static_cast<unsigned>(random() % 100);
    return shape;
}

TEST(Committer, EveryOrderOfDeliveryGivesTheSameSequence) {
    // Random DAGs, each delivered in many orders to members that also stop at a random time: all
    // sequences, and all blocks, are prefixes of one.
    std::mt19937_64 random(testing::test_seed(7));
    std::size_t committed = 0;
    for (std::uint64_t i = 0; i < testing::scaled(150); ++i) {
        const DagShape shape = random_shape(random);
        const auto vertices = random_dag(shape, random);
        Member reference(shape.members, bullshark(shape.members));
        for (const auto& vertex : vertices) reference.deliver(vertex);
        committed += reference.sequence().size();
        for (std::size_t order = 0; order < 20; ++order) {
            Member member(shape.members, bullshark(shape.members));
            const auto delivery = shuffled(vertices, random);
            const std::size_t until =
                order % 2 == 0 ? delivery.size() : random() % (delivery.size() + 1);
            for (std::size_t v = 0; v < until; ++v) member.deliver(delivery[v]);
            ASSERT_TRUE(agree(member.sequence(), reference.sequence())) << "dag " << i;
            ASSERT_TRUE(agree(member.blocks(), reference.blocks())) << "dag " << i;
        }
    }
    EXPECT_GT(committed, testing::scaled(150)) << "the test has something to compare";
}

TEST(Committer, OrdersAsThePaperDoes) {
    // The incremental committer over bit sets against the paper's algorithms on plain sets.
    std::mt19937_64 random(testing::test_seed(8));
    for (std::uint64_t i = 0; i < testing::scaled(400); ++i) {
        const DagShape shape = random_shape(random);
        Member member(shape.members, bullshark(shape.members));
        PaperBullshark paper(shape.members, (shape.members - 1) / 3 + 1);
        for (const auto& vertex : random_dag(shape, random)) {
            member.deliver(vertex);
            paper.deliver(vertex);
            ASSERT_EQ(member.sequence(), paper.sequence()) << "dag " << i;
        }
    }
}

TEST(Committer, CommitOnFVotesIsFound) {
    // Planted bug: f votes commit. Some pair of orders forks, and the comparison above sees it.
    std::mt19937_64 random(9);
    bool forked = false;
    for (std::size_t i = 0; i < 2000 && !forked; ++i) {
        DagShape shape = random_shape(random);
        shape.slow = (shape.members - 1) / 3;
        shape.crashed = 0;
        shape.extra_percent = 10;
        CommitRule unsafe = bullshark(shape.members);
        unsafe.certified -= 1;
        const auto vertices = random_dag(shape, random);
        std::vector<Member> members;
        for (std::size_t order = 0; order < 6; ++order) {
            Member& member = members.emplace_back(shape.members, unsafe);
            for (const auto& vertex : shuffled(vertices, random)) member.deliver(vertex);
            forked = forked || !agree(member.sequence(), members.front().sequence());
        }
    }
    EXPECT_TRUE(forked);
}

TEST(Committer, RulesThatCouldForkAreUnsafe) {
    // The table of thresholds: Bullshark's row is safe for every committee, each bound is tight.
    for (std::size_t n = 1; n <= types::kCommitteeMax; ++n) {
        std::vector<types::NodeKey> keys(n);
        for (std::size_t i = 0; i < n; ++i) store_be<std::uint64_t>(keys[i].data(), i);
        const auto committee = types::Committee::make(Epoch(1), keys).value();
        const CommitRule rule = CommitRule::bullshark(committee);
        const std::size_t f = committee.faulty_max();
        ASSERT_TRUE(rule.is_safe(committee)) << n;
        CommitRule changed = rule;
        changed.certified = f;
        ASSERT_FALSE(changed.is_safe(committee)) << n;
        changed = rule;
        changed.indirect = 2;  // a longer path, the same commit
        ASSERT_FALSE(changed.is_safe(committee)) << n;
        changed = rule;
        changed.proposed = 2 * f + 1;
        ASSERT_TRUE(changed.is_safe(committee)) << n;
        changed.proposed = 2 * f;
        ASSERT_FALSE(changed.is_safe(committee)) << n;
        changed = rule;
        changed.skip = n;
        ASSERT_TRUE(changed.is_safe(committee)) << n;
        changed.skip = n - 1;
        ASSERT_FALSE(changed.is_safe(committee)) << n;
    }
}

TEST(LeaderSchedule, LetsEveryoneLead) {
    // In n waves each member leads once, for even and odd n.
    for (const std::size_t n : {1U, 4U, 7U, 10U}) {
        const LeaderSchedule schedule(n);
        std::set<AuthorityIndex> leaders;
        for (std::uint64_t wave = 0; wave < n; ++wave) {
            EXPECT_EQ(schedule.leader(2 * wave), schedule.leader(2 * wave + 1));
            leaders.insert(schedule.leader(2 * wave));
        }
        EXPECT_EQ(leaders.size(), n);
    }
}

}  // namespace
}  // namespace draco::consensus::test
