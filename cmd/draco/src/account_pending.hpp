#pragma once
// draco account pending: what an account has signed and the chain has not executed.

#include "account_sender.hpp"
#include "invocation.hpp"

namespace draco {

// Gives each to a node once more, in order, and says what the node makes of it. Signs nothing and
// needs no password.
Result<> run_account_pending(const Invocation& invocation, const SenderOptions& options);

}  // namespace draco
