#include "draco/base/assert.hpp"
#include "draco/campaign/scenario.hpp"

#include "fault_plan.hpp"

#include <algorithm>
#include <cstdio>

namespace draco::campaign {

namespace {

using std::chrono::seconds;

constexpr Duration kWarmUp = seconds(3);
constexpr Duration kQuiet = seconds(60);
constexpr Duration kLoadPause = milliseconds(2);
constexpr Duration kBeforeBlip = seconds(5);
// A blip is forgotten by then: what clients wait is what they waited before, and a half.
constexpr Duration kForgotten = seconds(5);
constexpr double kForgottenFactor = 1.5;
// In message delays (docs/decisions/021).
constexpr double kAnchorDelaysMax = 4.1;
constexpr double kVertexDelaysMax = 7.0;

NetworkOptions options_for(const Scenario& scenario,
                           std::mt19937_64& random,
                           const RunOptions& run) {
    NetworkOptions options;
    options.members = scenario.members[random() % scenario.members.size()];
    options.seed = random();
    const std::size_t f = (options.members - 1) / 3;
    if (scenario.has_twins) options.twins = random() % (f + 1);
    if (!scenario.lies.empty()) options.liars = f;
    options.lies = scenario.lies;
    options.workers = scenario.workers;
    options.bytes_per_s = scenario.bytes_per_s;
    options.transaction_bytes = scenario.transaction_bytes;
    // Of slow links a short queue is long enough.
    if (scenario.bytes_per_s > 0) options.parameters.own_bytes_max = std::size_t{2} << 20;
    options.delay_min = scenario.delay_min;
    options.delay_max = scenario.delay_max;
    options.sync_max = scenario.sync_max;
    options.leader_delay = scenario.leader_delay;
    options.link_breaks_per_s = scenario.link_breaks_per_s;
    options.bug = run.bug;
    options.stopwatch = run.stopwatch;
    if (!scenario.has_short_memory) return options;
    constexpr std::uint64_t kDepths[] = {5, 8, 20, 50};
    constexpr std::uint64_t kWindows[] = {8, 9, 15, 40};
    options.parameters.gc_depth_rounds = scenario.gc_depth_rounds.value_or(kDepths[random() % 4]);
    options.parameters.reputation_rounds = kWindows[random() % 4];
    if (random() % 2 == 0)
        options.parameters.window_rounds = std::max({2 * options.parameters.gc_depth_rounds,
                                                     2 * options.parameters.reputation_rounds,
                                                     std::uint64_t{32}});
    return options;
}

class Run {
public:
    Run(const Scenario& scenario, std::uint64_t seed, const RunOptions& options)
        : scenario_(scenario),
          seed_(seed),
          random_(seed),
          network_(options_for(scenario, random_, options)) {}

    Report report() {
        Report report;
        report.seed = seed_;
        if (scenario_.is_measured)
            report.verdict = measure(report);
        else if (scenario_.bytes_per_s > 0)
            report.verdict = saturate(report);
        else if (scenario_.blip)
            report.verdict = outlive_blip(report);
        else
            report.verdict = outlive_faults();
        network_.check_end();
        if (!network_.violations().empty())
            report.verdict = fail(Errc::Corrupt, network_.violations().front());
        report.trace = network_.trace_hash();
        report.events = network_.steps();
        report.messages = network_.messages_sent();
        report.virtual_time = network_.elapsed();
        for (std::size_t i = 0; i < network_.machines(); ++i) {
            report.blocks = std::max(report.blocks, network_.height(i));
            report.transactions =
                std::max<std::uint64_t>(report.transactions, network_.executed_transactions(i));
        }
        if (report.verdict && report.transactions == 0)
            report.verdict =
                fail(Errc::NotFound, "no transaction was executed: nothing was tested");
        return report;
    }

private:
    bool is_broken() const { return !network_.violations().empty(); }

    void submit_somewhere() {
        const std::size_t machine = random_() % network_.machines();
        if (network_.is_up(machine)) network_.submit(machine);
    }

    Duration pause() {
        return Duration(static_cast<std::int64_t>(
            random_() % static_cast<std::uint64_t>(scenario_.transaction_interval_max.count())));
    }

