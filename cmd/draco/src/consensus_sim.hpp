#pragma once
// draco sim run consensus/NAME: committees of consensus cores (sim/campaign).

#include "draco/campaign/scenario.hpp"

#include "invocation.hpp"
#include "sim_command.hpp"

namespace draco {

Result<> run_consensus_sim(const Invocation& invocation,
                           const SimOptions& options,
                           const campaign::Scenario& scenario);

}  // namespace draco
