#include "draco/consensus/verify.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace draco::consensus {
namespace {

using types::Batch;
using types::Certificate;
using types::Header;
using types::HeaderDigest;
using types::SignedHeader;
using types::Vote;
using Verdict = Result<CheckedMessage, Refusal>;

// The end of year 9999: block times never come near the end of their range.
constexpr UnixTime kCreatedMax{253'402'300'799'999};

class Gate {
public:
    Gate(AuthorityIndex from,
         const types::Committee& committee,
         types::ChainId chain,
         SignatureCheck signatures)
        : from_(from), committee_(committee), chain_(chain), signatures_(signatures) {}

    Verdict operator()(Batch&& batch) const {
        if (batch.epoch != committee_.epoch()) return std::unexpected(Refusal::WrongEpoch);
        if (!committee_.has(batch.author)) return std::unexpected(Refusal::UnknownMember);
        if (batch.transactions.empty()) return std::unexpected(Refusal::BadShape);
        const auto is_too_short = [](ByteView transaction) {
            return transaction.size() < types::kTransactionBytesMin;
        };
        if (std::ranges::any_of(batch.transactions, is_too_short))
            return std::unexpected(Refusal::BadShape);
        CheckedBatch result = checked(chain_, std::move(batch));
        if (result.bytes > types::kBatchBytesMax) return std::unexpected(Refusal::BadShape);
        return result;
    }

    Verdict operator()(SignedHeader&& header) const {
        if (header.header.author != from_) return std::unexpected(Refusal::WrongSender);
        DRACO_TRY_VOID(shape(header.header));
        // It came by its author's own link, and nobody passes headers on.
        const HeaderDigest digest = types::digest_of(chain_, header.header);
        return CheckedHeader{std::move(header), digest};
    }

    Verdict operator()(const Vote& vote) const {
        if (vote.epoch != committee_.epoch()) return std::unexpected(Refusal::WrongEpoch);
        if (!committee_.has(vote.author)) return std::unexpected(Refusal::UnknownMember);
        if (vote.voter != from_) return std::unexpected(Refusal::WrongSender);
        const auto digest = types::digest_of(chain_, types::VoteContent{vote.header});
        DRACO_TRY_VOID(signature(vote.voter, digest.view(), vote.signature));
        return vote;
    }

    Verdict operator()(Certificate&& certificate) const {
        DRACO_TRY(result, certified(std::move(certificate)));
        return std::move(result);
    }

    Verdict operator()(const BatchStored& stored) const { return of_epoch(stored); }

    Verdict operator()(BatchRequest&& request) const {
        if (request.batches->empty()) return std::unexpected(Refusal::BadShape);
        return of_epoch(std::move(request));
    }

    Verdict operator()(CertificateRequest&& request) const { return of_epoch(std::move(request)); }

    Verdict operator()(CertificateResponse&& response) const {
        if (response.epoch != committee_.epoch()) return std::unexpected(Refusal::WrongEpoch);
        CheckedResponse result{response.floor, response.height, {}};
        for (Certificate& certificate : std::move(response.certificates).take()) {
            DRACO_TRY(good, certified(std::move(certificate)));
            result.certificates.push_back(std::move(good));
        }
        return result;
    }

    Verdict operator()(const BlockSignature& signed_block) const {
        if (signed_block.statement.epoch != committee_.epoch())
            return std::unexpected(Refusal::WrongEpoch);
        const auto digest = types::digest_of(chain_, signed_block.statement);
        DRACO_TRY_VOID(signature(from_, digest.view(), signed_block.signature));
        return signed_block;
    }

private:
    template <class M>
    Verdict of_epoch(M&& message) const {
        if (message.epoch != committee_.epoch()) return std::unexpected(Refusal::WrongEpoch);
        return std::forward<M>(message);
    }

    Result<void, Refusal> shape(const Header& header) const {
        if (header.epoch != committee_.epoch()) return std::unexpected(Refusal::WrongEpoch);
        if (!committee_.has(header.author) || !header.parent_authors.within(committee_.size()))
            return std::unexpected(Refusal::UnknownMember);
        const std::size_t parents = header.parent_authors.count();
        if (parents != header.parents->size() || (header.round.value() == 0) != (parents == 0))
            return std::unexpected(Refusal::BadShape);
        if (parents > 0 && parents < committee_.quorum()) return std::unexpected(Refusal::NoQuorum);
        if (header.created > kCreatedMax) return std::unexpected(Refusal::BadShape);
        std::size_t payload_bytes = 0;
        for (const types::BatchReference& batch : *header.batches) payload_bytes += batch.bytes;
        if (payload_bytes > types::kHeaderPayloadBytesMax)
            return std::unexpected(Refusal::BadShape);
        return {};
    }

    Result<CheckedCertificate, Refusal> certified(Certificate&& certificate) const {
        DRACO_TRY_VOID(shape(certificate.header));
        if (!certificate.signers.within(committee_.size()))
            return std::unexpected(Refusal::UnknownMember);
        const std::size_t signers = certificate.signers.count();
        if (signers != certificate.signatures->size()) return std::unexpected(Refusal::BadShape);
        if (signers < committee_.quorum()) return std::unexpected(Refusal::NoQuorum);
        CheckedCertificate result = checked(chain_, std::move(certificate));
        const auto digest = types::digest_of(chain_, types::VoteContent{result.digest});
        Result<void, Refusal> verdict;
        std::size_t next = 0;
        result.certificate->signers.for_each([&](AuthorityIndex signer) {
            const auto& by_signer = (*result.certificate->signatures)[next++];
            if (verdict) verdict = signature(signer, digest.view(), by_signer);
        });
        DRACO_TRY_VOID(verdict);
        return result;
    }

    Result<void, Refusal> signature(AuthorityIndex signer,
                                    ByteView digest,
                                    const types::NodeSignature& by_signer) const {
        if (signatures_ == SignatureCheck::Skipped) return {};
        if (!committee_.verify(signer, digest, by_signer))
            return std::unexpected(Refusal::BadSignature);
        return {};
    }

    AuthorityIndex from_;
    const types::Committee& committee_;
    types::ChainId chain_;
    SignatureCheck signatures_;
};

}  // namespace

CheckedBatch checked(types::ChainId chain, Batch batch) {
    const auto digest = types::digest_of(chain, batch);
    const auto bytes = static_cast<std::uint32_t>(bcs::encoded_size(batch));
    return {std::make_shared<const Batch>(std::move(batch)), digest, bytes};
}

CheckedCertificate checked(types::ChainId chain, Certificate certificate) {
    const HeaderDigest digest = types::digest_of(chain, certificate.header);
    return {std::make_shared<const Certificate>(std::move(certificate)), digest};
}

Result<CheckedMessage, Refusal> verify(Message message,
                                       AuthorityIndex from,
                                       const types::Committee& committee,
                                       types::ChainId chain,
                                       SignatureCheck signatures) {
    if (!committee.has(from)) return std::unexpected(Refusal::UnknownMember);
    return std::visit([gate = Gate(from, committee, chain, signatures)](
                          auto&& body) { return gate(std::forward<decltype(body)>(body)); },
                      std::move(message));
}

}  // namespace draco::consensus
