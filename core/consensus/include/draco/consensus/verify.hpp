#pragma once
// The gate in front of the core: judges a decoded message by itself, without any state but the
// committee, so it can run on any thread. What comes out is safe to feed to a core; whether it is
// useful there is the core's to say.

#include "draco/consensus/message.hpp"
#include "draco/consensus/refusal.hpp"

#include <memory>
#include <variant>
#include <vector>

namespace draco::consensus {

struct CheckedBatch {
    // Without transactions if a worker process holds them: then the rest is what is known here.
    std::shared_ptr<const types::Batch> batch;
    types::BatchDigest digest;
    std::uint32_t bytes = 0;  // encoded, with all transactions

    bool has_content() const { return !batch->transactions.empty(); }
};

struct CheckedHeader {
    types::SignedHeader header;
    types::HeaderDigest digest;
};

struct CheckedCertificate {
    std::shared_ptr<const types::Certificate> certificate;
    types::HeaderDigest digest;
};

struct CheckedResponse {
    Round floor;
    types::Height height;
    std::vector<CheckedCertificate> certificates;
};

using CheckedMessage = std::variant<CheckedBatch,
                                    CheckedHeader,
                                    types::Vote,
                                    CheckedCertificate,
                                    BatchStored,
                                    BatchRequest,
                                    CertificateRequest,
                                    CheckedResponse,
                                    BlockSignature>;

enum class SignatureCheck : std::uint8_t {
    Required,
    Skipped,  // simulations whose members cannot forge, and fuzzing past the gate
};

// `from` is the member whose link the message came by. Checked: the epoch, that every index is in
// the committee, bounds, the shape of parents and signer sets, quorums, that a header, vote or
// block signature came from who made it, and all signatures but those of headers: the link has
// authenticated the author of a header, which only goes from its author to the others; its
// signature is evidence for who wants to prove later what was proposed. Thread-safe. Cost: hashing
// the message and one Ed25519 verification per signature that is checked.
Result<CheckedMessage, Refusal> verify(Message message,
                                       AuthorityIndex from,
                                       const types::Committee& committee,
                                       types::ChainId chain,
                                       SignatureCheck signatures = SignatureCheck::Required);

// The parts of verify that a log needs on recovery, whose records are trusted.
CheckedBatch checked(types::ChainId chain, types::Batch batch);
CheckedCertificate checked(types::ChainId chain, types::Certificate certificate);

}  // namespace draco::consensus
