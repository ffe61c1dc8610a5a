#pragma once
// Votes for others' headers: at most one per (author, round), in ascending rounds per author, and
// only when this member holds the header's parents and all its batches, so that a certificate
// proves them available (Narwhal section 3.1), and that they are of age (batch_age.hpp). One header
// per author waits at a time.

#include "draco/consensus/batch_store.hpp"
#include "draco/consensus/dag.hpp"
#include "draco/consensus/effects.hpp"

#include <optional>
#include <vector>

namespace draco::consensus {

// Whether the DAG has exactly the parents that the header names.
bool has_parents(const Dag& dag, const types::Header& header);

class Voter {
public:
    Voter(std::size_t committee_size, std::uint64_t lead_ms_max, std::uint64_t batch_age_rounds_max)
        : lead_ms_max_(lead_ms_max),
          batch_age_rounds_max_(batch_age_rounds_max),
          authors_(committee_size) {}

    enum class Reception : std::uint8_t { Pending, VotedBefore };

    // Refusals: Stale, TooFarAhead, Equivocation. VotedBefore: the same header again; its author
    // may have missed the vote.
    Result<Reception, Refusal> receive(CheckedHeader header, const Dag& dag, Instant now);

    // The next header that can be voted for, taken out; it counts as voted for from now on.
    std::optional<CheckedHeader> next(const Dag& dag, const BatchStore& batches, UnixTime now);

    // A vote in the log.
    void restore(const OwnVote& vote);

    // Forgets waiting headers that cannot be voted for any more.
    void prune(const Dag& dag);

    // What waiting headers want for, for the synchronizer.
    template <class Visit>  // visit(const CheckedHeader&, Instant received)
    void for_each_pending(Visit&& visit) const {
        for (const Author& author : authors_)
            if (author.pending) visit(*author.pending, author.received);
    }

    // Hands over, once each, the waiting headers whose parents are in the DAG.
    template <class Visit>  // visit(const types::Header&)
    void for_each_founded(const Dag& dag, Visit&& visit) {
        for (Author& author : authors_) {
            if (!author.pending || author.founded) continue;
            author.founded = has_parents(dag, author.pending->header.header);
            if (author.founded) visit(author.pending->header.header);
        }
    }

    // How long until a waiting header's time has come, if one is from the future.
    std::optional<Duration> future_delay(UnixTime now) const;

private:
    struct Author {
        std::optional<Round> last_round;
        types::HeaderDigest last_header;
        std::optional<CheckedHeader> pending;
        Instant received;
        bool founded = false;  // the pending header was handed over
    };

    bool is_ready(const CheckedHeader& header,
                  const Dag& dag,
                  const BatchStore& batches,
                  UnixTime now) const;

    std::uint64_t lead_ms_max_;
    std::uint64_t batch_age_rounds_max_;
    std::vector<Author> authors_;
};

}  // namespace draco::consensus
