#include "page_update.hpp"

namespace draco::sparse_merkle {

std::optional<Bucket> merged(std::span<const Leaf> leaves, std::span<const Change> changes) {
    Bucket out;
    out.reserve(leaves.size() + changes.size());
    bool changed = false;
    auto leaf = leaves.begin();
    for (const Change& change : changes) {
        for (; leaf != leaves.end() && leaf->key < change.key; ++leaf) out.push_back(*leaf);
        const Leaf* old = leaf != leaves.end() && leaf->key == change.key ? &*leaf++ : nullptr;
        if (change.value_hash) out.push_back({change.key, *change.value_hash});
        const bool same = change.value_hash
                              ? old != nullptr && old->value_hash == *change.value_hash
                              : old == nullptr;
        changed = changed || !same;
    }
    if (!changed) return std::nullopt;
    out.insert(out.end(), leaf, leaves.end());
    return out;
}

PageDraft lay_out(unsigned depth, Bucket leaves) {
    if (leaves.size() <= kBucketLeavesMax) return {false, true, std::move(leaves)};
    auto draft = std::make_unique<BranchDraft>();
    for (std::span<const Leaf> rest = leaves; !rest.empty();) {
        const unsigned child = key_bits(rest.front().key, depth, kPageLevels);
        const auto below = rest.first(count_sharing(rest, depth + kPageLevels));
        draft->branch.children[child].count = below.size();
        draft->touched[child] = lay_out(depth + kPageLevels, Bucket(below.begin(), below.end()));
        rest = rest.subspan(below.size());
    }
    return {false, true, std::move(draft)};
}

}  // namespace draco::sparse_merkle
