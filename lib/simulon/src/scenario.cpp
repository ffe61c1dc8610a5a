#include "draco/simulon/scenario.hpp"

#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

namespace draco::simulon {
namespace {

// Blocks of many sizes that stay allocated, so that what is allocated next lies elsewhere and in
// another order than it did before.
std::vector<std::unique_ptr<std::byte[]>> heap_ballast() {
    std::vector<std::unique_ptr<std::byte[]>> blocks;
    for (std::size_t size = 16; size <= 2048; size += 16)
        for (int i = 0; i < 3; ++i) blocks.push_back(std::make_unique<std::byte[]>(size));
    for (std::size_t i = 0; i < blocks.size(); i += 2) blocks[i].reset();
    return blocks;
}

}  // namespace

std::string to_string(const ScenarioReport& report) {
    char text[96];
    std::snprintf(text,
                  sizeof text,
                  " (%ju events, %.3f s of virtual time)",
                  static_cast<std::uintmax_t>(report.counts.events),
                  std::chrono::duration<double>(report.virtual_time).count());
    return "seed " + std::to_string(report.seed) + ": " +
           (report.verdict ? "passed" : to_string(report.verdict.error())) + text;
}

ScenarioReport run(const Scenario& scenario, std::uint64_t seed, const WorldOptions& options) {
    World world(seed, options);
    Result<> verdict = scenario(world);
    return {.seed = seed,
            .digest = world.digest(),
            .counts = world.counts(),
            .virtual_time = world.now().since_origin,
            .verdict = std::move(verdict),
            .trace = world.trace()};
}

ScenarioReport run_twice(const Scenario& scenario,
                         std::uint64_t seed,
                         const WorldOptions& options) {
    ScenarioReport first = run(scenario, seed, options);
    const auto ballast = heap_ballast();
    const ScenarioReport second = run(scenario, seed, options);
    if (first.digest == second.digest && first.verdict == second.verdict) return first;
    std::string where = Trace::difference(first.trace, second.trace);
    if (where.empty()) where = "the runs differ in a draw of randomness or in their verdicts";
    first.verdict = fail(Errc::Corrupt, "not deterministic: " + where);
    return first;
}

ScenarioReport run_seeds(const Scenario& scenario,
                         std::uint64_t first,
                         std::uint64_t count,
                         const WorldOptions& options) {
    DRACO_ASSERT(count > 0, "there is a seed to run");
    for (std::uint64_t seed = first;; ++seed) {
        ScenarioReport report = run_twice(scenario, seed, options);
        if (!report.verdict || seed - first + 1 == count) return report;
    }
}

}  // namespace draco::simulon
