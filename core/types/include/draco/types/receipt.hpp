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
};

std::string_view to_string(Refusal refusal);
std::string_view to_string(Revert revert);

struct Receipt {
    Height height{};
    std::uint32_t index = 0;  // among the block's transactions
    FlkAmount fee{};          // burned
    Revert revert = Revert::None;

    bool operator==(const Receipt&) const = default;
};

}  // namespace draco::types
