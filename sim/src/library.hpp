#pragma once
// What is published in a simulated network: a pure function of the scenario and the seed.

#include "draco/sim/scenario.hpp"
#include "draco/types/content.hpp"

#include <vector>

namespace draco::sim {

struct PublishedFile {
    Bytes bytes;
    types::ContentHash hash;
    std::size_t origin = 0;  // the node that it is put on
};

std::vector<PublishedFile> make_library(const NetworkScenario& scenario, std::uint64_t seed);

}  // namespace draco::sim
