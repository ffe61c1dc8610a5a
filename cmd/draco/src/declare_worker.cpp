// Worker processes of a node.
#include "argument_checks.hpp"
#include "command_frame.hpp"

#include <cstdint>

namespace draco {
namespace {

void add_worker_init(CommandLine& line, CLI::App* worker) {
    CLI::App* init = command(line, worker, "init", "Make a worker's home", [&line] {
        return run_worker_init(line.invocation, line.worker_init);
    });
    init->add_option("--node", line.worker_init.node, "its node: the key, and where its links are")
        ->required()
        ->check(peer_address());
    init->add_option("--genesis", line.worker_init.genesis_file, "the node's genesis.json")
        ->required();
    init->add_option("--index", line.worker_init.index, "its place among the node's workers (0)")
        ->check(CLI::Range(0, 15));
    init->add_option("--listen",
                     line.worker_init.listen,
                     "where its node and other workers reach it (127.0.0.1:4400 and up); "
                     "port 0: one that is free")
        ->check(host_and_port());
    init->add_option("--health-port",
                     line.worker_init.health_port,
                     "of /health and /metrics, on 127.0.0.1 (4260 and up)")
        ->check(CLI::Range(1, 65'535));
    init->add_flag("--light-keys", line.worker_init.light_keys, "encrypt fast, for tests");
    add_password(init, line.worker_init.password_file);
}

}  // namespace

void add_worker_commands(CommandLine& line) {
    CLI::App* worker = group(line, "worker", "Processes that carry a node's batches");
    add_worker_init(line, worker);
    command(line, worker, "show", "Whose worker the home is, and its key", [&line] {
        return run_worker_show(line.invocation);
    });
    CLI::App* run = command(line, worker, "run", "Run the worker of the home", [&line] {
        return run_worker(line.invocation, line.worker);
    });
    run->add_flag("--quiet", line.worker.quiet, "log to the files only, not to standard error too");
    add_password(run, line.worker.password_file);
}

}  // namespace draco
