#include "sim_command.hpp"

#include "draco/node/nearest.hpp"
#include "draco/sim/scenario.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <vector>

namespace draco {
namespace {

namespace json = boost::json;

std::unexpected<Error> unknown(const std::string& name) {
    std::vector<std::string_view> names;
    for (const auto& scenario : sim::scenarios()) names.push_back(scenario.name);
    const auto near = node::nearest(name, names);
    return fail(
        Errc::NotFound,
        "there is no scenario '" + name + "'" +
            (near ? "; did you mean '" + std::string(*near) + "'?" : "; draco sim list shows all"));
}

}  // namespace

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
    if (scenario == nullptr) return unknown(options.scenario);
    const auto report =
        simulon::run_seeds(sim::make_scenario(*scenario), options.seed, options.seeds);
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