    Result<> outlive_faults() {
        FaultPlan plan(scenario_, network_, random_);
        if (scenario_.crashes_at_seed)
            network_.crash_at_point(seed_ % network_.members(),
                                    1 + seed_ / network_.members(),
                                    milliseconds(1 + random_() % 300));
        while (network_.elapsed() < scenario_.load && !is_broken()) {
            network_.run(pause());
            submit_somewhere();
            plan.tick();
        }
        network_.calm();
        network_.heal();
        for (std::size_t i = 0; i < network_.machines(); ++i)
            if (!network_.is_up(i)) network_.restart(i);
        return settle();
    }

    // Everything is executed everywhere; then nothing is said any more.
    Result<> settle() {
        if (is_broken()) return {};
        const bool done = network_.run_until(
            [&] {
                return is_broken() || (network_.all_honest_executed() && network_.same_height());
            },
            scenario_.heal_limit);
        if (!done)
            return fail(Errc::DeadlineExceeded, "not live after healing\n" + network_.describe());
        if (network_.liars() + network_.twins() > 0 || is_broken()) return {};
        network_.run(kQuiet / 2);
        const std::uint64_t quiet = network_.messages_sent();
        network_.run(kQuiet);
        if (network_.messages_sent() != quiet)
            return fail(Errc::Corrupt, "messages without payload\n" + network_.describe());
        if (!network_.workers_are_done())
            return fail(Errc::Corrupt, "a worker waits for what is executed");
        return {};
    }

    void load_all(Duration duration) {
        const Duration end = network_.elapsed() + duration;
        while (network_.elapsed() < end && !is_broken()) {
            for (std::size_t i = 0; i < network_.machines(); ++i)
                if (network_.is_up(i)) network_.submit(i);
            network_.run(2 * scenario_.transaction_interval_max);
        }
    }

    Result<> measure(Report& report) {
        load_all(kWarmUp);
        network_.reset_measures();
        const std::uint64_t first = network_.highest_round();
        load_all(scenario_.load);
        Figures figures;
        figures.members = network_.members();
        figures.rounds = network_.highest_round() - first;
        if (figures.rounds == 0) return fail(Errc::DeadlineExceeded, "no round was completed");
        const double delay_ms =
            std::chrono::duration<double, std::milli>(scenario_.delay_max).count();
        figures.anchor_median = network_.anchor_delay().median_ms() / delay_ms;
        figures.anchor_mean = network_.anchor_delay().mean_ms() / delay_ms;
        figures.vertex_median = network_.vertex_delay().median_ms() / delay_ms;
        figures.vertex_mean = network_.vertex_delay().mean_ms() / delay_ms;
        const Costs& costs = network_.costs();
        const double share = static_cast<double>(figures.rounds * figures.members);
        figures.cpu_ms = std::chrono::duration<double, std::milli>(costs.cpu).count() / share;
        figures.signatures_made = static_cast<double>(costs.signatures_made) / share;
        figures.signatures_checked = static_cast<double>(costs.signatures_checked) / share;
        figures.messages = static_cast<double>(costs.messages) / share;
        figures.kilobytes = static_cast<double>(costs.message_bytes) / share / 1000;
        report.figures = figures;
        if (figures.anchor_mean > kAnchorDelaysMax || figures.vertex_mean > kVertexDelaysMax)
            return fail(Errc::DeadlineExceeded, "commits take more message delays than they may");
        return {};
    }

    // All that is taken, at every machine.
    void load_fully(Duration duration) {
        const Duration end = network_.elapsed() + duration;
        while (network_.elapsed() < end && !is_broken()) {
            for (std::size_t i = 0; i < network_.machines(); ++i)
                while (network_.submit(i, Network::Door::Worker)) {
                }
            network_.run(kLoadPause);
        }
    }

