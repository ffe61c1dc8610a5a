#include "draco/blake3_tree/hash_tree.hpp"

#include "draco/base/assert.hpp"

#include "node.hpp"

#include <algorithm>

namespace draco::blake3_tree {
namespace {

constexpr std::uint64_t kReservedLeavesMax = std::uint64_t{1} << 16;

Result<> check_node_count(std::size_t node_count) {
    if (node_count % 2 == 1 && node_count / 2 < kLeafCountMax) return {};
    return fail(Errc::InvalidArgument,
                "a tree of n leaves has 2n - 1 nodes; got " + std::to_string(node_count) +
                    " nodes, which fits no n");
}

}  // namespace

Result<TreeView> TreeView::over(std::span<const Hash> nodes) {
    DRACO_TRY_VOID(check_node_count(nodes.size()));
    return TreeView(nodes);
}

HashTree HashTree::from_leaves(std::span<const Hash> leaves, const Mode& mode) {
    TreeAssembler assembler(mode);
    assembler.reserve_leaves(leaves.size());
    for (const Hash& leaf : leaves) assembler.add_leaf(leaf);
    return std::move(assembler).finish();
}

Result<HashTree> HashTree::from_nodes(std::vector<Hash> nodes, const Mode& mode) {
    DRACO_TRY(given, TreeView::over(nodes));
    TreeAssembler assembler(mode);
    assembler.reserve_leaves(given.leaf_count());
    for (std::uint64_t i = 0; i < given.leaf_count(); ++i) assembler.add_leaf(given.leaf(i));
    HashTree tree = std::move(assembler).finish();
    const auto wrong = std::ranges::mismatch(nodes, tree.nodes_).in1;
    if (wrong != nodes.end())
        return fail(Errc::Corrupt,
                    "node " + std::to_string(wrong - nodes.begin()) + " of " +
                        std::to_string(nodes.size()) +
                        " is not the parent of its children; discard the tree");
    return tree;
}

void TreeAssembler::reserve_leaves(std::size_t leaf_count) {
    if (leaf_count > 0) nodes_.reserve(2 * leaf_count - 1);
}

void TreeAssembler::add_leaf(const Hash& leaf) {
    DRACO_ASSERT(leaf_count_ < kLeafCountMax, "a content has at most 2^64 bytes");
    if (leaf_count_ > 0)
        for (int merges = std::countr_zero(leaf_count_); merges > 0; --merges)
            merge_last_two(Place::Inner);
    open_[open_count_++] = nodes_.size();
    nodes_.push_back(leaf);
    ++leaf_count_;
}

HashTree TreeAssembler::finish() && {
    DRACO_ASSERT(leaf_count_ > 0, "a tree has at least one leaf");
    while (open_count_ > 2) merge_last_two(Place::Inner);
    if (open_count_ == 2) merge_last_two(Place::Root);
    return HashTree(std::move(nodes_));
}

void TreeAssembler::merge_last_two(Place place) {
    const std::size_t right = open_[--open_count_];
    const std::size_t left = open_[open_count_ - 1];
    const Node parent = parent_node(mode_, nodes_[left], nodes_[right]);
    open_[open_count_ - 1] = nodes_.size();
    nodes_.push_back(place == Place::Root ? parent.root_hash() : parent.chaining_value());
}

BlockHasher::BlockHasher(std::uint64_t block_index, const Mode& mode)
    : block_index_(block_index), hasher_(mode, block_index * kBlockChunks) {
    DRACO_ASSERT(block_index < kLeafCountMax, "a content has at most 2^46 blocks");
}

Result<> BlockHasher::update(ByteView bytes) {
    if (bytes.size() > kBlockBytes - hasher_.bytes())
        return fail(Errc::Exhausted,
                    "block " + std::to_string(block_index_) + " already has " +
                        std::to_string(hasher_.bytes()) + " bytes; " +
                        std::to_string(bytes.size()) + " more exceed the block size of 262144");
    hasher_.update(bytes);
    return {};
}

Node block_node(ByteView block, std::uint64_t block_index, const Mode& mode) {
    DRACO_ASSERT(block_index < kLeafCountMax, "a content has at most 2^46 blocks");
    return subtree_node(mode, block, block_index * kBlockChunks);
}

TreeBuilder::TreeBuilder(const Mode& mode) : mode_(mode), assembler_(mode), block_(mode) {}

void TreeBuilder::reserve_bytes(std::uint64_t content_bytes) {
    assembler_.reserve_leaves(std::min(block_count(content_bytes), kReservedLeavesMax));
}

void TreeBuilder::update(ByteView bytes) {
    while (!bytes.empty()) {
        if (block_.bytes() == kBlockBytes) {
            assembler_.add_leaf(block_.node().chaining_value());
            block_ = Hasher(mode_, assembler_.leaf_count() * kBlockChunks);
        }
        const std::size_t taken =
            std::min(bytes.size(), kBlockBytes - static_cast<std::size_t>(block_.bytes()));
        block_.update(bytes.first(taken));
        bytes = bytes.subspan(taken);
    }
}

std::uint64_t TreeBuilder::bytes() const {
    return assembler_.leaf_count() * kBlockBytes + block_.bytes();
}

HashTree TreeBuilder::finish() && {
    const Node last = block_.node();
    assembler_.add_leaf(assembler_.leaf_count() == 0 ? last.root_hash() : last.chaining_value());
    return std::move(assembler_).finish();
}

}  // namespace draco::blake3_tree
