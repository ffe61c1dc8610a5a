// The command line: what can be typed, and which file does it. Exit status: 0 ok, 1 failed, 2
// usage.

#include "hash_command.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

namespace {

constexpr int kExitUsage = 2;

int run(int argc, char** argv) {
    CLI::App app{"Draco, a decentralized edge network."};
    app.name("draco");
    app.set_version_flag("--version", "draco " DRACO_VERSION);
    app.require_subcommand(1);
    app.failure_message(CLI::FailureMessage::help);

    draco::HashOptions hash_options;
    CLI::App* hash = app.add_subcommand("hash", "Print the content address (BLAKE3) of files");
    hash->add_option("FILE", hash_options.paths, "files to hash; - is standard input")->required();
    hash->add_option(
            "--threads", hash_options.threads, "threads to hash with; 0 is one per processor")
        ->check(CLI::Range(0, 256));
    hash->add_flag("--json", hash_options.json, "print JSON");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : kExitUsage;
    }
    return run_hash(hash_options);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "draco: %s\n", error.what());
        return 1;
    }
}
