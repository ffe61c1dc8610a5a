// The development network.
#include "argument_checks.hpp"
#include "command_frame.hpp"
#include "load_plan.hpp"

#include <cstdint>
#include <string>

namespace draco {
namespace {

void add_devnet_node(CommandLine& line,
                     CLI::App* devnet,
                     const std::string& name,
                     const std::string& what,
                     Result<> (*run)(const Invocation&, const DevnetOptions&)) {
    CLI::App* made = command(
        line, devnet, name, what, [&line, run] { return run(line.invocation, line.devnet); });
    made->add_option("INDEX", line.devnet.index, "of the node")->required()->check(whole_number());
}

void add_load(CommandLine& line, CLI::App* devnet) {
    CLI::App* load = command(line,
                             devnet,
                             "load",
                             "Send many transfers to all nodes, and check what they lead to",
                             [&line] { return run_devnet_load(line.invocation, line.load); });
    load->add_option("--transfers", line.load.transfers, "how many (10000)")
        ->check(CLI::Range(std::uint64_t{1}, kLoadTransfersMax));
    load->add_option("--accounts", line.load.accounts, "between how many accounts (100)")
        ->check(CLI::Range(std::size_t{2}, kLoadAccountsMax));
    load->add_option("--in-flight", line.load.in_flight, "sent and not executed, at most (2000)")
        ->check(CLI::Range(1, 1'000'000));
    load->add_option("--rate", line.load.rate_tps, "transfers a second; without it, as many as go")
        ->check(CLI::Range(1, 1'000'000));
    load->add_option("--seconds", line.load.seconds, "send for so long, instead of --transfers")
        ->check(CLI::Range(1, 1'000'000));
    load->add_option("--patience", line.load.patience_s, "seconds without any progress (120)")
        ->check(CLI::Range(1, 86'400));
}

}  // namespace

void add_devnet_commands(CommandLine& line) {
    CLI::App* devnet = group(line, "devnet", "A network of nodes on this machine");
    CLI::App* up = command(
        line,
        devnet,
        "up",
        "Start it, new or as it was left",
        [&line] { return run_devnet_up(line.invocation, line.devnet); },
        [&line] {
            const DevnetShape& shape = line.devnet.shape;
            return check_ports(shape.port_base.value_or(0), shape.nodes.value_or(1), "127.0.0.1");
        });
    up->add_option("--nodes", line.devnet.shape.nodes, "how many (4)")
        ->check(CLI::Range(std::size_t{1}, kDevnetNodesMax));
    up->add_option("--epoch", line.devnet.shape.epoch_s, "seconds of an epoch (30)")
        ->check(CLI::Range(1, 1'000'000));
    up->add_option("--port-base", line.devnet.shape.port_base, "4200; 0: the system chooses ports")
        ->check(port_base());
    up->add_option("--demo",
                   line.devnet.demo_folder,
                   "publish this folder, and read it again and again in paid sessions");
    up->add_flag("--detach", line.devnet.detach, "return when all nodes take transactions")
        ->excludes("--demo");
    up->add_option("--timeout", line.devnet.patience_s, "seconds until they must (60)")
        ->check(CLI::Range(1, 3600));
    command(line, devnet, "down", "Stop all nodes", [&line] {
        return run_devnet_down(line.invocation);
    });
    command(line, devnet, "status", "How its nodes are", [&line] {
        return run_devnet_status(line.invocation);
    });
    add_devnet_node(line, devnet, "start-node", "Start one node", run_devnet_start_node);
    add_devnet_node(line, devnet, "stop-node", "Stop one node in order", run_devnet_stop_node);
    add_devnet_node(line, devnet, "kill-node", "Kill one node (SIGKILL)", run_devnet_kill_node);
    add_load(line, devnet);
    command(line, devnet, "add-node", "Make one more node, without stake", [&line] {
        return run_devnet_add_node(line.invocation);
    });
}

}  // namespace draco
