#pragma once
// What the reserve of a lane pays for.

#include "draco/types/lane.hpp"

#include <cstdint>

namespace draco::pod {

// The greatest cumulative count that the chain would settle on the lane as it is: the inverse of
// types::cost over what was paid and what is held. At least lane.settled. Precondition (asserted):
// the price is sound. O(1).
std::uint64_t units_max(const types::Lane& lane);

}  // namespace draco::pod
