#pragma once
// draco sim list, draco sim run SCENARIO [--seed N] [--seeds K].

#include "invocation.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace draco {

struct SimOptions {
    std::string scenario;
    std::uint64_t seed = 1;
    std::uint64_t seeds = 1;
};

// InvalidArgument: there is no such scenario; with the nearest one that there is.
Result<> check_scenario(std::string_view name);

Result<> run_sim_list(const Invocation& invocation);
// Each seed twice; the error is the verdict, with the seed that replays it.
Result<> run_sim(const Invocation& invocation, const SimOptions& options);

}  // namespace draco
