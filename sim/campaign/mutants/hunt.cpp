// hunt SCENARIO SEEDS: succeeds if one of the first so many seeds of the scenario finds that
// something is wrong with this executable, in which a bug is planted.
#include "draco/campaign/commit_rule_check.hpp"
#include "draco/campaign/scenario.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

// An assertion of the core that fails has found the bug too.
void found_by_assertion(int /*signal*/) {
    constexpr char kText[] = "found: an assertion failed\n";
    static_cast<void>(!write(STDOUT_FILENO, kText, sizeof kText - 1));
    _exit(EXIT_SUCCESS);
}

}  // namespace

int main(int argc, char** argv) {
    using namespace draco::campaign;
    if (argc != 3) return EXIT_FAILURE;
    std::signal(SIGABRT, found_by_assertion);
    const std::string_view name = argv[1];
    const std::uint64_t seeds = std::strtoull(argv[2], nullptr, 10);
    if (name == "commit-rule") {
        const CommitRuleCheck check = check_commit_rule({.rounds = seeds});
        std::printf("%s\n", to_string(check).c_str());
        return check.fork.empty() ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    const Scenario* scenario = find_scenario(name);
    if (scenario == nullptr) return EXIT_FAILURE;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const Report report = run(*scenario, seed);
        if (report.verdict) continue;
        std::printf("found: %s\n", to_string(report).c_str());
        return EXIT_SUCCESS;
    }
    std::printf("not found within %s seeds\n", argv[2]);
    return EXIT_FAILURE;
}
