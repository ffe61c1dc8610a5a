#include "command_line.hpp"

#include "draco/crypto/ethereum_address.hpp"
#include "draco/node/nearest.hpp"
#include "draco/types/money.hpp"

#include "account_commands.hpp"
#include "chain_commands.hpp"
#include "content_commands.hpp"
#include "devnet_commands.hpp"
#include "hash_command.hpp"
#include "invocation.hpp"
#include "keys_commands.hpp"
#include "lane_commands.hpp"
#include "load_command.hpp"
#include "load_plan.hpp"
#include "node_command.hpp"
#include "opt_commands.hpp"
#include "sim_command.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace draco {
namespace {

constexpr int kExitUsage = 2;

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
    HashOptions hash;
    ContentOptions content;
    std::string transaction;
};

std::string path_of(const CLI::App* command) {
    std::string path = command->get_name();
    for (const CLI::App* parent = command->get_parent(); parent != nullptr && parent->get_parent();
         parent = parent->get_parent())
        path.insert(0, parent->get_name() + " ");
    return path;
}

CLI::App* group(CommandLine& line, const std::string& name, const std::string& what) {
    CLI::App* made = line.app.add_subcommand(name, what);
    made->require_subcommand(1);
    return made;
}

// A command whose outcome is its exit status.
CLI::App* command(CommandLine& line,
                  CLI::App* under,
                  const std::string& name,
                  const std::string& what,
                  std::function<Result<>()> run) {
    CLI::App* made = under->add_subcommand(name, what);
    made->callback([&line, made, run = std::move(run)] {
        line.invocation.command = path_of(made);
        line.chosen = [&line, run] { return exit_status(line.invocation, run()); };
    });
    return made;
}

// --- checks of what is typed ---

template <class Parsed>
CLI::Validator parses(const std::string& what, Result<Parsed> (*parse)(std::string_view)) {
    return CLI::Validator(
        [parse](std::string& text) {
            const auto parsed = parse(text);
            return parsed ? std::string() : parsed.error().context;
        },
        what);
}

CLI::Validator flk_amount() {
    return parses<types::FlkAmount>("FLK", types::parse_flk);
}

CLI::Validator usd_amount() {
    return parses<types::UsdAmount>("USD", types::parse_usd);
}

CLI::Validator address() {
    return parses<types::Address>("ADDRESS", crypto::parse_ethereum_address);
}

