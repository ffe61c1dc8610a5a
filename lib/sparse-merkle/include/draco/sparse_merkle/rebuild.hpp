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

// The root over all leaves of the source, streaming: O(256) memory, no pages, independent of
// Tree::update. Errors: the source's; InvalidArgument if keys do not ascend.
template <NodeHash H>
Result<Digest> compute_root(const LeafSource& leaves);

// Builds a tree from nothing: gives every page to `sink` and returns the version they belong to.
// The sink's store must hold no pages. Memory: the leaves of one subtree at depth kUpperLevels and
// a few thousand more. Errors: the source's and the sink's; InvalidArgument if keys do not ascend.
template <NodeHash H>
Result<Tree<H>> rebuild(const LeafSource& leaves, const PageSink& sink);

}  // namespace draco::sparse_merkle
