#pragma once
// How the revenue of an epoch is divided. Pure arithmetic; docs/decisions/017 says why so.

#include "draco/types/genesis.hpp"
#include "draco/types/revenue.hpp"

#include <map>
#include <utility>
#include <vector>

namespace draco::application {

struct EpochEarnings {
    types::FlkAmount burned;                                              // in the epoch
    std::vector<std::pair<types::NodeKey, types::NodeRevenue>> nodes;     // ascending, each once
    std::vector<std::pair<types::ServiceId, types::UsdAmount>> services;  // ascending, each once
};

struct RevenueSplit {
    // Of all who earned, and of the peers that they named.
    std::map<types::NodeKey, types::NodePayout> nodes;
    std::map<types::ServiceId, types::UsdAmount> builders;
    types::EpochRevenue total;
};

// Everything is rounded down and the rest is the protocol's, so the parts add up to the revenue.
// Emitted FLK is at most what was burned, and at most emission_flk_per_usd for each USD of the
// protocol's share; what rounding leaves of it is not emitted. Precondition (asserted): nodes and
// services have the same revenue in all. O(nodes * peers).
RevenueSplit split_revenue(const types::ChainParameters& parameters, const EpochEarnings& earnings);

}  // namespace draco::application
