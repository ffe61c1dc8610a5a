#pragma once
// Computing a tree from the data it authenticates: to verify a database offline, or to write its
// pages anew.

#include "draco/base/result.hpp"
#include "draco/sparse_merkle/page_store.hpp"
#include "draco/sparse_merkle/tree.hpp"
#include "draco/sparse_merkle/types.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace draco::sparse_merkle {

// The next leaf in strictly ascending order of key, or nullopt at the end.
using LeafSource = std::function<Result<std::optional<Leaf>>()>;
// Stores some pages of a tree being rebuilt; never called twice for one page.
using PageSink = std::function<Result<void>(std::vector<PageWrite> writes)>;

// The root over a stream of leaves, in O(256) memory, without pages and independent of
// Tree::update.
template <NodeHash H>
class RootBuilder {
public:
    // Leaves ascend strictly by key, else InvalidArgument (and the leaf does not count).
    Result<void> add(const Leaf& leaf);

    // Of the leaves so far; more may follow.
    Digest root() const;

private:
    // The left child, at depth `split` + 1, of a node at depth `split` whose right child is open.
    struct Pending {
        unsigned split;
        Node left;
    };

    // The node at `depth` that ends with the last leaf, taking up all of the stack that lies at or
    // below `depth`.
    Node close(unsigned depth, std::vector<Pending>& stack) const;

    std::vector<Pending> stack_;
    std::optional<Leaf> last_;
};

// Calls visit for every leaf stored in `store`, in ascending order of key, and stops at the first
// error. Corrupt as for Tree, and where a page does not hash to what its parent says: with
// Tree::open, which checks the topmost pages against the root, this verifies every stored page.
using LeafVisitor = std::function<Result<void>(const Leaf&)>;
template <NodeHash H>
Result<void> for_each_leaf(const PageStore& store, const LeafVisitor& visit);

// Builds a tree from nothing: gives every page to `sink` and returns the version they belong to.
// The sink's store must hold no pages. Memory: the leaves of one subtree at depth kUpperLevels and
// a few thousand more. Errors: the source's and the sink's; InvalidArgument if keys do not ascend.
template <NodeHash H>
Result<Tree<H>> rebuild(const LeafSource& leaves, const PageSink& sink);

}  // namespace draco::sparse_merkle
