#include "consensus_sim.hpp"

#include "draco/io/system_clock.hpp"

#include "progress.hpp"
#include "rounded.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdio>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

namespace draco {
namespace {

namespace json = boost::json;

// What this thread has computed, whatever else the machine does.
class CpuClock final : public Clock {
public:
    Instant now() const override {
        timespec time{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return Instant{std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)};
    }

    UnixTime unix_now() const override { return {}; }
};

std::string decimal(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

std::int64_t milliseconds_of(Duration duration) {
    return duration / std::chrono::milliseconds(1);
}

json::object object_of(const campaign::Figures& figures) {
    return {{"members", figures.members},
            {"rounds", figures.rounds},
            {"anchor_delays_p50", figures.anchor_median},
            {"anchor_delays_mean", figures.anchor_mean},
            {"vertex_delays_p50", figures.vertex_median},
            {"vertex_delays_mean", figures.vertex_mean},
            {"cpu_ms", figures.cpu_ms},
            {"signatures_made", figures.signatures_made},
            {"signatures_checked", figures.signatures_checked},
            {"messages", figures.messages},
            {"kilobytes", figures.kilobytes}};
}

json::array array_of(const std::vector<campaign::Interval>& intervals) {
    json::array array;
    for (const campaign::Interval& interval : intervals)
        array.emplace_back(json::object{{"from_ms", milliseconds_of(interval.from)},
                                        {"answered", interval.answered},
                                        {"mean_ms", interval.mean_ms},
                                        {"longest_ms", interval.longest_ms}});
    return array;
}

void print_figures(const campaign::Figures& figures) {
    print_table({"members", "rounds", "anchor p50", "anchor mean", "vertex p50", "vertex mean"},
                {{std::to_string(figures.members),
                  std::to_string(figures.rounds),
                  decimal(figures.anchor_median),
                  decimal(figures.anchor_mean),
                  decimal(figures.vertex_median),
                  decimal(figures.vertex_mean)}});
    std::puts("from header to block, in one-way delays. Per round and member:");
    print_table({"core CPU ms", "signatures made", "signatures to check", "messages", "kB"},
                {{decimal(figures.cpu_ms),
                  decimal(figures.signatures_made),
                  decimal(figures.signatures_checked),
                  decimal(figures.messages),
                  decimal(figures.kilobytes)}});
}

json::object object_of(const campaign::Throughput& throughput) {
    return {{"members", throughput.members},
            {"workers", throughput.workers},
            {"process_megabytes_per_s", throughput.process_megabytes_per_s},
            {"ordered_megabytes_per_s", throughput.ordered_megabytes_per_s},
            {"transactions_per_s", throughput.transactions_per_s},
            {"rounds_per_s", throughput.rounds_per_s},
            {"mean_ms", throughput.mean_ms}};
}

void print_throughput(const campaign::Throughput& throughput) {
    print_table({"members",
                 "workers of each",
                 "each process sends MB/s",
                 "ordered MB/s",
                 "transactions/s",
                 "rounds/s",
                 "mean ms"},
                {{std::to_string(throughput.members),
                  std::to_string(throughput.workers),
                  decimal(throughput.process_megabytes_per_s),
                  decimal(throughput.ordered_megabytes_per_s),
                  decimal(throughput.transactions_per_s),
                  decimal(throughput.rounds_per_s),
                  decimal(throughput.mean_ms)}});
}

void print_intervals(const std::vector<campaign::Interval>& intervals) {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(intervals.size());
    for (const campaign::Interval& interval : intervals)
        rows.push_back({decimal(std::chrono::duration<double>(interval.from).count()),
                        std::to_string(interval.answered),
                        interval.answered == 0 ? "-" : decimal(interval.mean_ms),
                        interval.answered == 0 ? "-" : decimal(interval.longest_ms)});
    std::puts("What clients waited, by the time of the answer (s; the links are back at 0):");
    print_table({"from s", "answered", "mean ms", "longest ms"}, std::move(rows));
}

}  // namespace

Result<> run_consensus_sim(const Invocation& invocation,
                           const SimOptions& options,
                           const campaign::Scenario& scenario) {
    const io::SystemClock clock;
    const CpuClock cpu;
    const Instant began = clock.now();
    std::optional<Progress> progress;
    // Each seed runs twice.
    progress.emplace(clock, options.scenario, options.seeds, Progress::Unit::Seeds);
    const campaign::Report report =
        campaign::run_seeds(scenario,
                            options.seed,
                            options.seeds,
                            {.bug = campaign::PlantedBug::None, .stopwatch = &cpu},
                            [&](std::uint64_t) { progress->advance(1); });
    progress.reset();  // clears the line before there is something to say
    if (!report.verdict)
        return fail(report.verdict.error().code,
                    campaign::to_string(report) + "; replay it with draco sim run " +
                        options.scenario + " --seed " + std::to_string(report.seed));
    const double minutes = std::chrono::duration<double>(clock.now() - began).count() / 60;
    json::object result{
        {"scenario", options.scenario},
        {"first_seed", options.seed},
        {"seeds", options.seeds},
        {"verdict", "ok"},
        {"last_seed", report.seed},
        {"events", report.events},
        {"messages", report.messages},
        {"blocks", report.blocks},
        {"transactions", report.transactions},
        {"virtual_ms", milliseconds_of(report.virtual_time)},
        {"seeds_per_minute", rounded(static_cast<double>(options.seeds) / minutes, 1)}};
    if (invocation.json) {
        if (report.throughput) result["throughput"] = object_of(*report.throughput);
        if (report.figures) result["per_round_and_member"] = object_of(*report.figures);
        if (!report.intervals.empty()) result["answered"] = array_of(report.intervals);
        print_value(invocation, result);
        return {};
    }
    if (report.throughput) print_throughput(*report.throughput);
    if (report.figures) print_figures(*report.figures);
    if (!report.intervals.empty()) print_intervals(report.intervals);
    print_value(invocation, result);
    return {};
}

}  // namespace draco
