#include "command_line.hpp"

#include "argument_checks.hpp"
#include "command_frame.hpp"
#include "usage.hpp"

#include <CLI/CLI.hpp>

#include <string>

namespace draco {
namespace {

// Options of the program may stand behind any command, so every help names them.
void mention_common_options(CLI::App& under) {
    for (CLI::App* each : under.get_subcommands({})) {
        // One that has another --node asks none.
        const bool asks = each->get_option_no_throw("--node") == nullptr;
        each->footer(
            std::string("Options of every command:\n"
                        "  --home TEXT                 the home (~/.draco); also DRACO_HOME\n") +
            (asks ? "  --node URL                  the node to ask, such as http://host:4240\n"
                  : "") +
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
    add_home_commands(line);
    add_worker_commands(line);
    add_devnet_commands(line);
    add_chain_commands(line);
    add_content_commands(line);
    add_tool_commands(line);
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
