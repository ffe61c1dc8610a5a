#pragma once
// SettleLanes: acknowledgements become revenue of the running epoch.

#include "draco/types/receipt.hpp"

#include "working_state.hpp"

namespace draco::application {

struct Settlement {
    types::Revert revert = types::Revert::None;
    types::AckReceipts acks{};  // none if it reverts
};

// A settlement that reverts may leave its changes in the step. Verifies at most one signature for
// each acknowledgement.
Result<Settlement> settle_lanes(WorkingState& state,
                                const types::NodeKey& node,
                                const types::SettleLanes& method);

}  // namespace draco::application
