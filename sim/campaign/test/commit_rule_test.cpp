// The commit rule over every DAG of a small world, and each of its bounds one too low.
#include "draco/campaign/commit_rule_check.hpp"

#include <gtest/gtest.h>

namespace draco::campaign {
namespace {

constexpr consensus::CommitRule kFast{.indirect = 1, .certified = 2, .proposed = 3, .skip = 4};

// No view of any DAG orders what another does not; and there was something to order.
TEST(CommitRule, NoViewForks) {
    const CommitRuleCheck check = check_commit_rule({.rounds = 4});
    std::cout << to_string(check) << "\n";
    EXPECT_EQ(check.fork, "");
    EXPECT_GT(check.committed, 1000U);
    EXPECT_GT(check.skipped, 100U);
}

// Each threshold is tight: one less, and two views fork.
TEST(CommitRule, EachLowerThresholdForks) {
    for (const auto& lower : {+[](consensus::CommitRule& rule) { rule.certified -= 1; },
                              +[](consensus::CommitRule& rule) { *rule.proposed -= 1; },
                              +[](consensus::CommitRule& rule) { *rule.skip -= 1; }}) {
        consensus::CommitRule rule = kFast;
        lower(rule);
        const CommitRuleCheck check = check_commit_rule({.rounds = 5, .rule = rule});
        std::cout << to_string(check) << "\n";
        EXPECT_NE(check.fork, "");
    }
}

}  // namespace
}  // namespace draco::campaign
