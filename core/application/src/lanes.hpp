#pragma once
// Lanes: money of a payer that is held for one node. README.md has the rules.

#include "draco/base/clock.hpp"
#include "draco/types/receipt.hpp"

#include "working_state.hpp"

#include <cstddef>

namespace draco::application {

// Lanes that one block can end; the others wait for the next one, and stay open until then.
inline constexpr std::size_t kLaneEndsMax = 1024;

// A method that reverts may leave its changes in the step.
Result<types::Revert> open_lane(WorkingState& state,
                                const types::Address& payer,
                                const types::OpenLane& method);
Result<types::Revert> top_up_lane(WorkingState& state,
                                  const types::Address& payer,
                                  const types::TopUpLane& method);
Result<types::Revert> close_lane(WorkingState& state,
                                 const types::Address& payer,
                                 const types::CloseLane& method,
                                 UnixTime block_time);

// Ends the closed lanes whose time has come, in the order of their times, and gives their rest
// back to the payers. `committed` is what `state` is on top of, with no change to lanes between.
Result<> end_due_lanes(const Writes& committed, WorkingState& state, UnixTime block_time);

// What becomes of the word, known to be the payer's, that `cumulative` units were delivered on the
// lane. If it is Settled, the cost of those that were not settled before has left its reserve.
types::AckReceipt settle_lane(types::Lane& lane, std::uint64_t cumulative);

}  // namespace draco::application
