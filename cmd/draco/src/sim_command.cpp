#include "sim_command.hpp"

#include "draco/io/system_clock.hpp"
#include "draco/node/nearest.hpp"
#include "draco/sim/scenario.hpp"

#include "progress.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace draco {
namespace {

namespace json = boost::json;

// Each seed is run twice, and each run counts.
simulon::Scenario watched(simulon::Scenario scenario, Progress& progress) {
    return [scenario = std::move(scenario), &progress](simulon::World& world) {
        Result<> verdict = scenario(world);
        progress.advance(1);
        return verdict;
    };
}

}  // namespace

Result<> check_scenario(std::string_view name) {
    if (sim::find_scenario(name) != nullptr) return {};
    std::vector<std::string_view> names;
    for (const auto& scenario : sim::scenarios()) names.push_back(scenario.name);
    const auto near = node::nearest(name, names);
    return fail(
        Errc::InvalidArgument,
        "there is no scenario '" + std::string(name) + "'" +
            (near ? "; did you mean '" + std::string(*near) + "'?" : "; draco sim list shows all"));
}

Result<> run_sim_list(const Invocation& invocation) {
    json::array listed;
    std::vector<std::vector<std::string>> rows;
    for (const auto& scenario : sim::scenarios()) {
        listed.emplace_back(json::object{{"name", scenario.name}, {"what", scenario.what}});
        rows.push_back({std::string(scenario.name), std::string(scenario.what)});
    }
    if (invocation.json)
        print_value(invocation, listed);
    else
        print_table({"scenario", "what"}, rows);
    return {};
}

Result<> run_sim(const Invocation& invocation, const SimOptions& options) {
    const auto* scenario = sim::find_scenario(options.scenario);
    if (scenario == nullptr) return check_scenario(options.scenario);
    const io::SystemClock clock;
    std::optional<Progress> progress;
    progress.emplace(clock, options.scenario, 2 * options.seeds, Progress::Unit::Runs);
    const auto report = simulon::run_seeds(
        watched(sim::make_scenario(*scenario), *progress), options.seed, options.seeds);
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
