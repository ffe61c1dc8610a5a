#pragma once
// Lanes and acknowledgements (docs/decisions/017, docs/formats/delivery.md). A lane holds money of
// one payer for one node. Its session key signs what has been delivered on it so far, and the node
// is paid for the latest such word.

#include "draco/base/clock.hpp"
#include "draco/types/commodity.hpp"
#include "draco/types/hashing.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

namespace draco::types {

using DeliveryAckDigest = FixedBytes<struct DeliveryAckDigestTag, 32>;

inline constexpr std::size_t kSettlementAcksMax = 256;
inline constexpr std::size_t kSettlementPeersMax = 64;

struct LaneKey {
    Address payer{};
    NodeKey node{};
    LaneIndex index{};

    auto operator<=>(const LaneKey&) const = default;
};

// Service, commodity and price are those at the opening, for all its life.
struct Lane {
    LaneInstance instance{};
    ServiceId service{};
    Commodity commodity = Commodity::Bandwidth;
    UnitPrice price{};
    SessionKey session_key{};
    UsdAmount reserve{};               // still held; what was settled has left it
    std::uint64_t settled = 0;         // units that are paid for
    std::optional<UnixTime> closes{};  // if its payer has closed it: when the rest goes back

    bool operator==(const Lane&) const = default;
};

// "On this lane I have received `cumulative` units since it was opened." All fields have a fixed
// width, so they lie at fixed offsets of the encoding, as a circuit wants them. Not bound to an
// epoch: it stays good until the lane ends, and a later one of its lane replaces it.
struct DeliveryAck {
    static constexpr auto kKind = MessageKind::DeliveryAck;
    using Digest = DeliveryAckDigest;

    Address payer{};
    NodeKey node{};
    LaneIndex lane{};
    LaneInstance instance{};
    std::uint64_t cumulative = 0;

    bool operator==(const DeliveryAck&) const = default;
};

inline constexpr std::size_t kDeliveryAckBytes = 20 + 32 + 2 + 8 + 8;

struct SignedDeliveryAck {
    DeliveryAck ack{};
    SessionSignature signature{};

    bool operator==(const SignedDeliveryAck&) const = default;
};

SignedDeliveryAck sign(ChainId chain, const DeliveryAck& ack, const SessionSecretKey& key);

// Unauthenticated unless `key` signed it for this chain.
Result<> verify(ChainId chain, const SessionKey& key, const SignedDeliveryAck& ack);

// Bytes that a node had from a peer and passed on.
struct PeerShare {
    NodeKey peer{};
    std::uint64_t bytes = 0;

    bool operator==(const PeerShare&) const = default;
};

}  // namespace draco::types
