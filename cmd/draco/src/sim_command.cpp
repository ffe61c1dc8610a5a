#include "sim_command.hpp"

#include "draco/io/system_clock.hpp"
#include "draco/node/nearest.hpp"
#include "draco/sim/scenario.hpp"

#include "consensus_sim.hpp"
#include "progress.hpp"
#include "run_progress.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace draco {
namespace {

namespace json = boost::json;

simulon::Scenario watched(const sim::NetworkScenario& scenario,
                          RunProgress& progress,
                          sim::PaceReport paced) {
    auto watch = [&progress](Duration virtual_time) { progress.at(virtual_time); };
    return [run = sim::make_scenario(
                scenario, sim::PlantedBug::None, std::move(watch), std::move(paced)),
            &progress](simulon::World& world) {
        Result<> verdict = run(world);
        progress.run_ended();
        return verdict;
    };
}

// The pace of many seeds.
class PaceOfAll {
public:
    // Every seed is run twice, the same both times: one of them counts.
    sim::PaceReport report() {
        return [this](const sim::Pace& pace) {
            if (runs_++ % 2 == 1) return;
            append(all_.epoch_gaps, pace.epoch_gaps);
            append(all_.block_gaps, pace.block_gaps);
            append(all_.follower_lags, pace.follower_lags);
        };
    }

    // Name and durations, of those that there are.
    template <class Visit>  // visit(const char* name, const std::vector<Duration>&)
    void for_each(Visit&& visit) const {
        if (!all_.epoch_gaps.empty()) visit("between epochs", all_.epoch_gaps);
        if (!all_.block_gaps.empty()) visit("between blocks", all_.block_gaps);
        if (!all_.follower_lags.empty()) visit("follower's lag", all_.follower_lags);
    }

private:
    static void append(std::vector<Duration>& all, const std::vector<Duration>& more) {
        all.insert(all.end(), more.begin(), more.end());
    }

    sim::Pace all_;
    std::uint64_t runs_ = 0;
};

std::int64_t milliseconds_of(Duration duration) {
    return duration / std::chrono::milliseconds(1);
}

json::object object_of(const PaceOfAll& pace) {
    json::object object;
    pace.for_each([&](std::string_view name, const std::vector<Duration>& durations) {
        std::string key(name);
        for (char& c : key)
            if (c == ' ') c = '_';
        std::erase(key, '\'');
        object[key] = {{"count", durations.size()},
                       {"p50_ms", milliseconds_of(sim::median(durations))},
                       {"max_ms", milliseconds_of(sim::longest(durations))}};
    });
    return object;
}

void print_pace(const PaceOfAll& pace) {
    std::vector<std::vector<std::string>> rows;
    pace.for_each([&](const char* name, const std::vector<Duration>& durations) {
        rows.push_back({name,
                        std::to_string(durations.size()),
                        std::to_string(milliseconds_of(sim::median(durations))),
                        std::to_string(milliseconds_of(sim::longest(durations)))});
    });
    print_table({"in virtual time", "count", "p50 ms", "max ms"}, std::move(rows));
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
    PaceOfAll pace;
    const auto report =
        simulon::run_seeds(watched(*scenario, runs, pace.report()), options.seed, options.seeds);
    progress.reset();  // clears the line before there is something to say
    if (!report.verdict)
        return fail(report.verdict.error().code,
                    simulon::to_string(report) + "; replay it with draco sim run " +
                        options.scenario + " --seed " + std::to_string(report.seed));
    json::object result{{"scenario", options.scenario},
                        {"first_seed", options.seed},
                        {"seeds", options.seeds},
                        {"verdict", "ok"},
                        {"last_seed", report.seed},
                        {"events", report.counts.events},
                        {"messages", report.counts.messages_delivered},
                        {"virtual_ms", milliseconds_of(report.virtual_time)}};
    if (scenario->is_measured && invocation.json) result["pace"] = object_of(pace);
    if (scenario->is_measured && !invocation.json) print_pace(pace);
    print_value(invocation, result);
    return {};
}

}  // namespace draco
