// The words that lead to a command, and the options that several have.
#include "command_frame.hpp"

#include "argument_checks.hpp"
#include "usage.hpp"

#include <utility>

namespace draco {

CLI::App* group(CommandLine& line, const std::string& name, const std::string& what) {
    CLI::App* made = line.app.add_subcommand(name, what);
    made->require_subcommand(1);
    return made;
}

CLI::App* command(CommandLine& line,
                  CLI::App* under,
                  const std::string& name,
                  const std::string& what,
                  std::function<Result<>()> run,
                  const std::function<Result<>()>& check) {
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

}  // namespace draco
