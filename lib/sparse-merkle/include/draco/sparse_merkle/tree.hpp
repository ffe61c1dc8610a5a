#pragma once
// One version of a sparse Merkle tree (types.hpp has the hashing rules), as an immutable value.
//
// The upper `kUpperLevels` levels are in memory, shared copy-on-write between versions, and never
// stored: at most 2^18 digests and their ancestors, about 23 MiB however many keys there are. Below
// them the tree lies in pages (README has the format). `update` changes nothing: it computes the
// next version and the page writes that lead to it. The owner commits the writes together with the
// data and then adopts the version; to abort, it drops both.
//
//     DRACO_TRY(update, head.update(store, changes));
//     ... store update.writes and the data in one atomic batch ...
//     head = std::move(update.next);
//
// Threading: a Tree is a value; copies are cheap (two words and a digest), and const calls on
// copies may run in any thread. A version must be used with the pages of the same version: pair it
// with a snapshot of the store taken between the same two commits. Pages of another version are
// mostly found out (Corrupt), never undefined behaviour.
//
// Errors of every call that reads pages: what the store returned, or Corrupt where a page does not
// decode or contradicts its parent; it names the page and offset. The remedy is a restore or
// rebuild.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/sparse_merkle/node_hash.hpp"
#include "draco/sparse_merkle/page_store.hpp"
#include "draco/sparse_merkle/types.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace draco::sparse_merkle {

// Levels held in memory and depth of the topmost stored pages. Part of the storage format.
inline constexpr unsigned kUpperLevels = 18;

// A node as its parent sees it.
struct Node {
    enum class Kind : std::uint8_t { Empty, Leaf, Inner };

    Kind kind = Kind::Empty;
    Digest digest;

    bool operator==(const Node&) const = default;
};

namespace detail {

struct UpperPage;

struct UpperLevels {
    Node root;
    std::shared_ptr<const UpperPage> top;  // null iff the tree is empty
};

}  // namespace detail

template <NodeHash H>
class Tree {
public:
    struct Update;

    // The tree without leaves.
    Tree() = default;

    // Loads the version whose pages are in `store` by hashing the topmost pages: O(pages) time.
    // Corrupt if their root is not `expected_root`, which the owner keeps beside its data.
    static Result<Tree> open(const PageStore& store, const Digest& expected_root);

    const Digest& root() const { return upper_.root.digest; }

    // `changes` ascend strictly by key (else InvalidArgument). Hashes each touched inner node once;
    // reads and writes one page per touched subtree at depth kUpperLevels while that has at most 16
    // leaves, and one more per three levels beyond. No page is written twice.
    Result<Update> update(const PageStore& store, std::span<const Change> changes) const;

    // A canonical proof (proof.hpp) that `key` is present or absent, which verifies against root().
    Result<Bytes> prove(const PageStore& store, const Key& key) const;

private:
    explicit Tree(detail::UpperLevels upper) : upper_(std::move(upper)) {}

    detail::UpperLevels upper_;
};

template <NodeHash H>
struct Tree<H>::Update {
    Tree next;
    std::vector<PageWrite> writes;
};

using Sha256Tree = Tree<Sha256Nodes>;
using Keccak256Tree = Tree<Keccak256Nodes>;

extern template class Tree<Sha256Nodes>;
extern template class Tree<Keccak256Nodes>;

}  // namespace draco::sparse_merkle
