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
    auto from = leaves.begin();
    for (unsigned i = 0; i < kFanout; ++i) {
        const auto to = std::find_if(from, leaves.end(), [&](const Leaf& leaf) {
            return key_bits(leaf.key, depth, kPageLevels) != i;
        });
        if (from == to) continue;
        draft->branch.children[i].count = static_cast<std::uint64_t>(to - from);
        draft->touched[i] = lay_out(depth + kPageLevels, Bucket(from, to));
        from = to;
    }
    return {false, true, std::move(draft)};
}

}  // namespace draco::sparse_merkle
