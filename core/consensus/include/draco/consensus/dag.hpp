#pragma once
// The certified DAG of one epoch: at most one vertex per (round, author), in a ring of rounds.
// A vertex is in the DAG when all its parents are in it, settled by a block, or below the floor
// (causal completion, Narwhal section 4.1); until then it is suspended in its slot.
//
// Rounds [floor, floor + window) have a slot for every author. Not thread-safe.

#include "draco/consensus/parameters.hpp"
#include "draco/consensus/verify.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace draco::consensus {

struct VertexId {
    Round round;
    AuthorityIndex author;

    auto operator<=>(const VertexId&) const = default;
};

class Dag {
public:
    enum class Addition : std::uint8_t {
        Accepted,
        Suspended,
        Known,
        BelowFloor,
        BeyondWindow,
        Conflict,  // another certificate is in the slot: more than f members are faulty
    };

    Dag(std::size_t committee_size, std::size_t quorum, std::uint64_t window_rounds);

    // Appends to `accepted` what is now in the DAG that was not before, parents first: the vertex
    // and those that were suspended for want of it.
    Addition add(CheckedCertificate certificate, std::vector<VertexId>& accepted);

    // A block orders these vertices, of which some may never come. They count as parents from now
    // on.
    void settle(Round round, AuthoritySet authors, std::vector<VertexId>& accepted);

    // Forgets all rounds below.
    void raise_floor(Round floor, std::vector<VertexId>& accepted);

    // Null unless the vertex is in the DAG.
    const types::Certificate* find(VertexId vertex) const;
    // Null unless the vertex is in the DAG.
    const types::HeaderDigest* digest(VertexId vertex) const;
    // How many vertices of the next round have this one among their parents.
    std::size_t votes(VertexId vertex) const;
    // The same, and headers of the next round that are not certified yet; an author counts once.
    std::size_t proposed_votes(VertexId vertex) const;

    // A header that its author has signed and that may never be certified. Precondition: the DAG
    // has the parents that it names (has_parents).
    void note_proposal(const types::Header& header);

    AuthoritySet accepted(Round round) const;  // in the DAG
    // Of all batches that its accepted vertices name. O(those).
    std::size_t payload_bytes(Round round) const;
    AuthoritySet suspended(Round round) const;
    AuthoritySet settled(Round round) const;  // ordered by a block

    Round floor() const { return Round(floor_); }

    Round end() const { return Round(floor_ + rows_.size()); }  // first round beyond the window

    // The highest round with a quorum of vertices in the DAG.
    std::optional<Round> quorum_round() const { return quorum_round_; }

    // The highest round with a vertex in the DAG or suspended.
    std::optional<Round> highest_round() const { return highest_round_; }

    // Vertices in the DAG that carry batches and are not settled.
    std::size_t unsettled_payload() const { return unsettled_payload_; }

    std::size_t suspended_count() const { return suspended_count_; }

    // The lowest round of which a suspended vertex misses a parent.
    std::optional<Round> lowest_missing() const;

private:
    struct Slot {
        std::shared_ptr<const types::Certificate> certificate;
        types::HeaderDigest digest;
        AuthoritySet voters;           // certified
        AuthoritySet proposed_voters;  // perhaps not
    };

    struct Row {
        std::vector<Slot> slots;
        AuthoritySet accepted;
        AuthoritySet suspended;
        AuthoritySet settled;
    };

    bool holds(std::uint64_t round) const {
        return round >= floor_ && round - floor_ < rows_.size();
    }

    Row& row(std::uint64_t round) { return rows_[round % rows_.size()]; }

    const Row& row(std::uint64_t round) const { return rows_[round % rows_.size()]; }

    Slot* slot(VertexId vertex);
    const Slot* slot(VertexId vertex) const;
    AuthoritySet missing_parents(const types::Header& header) const;
    void accept(VertexId vertex, std::vector<VertexId>& accepted);
    void wake_children(std::uint64_t round, std::vector<VertexId>& accepted);

    std::size_t size_;
    std::size_t quorum_;
    std::uint64_t floor_ = 0;
    std::vector<Row> rows_;
    std::optional<Round> quorum_round_;
    std::optional<Round> highest_round_;
    std::size_t unsettled_payload_ = 0;
    std::size_t suspended_count_ = 0;
};

}  // namespace draco::consensus