    Result<> saturate(Report& report) {
        load_fully(kWarmUp);
        network_.reset_measures();
        const std::uint64_t round = network_.highest_round();
        const std::size_t before = network_.executed_transactions(0);
        load_fully(scenario_.load);
        const double window_s = std::chrono::duration<double>(scenario_.load).count();
        const std::size_t ordered = network_.executed_transactions(0) - before;
        if (ordered == 0) return fail(Errc::DeadlineExceeded, "nothing was ordered");
        constexpr double kMega = 1e6;
        Throughput throughput;
        throughput.members = network_.members();
        throughput.workers = scenario_.workers;
        throughput.process_megabytes_per_s = static_cast<double>(scenario_.bytes_per_s) / kMega;
        throughput.transactions_per_s = static_cast<double>(ordered) / window_s;
        throughput.ordered_megabytes_per_s = throughput.transactions_per_s *
                                             static_cast<double>(scenario_.transaction_bytes) /
                                             kMega;
        throughput.rounds_per_s = static_cast<double>(network_.highest_round() - round) / window_s;
        Duration waited{};
        for (const Answered& answered : network_.answered()) waited += answered.took;
        if (!network_.answered().empty())
            throughput.mean_ms = std::chrono::duration<double, std::milli>(waited).count() /
                                 static_cast<double>(network_.answered().size());
        report.throughput = throughput;
        return {};
    }

    Result<> outlive_blip(Report& report) {
        load_all(kWarmUp);
        network_.reset_measures();
        load_all(kBeforeBlip);
        const Duration begin = network_.elapsed();
        std::vector<std::vector<std::size_t>> alone(network_.machines());
        for (std::size_t i = 0; i < alone.size(); ++i) alone[i] = {i};
        network_.partition(alone);
        load_all(*scenario_.blip);
        network_.heal();
        const Duration end = network_.elapsed();
        load_all(scenario_.load);
        report.intervals = intervals(begin, end);
        const Interval& before = report.intervals.front();
        for (const Interval& interval : report.intervals)
            if (interval.from >= kForgotten && interval.mean_ms > kForgottenFactor * before.mean_ms)
                return fail(Errc::DeadlineExceeded,
                            "clients still wait longer than before the blip");
        return settle();
    }

    // One for what was answered before the blip, one for what came in it, then one per second.
    std::vector<Interval> intervals(Duration begin, Duration end) const {
        std::vector<Interval> result(2);
        result[0].from = kWarmUp - end;
        result[1].from = begin - end;
        for (Duration from{}; from + seconds(1) <= network_.elapsed() - end; from += seconds(1))
            result.push_back({.from = from});
        for (const Answered& answer : network_.answered()) {
            std::size_t index = answer.at < begin ? 0 : 1;
            if (answer.at >= end)
                index = 2 + static_cast<std::size_t>((answer.at - end) / seconds(1));
            if (index >= result.size()) continue;
            Interval& interval = result[index];
            const double ms = std::chrono::duration<double, std::milli>(answer.took).count();
            interval.mean_ms += ms;
            interval.longest_ms = std::max(interval.longest_ms, ms);
            ++interval.answered;
        }
        for (Interval& interval : result)
            if (interval.answered > 0) interval.mean_ms /= static_cast<double>(interval.answered);
        return result;
    }

    const Scenario& scenario_;
    const std::uint64_t seed_;
    std::mt19937_64 random_;
    Network network_;
};

}  // namespace

Report run(const Scenario& scenario, std::uint64_t seed, const RunOptions& options) {
    return Run(scenario, seed, options).report();
}

Report run_seeds(const Scenario& scenario,
                 std::uint64_t first,
                 std::uint64_t count,
                 const RunOptions& options,
                 const std::function<void(std::uint64_t seed)>& done) {
    DRACO_ASSERT(count > 0, "there is a seed to run");
    Report total;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        Report report = run(scenario, seed, options);
        if (report.verdict && run(scenario, seed, options).trace != report.trace)
            report.verdict = fail(Errc::Corrupt, "two runs of the seed differ: a hidden input");
        report.events += total.events;
        report.messages += total.messages;
        report.blocks += total.blocks;
        report.transactions += total.transactions;
        report.virtual_time += total.virtual_time;
        total = std::move(report);
        if (!total.verdict) break;
        if (done) done(seed);
    }
    return total;
}

std::string to_string(const Report& report) {
    char tail[96];
    std::snprintf(tail,
                  sizeof tail,
                  " (%llu events, %.1f s of virtual time)",
                  static_cast<unsigned long long>(report.events),
                  std::chrono::duration<double>(report.virtual_time).count());
    const std::string verdict = report.verdict ? "ok" : to_string(report.verdict.error());
    return "seed " + std::to_string(report.seed) + ": " + verdict + tail;
}

}  // namespace draco::campaign
