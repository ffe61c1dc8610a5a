#pragma once
// At the end of an epoch: its revenue goes to owners, builders and the protocol.

#include "working_state.hpp"

namespace draco::application {

// One step: the pot is empty afterwards, and what everybody was paid is in the revenues of the
// epoch. `writes` is what `state` is on top of, with no change to revenues between.
Result<> pay_out_epoch(Writes& writes, WorkingState& state);

}  // namespace draco::application
