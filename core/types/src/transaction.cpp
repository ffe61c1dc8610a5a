#include "draco/types/transaction.hpp"

#include "draco/crypto/keccak.hpp"

namespace draco::types {
namespace {

Result<> verify_account(const Address& sender,
                        const TransactionHash& hash,
                        const AccountSignature& signature) {
    DRACO_TRY(signer, crypto::recover_address(crypto::keccak256(hash.view()), signature));
    if (signer != sender)
        return fail(Errc::Unauthenticated,
                    "the transaction names " + crypto::to_text(sender) + " and is signed by " +
                        crypto::to_text(signer));
    return {};
}

}  // namespace

SignedTransaction sign(ChainId chain, Transaction transaction, const AccountSecretKey& key) {
    const TransactionHash hash = digest_of(chain, transaction);
    return {std::move(transaction), key.sign(crypto::keccak256(hash.view()))};
}

SignedTransaction sign(ChainId chain, Transaction transaction, const NodeSecretKey& key) {
    const TransactionHash hash = digest_of(chain, transaction);
    return {std::move(transaction), key.sign(hash.view())};
}

Result<> verify(ChainId chain, const SignedTransaction& signed_transaction) {
    const Transaction& transaction = signed_transaction.transaction;
    const TransactionHash hash = digest_of(chain, transaction);
    const auto* account = std::get_if<Address>(&transaction.sender);
    const auto* account_signature = std::get_if<AccountSignature>(&signed_transaction.signature);
    if (account != nullptr && account_signature != nullptr)
        return verify_account(*account, hash, *account_signature);
    const auto* node = std::get_if<NodeKey>(&transaction.sender);
    const auto* node_signature = std::get_if<NodeSignature>(&signed_transaction.signature);
    if (node != nullptr && node_signature != nullptr)
        return crypto::verify(*node, hash.view(), *node_signature);
    return fail(Errc::Unauthenticated,
                "an account's signature on a node's transaction, or the reverse");
}

}  // namespace draco::types
