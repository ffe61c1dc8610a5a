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

std::optional<AuthorityIndex> BullsharkCommitter::leader(Round round) const {
    if (round.value() % 2 != 0) return std::nullopt;
    return AuthorityIndex(static_cast<std::uint16_t>(round.value() / 2 % size_));
}

std::optional<VertexId> BullsharkCommitter::next(const Dag& dag) const {
    if (!dag.quorum_round()) return std::nullopt;
    const std::uint64_t first = last_ ? last_->value() + 2 : 0;
    const std::uint64_t highest = dag.highest_round()->value();
    const auto anchor = [&](std::uint64_t round) -> std::optional<VertexId> {
        const VertexId vertex{Round(round), *leader(Round(round))};
        if (dag.find(vertex) == nullptr) return std::nullopt;
        return vertex;
    };
    // Any directly committed anchor will do to walk back from: each has a path to those before it.
    std::optional<VertexId> direct;
    for (std::uint64_t round = first; round + 1 <= highest && !direct; round += 2) {
        direct = anchor(round);
        if (direct && dag.votes(*direct) < rule_.certified) direct.reset();
    }
    if (!direct) return std::nullopt;
    VertexId earliest = *direct;
    for (std::uint64_t back = direct->round.value(); back >= first + 2;) {
        back -= 2;
        const auto candidate = anchor(back);
        if (candidate && reaches(dag, earliest, *candidate)) earliest = *candidate;
    }
    return earliest;
}

void BullsharkCommitter::ordered(const types::Block& block) {
    DRACO_ASSERT(!last_ || *last_ < block.anchor_round, "anchors are ordered in ascending rounds");
    last_ = block.anchor_round;
}

PipelinedCommitter::Verdict PipelinedCommitter::judge_by_votes(const Dag& dag,
                                                               VertexId slot) const {
    const bool is_here = dag.find(slot) != nullptr;
    const std::size_t votes = dag.votes(slot);
    if (is_here && (votes >= rule_.certified ||
                    (rule_.proposed && dag.proposed_votes(slot) >= *rule_.proposed)))
        return Verdict::Committed;
    const std::size_t others = dag.accepted(Round(slot.round.value() + 1)).count() - votes;
    return rule_.skip && others >= *rule_.skip ? Verdict::Skipped : Verdict::Open;
}

std::optional<VertexId> PipelinedCommitter::next(const Dag& dag) const {
    if (!dag.quorum_round() || !schedule_.is_known()) return std::nullopt;
    const std::uint64_t first = last_ ? last_->value() + 1 : 0;
    const auto slot = [&](std::uint64_t round) {
        return VertexId{Round(round), schedule_.leader(Round(round))};
    };
    const std::uint64_t highest = dag.highest_round()->value();
    if (highest < first) return std::nullopt;
    std::vector<Verdict> verdicts(highest - first + 1, Verdict::Open);
    // The lowest slot at or above an index that is not skipped.
    const auto next_standing = [&](std::size_t from) {
        while (from < verdicts.size() && verdicts[from] == Verdict::Skipped) ++from;
        return from;
    };
    for (std::size_t i = verdicts.size(); i-- > 0;) {
        verdicts[i] = judge_by_votes(dag, slot(first + i));
        if (verdicts[i] != Verdict::Open) continue;
        const std::size_t judge = next_standing(i + 2);
        if (judge >= verdicts.size() || verdicts[judge] != Verdict::Committed) continue;
        const bool is_reached = dag.find(slot(first + i)) != nullptr &&
                                reaches(dag, slot(first + judge), slot(first + i));
        verdicts[i] = is_reached ? Verdict::Committed : Verdict::Skipped;
    }
    const std::size_t lowest = next_standing(0);
    if (lowest == verdicts.size() || verdicts[lowest] != Verdict::Committed) return std::nullopt;
    return slot(first + lowest);
}

void PipelinedCommitter::ordered(const types::Block& block) {
    DRACO_ASSERT(!last_ || *last_ < block.anchor_round, "anchors are ordered in ascending rounds");
    last_ = block.anchor_round;
    schedule_.ordered(block);
}

}  // namespace draco::consensus
