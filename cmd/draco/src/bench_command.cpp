#include "bench_command.hpp"

#include "draco/consensus_bench/bench.hpp"

#include "progress.hpp"
#include "rounded.hpp"

#include <boost/json/object.hpp>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>

namespace draco {
namespace {

namespace json = boost::json;

json::object latency(const consensus_bench::Percentiles& of) {
    return {{"p50_ms", rounded(of.p50_ms, 2)},
            {"p95_ms", rounded(of.p95_ms, 2)},
            {"p99_ms", rounded(of.p99_ms, 2)},
            {"mean_ms", rounded(of.mean_ms, 2)},
            {"samples", of.samples}};
}

}  // namespace

Result<> run_bench_consensus(const Invocation& invocation, const BenchOptions& options) {
    if (options.crashed >= options.validators)
        return fail(Errc::InvalidArgument, "--crashed: at least one validator must live");
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
    StatusLine status;
    DRACO_TRY(report, consensus_bench::run(run, [&](std::string_view phase) {
                  status.show(std::string(phase));
              }));
    print_value(invocation,
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
                    {"cpu_us_per_transaction", rounded(report.cpu_us_per_transaction, 2)},
                    {"cpu_ms_per_round", rounded(report.cpu_ms_per_round, 3)},
                    {"cpu_cores", rounded(report.cpu_cores, 3)},
                    {"rounds_per_s", rounded(report.rounds_per_s, 1)},
                    {"blocks_per_s", rounded(report.blocks_per_s, 1)},
                    {"wire_bytes_per_transaction", std::llround(report.wire_bytes_per_transaction)},
                    {"rss_mb_max", rounded(report.rss_mb_max, 1)},
                    {"others_share", rounded(report.others_share, 2)},
                    {"dead", report.dead}});
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
