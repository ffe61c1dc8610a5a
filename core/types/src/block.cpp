#include "draco/types/block.hpp"

#include <string>

namespace draco::types {

Result<> verify(ChainId chain, const Committee& committee, const BlockCertificate& certificate) {
    if (certificate.statement.epoch != committee.epoch())
        return fail(Errc::InvalidArgument,
                    "a block certificate of epoch " +
                        std::to_string(certificate.statement.epoch.value()) +
                        " cannot be judged by the committee of epoch " +
                        std::to_string(committee.epoch().value()));
    if (!certificate.signers.within(committee.size()))
        return fail(Errc::InvalidArgument,
                    "a block certificate names a signer outside the committee");
    const std::size_t signers = certificate.signers.count();
    if (signers != certificate.signatures->size())
        return fail(Errc::InvalidArgument,
                    "a block certificate has " + std::to_string(signers) + " signers and " +
                        std::to_string(certificate.signatures->size()) + " signatures");
    if (signers < committee.quorum())
        return fail(Errc::Unauthenticated,
                    "a block certificate has " + std::to_string(signers) + " of the " +
                        std::to_string(committee.quorum()) + " signatures it needs");
    const BlockSignatureDigest digest = digest_of(chain, certificate.statement);
    Result<> verdict;
    std::size_t next = 0;
    certificate.signers.for_each([&](AuthorityIndex signer) {
        const NodeSignature& signature = (*certificate.signatures)[next++];
        if (verdict) verdict = committee.verify(signer, digest.view(), signature);
    });
    return verdict;
}

}  // namespace draco::types
