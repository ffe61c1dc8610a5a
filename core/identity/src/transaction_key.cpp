#include "draco/identity/transaction_key.hpp"

#include "draco/base/assert.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/types/dag.hpp"

namespace draco::identity {
namespace {

// One overload for each method, so that a new one does not compile until it has its place here.
struct IsByNode {
    bool operator()(const types::TransferFlk& /*method*/) const { return false; }

    bool operator()(const types::TransferUsd& /*method*/) const { return false; }

    bool operator()(const types::Stake& /*method*/) const { return false; }

    bool operator()(const types::Unstake& /*method*/) const { return false; }

    bool operator()(const types::WithdrawUnstaked& /*method*/) const { return false; }

    bool operator()(const types::OptIn& /*method*/) const { return true; }

    bool operator()(const types::OptOut& /*method*/) const { return true; }

    bool operator()(const types::EndEpoch& /*method*/) const { return true; }

    bool operator()(const types::OpenLane& /*method*/) const { return false; }

    bool operator()(const types::TopUpLane& /*method*/) const { return false; }

    bool operator()(const types::CloseLane& /*method*/) const { return false; }

    bool operator()(const types::SettleLanes& /*method*/) const { return true; }
};

// More than sender, nonce, fee and signature take.
constexpr std::size_t kAroundMethodBytes = 512;

}  // namespace

types::Sender TransactionKey::sender_of(const SecretKey& key) {
    const PublicId id = public_id(key);
    if (const auto* node = std::get_if<types::NodeKey>(&id)) return *node;
    return std::get<types::Address>(id);
}

Result<> TransactionKey::check(const types::Method& method) const {
    const bool node = std::holds_alternative<types::NodeKey>(sender_);
    if (std::visit(IsByNode(), method) != node)
        return fail(Errc::InvalidArgument,
                    node ? "an account's method cannot be signed by a node key"
                         : "a node's method cannot be signed by an account key");
    if (bcs::encoded_size(method) + kAroundMethodBytes > types::kTransactionBytesMax)
        return fail(
            Errc::InvalidArgument,
            "a transaction has at most " + std::to_string(types::kTransactionBytesMax) + " bytes");
    return {};
}

SignedBytes TransactionKey::sign(types::Nonce nonce,
                                 types::FlkAmount fee_max,
                                 types::Method method) const {
    DRACO_ASSERT(check(method), "only methods of this sender are signed");
    types::Transaction transaction{sender_, nonce, fee_max, std::move(method)};
    const types::TransactionHash hash = types::digest_of(chain_, transaction);
    const types::SignedTransaction signed_transaction = std::visit(
        [&](const auto& key) { return types::sign(chain_, std::move(transaction), key); }, key_);
    return {nonce, hash, bcs::encode(signed_transaction)};
}

}  // namespace draco::identity
