#include "block_execution.hpp"

#include "draco/base/checked.hpp"

#include "methods.hpp"

namespace draco::application {

using types::Refusal;
using types::Revert;

Result<CheckedTransaction, RefusedTransaction> check_transaction(types::ChainId chain,
                                                                 ByteView bytes) {
    auto decoded = bcs::decode<types::SignedTransaction>(bytes);
    if (!decoded) return std::unexpected(RefusedTransaction{Refusal::Malformed, std::nullopt});
    const auto hash = types::digest_of(chain, decoded->transaction);
    if (!types::verify(chain, *decoded))
        return std::unexpected(RefusedTransaction{Refusal::BadSignature, hash});
    const types::Transaction& transaction = decoded->transaction;
    if (std::holds_alternative<types::Address>(transaction.sender) !=
        is_account_method(transaction.method))
        return std::unexpected(RefusedTransaction{Refusal::WrongMethod, hash});
    return CheckedTransaction{*std::move(decoded), hash, bytes.size()};
}

std::optional<types::FlkAmount> fee_of(const types::ChainParameters& parameters,
                                       std::size_t bytes) {
    const auto by_size = parameters.fee_per_byte.times(bytes);
    return by_size ? parameters.fee_base.plus(*by_size) : std::nullopt;
}

std::optional<Refusal> fee_refusal(const types::ChainParameters& parameters,
                                   const CheckedTransaction& transaction,
                                   const types::Account& account) {
    const auto fee = fee_of(parameters, transaction.bytes);
    if (!fee || *fee > transaction.content.transaction.fee_max) return Refusal::FeeAboveMax;
    if (*fee > account.flk) return Refusal::FeeNotCovered;
    return std::nullopt;
}

Result<interfaces::TransactionOutcome> BlockExecution::run(ByteView transaction) {
    const auto checked = check_transaction(state_.chain().chain, transaction);
    ++index_;
    if (!checked) return interfaces::TransactionOutcome{checked.error().hash, checked.error().why};
    DRACO_TRY(outcome, run_checked(*checked));
    return interfaces::TransactionOutcome{checked->hash, outcome};
}

// The fee and the nonce are one step, the method another, so that a revert undoes the method alone.
Result<std::variant<types::Receipt, Refusal>> BlockExecution::run_checked(
    const CheckedTransaction& checked) {
    const types::Transaction& transaction = checked.content.transaction;
    DRACO_TRY(refusal,
              std::visit([&](const auto& sender) { return charge(sender, checked); },
                         transaction.sender));
    if (refusal) {
        state_.discard();
        return *refusal;
    }
    DRACO_TRY_VOID(state_.keep());
    types::Receipt receipt{.height = height_, .index = index_ - 1};
    if (std::holds_alternative<types::Address>(transaction.sender))
        receipt.fee = fee_of(state_.chain().parameters, checked.bytes).value_or(types::FlkAmount{});
    DRACO_TRY(outcome,
              std::visit(
                  [&](const auto& sender) {
                      return run_method(state_, sender, transaction.method, block_time_);
                  },
                  transaction.sender));
    receipt.revert = outcome.revert;
    receipt.acks = std::move(outcome.acks);
    if (receipt.revert != Revert::None)
        state_.discard();
    else
        DRACO_TRY_VOID(state_.keep());
    return receipt;
}

Result<std::optional<Refusal>> BlockExecution::charge(const types::Address& sender,
                                                      const CheckedTransaction& transaction) {
    DRACO_TRY(account, state_.account(sender));
    const auto next = checked_add(account.nonce.value(), std::uint64_t{1});
    if (!next || transaction.content.transaction.nonce.value() != *next) return Refusal::WrongNonce;
    const types::ChainParameters& parameters = state_.chain().parameters;
    if (const auto refusal = fee_refusal(parameters, transaction, account)) return refusal;
    const types::FlkAmount fee = fee_of(parameters, transaction.bytes).value();
    account.flk = account.flk.minus(fee).value();
    account.nonce = types::Nonce(*next);
    state_.set(sender, account);
    state_.burn(fee);
    return std::nullopt;
}

Result<std::optional<Refusal>> BlockExecution::charge(const types::NodeKey& sender,
                                                      const CheckedTransaction& transaction) {
    DRACO_TRY(known, state_.node(sender));
    if (!known) return Refusal::UnknownNode;
    types::NodeRecord node = *known;
    const auto next = checked_add(node.nonce.value(), std::uint64_t{1});
    if (!next || transaction.content.transaction.nonce.value() != *next) return Refusal::WrongNonce;
    const types::Epoch epoch = state_.chain().epoch.epoch;
    if (node.counted_epoch != epoch) {
        node.counted_epoch = epoch;
        node.transactions = 0;
        node.settlements = 0;
    }
    // Counted apart, so that who settles much can still say that the epoch is over.
    const types::ChainParameters& parameters = state_.chain().parameters;
    const bool settles =
        std::holds_alternative<types::SettleLanes>(transaction.content.transaction.method);
    std::uint32_t& used = settles ? node.settlements : node.transactions;
    if (used >= (settles ? parameters.node_settlements_max : parameters.node_transactions_max))
        return Refusal::QuotaUsedUp;
    ++used;
    node.nonce = types::Nonce(*next);
    state_.set(sender, node);
    return std::nullopt;
}

}  // namespace draco::application
