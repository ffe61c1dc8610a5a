// What needs no node: benchmarks, simulations, hashes.
#include "argument_checks.hpp"
#include "command_frame.hpp"

namespace draco {
namespace {

void add_bench(CommandLine& line) {
    CLI::App* bench = group(line, "bench", "How fast it is here");
    CLI::App* run = command(line, bench, "consensus", "Order transactions, as processes", [&line] {
        return run_bench_consensus(line.invocation, line.bench);
    });
    run->add_option("--validators", line.bench.validators, "how many (4)")
        ->check(CLI::Range(1, 100));
    run->add_option("--workers", line.bench.workers, "processes of each, beside it (0)")
        ->check(CLI::Range(0, 16));
    run->add_option("--crashed", line.bench.crashed, "of these, killed before the start (0)")
        ->check(CLI::Range(0, 99));
    run->add_option("--rate", line.bench.rate_per_s, "transactions per second in all (20000)")
        ->check(CLI::Range(0, 10'000'000));
    run->add_option("--bytes", line.bench.transaction_bytes, "of a transaction (512)")
        ->check(CLI::Range(100, 65'536));
    run->add_option("--warm-up", line.bench.warm_up_s, "seconds before the measurement (5)")
        ->check(CLI::Range(0, 3600));
    run->add_option("--duration", line.bench.window_s, "seconds that are measured (20)")
        ->check(CLI::Range(1, 86'400));
    run->add_option("--threads", line.bench.threads, "of each validator, beside its network's (2)")
        ->check(CLI::Range(1, 64));
    run->add_option("--directory",
                    line.bench.directory,
                    "where logs go, and are removed again (the system's temporary folder)");
    // What the bench starts; nobody else needs them.
    CLI::App* validator =
        command(line, bench, "consensus-validator", "One of its processes", [&line] {
            return run_bench_validator(line.bench);
        });
    validator->group("");
    validator->add_option("INDEX", line.bench.index)->required();
    validator->add_option("VALIDATORS", line.bench.validators)->required();
    validator->add_option("THREADS", line.bench.threads)->required();
    validator->add_option("DIRECTORY", line.bench.directory)->required();
    CLI::App* worker = command(line, bench, "consensus-worker", "One of its processes", [&line] {
        return run_bench_worker(line.bench);
    });
    worker->group("");
    worker->add_option("INDEX", line.bench.index)->required();
    worker->add_option("WORKER", line.bench.worker)->required();
    worker->add_option("VALIDATORS", line.bench.validators)->required();
    worker->add_option("PORT", line.bench.port)->required();
    worker->add_option("THREADS", line.bench.threads)->required();
    worker->add_option("DIRECTORY", line.bench.directory)->required();
    CLI::App* client = command(line, bench, "consensus-client", "One of its processes", [&line] {
        return run_bench_client(line.bench);
    });
    client->group("");
    client->add_option("PORT", line.bench.port)->required();
    client->add_option("RATE", line.bench.rate_per_s)->required();
    client->add_option("BYTES", line.bench.transaction_bytes)->required();
}

void add_sim(CommandLine& line) {
    CLI::App* sim = group(line, "sim", "Whole networks in one thread, replayed from a seed");
    command(line, sim, "list", "The scenarios there are", [&line] {
        return run_sim_list(line.invocation);
    });
    CLI::App* run = command(line, sim, "run", "Run a scenario, each seed twice", [&line] {
        return run_sim(line.invocation, line.sim);
    });
    run->add_option("SCENARIO", line.sim.scenario, "its name")->required()->check(scenario());
    run->add_option("--seed", line.sim.seed, "the first seed (1)")->check(whole_number());
    run->add_option("--seeds", line.sim.seeds, "how many (1)")->check(CLI::Range(1, 1'000'000));
}

void add_hash(CommandLine& line) {
    CLI::App* hash = line.app.add_subcommand("hash", "Print the content address of files");
    hash->add_option("FILE", line.hash.paths, "files to hash; - is standard input")->required();
    hash->add_option("--threads", line.hash.threads, "to hash with; 0 is one per processor")
        ->check(CLI::Range(0, 256));
    hash->callback([&line] {
        line.chosen = [&line] {
            line.invocation.command = "hash";
            return run_hash(line.invocation, line.hash);
        };
    });
}

}  // namespace

void add_tool_commands(CommandLine& line) {
    add_bench(line);
    add_sim(line);
    add_hash(line);
}

}  // namespace draco
