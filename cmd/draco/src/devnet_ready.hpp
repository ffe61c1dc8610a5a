#pragma once
// Whether a node of a devnet would take a transaction and see it ordered.

#include "draco/base/result.hpp"

#include "devnet_record.hpp"
#include "rpc_client.hpp"

namespace draco {

// Unavailable, with what is missing yet: its health, its part in the epoch that runs (in which the
// other running nodes are), or a link to a running member of the committee. An observer counts as
// ready: it says why it signs nothing, and will not change before the epoch ends.
Result<> check_ready(const RpcClient& client, const DevnetRecord& devnet);

}  // namespace draco
