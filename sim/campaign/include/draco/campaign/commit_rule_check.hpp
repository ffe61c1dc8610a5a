#pragma once
// The commit rule, exhaustively, for a committee of four: whatever the DAG, and whatever part of it
// a member has seen, the anchors that it orders are a prefix of those that the whole shows. The
// committer under test is the core's own.
//
// What is enumerated, round by round: each vertex may be missing, seen only as its header, or
// certified; one vertex of a round (any) may be left out by any of the next round's; at most one
// author of a round also signs a header that votes although its vertex does not. Each DAG is
// compared with itself less one vertex or header that nothing rests on: from such steps every view
// is made. Authors of a round that do not lead it are interchangeable, and of DAGs in which all
// slots stand alike to all that may come only one is continued.

#include "draco/consensus/parameters.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace draco::campaign {

struct CommitRuleOptions {
    std::uint64_t rounds = 5;                     // [2, 6]
    std::optional<consensus::CommitRule> rule{};  // absent: CommitRule::fast
};

struct CommitRuleCheck {
    std::uint64_t dags = 0;
    std::uint64_t views = 0;      // that a committer judged
    std::uint64_t committed = 0;  // anchors, over all DAGs
    std::uint64_t skipped = 0;
    std::string fork;  // the first one, in words; empty: none
};

CommitRuleCheck check_commit_rule(const CommitRuleOptions& options = {});

std::string to_string(const CommitRuleCheck& check);

}  // namespace draco::campaign
