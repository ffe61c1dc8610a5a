#pragma once
// Applies changes to the stored part of the tree: drafts the new content of every touched page
// bottom up, then hashes and encodes what changed.

#include "draco/base/assert.hpp"
#include "draco/base/result.hpp"
#include "draco/sparse_merkle/page_store.hpp"
#include "draco/sparse_merkle/tree.hpp"
#include "draco/sparse_merkle/types.hpp"

#include "hash_schedule.hpp"
#include "key_bits.hpp"
#include "page.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace draco::sparse_merkle {

struct BranchDraft;

// The future content of one page.
struct PageDraft {
    bool was_stored = false;
    bool changed = false;
    std::variant<Bucket, std::unique_ptr<BranchDraft>> content;

    std::uint64_t count() const;
};

struct BranchDraft {
    Branch branch;  // counts are those to be; digests are right where there is no touched draft
    std::array<std::optional<PageDraft>, kFanout> touched;
};

inline std::uint64_t PageDraft::count() const {
    const auto* bucket = std::get_if<Bucket>(&content);
    return bucket != nullptr ? bucket->size()
                             : std::get<std::unique_ptr<BranchDraft>>(content)->branch.count();
}

// Leaves and changes are sorted by key. nullopt: nothing changes.
std::optional<Bucket> merged(std::span<const Leaf> leaves, std::span<const Change> changes);

// Lays leaves that share their first `depth` bits out in new pages. Recursion is at most
// kKeyBits / kPageLevels deep.
PageDraft lay_out(unsigned depth, Bucket leaves);

template <NodeHash H>
class PageUpdate {
public:
    using Ref = typename HashSchedule<H>::Ref;

    PageUpdate(const PageStore& store, HashSchedule<H>& schedule)
        : store_(store), schedule_(schedule) {}

    // `old` is the stored page, if there is one. Recursion as for lay_out.
    Result<PageDraft> draft(const PageId& id,
                            std::optional<Page> old,
                            std::span<const Change> changes) {
        if (old && std::holds_alternative<Branch>(*old))
            return draft_branch(id, std::get<Branch>(*old), changes);
        const bool was_stored = old.has_value();
        Bucket leaves = was_stored ? std::get<Bucket>(*std::move(old)) : Bucket{};
        auto next = merged(leaves, changes);
        PageDraft drafted = next ? lay_out(id.depth(), *std::move(next))
                                 : PageDraft{false, false, std::move(leaves)};
        drafted.was_stored = was_stored;
        return drafted;
    }

    // Records the hashes and writes of a changed page and of those below it. Returns the node at
    // its top.
    Ref emit(const PageId& id, const PageDraft& draft) {
        if (const auto* leaves = std::get_if<Bucket>(&draft.content))
            return emit_bucket(id, draft, *leaves);
        return emit_branch(id, *std::get<std::unique_ptr<BranchDraft>>(draft.content));
    }

    // After the schedule has run: all writes, no page twice.
    std::vector<PageWrite> take_writes() {
        for (Unhashed& page : unhashed_) {
            for (unsigned i = 0; i < kFanout; ++i)
                page.branch.children[i].digest = schedule_.node(page.nodes[i]).digest;
            writes_.push_back({page.id, encode_branch(page.branch)});
        }
        return std::move(writes_);
    }

private:
    struct Unhashed {
        PageId id;
        Branch branch;
        std::array<Ref, kFanout> nodes;
    };

    Result<PageDraft> draft_branch(const PageId& id,
                                   const Branch& old,
                                   std::span<const Change> changes) {
        auto next = std::make_unique<BranchDraft>();
        next->branch = old;
        bool changed = false;
        while (!changes.empty()) {
            const unsigned child = key_bits(changes.front().key, id.depth(), kPageLevels);
            const std::size_t count = count_sharing(changes, id.depth() + kPageLevels);
            DRACO_TRY(drafted,
                      draft_child(child_id(id, child), old.children[child], changes.first(count)));
            changes = changes.subspan(count);
            if (!drafted.changed) continue;
            changed = true;
            next->branch.children[child].count = drafted.count();
            next->touched[child] = std::move(drafted);
        }
        if (next->branch.count() <= kBucketLeavesMax) return collapse(id, *next);
        return PageDraft{true, changed, std::move(next)};
    }

    Result<PageDraft> draft_child(const PageId& id,
                                  const Branch::Child& old,
                                  std::span<const Change> changes) {
        if (old.count == 0) return draft(id, std::nullopt, changes);
        DRACO_TRY(page, read_page(store_, id, old.count));
        return draft(id, std::move(page), changes);
    }

    // A branch that has become small is a bucket again; its children's pages go.
    Result<PageDraft> collapse(const PageId& id, BranchDraft& draft) {
        Bucket leaves;
        for (unsigned i = 0; i < kFanout; ++i) {
            const PageId below = child_id(id, i);
            std::optional<PageDraft>& touched = draft.touched[i];
            if (!touched && draft.branch.children[i].count == 0) continue;
            if (!touched) {
                DRACO_TRY(page, read_page(store_, below, draft.branch.children[i].count));
                touched = PageDraft{true, true, std::get<Bucket>(std::move(page))};
            }
            const auto& kept = std::get<Bucket>(touched->content);
            leaves.insert(leaves.end(), kept.begin(), kept.end());
            if (touched->was_stored) writes_.push_back({below, std::nullopt});
        }
        return PageDraft{true, true, std::move(leaves)};
    }

    Ref emit_bucket(const PageId& id, const PageDraft& draft, const Bucket& leaves) {
        if (!leaves.empty())
            writes_.push_back({id, encode_bucket(id.depth(), leaves)});
        else if (draft.was_stored)
            writes_.push_back({id, std::nullopt});
        return join_leaves(schedule_, id.depth(), std::span<const Leaf>(leaves));
    }

    Ref emit_branch(const PageId& id, const BranchDraft& draft) {
        Unhashed page{id, draft.branch, {}};
        for (unsigned i = 0; i < kFanout; ++i)
            page.nodes[i] = draft.touched[i] ? emit(child_id(id, i), *draft.touched[i])
                                             : schedule_.known(draft.branch.children[i].node());
        unhashed_.push_back(page);
        return join_nodes(schedule_, id.depth(), page.nodes);
    }

    const PageStore& store_;
    HashSchedule<H>& schedule_;
    std::vector<PageWrite> writes_;
    std::vector<Unhashed> unhashed_;
};

}  // namespace draco::sparse_merkle
