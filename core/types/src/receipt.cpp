#include "draco/types/receipt.hpp"

namespace draco::types {

std::string_view to_string(Refusal refusal) {
    switch (refusal) {
        case Refusal::Malformed:
            return "the bytes are not a transaction";
        case Refusal::BadSignature:
            return "the signature is not the sender's, for this chain";
        case Refusal::WrongMethod:
            return "this kind of sender cannot use this method";
        case Refusal::WrongNonce:
            return "the nonce is not the sender's next one";
        case Refusal::FeeAboveMax:
            return "the fee is above the transaction's fee_max";
        case Refusal::FeeNotCovered:
            return "the sender cannot pay the fee";
        case Refusal::UnknownNode:
            return "nobody has staked for this node";
        case Refusal::QuotaUsedUp:
            return "the node has used up its free transactions of this epoch";
    }
    return "an unknown refusal";
}

std::string_view to_string(Revert revert) {
    switch (revert) {
        case Revert::None:
            return "executed";
        case Revert::InsufficientBalance:
            return "the balance is too small";
        case Revert::ZeroAmount:
            return "the amount is zero";
        case Revert::UnknownNode:
            return "nobody has staked for this node";
        case Revert::NotTheOwner:
            return "the sender does not own the node";
        case Revert::InsufficientStake:
            return "the stake is too small";
        case Revert::NothingToWithdraw:
            return "no stake is on its way out";
        case Revert::StillUnbonding:
            return "the unbonding time is not over";
        case Revert::AlreadyTakesPart:
            return "the node takes part already";
        case Revert::TakesNoPart:
            return "the node takes no part";
        case Revert::NotAMember:
            return "the node is not a member of the committee";
        case Revert::WrongEpoch:
            return "another epoch is running";
        case Revert::TooEarly:
            return "the epoch's time is not over";
        case Revert::AmountTooLarge:
            return "the sum of the amounts is too large";
        case Revert::UnknownService:
            return "there is no such service";
        case Revert::UnsoundSessionKey:
            return "the session key is not a sound Ed25519 key";
        case Revert::LaneInUse:
            return "a lane of this index to this node is open";
        case Revert::NoLane:
            return "the sender has no lane of this index to this node";
        case Revert::LaneCloses:
            return "the lane is being closed";
        case Revert::NothingToSettle:
            return "there is neither an acknowledgement nor a peer";
        case Revert::SharesWithItself:
            return "a node is no peer of itself";
        case Revert::TooManyPeers:
            return "the node has named too many peers in this epoch";
    }
    return "an unknown outcome";
}

std::string_view to_string(AckOutcome outcome) {
    switch (outcome) {
        case AckOutcome::Settled:
            return "settled";
        case AckOutcome::ForeignNode:
            return "it acknowledges another node than the sender";
        case AckOutcome::NoLane:
            return "its lane is not open";
        case AckOutcome::WrongInstance:
            return "it is of another lane that had this index";
        case AckOutcome::NotIncreasing:
            return "as much or more is settled already";
        case AckOutcome::ForgedSignature:
            return "the signature is not by the lane's session key, for this chain";
        case AckOutcome::OverReserve:
            return "it costs more than the lane holds";
    }
    return "an unknown outcome";
}

}  // namespace draco::types
