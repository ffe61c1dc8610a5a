#pragma once
// Whether a transaction would do anything: asked of a node before a nonce and a fee are spent on
// it.

#include "draco/base/result.hpp"
#include "draco/types/transaction.hpp"

#include "rpc_client.hpp"

namespace draco {

// By the newest state that the node knows, after a fee of `fee`. InvalidArgument: it would change
// nothing but nonce and fee; with why, and what to do. What the chain makes of it is decided by the
// state when a block executes it, so success is no promise.
Result<> check_effect(const RpcClient& client,
                      const types::Address& sender,
                      types::FlkAmount fee,
                      const types::Method& method);

}  // namespace draco
