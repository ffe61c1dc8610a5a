#pragma once
// Scenarios: a function that builds a world, drives it and judges it. Each report names the seed
// that replays it.

#include "draco/simulon/world.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace draco::simulon {

// An error is the verdict that something which must hold did not.
using Scenario = std::function<Result<>(World& world)>;

struct ScenarioReport {
    std::uint64_t seed;
    std::uint64_t digest;
    WorldCounts counts;
    Duration virtual_time;
    Result<> verdict;
    Trace trace;
};

// "seed 7: Corrupt: ... (1,234 events, 5.6 s of virtual time)"
std::string to_string(const ScenarioReport& report);

ScenarioReport run(const Scenario& scenario, std::uint64_t seed, const WorldOptions& options = {});

// Runs the scenario twice with the same seed. If the runs differ in any event, message, disk change
// or draw of randomness, the verdict of the report is Corrupt: the programs have a hidden input (a
// pointer's value, a static variable, the real clock, unordered iteration). The second run has
// another heap layout on purpose.
ScenarioReport run_twice(const Scenario& scenario,
                         std::uint64_t seed,
                         const WorldOptions& options = {});

// Runs seeds first, first + 1, ... up to `count` of them, each twice; stops at the first that fails
// and reports it, else reports the last. Precondition: count > 0.
ScenarioReport run_seeds(const Scenario& scenario,
                         std::uint64_t first,
                         std::uint64_t count,
                         const WorldOptions& options = {});

}  // namespace draco::simulon
