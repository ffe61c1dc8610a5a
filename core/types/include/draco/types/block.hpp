#pragma once
// What consensus hands to execution, and followers verify: one block per committed anchor.

#include "draco/base/clock.hpp"
#include "draco/types/dag.hpp"

#include <cstdint>
#include <vector>

namespace draco::types {

using BlockDigest = FixedBytes<struct BlockDigestTag, 32>;
using BlockSignatureDigest = FixedBytes<struct BlockSignatureDigestTag, 32>;
using StateRoot = FixedBytes<struct StateRootTag, 32>;

// Committed sub-DAGs are bounded by the garbage collection depth times the committee's size.
inline constexpr std::size_t kBlockBatchesMax = std::size_t{1} << 20;
inline constexpr std::size_t kBlockRoundsMax = 1024;

// The content is the batches of the anchor's sub-DAG that no earlier block had, in the order of
// (round, author).
struct Block {
    static constexpr auto kKind = MessageKind::Block;
    using Digest = BlockDigest;

    Epoch epoch;
    Height height;
    BlockDigest parent;  // of height - 1; zero for the first block after genesis
    UnixTime timestamp;  // max(parent's + 1 ms, median of the headers' among the anchor's parents)
    Round anchor_round;
    HeaderDigest anchor;
    UnixTime anchor_created;  // its header's: a parent of the next anchor may be this one, which
                              // who follows blocks has never seen
    bcs::Bounded<std::vector<BatchDigest>, kBlockBatchesMax> batches;
    // The authors whose vertices of round anchor_round - i the block orders, at index i. Who has
    // the blocks knows which vertices are settled, without the vertices.
    bcs::Bounded<std::vector<AuthoritySet>, kBlockRoundsMax> vertices;

    bool operator==(const Block&) const = default;
};

// What a committee member signs once it has committed a block.
struct BlockStatement {
    static constexpr auto kKind = MessageKind::BlockSignature;
    using Digest = BlockSignatureDigest;

    Epoch epoch;
    Height height;
    BlockDigest parent;
    BlockDigest block;

    bool operator==(const BlockStatement&) const = default;
};

// A quorum of the epoch's committee signed BlockStatement: the block is final for anybody who knows
// the committee.
struct BlockCertificate {
    BlockStatement statement;
    AuthoritySet signers;
    bcs::Bounded<std::vector<NodeSignature>, kCommitteeMax>
        signatures;  // in ascending order of signer

    bool operator==(const BlockCertificate&) const = default;
};

// Unauthenticated unless a quorum of `committee` signed the statement; InvalidArgument if it is of
// another epoch or the signer set and the signatures do not match in number or range.
Result<> verify(ChainId chain, const Committee& committee, const BlockCertificate& certificate);

}  // namespace draco::types
