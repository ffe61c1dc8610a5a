#pragma once
// Whether the nodes of a devnet agree, and hold what a load should have left.

#include "draco/base/clock.hpp"
#include "draco/types/genesis.hpp"

#include "devnet_record.hpp"
#include "load_plan.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace draco {

struct LoadExpectation {
    std::vector<Holdings> holdings;
    std::vector<std::uint64_t> nonces;
};

struct LoadAudit {
    std::uint64_t height = 0;
    std::string state_root;
    std::string burned;                    // FLK, since genesis
    std::vector<std::string> differences;  // empty: all is well
};

// The accounts as the first node that answers has them.
Result<LoadExpectation> holdings_now(const DevnetRecord& devnet, const LoadPlan& plan);

// Asks until all nodes say the same height and state root, or `patience` ends; then compares every
// account on every node, and the supply with the genesis.
LoadAudit audit_load(const Clock& clock,
                     const DevnetRecord& devnet,
                     const types::Genesis& genesis,
                     const LoadPlan& plan,
                     const LoadExpectation& expected,
                     Duration patience);

}  // namespace draco
