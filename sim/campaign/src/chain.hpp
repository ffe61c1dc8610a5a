#pragma once
// The chain and epoch of all simulated committees.

#include "draco/types/ids.hpp"

namespace draco::campaign {

inline constexpr types::ChainId kChain(1337);
inline constexpr types::Epoch kEpoch(3);

}  // namespace draco::campaign
