#pragma once
// Gathers the votes for the own last header into a certificate.

#include "draco/consensus/verify.hpp"

#include <optional>
#include <vector>

namespace draco::consensus {

class VoteAggregator {
public:
    explicit VoteAggregator(const types::Committee& committee)
        : quorum_(committee.quorum()), signatures_(committee.size()) {}

    // Begins anew with the author's own vote.
    void start(const CheckedHeader& header, AuthorityIndex self, types::NodeSignature own_vote);

    // Stale if the vote is for another header or comes twice. Votes are verified before.
    Result<void, Refusal> add(const types::Vote& vote);

    // Once, as soon as there is a quorum.
    std::optional<CheckedCertificate> take_certificate();

    // Whether more votes are of use.
    bool is_open() const { return header_.has_value(); }

    AuthoritySet voters() const { return voters_; }

private:
    std::size_t quorum_;
    std::optional<CheckedHeader> header_;
    AuthoritySet voters_;
    std::vector<types::NodeSignature> signatures_;
};

}  // namespace draco::consensus
