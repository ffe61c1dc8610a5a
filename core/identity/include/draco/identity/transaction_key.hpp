#pragma once
// A key that signs transactions: a node's or an account's.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/identity/key_file.hpp"
#include "draco/types/transaction.hpp"

namespace draco::identity {

struct SignedBytes {
    types::Nonce nonce;
    types::TransactionHash hash;
    Bytes bytes;  // BCS of a types::SignedTransaction

    bool operator==(const SignedBytes&) const = default;
};

// Immutable, thread-safe.
class TransactionKey {
public:
    TransactionKey(types::ChainId chain, SecretKey key)
        : chain_(chain), key_(std::move(key)), sender_(sender_of(key_)) {}

    types::ChainId chain() const { return chain_; }

    const types::Sender& sender() const { return sender_; }

    // InvalidArgument if the method is not of this kind of sender, or takes more than
    // types::kTransactionBytesMax: no nonce should be spent on it.
    Result<> check(const types::Method& method) const;
    // Deterministic. Precondition (asserted): check(method).
    SignedBytes sign(types::Nonce nonce, types::FlkAmount fee_max, types::Method method) const;

private:
    static types::Sender sender_of(const SecretKey& key);

    types::ChainId chain_;
    SecretKey key_;
    types::Sender sender_;
};

}  // namespace draco::identity
