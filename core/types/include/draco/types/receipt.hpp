#pragma once
// What became of a transaction in a block.

#include "draco/types/transaction.hpp"

#include <cstdint>
#include <string_view>

namespace draco::types {

// Why a transaction in a block was not executed: it left no trace and cost nothing. It may come
// again.
enum class Refusal : std::uint8_t {
    Malformed,
    BadSignature,
    WrongMethod,  // an account's method by a node, or the reverse
    WrongNonce,
    FeeAboveMax,    // the fee is more than the transaction allows
    FeeNotCovered,  // or more than the sender has
    UnknownNode,
    QuotaUsedUp,  // this node's free transactions of this epoch
};

// Why an executed transaction changed nothing but its sender's nonce and fee. None: it did what it
// says.
enum class Revert : std::uint8_t {
    None,
    InsufficientBalance,
    ZeroAmount,
    UnknownNode,
    NotTheOwner,
    InsufficientStake,
    NothingToWithdraw,
    StillUnbonding,
    AlreadyTakesPart,
    TakesNoPart,
    NotAMember,
    WrongEpoch,
    TooEarly,
    AmountTooLarge,
    UnknownService,
    UnsoundSessionKey,
    LaneInUse,
    NoLane,
    LaneCloses,
    NothingToSettle,
    SharesWithItself,
    TooManyPeers,
};

// What became of one acknowledgement in SettleLanes. All but Settled change nothing; those of
// NoLane and OverReserve are good again once the lane has what they need.
enum class AckOutcome : std::uint8_t {
    Settled,
    ForeignNode,      // of another node than the sender
    NoLane,           // never opened, or ended
    WrongInstance,    // of an earlier lane of this index
    NotIncreasing,    // no more than what is settled: replayed, or overtaken by a later one
    ForgedSignature,  // not by the lane's session key, for this chain
    OverReserve,      // it costs more than the lane holds
};

struct AckReceipt {
    AckOutcome outcome = AckOutcome::Settled;
    UsdAmount usd{};  // that moved from the lane's reserve into the revenue

    bool operator==(const AckReceipt&) const = default;
};

using AckReceipts = bcs::Bounded<std::vector<AckReceipt>, kSettlementAcksMax>;

std::string_view to_string(Refusal refusal);
std::string_view to_string(Revert revert);
std::string_view to_string(AckOutcome outcome);

struct Receipt {
    Height height{};
    std::uint32_t index = 0;  // among the block's transactions
    FlkAmount fee{};          // burned
    Revert revert = Revert::None;
    AckReceipts acks{};  // of SettleLanes, in its order

    bool operator==(const Receipt&) const = default;
};

}  // namespace draco::types
