#pragma once
// Which anchors are committed, and in which order their histories stand: Bullshark (Spiegelman et
// al. 2022, section 5, partially synchronous), read off the local DAG without a message of its own.

#include "draco/consensus/dag.hpp"

#include <optional>
#include <vector>

namespace draco::consensus {

// Decides anchors. Two members that see the same anchors committed see them in the same order,
// whatever the order in which vertices came to them.
class Committer {
public:
    virtual ~Committer() = default;
    // The next anchor to order: later than the last, and committed in everybody's eyes once the
    // DAGs meet. nullopt if the DAG does not show one yet. Does not change state.
    virtual std::optional<VertexId> next(const Dag& dag) const = 0;
    // This anchor was ordered: by the last next(), or by a block that was followed.
    virtual void ordered(Round anchor) = 0;
    // The round of the last anchor that was ordered.
    virtual std::optional<Round> last() const = 0;
};

// Waves of two rounds. An anchor with f + 1 certified votes is committed; before it, going back,
// those anchors that the last found one has a path to.
class BullsharkCommitter final : public Committer {
public:
    BullsharkCommitter(LeaderSchedule schedule, CommitRule rule)
        : schedule_(schedule), rule_(rule) {}

    std::optional<VertexId> next(const Dag& dag) const override;
    void ordered(Round anchor) override;

    std::optional<Round> last() const override { return last_; }

private:
    std::optional<VertexId> anchor(const Dag& dag, std::uint64_t round) const;

    LeaderSchedule schedule_;
    CommitRule rule_;
    std::optional<Round> last_;
};

// Whether parents lead from `from` down to `to`. Precondition: all rounds between are in the DAG
// as far as `from` reaches them.
bool reaches(const Dag& dag, VertexId from, VertexId to);

// The vertices that the anchor's block orders: its history without what is settled or below the
// floor. Authors of round anchor.round - i at index i. Precondition: the anchor is in the DAG.
std::vector<AuthoritySet> unsettled_history(const Dag& dag, VertexId anchor);

}  // namespace draco::consensus
