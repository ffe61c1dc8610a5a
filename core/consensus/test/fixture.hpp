#pragma once
// A committee with its keys, and well-formed messages of its members.

#include "draco/consensus/verify.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace draco::consensus::test {

inline constexpr types::ChainId kChain(1337);

inline AuthorityIndex member(std::size_t index) {
    return AuthorityIndex(static_cast<std::uint16_t>(index));
}

inline types::TransactionBytes transaction(std::size_t bytes, std::uint8_t fill = 7) {
    return types::TransactionBytes::make(Bytes(bytes, fill)).value();
}

struct TestCommittee {
    std::vector<types::NodeSecretKey> keys;
    types::Committee committee;
    mutable std::map<std::pair<std::uint64_t, std::size_t>, types::HeaderDigest> digests{};

    static TestCommittee make(std::size_t size) {
        std::vector<types::NodeSecretKey> keys;
        std::vector<types::NodeKey> members;
        for (std::size_t i = 0; i < size; ++i) {
            std::array<std::uint8_t, 32> seed{};
            seed[0] = static_cast<std::uint8_t>(i + 1);
            keys.emplace_back(crypto::Ed25519Seed(std::span<const std::uint8_t, 32>(seed)));
        }
        std::ranges::sort(keys, {}, &types::NodeSecretKey::public_key);
        for (const auto& key : keys) members.push_back(key.public_key());
        return {std::move(keys), types::Committee::make(Epoch(3), members).value()};
    }

    types::Header header(std::uint64_t round, std::size_t author) const {
        types::Header header{committee.epoch(), Round(round), member(author), {1000}, {}, {}, {}};
        if (round == 0) return header;
        for (std::size_t i = 0; i < committee.quorum(); ++i) {
            header.parent_authors.insert(member(i));
            static_cast<void>(header.parents.try_push_back(digest(round - 1, i)));
        }
        return header;
    }

    types::HeaderDigest digest(std::uint64_t round, std::size_t author) const {
        const auto key = std::pair(round, author);
        if (!digests.contains(key)) digests[key] = types::digest_of(kChain, header(round, author));
        return digests[key];
    }

    types::SignedHeader sign(types::Header header) const {
        const auto digest = types::digest_of(kChain, header);
        const auto signature = keys[header.author.value()].sign(digest.view());
        return {std::move(header), signature};
    }

    CheckedHeader checked_header(types::Header header) const {
        const auto digest = types::digest_of(kChain, header);
        return {sign(std::move(header)), digest};
    }

    types::Vote vote(const types::Header& header, std::size_t voter) const {
        const auto digest = types::digest_of(kChain, header);
        const auto content = types::digest_of(kChain, types::VoteContent{digest});
        return {header.epoch,
                header.round,
                header.author,
                digest,
                member(voter),
                keys[voter].sign(content.view())};
    }

    types::Certificate certify(types::Header header, std::size_t signers) const {
        types::Certificate certificate{std::move(header), {}, {}};
        for (std::size_t i = 0; i < signers; ++i) {
            certificate.signers.insert(member(i));
            static_cast<void>(
                certificate.signatures.try_push_back(vote(certificate.header, i).signature));
        }
        return certificate;
    }

    CheckedCertificate vertex(std::uint64_t round, std::size_t author) const {
        return checked(kChain, certify(header(round, author), 0));
    }

    types::Batch batch(std::size_t author, std::uint64_t sequence, std::size_t bytes = 110) const {
        types::Batch batch{committee.epoch(), member(author), types::WorkerIndex(0), sequence, {}};
        static_cast<void>(batch.transactions.try_push_back(*transaction(bytes)));
        return batch;
    }

    BlockSignature block_signature(const types::BlockStatement& statement,
                                   std::size_t signer) const {
        const auto digest = types::digest_of(kChain, statement);
        return {statement, keys[signer].sign(digest.view()), Reply::NotNeeded};
    }
};

}  // namespace draco::consensus::test
