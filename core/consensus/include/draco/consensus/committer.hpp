#pragma once
// Which anchors are committed, and in which order their histories stand, read off the local DAG
// without a message of its own.

#include "draco/consensus/dag.hpp"
#include "draco/consensus/leader_schedule.hpp"

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
    // This block's anchor was ordered: by the last next(), or because the block was followed.
    virtual void ordered(const types::Block& block) = 0;
    // The round of the last anchor that was ordered.
    virtual std::optional<Round> last() const = 0;
    // Whose vertex of this round, above the last anchor, may be an anchor; nullopt: nobody's.
    virtual std::optional<AuthorityIndex> leader(Round round) const = 0;
    // Members whose vertices are not worth waiting for.
    virtual AuthoritySet passed_over() const = 0;
};

// The paper's rule, as the reference for the faster one (Bullshark, Spiegelman et al. 2022, section
// 5, partially synchronous). Waves of two rounds, led by everybody in turn. An anchor with f + 1
// certified votes is committed; before it, going back, those anchors that the last found one has a
// path to.
class BullsharkCommitter final : public Committer {
public:
    BullsharkCommitter(std::size_t committee_size, CommitRule rule)
        : size_(committee_size), rule_(rule) {}

    std::optional<VertexId> next(const Dag& dag) const override;
    void ordered(const types::Block& block) override;

    std::optional<Round> last() const override { return last_; }

    std::optional<AuthorityIndex> leader(Round round) const override;

    AuthoritySet passed_over() const override { return {}; }

private:
    std::size_t size_;
    CommitRule rule_;
    std::optional<Round> last_;
};

// An anchor in every round (Shoal, section 5), led as the blocks so far say, committed also by
// headers that are not certified yet (Shoal++, section 5.1).
//
// Every round above the last anchor is a slot for its leader's vertex. From the highest down, a
// slot
//   - is committed by enough certified or proposed votes, or skipped if nobody can vote for it;
//   - or else is judged by the lowest slot, two or more rounds above it, that is not skipped: if
//     that is committed, by whether a path leads down from it; if it is open, so is this one.
// The lowest slot that is not skipped is next if it is committed. Once it is ordered the schedule
// may change, and all slots above are judged anew.
//
// Why no two members differ, in one schedule: let s be the highest slot on which they do. If one
// committed it by votes, every vertex of round s + 2 and above has a path to it (CommitRule), so
// whoever judges it by a slot above commits it too. If both judge it by slots above, the lower of
// the two is skipped by one and committed by the other, and is higher than s: a contradiction. The
// schedule is a function of the blocks so far, so the next block is the same for all; and so on.
class PipelinedCommitter final : public Committer {
public:
    PipelinedCommitter(LeaderSchedule schedule, CommitRule rule)
        : schedule_(std::move(schedule)), rule_(rule) {}

    std::optional<VertexId> next(const Dag& dag) const override;
    void ordered(const types::Block& block) override;

    std::optional<Round> last() const override { return last_; }

    std::optional<AuthorityIndex> leader(Round round) const override {
        return schedule_.leader(round);
    }

    AuthoritySet passed_over() const override { return schedule_.passed_over(); }

private:
    enum class Verdict : std::uint8_t { Open, Committed, Skipped };

    Verdict judge_by_votes(const Dag& dag, VertexId slot) const;

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
