#include "sim_command.hpp"

#include "draco/io/system_clock.hpp"
#include "draco/node/nearest.hpp"
#include "draco/sim/scenario.hpp"

#include "consensus_sim.hpp"
#include "progress.hpp"
#include "run_progress.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace draco {
namespace {

namespace json = boost::json;

simulon::Scenario watched(const sim::NetworkScenario& scenario, RunProgress& progress) {
    auto watch = [&progress](Duration virtual_time) { progress.at(virtual_time); };
    return [run = sim::make_scenario(scenario, sim::PlantedBug::None, std::move(watch)),
            &progress](simulon::World& world) {
        Result<> verdict = run(world);
        progress.run_ended();
        return verdict;
    };
}

}  // namespace

Result<> check_scenario(std::string_view name) {
    if (sim::find_scenario(name) != nullptr || campaign::find_scenario(name) != nullptr) return {};
    std::vector<std::string_view> names;
    for (const auto& scenario : sim::scenarios()) names.push_back(scenario.name);
    for (const auto& scenario : campaign::scenarios()) names.push_back(scenario.name);
    const auto near = node::nearest(name, names);
    return fail(
        Errc::InvalidArgument,
        "there is no scenario '" + std::string(name) + "'" +
            (near ? "; did you mean '" + std::string(*near) + "'?" : "; draco sim list shows all"));
}

Result<> run_sim_list(const Invocation& invocation) {
    json::array listed;
    std::vector<std::vector<std::string>> rows;
    const auto add = [&](std::string_view name, std::string_view what) {
        listed.emplace_back(json::object{{"name", name}, {"what", what}});
        rows.push_back({std::string(name), std::string(what)});
    };
    for (const auto& scenario : sim::scenarios()) add(scenario.name, scenario.what);
    for (const auto& scenario : campaign::scenarios()) add(scenario.name, scenario.what);
    if (invocation.json)
        print_value(invocation, listed);
    else
        print_table({"scenario", "what"}, rows);
    return {};
}

Result<> run_sim(const Invocation& invocation, const SimOptions& options) {
    if (const auto* of_consensus = campaign::find_scenario(options.scenario))
        return run_consensus_sim(invocation, options, *of_consensus);
    const auto* scenario = sim::find_scenario(options.scenario);
    if (scenario == nullptr) return check_scenario(options.scenario);
    const io::SystemClock clock;
    std::optional<Progress> progress;
    const auto run_ms =
        static_cast<std::uint64_t>(scenario->duration / std::chrono::milliseconds(1));
    // Each seed is run twice.
    progress.emplace(
        clock, options.scenario, 2 * options.seeds * run_ms, Progress::Unit::VirtualTime);
    RunProgress runs(run_ms, [&progress](std::uint64_t ms) { progress->advance(ms); });
    const auto report = simulon::run_seeds(watched(*scenario, runs), options.seed, options.seeds);
    progress.reset();  // clears the line before there is something to say
    if (!report.verdict)
        return fail(report.verdict.error().code,
                    simulon::to_string(report) + "; replay it with draco sim run " +
                        options.scenario + " --seed " + std::to_string(report.seed));
    const auto virtual_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(report.virtual_time).count();
    print_value(invocation,
                json::object{{"scenario", options.scenario},
                             {"first_seed", options.seed},
                             {"seeds", options.seeds},
                             {"verdict", "ok"},
                             {"last_seed", report.seed},
                             {"events", report.counts.events},
                             {"messages", report.counts.messages_delivered},
                             {"virtual_ms", virtual_ms}});
    return {};
}

}  // namespace draco
