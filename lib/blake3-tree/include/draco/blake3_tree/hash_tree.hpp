#pragma once
// The tree over the 256 KiB blocks of a content. Because a block is a complete subtree of 256
// chunks, this tree is the top of the ordinary BLAKE3 tree: its root is the BLAKE3 hash of the
// content.
//
// Shape. n = max(1, ceil(bytes / 262144)) leaves. The left child of a node with k > 1 leaves has L
// leaves, L the largest power of two below k. The tree is stored as the array of its 2n - 1 hashes
// in post-order: left subtree, right subtree, node.
//   leaf i                    index 2i - popcount(i)
//   node c with k leaves      right child c - 1, left child c - 1 - (2(k - L) - 1)
//   root                      last
// A leaf is the chaining value of its block, an inner node that of a parent; the root is finalized
// (ROOT flag). With n = 1 the one entry is the root: the hash of the content.
//
// Directories (directory.hpp) are trees of the same shape over entries instead of blocks, in keyed
// mode.

#include "draco/base/result.hpp"
#include "draco/blake3_tree/hasher.hpp"

#include <bit>
#include <span>
#include <vector>

namespace draco::blake3_tree {

// Enough for a content of 2^64 bytes.
inline constexpr std::uint64_t kLeafCountMax = std::uint64_t{1} << 46;

constexpr std::uint64_t block_count(std::uint64_t content_bytes) {
    return content_bytes == 0 ? 1 : (content_bytes - 1) / kBlockBytes + 1;
}

constexpr std::uint64_t leaf_node_index(std::uint64_t leaf) {
    return 2 * leaf - static_cast<std::uint64_t>(std::popcount(leaf));
}

// The number of leaves under the left child of a node with `leaf_count` > 1 leaves.
constexpr std::uint64_t left_leaf_count(std::uint64_t leaf_count) {
    return std::bit_floor(leaf_count - 1);
}

// A tree stored elsewhere. The hashes are not checked; the shape is.
class TreeView {
public:
    // InvalidArgument unless the number of nodes is odd and within bounds.
    static Result<TreeView> over(std::span<const Hash> nodes);

    std::uint64_t leaf_count() const { return nodes_.size() / 2 + 1; }

    std::span<const Hash> nodes() const { return nodes_; }

    const Hash& root() const { return nodes_.back(); }

    // Precondition: leaf < leaf_count().
    const Hash& leaf(std::uint64_t leaf) const { return nodes_[leaf_node_index(leaf)]; }

private:
    friend class HashTree;

    explicit TreeView(std::span<const Hash> nodes) : nodes_(nodes) {}

    std::span<const Hash> nodes_;
};

// A complete tree in memory: 64 bytes per block, 1/4096 of the content. Value type.
class HashTree {
public:
    // The chaining values of the leaves, in order; the root hash if there is just one.
    // Precondition (asserted): there is at least one.
    static HashTree from_leaves(std::span<const Hash> leaves, const Mode& mode = Mode::plain());

    // Takes an array from disk or from a peer. InvalidArgument for an impossible size; Corrupt,
    // naming the node, if some inner node or the root is not the parent of its children. The leaves
    // are thereby proven against the root, which the caller compares with the hash it asked for. (A
    // single leaf proves nothing but itself.) Costs one compression per leaf.
    static Result<HashTree> from_nodes(std::vector<Hash> nodes, const Mode& mode = Mode::plain());

    TreeView view() const { return TreeView(nodes_); }

    std::uint64_t leaf_count() const { return view().leaf_count(); }

    std::span<const Hash> nodes() const { return nodes_; }

    const Hash& root() const { return nodes_.back(); }

    const Hash& leaf(std::uint64_t leaf) const { return view().leaf(leaf); }

    std::vector<Hash> take_nodes() && { return std::move(nodes_); }

    bool operator==(const HashTree&) const = default;

private:
    friend class TreeAssembler;

    explicit HashTree(std::vector<Hash> nodes) : nodes_(std::move(nodes)) {}

    std::vector<Hash> nodes_;
};

// Lays out the post-order array while leaves arrive one after the other. A node is merged only once
// a further leaf shows that it is not the root.
class TreeAssembler {
public:
    explicit TreeAssembler(const Mode& mode) : mode_(mode) {}

    void reserve_leaves(std::size_t leaf_count);

    // Precondition (asserted): fewer than kLeafCountMax so far.
    void add_leaf(const Hash& leaf);

    std::uint64_t leaf_count() const { return leaf_count_; }

    // Precondition (asserted): at least one leaf was added.
    HashTree finish() &&;

private:
    enum class Place { Inner, Root };
    void merge_last_two(Place place);

    static constexpr std::size_t kOpenMax = 47;

    Mode mode_;
    std::vector<Hash> nodes_;
    std::array<std::size_t, kOpenMax> open_{};  // nodes without a parent yet, left to right
    std::size_t open_count_ = 0;
    std::uint64_t leaf_count_ = 0;
};

// Hashes one block of a content as its bytes arrive.
class BlockHasher {
public:
    // Precondition (asserted): block_index < kLeafCountMax.
    explicit BlockHasher(std::uint64_t block_index, const Mode& mode = Mode::plain());

    // Exhausted, leaving the hasher unchanged, if the block would exceed kBlockBytes.
    Result<> update(ByteView bytes);

    std::uint64_t block_index() const { return block_index_; }

    std::size_t bytes() const { return static_cast<std::size_t>(hasher_.bytes()); }

    // .chaining_value() is the leaf of a tree of several blocks, .root_hash() the hash of a content
    // of one block.
    Node node() const { return hasher_.node(); }

private:
    std::uint64_t block_index_;
    Hasher hasher_;
};

// The same for a block that is in memory as a whole, without copying it.
// Preconditions (asserted): block.size() <= kBlockBytes, block_index < kLeafCountMax.
Node block_node(ByteView block, std::uint64_t block_index, const Mode& mode = Mode::plain());

// Builds the tree of a content as its bytes arrive, in pieces of any size. Fastest when updates are
// whole multiples of kBlockBytes. Memory: the tree, and about 4 KiB.
class TreeBuilder {
public:
    explicit TreeBuilder(const Mode& mode = Mode::plain());

    // A hint of how much will come, which may be a stranger's claim: at most 4 MiB are reserved
    // (enough for 16 GiB of content), and more or less may come.
    void reserve_bytes(std::uint64_t content_bytes);
    void update(ByteView bytes);

    std::uint64_t bytes() const;

    HashTree finish() &&;

private:
    Mode mode_;
    TreeAssembler assembler_;
    Hasher block_;  // the last block, open while it may be the only one
};

}  // namespace draco::blake3_tree
