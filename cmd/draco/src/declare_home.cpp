// Homes, their keys, and the node of one.
#include "argument_checks.hpp"
#include "chain_commands.hpp"
#include "command_frame.hpp"

#include <cstdint>
#include <string>

namespace draco {
namespace {

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

}  // namespace

void add_home_commands(CommandLine& line) {
    add_init(line);
    add_keys(line);
    add_node(line);
}

}  // namespace draco
