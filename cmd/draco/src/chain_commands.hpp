#pragma once
// What a node knows: node inspect|health, epoch, committee, tx, account balance, stake and opt
// status.

#include "invocation.hpp"

#include <string>
#include <string_view>

namespace draco {

Result<> run_node_health(const Invocation& invocation);
Result<> run_node_inspect(const Invocation& invocation);
Result<> run_epoch(const Invocation& invocation);
Result<> run_committee(const Invocation& invocation);
// InvalidArgument: not 64 hex digits, with or without 0x.
Result<> check_transaction_hash(std::string_view text);

Result<> run_tx(const Invocation& invocation, const std::string& hash);

}  // namespace draco
