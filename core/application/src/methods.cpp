#include "methods.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/checked.hpp"
#include "draco/types/committee.hpp"

#include "lanes.hpp"
#include "settlement.hpp"

#include <algorithm>
#include <limits>

namespace draco::application {
namespace {

using types::Account;
using types::Address;
using types::FlkAmount;
using types::NodeKey;
using types::NodeRecord;
using types::Participation;
using types::Revert;

// Moves `amount` of the balance that `balance` names.
template <class Amount>
Result<Revert> transfer(WorkingState& state,
                        const Address& from,
                        const Address& to,
                        Amount amount,
                        Amount Account::* balance) {
    if (amount.is_zero()) return Revert::ZeroAmount;
    DRACO_TRY(payer, state.account(from));
    const auto left = (payer.*balance).minus(amount);
    if (!left) return Revert::InsufficientBalance;
    payer.*balance = *left;
    state.set(from, payer);
    DRACO_TRY(payee, state.account(to));  // after the payer, who may be the same
    const auto more = (payee.*balance).plus(amount);
    if (!more) return Revert::AmountTooLarge;
    payee.*balance = *more;
    state.set(to, payee);
    return Revert::None;
}

class AccountMethods {
public:
    AccountMethods(WorkingState& state, const Address& sender, UnixTime block_time)
        : state_(state), sender_(sender), block_time_(block_time) {}

    Result<Revert> operator()(const types::TransferFlk& method) {
        return transfer(state_, sender_, method.to, method.amount, &Account::flk);
    }

    Result<Revert> operator()(const types::TransferUsd& method) {
        return transfer(state_, sender_, method.to, method.amount, &Account::usd);
    }

    Result<Revert> operator()(const types::Stake& method) {
        if (method.amount.is_zero()) return Revert::ZeroAmount;
        DRACO_TRY(known, state_.node(method.node));
        NodeRecord node = known.value_or(NodeRecord{.owner = sender_});
        if (node.owner != sender_) return Revert::NotTheOwner;
        DRACO_TRY(account, state_.account(sender_));
        const auto left = account.flk.minus(method.amount);
        if (!left) return Revert::InsufficientBalance;
        const auto stake = node.stake.plus(method.amount);
        if (!stake) return Revert::AmountTooLarge;
        account.flk = *left;
        node.stake = *stake;
        state_.set(sender_, account);
        state_.set(method.node, node);
        return Revert::None;
    }

    Result<Revert> operator()(const types::Unstake& method) {
        if (method.amount.is_zero()) return Revert::ZeroAmount;
        DRACO_TRY(known, state_.node(method.node));
        if (!known) return Revert::UnknownNode;
        NodeRecord node = *known;
        if (node.owner != sender_) return Revert::NotTheOwner;
        const auto left = node.stake.minus(method.amount);
        if (!left) return Revert::InsufficientStake;
        const FlkAmount waiting = node.unbonding ? node.unbonding->amount : FlkAmount{};
        const auto unbonding = waiting.plus(method.amount);
        if (!unbonding) return Revert::AmountTooLarge;
        node.stake = *left;
        // Adding to what is under way starts its time anew.
        node.unbonding = types::Unbonding{*unbonding, release_epoch()};
        state_.set(method.node, node);
        return Revert::None;
    }

    Result<Revert> operator()(const types::WithdrawUnstaked& method) {
        DRACO_TRY(known, state_.node(method.node));
        if (!known) return Revert::UnknownNode;
        NodeRecord node = *known;
        if (node.owner != sender_) return Revert::NotTheOwner;
        if (!node.unbonding) return Revert::NothingToWithdraw;
        if (state_.chain().epoch.epoch < node.unbonding->release) return Revert::StillUnbonding;
        DRACO_TRY(account, state_.account(sender_));
        const auto more = account.flk.plus(node.unbonding->amount);
        if (!more) return Revert::AmountTooLarge;
        account.flk = *more;
        node.unbonding.reset();
        state_.set(sender_, account);
        state_.set(method.node, node);
        return Revert::None;
    }

    Result<Revert> operator()(const types::OpenLane& method) {
        return open_lane(state_, sender_, method);
    }

    Result<Revert> operator()(const types::TopUpLane& method) {
        return top_up_lane(state_, sender_, method);
    }

    Result<Revert> operator()(const types::CloseLane& method) {
        return close_lane(state_, sender_, method, block_time_);
    }

