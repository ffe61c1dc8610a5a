#include "usage.hpp"

#include "draco/node/nearest.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace draco {
namespace {

constexpr int kExitUsage = 2;

int usage_error(Invocation invocation, const std::string& path, const std::string& what) {
    invocation.command = path;
    print_usage_error(invocation, what);
    return kExitUsage;
}

// "devnet load" for "load": the words of a command elsewhere that has this name; empty if none.
std::string words_elsewhere(const CLI::App& under, const std::string& name) {
    for (const CLI::App* each : under.get_subcommands({})) {
        if (each->get_name() == name) return words_of(each);
        const std::string below = words_elsewhere(*each, name);
        if (!below.empty()) return below;
    }
    return {};
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

int unknown_command(const CLI::App& app,
                    const Invocation& invocation,
                    const Typed& typed,
                    const std::string& path) {
    std::vector<std::string> names;
    for (const CLI::App* each : typed.command->get_subcommands({}))
        names.push_back(each->get_name());
    const std::string elsewhere = words_elsewhere(app, typed.unknown);
    return usage_error(invocation,
                       path,
                       "there is no command '" + typed.unknown + "'" +
                           (elsewhere.empty() ? suggestion(typed.unknown, names)
                                              : "; did you mean 'draco " + elsewhere + "'?"));
}

}  // namespace

std::string words_of(const CLI::App* command) {
    std::string path = command->get_name();
    for (const CLI::App* parent = command->get_parent(); parent != nullptr && parent->get_parent();
         parent = parent->get_parent())
        path.insert(0, parent->get_name() + " ");
    return path;
}

int explain_usage(
    CLI::App& app, Invocation invocation, const CLI::ParseError& error, int argc, char** argv) {
    const Typed typed = follow(app, argc, argv);
    const bool is_help = error.get_exit_code() == 0;
    if (is_help && typed.unknown.empty()) return app.exit(error);
    // Parsing has ended before it was set.
    invocation.json = std::any_of(
        argv + 1, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; });
    const std::string path = typed.command == &app ? "" : words_of(typed.command);
    if (!typed.unknown.empty()) return unknown_command(app, invocation, typed, path);
    for (int i = 1; i < argc; ++i) {
        const std::string word = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
        const auto names = options_of(typed.command);
        if (word.starts_with("--") && word.size() > 2 &&
            std::ranges::find(names, word) == names.end())
            return usage_error(
                invocation, path, "there is no option '" + word + "'" + suggestion(word, names));
    }
    return usage_error(invocation, path, error.what());
}

}  // namespace draco
