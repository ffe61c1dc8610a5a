#pragma once
// The messages of the certified DAG (Narwhal section 4): batches carry transactions, a header
// proposes a vertex, votes certify it, a certificate is a vertex of the DAG. All values are BCS
// aggregates with their bounds in their types.

#include "draco/base/clock.hpp"
#include "draco/types/committee.hpp"
#include "draco/types/hashing.hpp"
#include "draco/types/ids.hpp"
#include "draco/types/keys.hpp"

#include <cstdint>
#include <vector>

namespace draco::types {

// No signed transaction is shorter. What claims to be one and is, is refused unread, so that a
// batch has no more transactions than its bytes have room for.
inline constexpr std::size_t kTransactionBytesMin = 100;
inline constexpr std::size_t kTransactionBytesMax = std::size_t{64} << 10;
inline constexpr std::size_t kBatchBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kBatchTransactionsMax = std::size_t{1} << 14;
inline constexpr std::size_t kHeaderBatchesMax = 256;
inline constexpr std::size_t kHeaderPayloadBytesMax = std::size_t{4} << 20;  // of all its batches

using BatchDigest = FixedBytes<struct BatchDigestTag, 32>;
using HeaderDigest = FixedBytes<struct HeaderDigestTag, 32>;
using VoteDigest = FixedBytes<struct VoteDigestTag, 32>;

using TransactionBytes = bcs::Bounded<Bytes, kTransactionBytesMax>;

// Author, worker and sequence make two batches with the same transactions two batches.
struct Batch {
    static constexpr auto kKind = MessageKind::Batch;
    using Digest = BatchDigest;

    Epoch epoch;
    AuthorityIndex author;
    WorkerIndex worker;
    std::uint64_t sequence = 0;
    bcs::PackedStrings<kTransactionBytesMax, kBatchTransactionsMax> transactions;

    bool operator==(const Batch&) const = default;
};

struct BatchReference {
    BatchDigest digest;
    WorkerIndex worker;
    std::uint32_t bytes = 0;  // of the encoded batch

    bool operator==(const BatchReference&) const = default;
};

// A proposed vertex. Valid if `parents` are digests of headers of round - 1 by the authors in
// `parent_authors`, in ascending order of author, at least a quorum of them (none in round 0).
struct Header {
    static constexpr auto kKind = MessageKind::Header;
    using Digest = HeaderDigest;

    Epoch epoch;
    Round round;
    AuthorityIndex author;
    UnixTime created;
    bcs::Bounded<std::vector<BatchReference>, kHeaderBatchesMax> batches;
    AuthoritySet parent_authors;
    bcs::Bounded<std::vector<HeaderDigest>, kCommitteeMax> parents;

    bool operator==(const Header&) const = default;
};

struct SignedHeader {
    Header header;
    NodeSignature signature;  // by the author, over the header's digest

    bool operator==(const SignedHeader&) const = default;
};

// What a vote signs. The header's digest binds epoch, round and author.
struct VoteContent {
    static constexpr auto kKind = MessageKind::Vote;
    using Digest = VoteDigest;

    HeaderDigest header;

    bool operator==(const VoteContent&) const = default;
};

struct Vote {
    Epoch epoch;
    Round round;
    AuthorityIndex author;  // of the header
    HeaderDigest header;
    AuthorityIndex voter;
    NodeSignature signature;  // over the digest of VoteContent{header}

    bool operator==(const Vote&) const = default;
};

// A vertex: a header with the votes of a quorum. Its identity is the header's digest; which quorum
// signed is not part of it. At most one certificate can exist for an (epoch, round, author).
struct Certificate {
    Header header;
    AuthoritySet signers;
    bcs::Bounded<std::vector<NodeSignature>, kCommitteeMax>
        signatures;  // in ascending order of signer

    bool operator==(const Certificate&) const = default;
};

}  // namespace draco::types
