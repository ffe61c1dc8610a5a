#pragma once
// Signs a method with the next nonce of an account and sees it through.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/identity/account_nonces.hpp"
#include "draco/identity/transaction_key.hpp"
#include "draco/types/genesis.hpp"
#include "draco/types/transaction.hpp"

#include "node_home.hpp"
#include "rpc_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace draco {

inline constexpr std::uint64_t kWaitMs = 60'000;  // for a receipt

struct SendOptions {
    std::string fee_max;  // FLK; empty: by the chain's parameters
    bool wait = true;
    Duration patience{};  // with wait: DeadlineExceeded then; zero: as long as nodes promise more
};

// What was signed before and is not executed is sent again first. The receipt, or with wait = false
// {"hash", "nonce"}. A receipt that says revert is an error.
Result<boost::json::value> send_transaction(const NodeHome& home,
                                            const RpcClient& client,
                                            types::AccountSecretKey key,
                                            types::Method method,
                                            const SendOptions& options);

// Which chain a node is of.
struct ChainName {
    types::ChainId id;
    types::GenesisDigest genesis;
};

Result<ChainName> chain_of(const RpcClient& client);

// The nonce of the last transaction of the account that the node has executed.
Result<types::Nonce> executed_nonce(const RpcClient& client, const types::Address& account);

// What can be done about a transaction that no node takes.
inline constexpr std::string_view kStuckAdvice =
    "It cannot be replaced, because a nonce is signed once: the account goes on when the chain "
    "takes it. If the fee is not covered, fund the account; if it is above fee_max, wait until the "
    "fees fall, and use another account meanwhile; draco account pending says how it stands";

// Parameters of flk_send_txn.
boost::json::array send_parameters(const identity::SignedBytes& transaction,
                                   bool wait,
                                   std::uint64_t wait_ms = kWaitMs);

// Where the home keeps the nonces of a sender on a chain.
std::string account_journal_path(const types::GenesisDigest& genesis, const types::Address& sender);
// Waits a moment for another command that holds it. `home` and `key` outlive it.
Result<identity::AccountNonces> open_account_nonces(const NodeHome& home,
                                                    const std::string& path,
                                                    const identity::TransactionKey& key,
                                                    const types::GenesisDigest& genesis);

}  // namespace draco
