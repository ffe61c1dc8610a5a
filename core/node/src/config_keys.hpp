#pragma once
// The keys of config.toml, in its order: what each is called, may be and means.

#include "draco/node/config.hpp"

#include "config_table.hpp"

#include <vector>

namespace draco::node {

const std::vector<ConfigSection>& config_sections();
// Bound to `config`, which outlives the result.
std::vector<ConfigKey> config_keys(NodeConfig& config);

std::vector<Contradiction> contradictions(const NodeConfig& config);

}  // namespace draco::node
