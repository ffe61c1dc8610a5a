#pragma once
// What each method does. A method that reverts may leave its changes in the step: the caller
// discards them. Errors are the storage's.

#include "draco/base/clock.hpp"
#include "draco/types/receipt.hpp"

#include "working_state.hpp"

namespace draco::application {

// Whether accounts (else nodes) use the method.
bool is_account_method(const types::Method& method);

struct MethodOutcome {
    types::Revert revert = types::Revert::None;
    types::AckReceipts acks{};
};

// Precondition (asserted): is_account_method(method).
Result<MethodOutcome> run_method(WorkingState& state,
                                 const types::Address& sender,
                                 const types::Method& method,
                                 UnixTime block_time);

// Precondition (asserted): the node is known, and !is_account_method(method).
Result<MethodOutcome> run_method(WorkingState& state,
                                 const types::NodeKey& sender,
                                 const types::Method& method,
                                 UnixTime block_time);

// When members may say that the running epoch is over.
UnixTime epoch_due(const ChainRecord& chain);

}  // namespace draco::application
