#include "draco/consensus/vote_aggregator.hpp"

namespace draco::consensus {

void VoteAggregator::start(const CheckedHeader& header,
                           AuthorityIndex self,
                           types::NodeSignature own_vote) {
    header_ = header;
    voters_ = {};
    voters_.insert(self);
    signatures_[self.value()] = own_vote;
}

Result<void, Refusal> VoteAggregator::add(const types::Vote& vote) {
    if (!header_ || vote.header != header_->digest || voters_.contains(vote.voter))
        return std::unexpected(Refusal::Stale);
    voters_.insert(vote.voter);
    signatures_[vote.voter.value()] = vote.signature;
    return {};
}

std::optional<CheckedCertificate> VoteAggregator::take_certificate() {
    if (!header_ || voters_.count() < quorum_) return std::nullopt;
    types::Certificate certificate{header_->header.header, voters_, {}};
    std::vector<types::NodeSignature> signatures;
    voters_.for_each(
        [&](AuthorityIndex voter) { signatures.push_back(signatures_[voter.value()]); });
    certificate.signatures = decltype(certificate.signatures)::make(std::move(signatures)).value();
    CheckedCertificate result{std::make_shared<const types::Certificate>(std::move(certificate)),
                              header_->digest};
    header_.reset();
    return result;
}

}  // namespace draco::consensus
