#pragma once
// A member that is told a random DAG, for tests of committers.

#include "draco/consensus/block_builder.hpp"
#include "draco/consensus/committer.hpp"

#include "fixture.hpp"
#include "random_dag.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace draco::consensus::test {

using Sequence = std::vector<std::vector<VertexId>>;  // per anchor, in order

inline constexpr std::uint64_t kGcDepth = 6;

inline std::uint64_t floor_of(std::uint64_t anchor_round) {
    return anchor_round - std::min(anchor_round, kGcDepth);
}

// What a member orders of a random DAG, with the committer that it is given.
class Member {
public:
    Member(std::size_t members, std::unique_ptr<Committer> committer)
        : dag_(members, members - (members - 1) / 3, 64),
          committer_(std::move(committer)),
          builder_(types::ChainId(1), Epoch(1), {}, kGcDepth) {}

    void deliver(const CheckedCertificate& vertex) {
        std::vector<VertexId> accepted;
        dag_.add(vertex, accepted);
        commit();
    }

    // Counts once its parents are in the DAG, as the core does.
    void deliver(const types::Header& proposal) {
        waiting_.push_back(proposal);
        commit();
    }

    const Sequence& sequence() const { return sequence_; }

    const std::vector<types::BlockDigest>& blocks() const { return blocks_; }

    const Committer& committer() const { return *committer_; }

private:
    void commit() {
        count_proposals();
        while (const auto anchor = committer_->next(dag_)) {
            const auto history = unsettled_history(dag_, *anchor);
            const types::Block block = builder_.build(dag_, *anchor, history);
            builder_.append(block);
            blocks_.push_back(builder_.tip().digest);
            committer_->ordered(block);
            std::vector<VertexId> accepted;
            std::vector<VertexId> ordered;
            for (std::size_t depth = history.size(); depth-- > 0;) {
                const Round round(anchor->round.value() - depth);
                history[depth].for_each(
                    [&](AuthorityIndex author) { ordered.push_back({round, author}); });
                dag_.settle(round, history[depth], accepted);
            }
            sequence_.push_back(std::move(ordered));
            dag_.raise_floor(Round(floor_of(anchor->round.value())), accepted);
            count_proposals();
        }
    }

    void count_proposals() {
        std::erase_if(waiting_, [&](const types::Header& proposal) {
            if (proposal.round <= dag_.floor() && proposal.round.value() > 0) return true;
            const AuthoritySet below = proposal.round.value() == 0
                                           ? AuthoritySet{}
                                           : dag_.accepted(Round(proposal.round.value() - 1));
            if (!proposal.parent_authors.without(below).empty()) return false;
            dag_.note_proposal(proposal);
            return true;
        });
    }

    Dag dag_;
    std::unique_ptr<Committer> committer_;
    std::vector<types::Header> waiting_;
    BlockBuilder builder_;
    Sequence sequence_;
    std::vector<types::BlockDigest> blocks_;
};

inline constexpr std::uint64_t kReputationRounds = 10;

inline CommitRule fast(std::size_t members) {
    const std::size_t f = (members - 1) / 3;
    return {.indirect = 1, .certified = f + 1, .proposed = 2 * f + 1, .skip = members};
}

inline std::unique_ptr<Committer> bullshark(std::size_t members) {
    return std::make_unique<BullsharkCommitter>(
        members,
        CommitRule{.indirect = 1, .certified = (members - 1) / 3 + 1, .proposed = {}, .skip = {}});
}

inline std::unique_ptr<Committer> pipelined(std::size_t members, CommitRule rule) {
    return std::make_unique<PipelinedCommitter>(
        LeaderSchedule(members, (members - 1) / 3, kReputationRounds, types::Height(0)), rule);
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

inline DagShape random_shape(std::mt19937_64& random) {
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

}  // namespace draco::consensus::test
