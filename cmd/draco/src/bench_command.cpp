#include "bench_command.hpp"

#include "draco/consensus_bench/bench.hpp"

#include "progress.hpp"
#include "rounded.hpp"

#include <boost/json/object.hpp>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>

namespace draco {
namespace {

namespace json = boost::json;

// Nothing, and not 0, where there was nothing to measure.
json::value measured(bool is_there, double value, int digits) {
    return is_there ? json::value(rounded(value, digits)) : json::value(nullptr);
}

json::object latency(const consensus_bench::Percentiles& of) {
    const bool is_there = of.samples > 0;
    return {{"p50_ms", measured(is_there, of.p50_ms, 2)},
            {"p95_ms", measured(is_there, of.p95_ms, 2)},
            {"p99_ms", measured(is_there, of.p99_ms, 2)},
            {"mean_ms", measured(is_there, of.mean_ms, 2)},
            {"samples", of.samples}};
}

}  // namespace

Result<> run_bench_consensus(const Invocation& invocation, const BenchOptions& options) {
    if (options.crashed >= options.validators)
        return fail(Errc::InvalidArgument,
                    "--crashed " + std::to_string(options.crashed) + " of --validators " +
                        std::to_string(options.validators) + ": at most " +
                        std::to_string(options.validators - 1) + ", since one must live");
    consensus_bench::Options run;
    run.validators = options.validators;
    run.workers = options.workers;
    run.crashed = options.crashed;
    run.rate_per_s = options.rate_per_s;
    run.transaction_bytes = options.transaction_bytes;
    run.warm_up = std::chrono::seconds(options.warm_up_s);
    run.window = std::chrono::seconds(options.window_s);
    run.threads = options.threads;
    run.directory = (options.directory.empty() ? std::filesystem::temp_directory_path().string()
                                               : options.directory) +
                    "/draco-bench-" + std::to_string(::getpid());
    const bool is_ordering = options.crashed <= (options.validators - 1) / 3;
    StatusLine status;
    DRACO_TRY(report, consensus_bench::run(run, [&](std::string_view phase) {
                  status.show(std::string(phase));
              }));
    print_value(
        invocation,
        json::object{
            {"validators", options.validators},
            {"workers", options.workers},
            {"crashed", options.crashed},
            {"transaction_bytes", options.transaction_bytes},
            {"window_s", rounded(report.window_s, 1)},
            {"offered_per_s", std::llround(report.offered_per_s)},
            {"committed_per_s", std::llround(report.committed_per_s)},
            {"end_to_end", latency(report.end_to_end)},
            {"consensus", latency(report.consensus)},
            {"cpu_us_per_transaction",
             measured(report.committed_per_s > 0, report.cpu_us_per_transaction, 2)},
            {"cpu_ms_per_round", measured(report.rounds_per_s > 0, report.cpu_ms_per_round, 3)},
            {"cpu_cores", rounded(report.cpu_cores, 3)},
            {"rounds_per_s", rounded(report.rounds_per_s, 1)},
            {"blocks_per_s", rounded(report.blocks_per_s, 1)},
            {"wire_bytes_per_transaction",
             measured(report.committed_per_s > 0, report.wire_bytes_per_transaction, 0)},
            {"rss_mb_max", rounded(report.rss_mb_max, 1)},
            {"others_share", rounded(report.others_share, 2)},
            {"dead", report.dead}});
    if (!is_ordering && !invocation.json)
        std::fputs("Nothing can be ordered: more than a third of the validators are crashed.\n",
                   stderr);
    return {};
}

Result<> run_bench_validator(const BenchOptions& options) {
    return consensus_bench::run_validator(
        options.index, options.validators, options.threads, options.directory);
}

Result<> run_bench_worker(const BenchOptions& options) {
    return consensus_bench::run_worker(
        {options.index, options.worker, options.validators, options.port},
        options.threads,
        options.directory);
}

Result<> run_bench_client(const BenchOptions& options) {
    return consensus_bench::run_client(options.port, options.rate_per_s, options.transaction_bytes);
}

}  // namespace draco
