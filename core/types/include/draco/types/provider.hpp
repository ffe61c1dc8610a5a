#pragma once
// "This node has this object, until then": what a node says of itself, and others keep and pass on
// (docs/decisions/018, docs/formats/providers.md).

#include "draco/base/clock.hpp"
#include "draco/types/content.hpp"
#include "draco/types/hashing.hpp"
#include "draco/types/keys.hpp"

#include <cstdint>

namespace draco::types {

using ProviderRecordDigest = FixedBytes<struct ProviderRecordDigestTag, 32>;

struct ProviderRecord {
    static constexpr auto kKind = MessageKind::ProviderRecord;
    using Digest = ProviderRecordDigest;

    ContentHash hash{};
    NodeKey node{};
    UnixTime expires{};
    // Of the node's records of one object the highest counts; it grows across restarts.
    std::uint64_t sequence = 0;
    bool is_withdrawn = false;  // the node has it no more

    bool operator==(const ProviderRecord&) const = default;
};

struct SignedProviderRecord {
    ProviderRecord record{};
    NodeSignature signature{};

    bool operator==(const SignedProviderRecord&) const = default;
};

inline constexpr std::size_t kSignedProviderRecordBytes = 32 + 32 + 8 + 8 + 1 + 64;

SignedProviderRecord sign(ChainId chain, const ProviderRecord& record, const NodeSecretKey& key);

// Unauthenticated unless record.node signed it for this chain.
Result<> verify(ChainId chain, const SignedProviderRecord& record);

}  // namespace draco::types
