#include "draco/consensus/committer.hpp"

#include "draco/base/assert.hpp"

namespace draco::consensus {
namespace {

AuthoritySet parents_of(const Dag& dag, std::uint64_t round, const AuthoritySet& authors) {
    AuthoritySet parents;
    authors.for_each([&](AuthorityIndex author) {
        if (const auto* certificate = dag.find({Round(round), author}))
            parents = parents.united(certificate->header.parent_authors);
    });
    return parents;
}

}  // namespace

bool reaches(const Dag& dag, VertexId from, VertexId to) {
    AuthoritySet frontier;
    frontier.insert(from.author);
    std::uint64_t round = from.round.value();
    for (; round > to.round.value() && !frontier.empty(); --round)
        frontier = parents_of(dag, round, frontier);
    return round == to.round.value() && frontier.contains(to.author);
}

std::vector<AuthoritySet> unsettled_history(const Dag& dag, VertexId anchor) {
    std::vector<AuthoritySet> rounds;
    AuthoritySet frontier;
    frontier.insert(anchor.author);
    std::uint64_t round = anchor.round.value();
    // What is settled has only settled history above the floor, so it ends a path.
    for (;; --round) {
        frontier =
            frontier.intersection(dag.accepted(Round(round))).without(dag.settled(Round(round)));
        if (frontier.empty()) break;
        rounds.push_back(frontier);
        if (round == dag.floor().value()) break;
        frontier = parents_of(dag, round, frontier);
    }
    return rounds;
}

std::optional<VertexId> BullsharkCommitter::anchor(const Dag& dag, std::uint64_t round) const {
    const VertexId leader{Round(round), schedule_.leader(round)};
    if (dag.find(leader) == nullptr) return std::nullopt;
    return leader;
}

std::optional<VertexId> BullsharkCommitter::next(const Dag& dag) const {
    if (!dag.quorum_round()) return std::nullopt;
    const std::uint64_t first = last_ ? last_->value() + 2 : 0;
    const std::uint64_t highest = dag.highest_round()->value();
    // Any directly committed anchor will do to walk back from: each has a path to those before it.
    std::uint64_t round = first;
    std::optional<VertexId> direct;
    for (; round + 1 <= highest && !direct; round += 2) {
        direct = anchor(dag, round);
        if (direct && dag.votes(*direct) < rule_.certified) direct.reset();
    }
    if (!direct) return std::nullopt;
    VertexId earliest = *direct;
    for (std::uint64_t back = direct->round.value(); back >= first + 2;) {
        back -= 2;
        const auto candidate = anchor(dag, back);
        if (candidate && reaches(dag, earliest, *candidate)) earliest = *candidate;
    }
    return earliest;
}

void BullsharkCommitter::ordered(Round anchor) {
    DRACO_ASSERT(!last_ || *last_ < anchor, "anchors are ordered in ascending rounds");
    last_ = anchor;
}

}  // namespace draco::consensus