    template <class NodeMethod>
    Result<Revert> operator()(const NodeMethod& /*method*/) {
        DRACO_ASSERT(false, "an account uses account methods");
        return Revert::None;
    }

private:
    types::Epoch release_epoch() const {
        const auto epoch = checked_add(state_.chain().epoch.epoch.value(),
                                       state_.chain().parameters.unbonding_epochs);
        return types::Epoch(epoch.value_or(std::numeric_limits<std::uint64_t>::max()));
    }

    WorkingState& state_;
    const Address& sender_;
    UnixTime block_time_;
};

class NodeMethods {
public:
    NodeMethods(WorkingState& state, const NodeKey& sender, NodeRecord node, UnixTime block_time)
        : state_(state), sender_(sender), node_(std::move(node)), block_time_(block_time) {}

    Result<Revert> operator()(const types::OptIn& method) {
        if (node_.stake < state_.chain().parameters.stake_min) return Revert::InsufficientStake;
        // Also how a node that takes part moves to other addresses.
        if (node_.participation == Participation::None)
            node_.participation = Participation::OptedIn;
        else if (node_.participation == Participation::OptedOut)
            node_.participation = Participation::Active;
        else if (node_.endpoints == method.endpoints)
            return Revert::AlreadyTakesPart;
        node_.endpoints = method.endpoints;
        state_.set(sender_, node_);
        return Revert::None;
    }

    Result<Revert> operator()(const types::OptOut& /*method*/) {
        if (node_.participation == Participation::Active)
            node_.participation = Participation::OptedOut;
        else if (node_.participation == Participation::OptedIn)
            node_.participation = Participation::None;
        else
            return Revert::TakesNoPart;
        state_.set(sender_, node_);
        return Revert::None;
    }

    Result<Revert> operator()(const types::EndEpoch& method) {
        const types::EpochInfo& epoch = state_.chain().epoch;
        if (method.epoch != epoch.epoch) return Revert::WrongEpoch;
        const auto member = std::ranges::lower_bound(*epoch.committee, sender_);
        if (member == epoch.committee->end() || *member != sender_) return Revert::NotAMember;
        if (block_time_ < epoch_due(state_.chain())) return Revert::TooEarly;
        state_.signal_end(
            types::AuthorityIndex(static_cast<std::uint16_t>(member - epoch.committee->begin())));
        return Revert::None;
    }

    Result<Revert> operator()(const types::SettleLanes& method) {
        DRACO_TRY(settlement, settle_lanes(state_, sender_, method));
        acks_ = std::move(settlement.acks);
        return settlement.revert;
    }

    types::AckReceipts take_acks() { return std::move(acks_); }

    template <class AccountMethod>
    Result<Revert> operator()(const AccountMethod& /*method*/) {
        DRACO_ASSERT(false, "a node uses node methods");
        return Revert::None;
    }

private:
    WorkingState& state_;
    const NodeKey& sender_;
    NodeRecord node_;
    UnixTime block_time_;
    types::AckReceipts acks_;
};

}  // namespace

bool is_account_method(const types::Method& method) {
    return !std::holds_alternative<types::OptIn>(method) &&
           !std::holds_alternative<types::OptOut>(method) &&
           !std::holds_alternative<types::EndEpoch>(method) &&
           !std::holds_alternative<types::SettleLanes>(method);
}

Result<MethodOutcome> run_method(WorkingState& state,
                                 const Address& sender,
                                 const types::Method& method,
                                 UnixTime block_time) {
    DRACO_TRY(revert, std::visit(AccountMethods(state, sender, block_time), method));
    return MethodOutcome{.revert = revert};
}

Result<MethodOutcome> run_method(WorkingState& state,
                                 const NodeKey& sender,
                                 const types::Method& method,
                                 UnixTime block_time) {
    DRACO_TRY(node, state.node(sender));
    DRACO_ASSERT(node.has_value(), "a node that sends is known");
    NodeMethods methods(state, sender, *node, block_time);
    DRACO_TRY(revert, std::visit(methods, method));
    return MethodOutcome{.revert = revert, .acks = methods.take_acks()};
}

UnixTime epoch_due(const ChainRecord& chain) {
    return {checked_add(chain.epoch.started.ms, chain.parameters.epoch_ms)
                .value_or(std::numeric_limits<std::uint64_t>::max())};
}

}  // namespace draco::application
