#include "draco/blake3_tree/proof.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace draco::blake3_tree {
namespace {

// The subtree of `leaf_count` leaves whose root is at index `node`; `leaf` counts within it.
Proof proof_below(std::span<const Hash> nodes,
                  std::uint64_t node,
                  std::uint64_t leaf_count,
                  std::uint64_t leaf) {
    Proof proof;
    if (leaf_count < 2) return proof;
    while (leaf_count > 1) {
        const std::uint64_t left_leaves = left_leaf_count(leaf_count);
        const std::uint64_t right_leaves = leaf_count - left_leaves;
        const std::uint64_t right = node - 1;
        const std::uint64_t left = right - (2 * right_leaves - 1);
        if (leaf < left_leaves) {
            proof.prepend(Side::Right, nodes[right]);
            node = left;
            leaf_count = left_leaves;
        } else {
            proof.prepend(Side::Left, nodes[left]);
            node = right;
            leaf_count = right_leaves;
            leaf -= left_leaves;
        }
    }
    proof.prepend(Side::Right, nodes[node]);
    proof.close();
    return proof;
}

}  // namespace

void Proof::prepend(Side side, const Hash& hash) {
    DRACO_ASSERT(hash_count_ < kProofHashesMax, "no tree is higher than 46 levels");
    begin_ -= Hash::kSize;
    std::memcpy(buffer_.data() + begin_, hash.data(), Hash::kSize);
    sign_ = static_cast<std::uint8_t>(sign_ >> 1 | (side == Side::Left ? 0x80 : 0));
    ++hash_count_;
    if (hash_count_ % kSegmentHashes == 0) write_sign();
}

void Proof::close() {
    if (hash_count_ % kSegmentHashes != 0) write_sign();
}

void Proof::write_sign() {
    buffer_[--begin_] = sign_;
    sign_ = 0;
}

Proof initial_proof(TreeView tree, std::uint64_t leaf) {
    if (leaf >= tree.leaf_count()) return {};
    return proof_below(tree.nodes(), tree.nodes().size() - 1, tree.leaf_count(), leaf);
}

Proof resume_proof(TreeView tree, std::uint64_t leaf) {
    if (leaf == 0 || leaf >= tree.leaf_count()) return {};
    const std::uint64_t leaves =
        std::min(std::uint64_t{1} << std::countr_zero(leaf), tree.leaf_count() - leaf);
    return proof_below(tree.nodes(), leaf_node_index(leaf) + 2 * leaves - 2, leaves, 0);
}

}  // namespace draco::blake3_tree
