#pragma once
// [consensus] of a configuration as consensus takes it.

#include "draco/consensus/parameters.hpp"
#include "draco/node/config.hpp"

namespace draco::node {

consensus::Parameters parameters_of(const NodeConfig::Consensus& config);

}  // namespace draco::node
