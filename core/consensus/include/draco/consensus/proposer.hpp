#pragma once
// When to propose the next header. Rounds follow the DAG: after a quorum of round r comes round
// r + 1, and a quorum seen further up is jumped to. A round waits, up to a timeout, for what makes
// the anchor commit in time: the leader's vertex, then its votes; for the own vertex, so that the
// next one carries it along; and for a moment for all others that can be expected. After much
// payload it also waits for its pace (Parameters::unpaced_bytes_per_s).

#include "draco/consensus/committer.hpp"
#include "draco/consensus/effects.hpp"

#include <optional>

namespace draco::consensus {

class Proposer {
public:
    struct Decision {
        enum class Kind : std::uint8_t { Propose, Wait, Nothing } kind;
        Round round;       // of Propose
        Instant deadline;  // of Wait
    };

    Proposer(const Parameters& parameters,
             AuthorityIndex self,
             CommitRule rule,
             const types::Committee& committee);

    // Precondition for Propose: there is something to propose for, which is the caller's to know.
    Decision decide(const Dag& dag, const Committer& committer, Instant now);

    // The round to be proposed next, unless it was already.
    std::optional<Round> next_round(const Dag& dag) const;

    void proposed(CheckedHeader header, Instant now);

    const std::optional<CheckedHeader>& last() const { return last_; }

private:
    bool complete(const Dag& dag, const Committer& committer, Round round) const;
    bool has_all_expected(const Dag& dag, const Committer& committer, Round round) const;
    Duration pace(const Dag& dag, Round below) const;
    Duration timeout(Round round, std::optional<Round> last_anchor) const;

    const Parameters& parameters_;
    AuthorityIndex self_;
    std::size_t votes_enough_;
    std::size_t committee_size_;
    std::optional<CheckedHeader> last_;
    Instant proposed_at_;                // the last header
    std::optional<Round> quorum_round_;  // as last seen,
    Instant quorum_since_;               // and since when
    std::optional<Instant> complete_since_;
};

// The header of `round` over everything that the DAG has of the round before. Precondition: that
// is a quorum, or round is 0.
types::Header make_header(const Dag& dag,
                          Epoch epoch,
                          Round round,
                          AuthorityIndex author,
                          UnixTime created,
                          std::vector<types::BatchReference> batches);

}  // namespace draco::consensus
