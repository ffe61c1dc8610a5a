#include "get_plan.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <variant>

namespace draco {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
    return a > kMost - b ? kMost : a + b;
}

}  // namespace

Result<> GetPlan::add(const types::ContentHash& hash, const List& list) {
    DRACO_TRY(root, visit(hash, 0, list));
    if (root->depth > limits_.depth_max) return too_deep();
    if (root->count <= limits_.entries_max) return {};
    return fail(
        Errc::Exhausted,
        "the folder leads to " +
            (root->count == kMost ? "more than " + std::to_string(kMost - 1)
                                  : std::to_string(root->count)) +
            " files, folders and links, many of them perhaps the same one under many names; "
            "nothing was written. Name a file or folder in it as HASH/PATH, or allow that "
            "many with --max-entries");
}

const GetPlan::Entries* GetPlan::entries(const types::ContentHash& hash) const {
    const auto found = known_.find(hash);
    DRACO_ASSERT(found != known_.end(), "what is fetched was planned");
    return found->second.entries ? &*found->second.entries : nullptr;
}

// The recursion ends at depth_max. What was known before is not walked again.
Result<const GetPlan::Known*> GetPlan::visit(const types::ContentHash& hash,
                                             std::uint64_t level,
                                             const List& list) {
    if (const auto found = known_.find(hash); found != known_.end()) return &found->second;
    if (known_.size() >= limits_.entries_max)
        return fail(Errc::Exhausted,
                    "the folder leads to more than " + std::to_string(limits_.entries_max) +
                        " files, folders and links; nothing was written. Name a file or folder in "
                        "it as HASH/PATH, or allow more with --max-entries");
    DRACO_TRY(entries, list(hash));
    Known made{.entries = std::move(entries)};
    if (made.entries) {
        if (level >= limits_.depth_max) return too_deep();
        made.depth = 1;
        for (const types::DirectoryEntry& entry : *made.entries) {
            const auto* child = std::get_if<types::ContentHash>(&entry.target);
            if (child == nullptr) {
                made.count = plus(made.count, 1);
                continue;
            }
            DRACO_TRY(below, visit(*child, level + 1, list));
            made.count = plus(made.count, below->count);
            made.depth = std::max(made.depth, plus(below->depth, 1));
        }
    }
    return &known_.insert_or_assign(hash, std::move(made)).first->second;
}

std::unexpected<Error> GetPlan::too_deep() const {
    return fail(
        Errc::Exhausted,
        "the folder has more than " + std::to_string(limits_.depth_max) +
            " levels of folders inside each other; nothing was written. Name a folder in it "
            "as HASH/PATH, or allow more with --max-depth");
}

}  // namespace draco
