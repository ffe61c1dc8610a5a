#pragma once
// The three kinds of tree node that are compressed directly (sections 2.4 and 2.5).

#include "draco/blake3_tree/hasher.hpp"

namespace draco::blake3_tree {

// Precondition: at most kChunkBytes of input.
Node chunk_node(const Mode& mode, ByteView input, std::uint64_t chunk);

Node parent_node(const Mode& mode, const Hash& left, const Hash& right);

// The tree over up to kBlockBytes of input that begins at chunk first_chunk. Hashes all chunks,
// then each level of parents, as wide as the instruction set allows.
Node subtree_node(const Mode& mode, ByteView input, std::uint64_t first_chunk);

}  // namespace draco::blake3_tree
