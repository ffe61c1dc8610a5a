#pragma once
// What the declarations of commands have in common.

#include "account_commands.hpp"
#include "bench_command.hpp"
#include "content_commands.hpp"
#include "devnet_commands.hpp"
#include "get_command.hpp"
#include "hash_command.hpp"
#include "invocation.hpp"
#include "keys_commands.hpp"
#include "lane_commands.hpp"
#include "load_command.hpp"
#include "node_command.hpp"
#include "opt_commands.hpp"
#include "sim_command.hpp"
#include "worker_commands.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>

namespace draco {

// Everything that options write to, and the command that was chosen.
struct CommandLine {
    CLI::App app{"Draco, a decentralized edge network."};
    Invocation invocation;
    std::function<int()> chosen;

    InitOptions init;
    KeysOptions keys;
    NodeRunOptions node;
    WorkerInitOptions worker_init;
    WorkerRunOptions worker;
    DevnetOptions devnet;
    LoadOptions load;
    AccountOptions account;
    StakeOptions stake;
    LaneOptions lane;
    OptOptions opt;
    SimOptions sim;
    BenchOptions bench;
    HashOptions hash;
    ContentOptions content;
    GetCommandOptions get;
    std::string transaction;
};

// Commands under one word.
CLI::App* group(CommandLine& line, const std::string& name, const std::string& what);

// A command whose outcome is its exit status. `check` judges together what options say one by one:
// what it refuses is a usage error.
CLI::App* command(CommandLine& line,
                  CLI::App* under,
                  const std::string& name,
                  const std::string& what,
                  std::function<Result<>()> run,
                  const std::function<Result<>()>& check = {});

// Options that several commands have.
void add_password(CLI::App* command, std::string& file);
void add_sender(CLI::App* command, SenderOptions& sender);
void add_transaction(CLI::App* command, SenderOptions& sender);

// What can be typed, by topic.
void add_home_commands(CommandLine& line);
void add_worker_commands(CommandLine& line);
void add_devnet_commands(CommandLine& line);
void add_chain_commands(CommandLine& line);
void add_content_commands(CommandLine& line);
void add_tool_commands(CommandLine& line);

}  // namespace draco
