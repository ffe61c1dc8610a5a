#include "command_line.hpp"

#include "account_commands.hpp"
#include "account_pending.hpp"
#include "argument_checks.hpp"
#include "bench_command.hpp"
#include "chain_commands.hpp"
#include "content_commands.hpp"
#include "devnet_commands.hpp"
#include "get_command.hpp"
#include "hash_command.hpp"
#include "invocation.hpp"
#include "keys_commands.hpp"
#include "lane_commands.hpp"
#include "load_command.hpp"
#include "load_plan.hpp"
#include "node_command.hpp"
#include "opt_commands.hpp"
#include "sim_command.hpp"
#include "usage.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

namespace draco {
namespace {

// Everything that options write to, and the command that was chosen.
struct CommandLine {
    CLI::App app{"Draco, a decentralized edge network."};
    Invocation invocation;
    std::function<int()> chosen;

    InitOptions init;
    KeysOptions keys;
    NodeRunOptions node;
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

CLI::App* group(CommandLine& line, const std::string& name, const std::string& what) {
    CLI::App* made = line.app.add_subcommand(name, what);
    made->require_subcommand(1);
    return made;
}

// A command whose outcome is its exit status. `check` judges together what options say one by one:
// what it refuses is a usage error.
CLI::App* command(CommandLine& line,
                  CLI::App* under,
                  const std::string& name,
                  const std::string& what,
                  std::function<Result<>()> run,
                  const std::function<Result<>()>& check = {}) {
    CLI::App* made = under->add_subcommand(name, what);
    made->callback([&line, made, run = std::move(run), check] {
        if (check)
            if (const auto sound = check(); !sound)
                throw CLI::ValidationError(sound.error().context);
        line.invocation.command = words_of(made);
        line.chosen = [&line, run] { return exit_status(line.invocation, run()); };
    });
    return made;
}

// --- the commands ---

void add_password(CLI::App* command, std::string& file) {
    command->add_option("--password-file", file, "the file whose first line opens the keys");
}

void add_sender(CLI::App* command, SenderOptions& sender) {
    command->add_option("--account", sender.account, "a key of the home, by name or index");
    command
        ->add_option("--dev-account",
                     sender.dev_account,
                     "an account of the public development mnemonic, 0 to 9")
        ->check(CLI::Range(0, 9))
        ->excludes("--account");
    add_password(command, sender.password_file);
}

void add_transaction(CLI::App* command, SenderOptions& sender) {
    add_sender(command, sender);
    command->add_option("--fee-max", sender.fee_max, "the most that the fee may be, in FLK")
        ->check(flk_amount());
    command->add_flag("--no-wait", sender.no_wait, "print the hash instead of the receipt");
}

void add_init(CommandLine& line) {
    CLI::App* init = command(
        line,
        &line.app,
        "init",
        "Make a node's home",
        [&line] { return run_init(line.invocation, line.init); },
        [&line] { return check_ports(line.init.port_base, 1, line.init.host); });
    init->add_option("--genesis",
                     line.init.genesis_file,
                     "the genesis file of the chain; without it, a development chain of this node");
    init->add_option("--host", line.init.host, "where others reach the node, without a port")
        ->check(host());
    init->add_option("--port-base", line.init.port_base, "4200: links on 4300, RPC on 4240, ...")
        ->check(CLI::Range(1, 65'000));
    init->add_option("--epoch", line.init.epoch_s, "seconds, of the development chain")
        ->check(CLI::Range(1, 1'000'000));
    init->add_flag("--light-keys", line.init.light_keys, "encrypt fast, for tests");
    add_password(init, line.init.password_file);
}

void add_key_names(CLI::App* command, KeysOptions& keys) {
    command->add_option("--name", keys.name, "how the key is called")->check(key_name());
    command->add_flag("--light-keys", keys.light_keys, "encrypt fast, for tests");
    add_password(command, keys.password_file);
}

void add_keys(CommandLine& line) {
    CLI::App* keys = group(line, "keys", "The keys of a home");
    CLI::App* generate = command(line, keys, "generate", "Make a key", [&line] {
        return run_keys_generate(line.invocation, line.keys);
    });
    generate->add_option("--kind", line.keys.kind, "account or node")
        ->check(CLI::IsMember({"account", "node"}));
    add_key_names(generate, line.keys);
    CLI::App* import = command(line, keys, "import", "Take an account of a mnemonic", [&line] {
        return run_keys_import(line.invocation, line.keys);
    });
    import->add_option("--mnemonic-file", line.keys.mnemonic_file, "the file with the words")
        ->required();
    import->add_option("--index", line.keys.mnemonic_index, "of m/44'/60'/0'/0/INDEX")
        ->check(CLI::Range(std::uint64_t{0}, (std::uint64_t{1} << 31) - 1))
        ->check(whole_number());
    add_key_names(import, line.keys);
    command(line, keys, "show", "List the keys, without their secrets", [&line] {
        return run_keys_show(line.invocation);
    });
    CLI::App* backup = command(line, keys, "backup", "Seal all keys in one file", [&line] {
        return run_keys_backup(line.invocation, line.keys);
    });
    CLI::App* restore = command(line, keys, "restore", "Take the keys of a backup", [&line] {
        return run_keys_restore(line.invocation, line.keys);
    });
    for (CLI::App* each : {backup, restore}) {
        each->add_option("FILE", line.keys.file, "the backup")->required();
        each->add_option("--backup-password-file",
                         line.keys.backup_password_file,
                         "the file whose first line seals the backup")
            ->required();
        add_password(each, line.keys.password_file);
    }
    restore->add_flag("--light-keys", line.keys.light_keys, "encrypt fast, for tests");
}

void add_node(CommandLine& line) {
    CLI::App* node = group(line, "node", "One node");
    CLI::App* run = command(line, node, "run", "Run the node of the home", [&line] {
        return run_node(line.invocation, line.node);
    });
    run->add_flag("--quiet", line.node.quiet, "log to the files only, not to standard error too");
    add_password(run, line.node.password_file);
    command(line, node, "inspect", "What the node says of itself", [&line] {
        return run_node_inspect(line.invocation);
    });
    command(line, node, "health", "Whether the node is well; the exit status says so", [&line] {
        return run_node_health(line.invocation);
    });
}

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

void add_devnet(CommandLine& line) {
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

void add_account(CommandLine& line) {
    CLI::App* account = group(line, "account", "Money");
    CLI::App* balance = command(line, account, "balance", "What an account holds", [&line] {
        return run_account_balance(line.invocation, line.account);
    });
    balance->add_option("ADDRESS", line.account.address, "whose; without it, the own")
        ->check(address());
    add_sender(balance, line.account.sender);
    CLI::App* transfer = command(
        line,
        account,
        "transfer",
        "Send FLK or stablecoin",
        [&line] { return run_account_transfer(line.invocation, line.account); },
        [&line]() -> Result<> {
            const auto sound =
                line.account.usd ? check_usd(line.account.amount) : check_flk(line.account.amount);
            if (sound) return {};
            return fail(sound.error().code, "AMOUNT: " + sound.error().context);
        });
    transfer->add_option("TO", line.account.address, "the address")->required()->check(address());
    transfer->add_option("AMOUNT", line.account.amount, "in whole tokens, such as 1.5")->required();
    transfer->add_flag("--usd", line.account.usd, "stablecoin instead of FLK");
    add_transaction(transfer, line.account.sender);
    CLI::App* pending =
        command(line, account, "pending", "What was signed here and is not executed", [&line] {
            return run_account_pending(line.invocation, line.account.sender);
        });
    add_sender(pending, line.account.sender);
}

void add_stake(CommandLine& line) {
    CLI::App* stake = group(line, "stake", "FLK behind a node");
    CLI::App* add = command(line, stake, "add", "Lock FLK behind a node", [&line] {
        return run_stake_add(line.invocation, line.stake);
    });
    CLI::App* remove = command(line, stake, "remove", "Begin to release it", [&line] {
        return run_stake_remove(line.invocation, line.stake);
    });
    CLI::App* withdraw = command(line, stake, "withdraw", "Take what is released", [&line] {
        return run_stake_withdraw(line.invocation, line.stake);
    });
    CLI::App* status = command(line, stake, "status", "What the chain knows of a node", [&line] {
        return run_stake_status(line.invocation, line.stake);
    });
    for (CLI::App* each : {add, remove})
        each->add_option("AMOUNT", line.stake.amount, "FLK, such as 1000")
            ->required()
            ->check(some_flk());
    for (CLI::App* each : {add, remove, withdraw}) add_transaction(each, line.stake.sender);
    for (CLI::App* each : {add, remove, withdraw, status})
        each->add_option("--stake-node", line.stake.node, "the node's key; without it, the home's")
            ->check(node_key());
}

void add_lane(CommandLine& line) {
    CLI::App* lane = group(line, "lane", "Money held for what one node delivers");
    CLI::App* open = command(line, lane, "open", "Hold USD for a node", [&line] {
        return run_lane_open(line.invocation, line.lane);
    });
    CLI::App* topup = command(line, lane, "topup", "Hold more", [&line] {
        return run_lane_topup(line.invocation, line.lane);
    });
    CLI::App* close =
        command(line, lane, "close", "End it when the challenge time is over", [&line] {
            return run_lane_close(line.invocation, line.lane);
        });
    CLI::App* show = command(line, lane, "show", "One lane, or all of an account", [&line] {
        return run_lane_show(line.invocation, line.lane);
    });
    for (CLI::App* each : {open, topup, close, show}) {
        CLI::Option* node =
            each->add_option("NODE-KEY", line.lane.node, "the node's key")->check(node_key());
        if (each != show) node->required();
        each->add_option("--lane", line.lane.lane, "tells lanes to one node apart (0)")
            ->check(CLI::Range(0, 65'535));
    }
    for (CLI::App* each : {open, topup})
        each->add_option("AMOUNT", line.lane.amount, "USD, such as 1.5")
            ->required()
            ->check(some_usd());
    for (CLI::App* each : {open, topup, close}) add_transaction(each, line.lane.sender);
    open->add_option("--service", line.lane.service, "that delivers (0)")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{UINT32_MAX}))
        ->check(whole_number());
    open->add_option("--session-key",
                     line.lane.session_key,
                     "the client's public key, whose acknowledgements spend the money; without it, "
                     "the one that "
                     "draco get --pay uses")
        ->check(session_key());
    show->add_option("--payer", line.lane.payer, "whose; without it, the own")->check(address());
    add_sender(show, line.lane.sender);
}

void add_opt(CommandLine& line) {
    CLI::App* opt = group(line, "opt", "Whether the node of the home takes part");
    CLI::App* in = command(line, opt, "in", "Take part from the next epoch on", [&line] {
        return run_opt_in(line.invocation, line.opt);
    });
    CLI::App* out = command(line, opt, "out", "Leave at the end of this epoch", [&line] {
        return run_opt_out(line.invocation, line.opt);
    });
    for (CLI::App* each : {in, out}) {
        each->add_flag("--wait", line.opt.wait, "return when it has taken effect");
        each->add_option("--timeout", line.opt.patience_s, "seconds that --wait lasts at most")
            ->check(CLI::Range(1, 1'000'000));
    }
    CLI::App* status = command(line, opt, "status", "What the chain knows of the node", [&line] {
        return run_stake_status(line.invocation, line.stake);
    });
    status->add_option("--stake-node", line.stake.node, "the node's key; without it, the home's")
        ->check(node_key());
}

void add_chain(CommandLine& line) {
    command(line, &line.app, "epoch", "The epoch that runs", [&line] {
        return run_epoch(line.invocation);
    });
    command(line, &line.app, "committee", "Who orders transactions in it", [&line] {
        return run_committee(line.invocation);
    });
    command(line, &line.app, "prices", "What delivery costs, and who sells it", [&line] {
        return run_prices(line.invocation);
    });
    CLI::App* tx = command(line, &line.app, "tx", "What became of a transaction", [&line] {
        return run_tx(line.invocation, line.transaction);
    });
    tx->add_option("HASH", line.transaction, "of the transaction, in hex")
        ->required()
        ->check(transaction_hash());
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

void add_bench(CommandLine& line) {
    CLI::App* bench = group(line, "bench", "How fast it is here");
    CLI::App* run = command(line, bench, "consensus", "Order transactions, as processes", [&line] {
        return run_bench_consensus(line.invocation, line.bench);
    });
    run->add_option("--validators", line.bench.validators, "how many (4)")
        ->check(CLI::Range(1, 100));
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
    run->add_option("--directory", line.bench.directory, "where logs go, and are removed again");
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
    CLI::App* client = command(line, bench, "consensus-client", "One of its processes", [&line] {
        return run_bench_client(line.bench);
    });
    client->group("");
    client->add_option("PORT", line.bench.port)->required();
    client->add_option("RATE", line.bench.rate_per_s)->required();
    client->add_option("BYTES", line.bench.transaction_bytes)->required();
}

void add_content(CommandLine& line) {
    CLI::App* root = &line.app;
    CLI::App* put = command(line, root, "put", "Publish a file or a folder on your node", [&line] {
        return run_put(line.invocation, line.content);
    });
    put->add_option("PATH", line.content.path, "what to publish")->required();
    put->add_flag("--no-pin", line.content.no_pin, "let it go when the node needs the room");
    CLI::App* get = command(
        line,
        root,
        "get",
        "Fetch content, verified block by block",
        [&line] { return run_get(line.invocation, line.get); },
        [&line] { return check_get(line.get); });
    get->add_option("HASH",
                    line.get.what,
                    "its address; HASH/PATH names a file in a folder; or the URL of either")
        ->required();
    get->add_option(
        "-o,--output",
        line.get.output,
        "the file or folder to write; - is standard output, and a device is written to");
    get->add_flag("--force",
                  line.get.force,
                  "replace the file that is there; in a folder, what has the same names");
    get->add_flag("--pay",
                  line.get.pay,
                  "on a lane to the node that is asked, opened if need be; without it a node "
                  "delivers about 1 MiB/s after the first 16 MiB");
    get->add_option("--reserve", line.get.reserve_usd, "USD, of a lane that is opened (1)")
        ->check(some_usd());
    get->add_option("--max-entries",
                    line.get.limits.entries_max,
                    "files, folders and links in a folder (1000000)");
    get->add_option("--max-bytes", line.get.limits.bytes_max, "of all files together (256 GiB)")
        ->transform(CLI::AsSizeValue(false));
    get->add_option("--max-depth", line.get.limits.depth_max, "of folders inside each other (64)")
        ->check(CLI::Range(1, 4096));
    add_sender(get, line.get.sender);
    CLI::App* list = command(line, root, "ls", "What your node stores, or a folder in it", [&line] {
        return run_ls(line.invocation, line.content);
    });
    list->add_option("HASH", line.content.hash, "of a folder: its entries; also HASH/PATH");
    list->add_flag("--all", line.content.all, "every object, not only what was put");
    CLI::App* pin =
        command(line, root, "pin", "Keep content on your node, fetched if need be", [&line] {
            return run_pin(line.invocation, line.content);
        });
    CLI::App* unpin =
        command(line, root, "unpin", "Let content go when your node needs the room", [&line] {
            return run_unpin(line.invocation, line.content);
        });
    command(line, root, "acks", "What clients have acknowledged to your node", [&line] {
        return run_acks(line.invocation);
    });
    CLI::App* remove = command(line, root, "rm", "Remove content from your node", [&line] {
        return run_rm(line.invocation, line.content);
    });
    for (CLI::App* each : {pin, unpin, remove}) {
        each->add_option("HASH", line.content.hash, "its address; HASH/PATH names what is in it")
            ->required();
        each->add_flag("--this-object-only",
                       line.content.this_object_only,
                       "of a folder only the list of its entries");
    }
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

// Options of the program may stand behind any command, so every help names them.
void mention_common_options(CLI::App& under) {
    for (CLI::App* each : under.get_subcommands({})) {
        each->footer(
            "Options of every command:\n"
            "  --home TEXT                 the home (~/.draco); also DRACO_HOME\n"
            "  --node URL                  the node to ask, such as http://host:4240\n"
            "  --json                      print JSON, errors too");
        mention_common_options(*each);
    }
}

void declare(CommandLine& line) {
    CLI::App& app = line.app;
    app.name("draco");
    app.set_version_flag("--version", "draco " DRACO_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--home", line.invocation.home, "the home (~/.draco)")->envname("DRACO_HOME");
    app.add_option("--node", line.invocation.node, "the node to ask, such as http://host:4240")
        ->check(node_url());
    app.add_flag("--json", line.invocation.json, "print JSON, errors too");
    add_init(line);
    add_keys(line);
    add_node(line);
    add_devnet(line);
    add_account(line);
    add_stake(line);
    add_lane(line);
    add_opt(line);
    add_chain(line);
    add_content(line);
    add_bench(line);
    add_sim(line);
    add_hash(line);
    mention_common_options(app);
}

}  // namespace

int run_command_line(int argc, char** argv) {
    CommandLine line;
    declare(line);
    try {
        line.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return explain_usage(line.app, line.invocation, error, argc, argv);
    }
    return line.chosen();
}

}  // namespace draco