// A port of every node is beyond the base.
CLI::Validator port_base() {
    return CLI::Range(0, 65'000);
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
    CLI::App* init = command(line, &line.app, "init", "Make a node's home", [&line] {
        return run_init(line.invocation, line.init);
    });
    init->add_option("--genesis",
                     line.init.genesis_file,
                     "the genesis file of the chain; without it, a development chain of this node");
    init->add_option("--host", line.init.host, "where others reach the node");
    init->add_option("--port-base", line.init.port_base, "4200: links on 4300, RPC on 4240, ...")
        ->check(CLI::Range(1, 65'000));
    init->add_option("--epoch", line.init.epoch_s, "seconds, of the development chain")
        ->check(CLI::Range(1, 1'000'000));
    init->add_flag("--light-keys", line.init.light_keys, "encrypt fast, for tests");
    add_password(init, line.init.password_file);
}

void add_key_names(CLI::App* command, KeysOptions& keys) {
    command->add_option("--name", keys.name, "how the key is called");
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
    import->add_option("--index", line.keys.mnemonic_index, "of m/44'/60'/0'/0/INDEX");
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
    run->add_flag("--quiet", line.node.quiet, "log to the files only");
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
    made->add_option("INDEX", line.devnet.index, "of the node")->required();
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
    CLI::App* up = command(line, devnet, "up", "Start it, new or as it was left", [&line] {
        return run_devnet_up(line.invocation, line.devnet);
    });
    up->add_option("--nodes", line.devnet.shape.nodes, "how many (4)")
        ->check(CLI::Range(std::size_t{1}, kDevnetNodesMax));
    up->add_option("--epoch", line.devnet.shape.epoch_s, "seconds of an epoch (30)")
        ->check(CLI::Range(1, 1'000'000));
    up->add_option("--port-base", line.devnet.shape.port_base, "4200; 0: the system chooses ports")
        ->check(port_base());
    up->add_flag("--detach", line.devnet.detach, "return when all nodes are healthy");
    up->add_option("--timeout", line.devnet.patience_s, "seconds until they must be (60)")
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
    CLI::App* transfer = command(line, account, "transfer", "Send FLK or stablecoin", [&line] {
        return run_account_transfer(line.invocation, line.account);
    });
    transfer->add_option("TO", line.account.address, "the address")->required()->check(address());
    transfer->add_option("AMOUNT", line.account.amount, "in whole tokens, such as 1.5")
        ->required()
        ->check(flk_amount());
    transfer->add_flag("--usd", line.account.usd, "stablecoin instead of FLK");
    add_transaction(transfer, line.account.sender);
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
            ->check(flk_amount());
    for (CLI::App* each : {add, remove, withdraw}) add_transaction(each, line.stake.sender);
    for (CLI::App* each : {add, remove, withdraw, status})
        each->add_option("--stake-node", line.stake.node, "the node's key; without it, the home's");
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
        CLI::Option* node = each->add_option("NODE-KEY", line.lane.node, "the node's key");
        if (each != show) node->required();
        each->add_option("--lane", line.lane.lane, "tells lanes to one node apart (0)")
            ->check(CLI::Range(0, 65'535));
    }
    for (CLI::App* each : {open, topup})
        each->add_option("AMOUNT", line.lane.amount, "USD, such as 1.5")
            ->required()
            ->check(usd_amount());
    for (CLI::App* each : {open, topup, close}) add_transaction(each, line.lane.sender);
    open->add_option("--service", line.lane.service, "that delivers (0)");
    open->add_option("--session-key",
                     line.lane.session_key,
                     "the client's public key, whose acknowledgements spend the money")
        ->required();
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
    status->add_option("--stake-node", line.stake.node, "the node's key; without it, the home's");
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
    tx->add_option("HASH", line.transaction, "of the transaction, in hex")->required();
}

void add_sim(CommandLine& line) {
    CLI::App* sim = group(line, "sim", "Whole networks in one thread, replayed from a seed");
    command(line, sim, "list", "The scenarios there are", [&line] {
        return run_sim_list(line.invocation);
    });
    CLI::App* run = command(line, sim, "run", "Run a scenario, each seed twice", [&line] {
        return run_sim(line.invocation, line.sim);
    });
    run->add_option("SCENARIO", line.sim.scenario, "its name")->required();
    run->add_option("--seed", line.sim.seed, "the first seed (1)");
    run->add_option("--seeds", line.sim.seeds, "how many (1)")->check(CLI::Range(1, 1'000'000));
}

void add_content(CommandLine& line) {
    CLI::App* root = &line.app;
    CLI::App* put = command(line, root, "put", "Publish a file or a folder on your node", [&line] {
        return run_put(line.invocation, line.content);
    });
    put->add_option("PATH", line.content.path, "what to publish")->required();
    put->add_flag("--no-pin", line.content.no_pin, "let it go when the node needs the room");
    CLI::App* list = command(line, root, "ls", "What your node stores, or a folder in it", [&line] {
        return run_ls(line.invocation, line.content);
    });
    list->add_option("HASH", line.content.hash, "of a folder: its entries");
    CLI::App* pin =
        command(line, root, "pin", "Keep content on your node, fetched if need be", [&line] {
            return run_pin(line.invocation, line.content);
        });
    CLI::App* unpin =
        command(line, root, "unpin", "Let content go when your node needs the room", [&line] {
            return run_unpin(line.invocation, line.content);
        });
    for (CLI::App* each : {pin, unpin})
        each->add_flag("--this-object-only",
                       line.content.this_object_only,
                       "of a folder only the list of its entries");
    CLI::App* remove = command(line, root, "rm", "Remove an object from your node", [&line] {
        return run_rm(line.invocation, line.content);
    });
    for (CLI::App* each : {pin, unpin, remove})
        each->add_option("HASH", line.content.hash, "its address: 64 hex digits")->required();
}

void add_hash(CommandLine& line) {
    CLI::App* hash = line.app.add_subcommand("hash", "Print the content address of files");
    hash->add_option("FILE", line.hash.paths, "files to hash; - is standard input")->required();
    hash->add_option("--threads", line.hash.threads, "to hash with; 0 is one per processor")
        ->check(CLI::Range(0, 256));
    hash->callback([&line] {
        line.chosen = [&line] {
            line.hash.json = line.invocation.json;
            return run_hash(line.hash);
        };
    });
}

void declare(CommandLine& line) {
    CLI::App& app = line.app;
    app.name("draco");
    app.set_version_flag("--version", "draco " DRACO_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--home", line.invocation.home, "the home (~/.draco)")->envname("DRACO_HOME");
    app.add_option("--node", line.invocation.node, "the node to ask, such as http://host:4240");
    app.add_flag("--json", line.invocation.json, "print JSON");
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
    add_sim(line);
    add_hash(line);
}

// --- what is typed wrong ---

int usage_error(const std::string& path, const std::string& what) {
    const std::string shown = path.empty() ? "draco" : "draco " + path;
    std::fprintf(stderr, "%s: %s; see %s --help\n", shown.c_str(), what.c_str(), shown.c_str());
    return kExitUsage;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
    const std::vector<std::string_view> views(known.begin(), known.end());
    const auto near = node::nearest(word, views);
    return near ? "; did you mean '" + std::string(*near) + "'?" : "";
}

std::vector<std::string> options_of(const CLI::App* command) {
    std::vector<std::string> names;
    for (; command != nullptr; command = command->get_parent())
        for (const CLI::Option* option : command->get_options())
            for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    return names;
}

struct Typed {
    const CLI::App* command;
    std::string unknown;  // a word where a command should be
};

// Follows the words to the command they name.
Typed follow(CLI::App& app, int argc, char** argv) {
    CLI::App* at = &app;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--home" || word == "--node") ++i;
        if (word.starts_with("-")) continue;
        if (at->get_subcommands(nullptr).empty()) break;
        const auto commands =
            at->get_subcommands([&](CLI::App* each) { return each->get_name() == word; });
        if (commands.empty()) return {.command = at, .unknown = word};
        at = commands.front();
    }
    return {.command = at, .unknown = {}};
}

int explain(CommandLine& line, const CLI::ParseError& error, int argc, char** argv) {
    if (error.get_exit_code() == 0) return line.app.exit(error);
    const Typed typed = follow(line.app, argc, argv);
    const std::string path = typed.command == &line.app ? "" : path_of(typed.command);
    if (!typed.unknown.empty()) {
        std::vector<std::string> names;
        for (const CLI::App* each : typed.command->get_subcommands({}))
            names.push_back(each->get_name());
        return usage_error(
            path, "there is no command '" + typed.unknown + "'" + suggestion(typed.unknown, names));
    }
    for (int i = 1; i < argc; ++i) {
        const std::string word = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
        const auto names = options_of(typed.command);
        if (word.starts_with("--") && word.size() > 2 &&
            std::ranges::find(names, word) == names.end())
            return usage_error(path, "there is no option '" + word + "'" + suggestion(word, names));
    }
    return usage_error(path, error.what());
}

}  // namespace

int run_command_line(int argc, char** argv) {
    CommandLine line;
    declare(line);
    try {
        line.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return explain(line, error, argc, argv);
    }
    return line.chosen();
}

}  // namespace draco
