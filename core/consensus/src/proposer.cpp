#include "draco/consensus/proposer.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>

namespace draco::consensus {

Proposer::Proposer(const Parameters& parameters,
                   AuthorityIndex self,
                   CommitRule rule,
                   const types::Committee& committee)
    : parameters_(parameters),
      self_(self),
      votes_enough_(rule.certified),
      committee_size_(committee.size()) {}

std::optional<Round> Proposer::next_round(const Dag& dag) const {
    const auto quorum = dag.quorum_round();
    if (quorum && *quorum < dag.floor()) return std::nullopt;
    const Round next(quorum ? quorum->value() + 1 : 0);
    if (next < dag.floor() || next >= dag.end()) return std::nullopt;
    if (last_ && next <= last_->header.header.round) return std::nullopt;
    return next;
}

// Whether nothing more is worth a timeout in a round that has its quorum.
bool Proposer::complete(const Dag& dag, const Committer& committer, Round round) const {
    const AuthoritySet here = dag.accepted(round);
    if (last_ && last_->header.header.round == round && !here.contains(self_)) return false;
    if (committer.last() && round <= *committer.last()) return true;
    if (const auto leader = committer.leader(round); leader && !here.contains(*leader))
        return false;
    if (round.value() == 0) return true;
    const Round below(round.value() - 1);
    if (committer.last() && below <= *committer.last()) return true;
    const auto leader = committer.leader(below);
    if (!leader || dag.find({below, *leader}) == nullptr) return true;
    // Enough votes, or so many without one that they cannot become enough.
    const std::size_t votes = dag.votes({below, *leader});
    return votes >= votes_enough_ || here.count() - votes > committee_size_ - votes_enough_;
}

bool Proposer::has_all_expected(const Dag& dag, const Committer& committer, Round round) const {
    return dag.accepted(round).united(committer.passed_over()).count() == committee_size_;
}

Duration Proposer::timeout(Round round, std::optional<Round> last_anchor) const {
    constexpr std::uint64_t kRoundsInFlight = 6;
    const std::uint64_t rounds = round.value() - (last_anchor ? last_anchor->value() : 0);
    Duration wait = parameters_.leader_timeout;
    for (std::uint64_t i = kRoundsInFlight; i < rounds && wait < parameters_.leader_timeout_max;
         i += 2)
        wait *= 2;
    return std::min(wait, parameters_.leader_timeout_max);
}

Duration Proposer::pace(const Dag& dag, Round below) const {
    const double seconds = static_cast<double>(dag.payload_bytes(below)) /
                           static_cast<double>(parameters_.unpaced_bytes_per_s);
    return std::min(parameters_.pace_max,
                    std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

Proposer::Decision Proposer::decide(const Dag& dag, const Committer& committer, Instant now) {
    if (dag.quorum_round() != quorum_round_) {
        quorum_round_ = dag.quorum_round();
        quorum_since_ = now;
        complete_since_.reset();
    }
    const auto next = next_round(dag);
    if (!next) return {Decision::Kind::Nothing, {}, {}};
    const Decision propose{Decision::Kind::Propose, *next, {}};
    if (next->value() == 0 || (dag.highest_round() && *dag.highest_round() > *next)) return propose;
    const Round below(next->value() - 1);
    Instant deadline = quorum_since_ + timeout(*next, committer.last());
    if (complete(dag, committer, below)) {
        if (!complete_since_) complete_since_ = now;
        Instant due = *complete_since_;
        if (last_) due = std::max(due, proposed_at_ + pace(dag, below));
        if (!has_all_expected(dag, committer, below)) {
            const Duration round_took = last_ ? *complete_since_ - proposed_at_ : Duration::zero();
            due = std::max(
                due,
                *complete_since_ +
                    std::clamp(round_took / 8, Duration::zero(), parameters_.parents_patience));
        }
        deadline = std::min(deadline, due);
    }
    if (now >= deadline) return propose;
    return {Decision::Kind::Wait, {}, deadline};
}

void Proposer::proposed(CheckedHeader header, Instant now) {
    DRACO_ASSERT(!last_ || last_->header.header.round < header.header.header.round,
                 "one header per round, in ascending rounds");
    last_ = std::move(header);
    proposed_at_ = now;
}

types::Header make_header(const Dag& dag,
                          Epoch epoch,
                          Round round,
                          AuthorityIndex author,
                          UnixTime created,
                          std::vector<types::BatchReference> batches) {
    types::Header header{epoch, round, author, created, {}, {}, {}};
    header.batches = decltype(header.batches)::make(std::move(batches)).value();
    if (round.value() == 0) return header;
    const Round below(round.value() - 1);
    header.parent_authors = dag.accepted(below);
    bool fits = true;
    header.parent_authors.for_each([&](AuthorityIndex parent) {
        fits = header.parents.try_push_back(*dag.digest({below, parent})) && fits;
    });
    DRACO_ASSERT(fits, "a committee has at most kCommitteeMax members");
    return header;
}

}  // namespace draco::consensus
