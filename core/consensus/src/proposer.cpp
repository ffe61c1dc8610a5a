#include "draco/consensus/proposer.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>

namespace draco::consensus {

Proposer::Proposer(const Parameters& parameters,
                   AuthorityIndex self,
                   LeaderSchedule schedule,
                   CommitRule rule,
                   const types::Committee& committee)
    : parameters_(parameters),
      self_(self),
      schedule_(schedule),
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

// Whether nothing more is worth waiting for in a round that has its quorum.
bool Proposer::complete(const Dag& dag, std::uint64_t round) const {
    if (last_ && last_->header.header.round.value() == round &&
        !dag.accepted(Round(round)).contains(self_))
        return false;
    const std::uint64_t anchor_round = round - round % 2;
    const VertexId anchor{Round(anchor_round), schedule_.leader(round)};
    const bool anchor_here = dag.find(anchor) != nullptr;
    if (round == anchor_round) return anchor_here;
    if (!anchor_here || dag.settled(anchor.round).contains(anchor.author)) return true;
    // Enough votes, or so many without one that they cannot become enough.
    const std::size_t votes = dag.votes(anchor);
    const std::size_t others = dag.accepted(Round(round)).count() - votes;
    return votes >= votes_enough_ || others > committee_size_ - votes_enough_;
}

Duration Proposer::timeout(std::uint64_t round, std::optional<Round> last_anchor) const {
    constexpr std::uint64_t kWavesInFlight = 4;
    const std::uint64_t waves = (round - (last_anchor ? last_anchor->value() : 0)) / 2;
    Duration wait = parameters_.leader_timeout;
    for (std::uint64_t i = kWavesInFlight; i < waves && wait < parameters_.leader_timeout_max; ++i)
        wait *= 2;
    return std::min(wait, parameters_.leader_timeout_max);
}

Proposer::Decision Proposer::decide(const Dag& dag, std::optional<Round> last_anchor, Instant now) {
    if (dag.quorum_round() != quorum_round_) {
        quorum_round_ = dag.quorum_round();
        quorum_since_ = now;
    }
    const auto next = next_round(dag);
    if (!next) return {Decision::Kind::Nothing, {}, {}};
    const bool others_are_ahead = dag.highest_round() && *dag.highest_round() > *next;
    if (next->value() == 0 || others_are_ahead || complete(dag, next->value() - 1))
        return {Decision::Kind::Propose, *next, {}};
    const Instant deadline = quorum_since_ + timeout(next->value(), last_anchor);
    if (now >= deadline) return {Decision::Kind::Propose, *next, {}};
    return {Decision::Kind::Wait, {}, deadline};
}

void Proposer::proposed(CheckedHeader header) {
    DRACO_ASSERT(!last_ || last_->header.header.round < header.header.header.round,
                 "one header per round, in ascending rounds");
    last_ = std::move(header);
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
