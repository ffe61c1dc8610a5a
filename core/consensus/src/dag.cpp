#include "draco/consensus/dag.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>

namespace draco::consensus {

Dag::Dag(std::size_t committee_size, std::size_t quorum, std::uint64_t window_rounds)
    : size_(committee_size), quorum_(quorum), rows_(window_rounds) {}

Dag::Slot* Dag::slot(VertexId vertex) {
    if (!holds(vertex.round.value())) return nullptr;
    auto& slots = row(vertex.round.value()).slots;
    return slots.empty() ? nullptr : &slots[vertex.author.value()];
}

const Dag::Slot* Dag::slot(VertexId vertex) const {
    if (!holds(vertex.round.value())) return nullptr;
    const auto& slots = row(vertex.round.value()).slots;
    return slots.empty() ? nullptr : &slots[vertex.author.value()];
}

const types::Certificate* Dag::find(VertexId vertex) const {
    const Slot* found = slot(vertex);
    return found != nullptr && accepted(vertex.round).contains(vertex.author)
               ? found->certificate.get()
               : nullptr;
}

const types::HeaderDigest* Dag::digest(VertexId vertex) const {
    const Slot* found = slot(vertex);
    return found != nullptr && accepted(vertex.round).contains(vertex.author) ? &found->digest
                                                                              : nullptr;
}

std::size_t Dag::votes(VertexId vertex) const {
    const Slot* found = slot(vertex);
    return found == nullptr ? 0 : found->voters.count();
}

std::size_t Dag::proposed_votes(VertexId vertex) const {
    const Slot* found = slot(vertex);
    return found == nullptr ? 0 : found->voters.united(found->proposed_voters).count();
}

void Dag::note_proposal(const types::Header& header) {
    if (header.round.value() == 0) return;
    header.parent_authors.for_each([&](AuthorityIndex parent) {
        if (Slot* below = slot({Round(header.round.value() - 1), parent}))
            below->proposed_voters.insert(header.author);
    });
}

AuthoritySet Dag::accepted(Round round) const {
    return holds(round.value()) ? row(round.value()).accepted : AuthoritySet{};
}

std::size_t Dag::payload_bytes(Round round) const {
    std::size_t bytes = 0;
    accepted(round).for_each([&](AuthorityIndex author) {
        for (const types::BatchReference& batch : *find({round, author})->header.batches)
            bytes += batch.bytes;
    });
    return bytes;
}

AuthoritySet Dag::suspended(Round round) const {
    return holds(round.value()) ? row(round.value()).suspended : AuthoritySet{};
}

AuthoritySet Dag::settled(Round round) const {
    return holds(round.value()) ? row(round.value()).settled : AuthoritySet{};
}

AuthoritySet Dag::missing_parents(const types::Header& header) const {
    const std::uint64_t round = header.round.value();
    if (round <= floor_) return {};
    const Row& below = row(round - 1);
    return header.parent_authors.without(below.accepted).without(below.settled);
}

Dag::Addition Dag::add(CheckedCertificate certificate, std::vector<VertexId>& accepted) {
    const types::Header& header = certificate.certificate->header;
    const VertexId vertex{header.round, header.author};
    if (header.round.value() < floor_) return Addition::BelowFloor;
    if (!holds(header.round.value())) return Addition::BeyondWindow;
    Row& here = row(header.round.value());
    if (here.slots.empty()) here.slots.resize(size_);
    Slot& slot = here.slots[vertex.author.value()];
    if (slot.certificate != nullptr)
        return slot.digest == certificate.digest ? Addition::Known : Addition::Conflict;
    slot.certificate = std::move(certificate.certificate);
    slot.digest = certificate.digest;
    if (!highest_round_ || *highest_round_ < vertex.round) highest_round_ = vertex.round;
    if (!here.settled.contains(vertex.author) && !missing_parents(header).empty()) {
        here.suspended.insert(vertex.author);
        ++suspended_count_;
        return Addition::Suspended;
    }
    accept(vertex, accepted);
    wake_children(vertex.round.value(), accepted);
    return Addition::Accepted;
}

void Dag::accept(VertexId vertex, std::vector<VertexId>& accepted) {
    Row& here = row(vertex.round.value());
    const types::Header& header = here.slots[vertex.author.value()].certificate->header;
    if (here.suspended.contains(vertex.author)) {
        here.suspended.erase(vertex.author);
        --suspended_count_;
    }
    here.accepted.insert(vertex.author);
    if (!here.settled.contains(vertex.author) && !header.batches->empty()) ++unsettled_payload_;
    if (vertex.round.value() > floor_) {
        Row& below = row(vertex.round.value() - 1);
        if (below.slots.empty()) below.slots.resize(size_);
        header.parent_authors.for_each([&](AuthorityIndex parent) {
            below.slots[parent.value()].voters.insert(vertex.author);
        });
    }
    if (here.accepted.count() >= quorum_ && (!quorum_round_ || *quorum_round_ < vertex.round))
        quorum_round_ = vertex.round;
    accepted.push_back(vertex);
}

// Accepts what waited for a parent of `round`, and what waited for that, round by round.
void Dag::wake_children(std::uint64_t round, std::vector<VertexId>& accepted) {
    for (std::uint64_t above = round + 1; holds(above); ++above) {
        Row& children = row(above);
        const std::size_t before = accepted.size();
        children.suspended.for_each([&](AuthorityIndex author) {
            if (missing_parents(children.slots[author.value()].certificate->header).empty())
                accept({Round(above), author}, accepted);
        });
        if (accepted.size() == before) return;
    }
}

void Dag::settle(Round round, AuthoritySet authors, std::vector<VertexId>& accepted) {
    if (!holds(round.value())) return;
    Row& here = row(round.value());
    authors.without(here.settled).for_each([&](AuthorityIndex author) {
        if (here.accepted.contains(author) &&
            !here.slots[author.value()].certificate->header.batches->empty())
            --unsettled_payload_;
    });
    here.settled = here.settled.united(authors);
    here.suspended.intersection(authors).for_each(
        [&](AuthorityIndex author) { accept({round, author}, accepted); });
    wake_children(round.value(), accepted);
}

void Dag::raise_floor(Round floor, std::vector<VertexId>& accepted) {
    if (floor.value() <= floor_) return;
    const std::uint64_t forgotten_end = std::min(floor.value(), floor_ + rows_.size());
    for (std::uint64_t round = floor_; round < forgotten_end; ++round) {
        Row& gone = row(round);
        suspended_count_ -= gone.suspended.count();
        gone.accepted.without(gone.settled).for_each([&](AuthorityIndex author) {
            if (!gone.slots[author.value()].certificate->header.batches->empty())
                --unsettled_payload_;
        });
        gone = {};
    }
    floor_ = floor.value();
    // The lowest round stands without parents now.
    const Row& lowest = row(floor_);
    lowest.suspended.for_each([&](AuthorityIndex author) { accept({floor, author}, accepted); });
    wake_children(floor_, accepted);
}

std::optional<Round> Dag::lowest_missing() const {
    if (suspended_count_ == 0) return std::nullopt;
    for (std::uint64_t round = floor_; holds(round); ++round)
        if (!row(round).suspended.empty()) return Round(round - 1);
    return std::nullopt;
}

}  // namespace draco::consensus
