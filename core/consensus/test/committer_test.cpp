#include "draco/consensus/committer.hpp"

#include "draco/testing/seed.hpp"

#include "member_of_random_dag.hpp"

#include <gtest/gtest.h>

#include <set>

namespace draco::consensus::test {
namespace {

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
        CommitRule unsafe = fast(shape.members);
        unsafe.certified -= 1;
        const auto vertices = random_dag(shape, random);
        std::vector<Member> members;
        for (std::size_t order = 0; order < 6; ++order) {
            Member& member = members.emplace_back(
                shape.members, std::make_unique<BullsharkCommitter>(shape.members, unsafe));
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
        ASSERT_TRUE(CommitRule::fast(committee).is_safe(committee)) << n;
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

}  // namespace
}  // namespace draco::consensus::test
