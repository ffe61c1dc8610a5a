#pragma once
// What users and nodes ask of the chain. A transaction is one method, signed by an account or a
// node, good for one chain and one nonce.

#include "draco/types/hashing.hpp"
#include "draco/types/ids.hpp"
#include "draco/types/keys.hpp"
#include "draco/types/lane.hpp"
#include "draco/types/money.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace draco::types {

using TransactionHash = FixedBytes<struct TransactionHashTag, 32>;

inline constexpr std::size_t kHostBytesMax = 253;  // RFC 1035 2.3.4, without the root

// Where a node is reached.
struct NodeEndpoints {
    bcs::Bounded<std::string, kHostBytesMax> host;
    std::uint16_t link_port = 0;
    std::uint16_t http_port = 0;
    std::uint16_t session_port = 0;
    std::uint16_t rpc_port = 0;

    bool operator==(const NodeEndpoints&) const = default;
};

// --- by an account; each pays the base fee ---

struct TransferFlk {
    Address to;
    FlkAmount amount;
    bool operator==(const TransferFlk&) const = default;
};

struct TransferUsd {
    Address to;
    UsdAmount amount;
    bool operator==(const TransferUsd&) const = default;
};

// Locks FLK behind a node. The first stake registers the node and makes the sender its owner; only
// the owner adds.
struct Stake {
    NodeKey node;
    FlkAmount amount;
    bool operator==(const Stake&) const = default;
};

// Begins to release stake; it can be withdrawn when the unbonding time is over.
struct Unstake {
    NodeKey node;
    FlkAmount amount;
    bool operator==(const Unstake&) const = default;
};

struct WithdrawUnstaked {
    NodeKey node;
    bool operator==(const WithdrawUnstaked&) const = default;
};

// Opens a lane to a node: `reserve` leaves the account and is held for what the node delivers.
struct OpenLane {
    NodeKey node;
    LaneIndex lane;  // one that has no open lane to this node
    ServiceId service;
    SessionKey session_key;  // whose acknowledgements spend the reserve
    UsdAmount reserve;
    bool operator==(const OpenLane&) const = default;
};

struct TopUpLane {
    NodeKey node;
    LaneIndex lane;
    UsdAmount amount;
    bool operator==(const TopUpLane&) const = default;
};

// The lane ends when the challenge time is over. Until then the node may settle; then the rest goes
// back to the account.
struct CloseLane {
    NodeKey node;
    LaneIndex lane;
    bool operator==(const CloseLane&) const = default;
};

// --- by a node; free, and capped per node and epoch ---

// The node takes part from the next epoch on and may be drawn for the committee.
struct OptIn {
    NodeEndpoints endpoints;
    bool operator==(const OptIn&) const = default;
};

// The node leaves at the end of this epoch.
struct OptOut {
    bool operator==(const OptOut&) const = default;
};

// A member's word that the epoch's time is over. The quorum-th one ends the epoch.
struct EndEpoch {
    Epoch epoch;
    bool operator==(const EndEpoch&) const = default;
};

// Brings what payers have acknowledged to this node. Each acknowledgement is judged on its own; the
// receipt says how.
struct SettleLanes {
    bcs::Bounded<std::vector<SignedDeliveryAck>, kSettlementAcksMax> acks;
    // What the node had from peers since it last said so. At the end of the epoch a governed share
    // of its revenue goes to them.
    bcs::Bounded<std::vector<PeerShare>, kSettlementPeersMax> peers;
    bool operator==(const SettleLanes&) const = default;
};

// Alternatives are numbered by position in the encoding: only ever append.
using Method = std::variant<TransferFlk,
                            TransferUsd,
                            Stake,
                            Unstake,
                            WithdrawUnstaked,
                            OptIn,
                            OptOut,
                            EndEpoch,
                            OpenLane,
                            TopUpLane,
                            CloseLane,
                            SettleLanes>;
using Sender = std::variant<Address, NodeKey>;

struct Transaction {
    static constexpr auto kKind = MessageKind::Transaction;
    using Digest = TransactionHash;

    Sender sender;
    Nonce nonce;
    FlkAmount fee_max;  // refused, not executed, if the fee would be more
    Method method;

    bool operator==(const Transaction&) const = default;
};

using TransactionSignature = std::variant<AccountSignature, NodeSignature>;

struct SignedTransaction {
    Transaction transaction;
    TransactionSignature signature;

    bool operator==(const SignedTransaction&) const = default;
};

SignedTransaction sign(ChainId chain, Transaction transaction, const AccountSecretKey& key);
SignedTransaction sign(ChainId chain, Transaction transaction, const NodeSecretKey& key);

// Unauthenticated unless the signature is the sender's, for this chain. An account signs the
// Keccak-256 of the hash.
Result<> verify(ChainId chain, const SignedTransaction& transaction);

}  // namespace draco::types
