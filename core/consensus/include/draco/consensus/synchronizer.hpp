#pragma once
// Gets what is missing: batches by digest, certificates by what this member has. One member is
// asked for one thing at a time; who does not answer in time is followed by the next.

#include "draco/consensus/dag.hpp"
#include "draco/consensus/effects.hpp"

#include <map>
#include <optional>
#include <vector>

namespace draco::consensus {

class Synchronizer {
public:
    Synchronizer(const Parameters& parameters, std::size_t committee_size, AuthorityIndex self);

    enum class Named : std::uint8_t { ByHeader, ByCertificate };

    // The batch is needed as long as the floor is not above `round`; its author should have it. The
    // first request goes out at `not_before`.
    void want_batch(const types::BatchReference& batch,
                    AuthorityIndex author,
                    Round round,
                    Named named,
                    Instant not_before);
    // The author's waiting header was replaced: what only it named is not wanted any more.
    void forget_uncertified(AuthorityIndex author);

    bool wants(const types::BatchDigest& digest) const { return wanted_.contains(digest); }

    void batch_arrived(const types::BatchDigest& digest) { wanted_.erase(digest); }

    void raise_floor(Round floor);

    struct BatchQuery {
        AuthorityIndex to;
        BatchRequest request;
    };

    struct Due {
        types::BatchDigest digest;
        types::WorkerIndex worker;
        AuthorityIndex author;
        Round round;
    };

    // What is due, for somebody else to ask for; it is due again later.
    std::vector<Due> due(Instant now);
    // The requests that are due.
    std::vector<BatchQuery> due_batches(Epoch epoch, Instant now);

    // The member to ask for certificates, if no answer is awaited; it has until the deadline.
    std::optional<AuthorityIndex> ask_certificates(Instant now);
    void answered(AuthorityIndex by);

    // When due_batches or ask_certificates may have something new, if ever.
    std::optional<Instant> batches_due_at() const;

    std::optional<Instant> certificates_due_at() const { return certificates_deadline_; }

    std::size_t wanted() const { return wanted_.size(); }

private:
    struct Want {
        types::WorkerIndex worker;
        AuthorityIndex author;
        AuthorityIndex holder;  // to ask next
        Round round;
        Named named;
        Instant due;
        unsigned asked = 0;
    };

    AuthorityIndex after(AuthorityIndex member) const;
    void asked(Want& want, Instant now) const;

    const Parameters& parameters_;
    std::size_t size_;
    AuthorityIndex self_;
    std::map<types::BatchDigest, Want> wanted_;
    AuthorityIndex certificates_from_;
    std::optional<Instant> certificates_deadline_;  // while an answer is awaited
};

// What a member has: the request for the rest.
CertificateRequest certificates_lacking(const Dag& dag, Epoch epoch);

// The answer out of this DAG, lowest rounds first, up to a response's bounds.
CertificateResponse certificates_for(const CertificateRequest& request,
                                     const Dag& dag,
                                     Epoch epoch,
                                     types::Height height);

// Bytes that one peer may have on request. Refills with time, up to one second's worth.
class ServeBudget {
public:
    ServeBudget(std::size_t peers, std::size_t bytes_per_s)
        : bytes_per_s_(bytes_per_s), peers_(peers, Peer{bytes_per_s, {}}) {}

    // False if the peer has used up its bytes.
    bool spend(AuthorityIndex peer, std::size_t bytes, Instant now);

private:
    struct Peer {
        std::size_t left;
        Instant refilled;
    };

    std::size_t bytes_per_s_;
    std::vector<Peer> peers_;
};

}  // namespace draco::consensus
