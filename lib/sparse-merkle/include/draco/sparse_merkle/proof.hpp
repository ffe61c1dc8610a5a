#pragma once
// Proofs that a key is, or is not, in the tree with a given root. The verifiers need no tree, store
// or allocation; they accept foreign bytes, and exactly one encoding for each statement.
//
//     offset  bytes  field
//     0       1      version = 1
//     1       1      kind: 0 present, 1 absent (the slot is empty), 2 absent (another leaf is
//     there) 2       2      depth of the slot, little-endian, 0..256 4       ceil(depth / 8)
//     bitmap: bit i (least significant first) is set iff the sibling at
//                    depth i + 1 is not empty. Unused bits are zero; bit depth - 1 is set.
//     ...     32 each  the siblings that are not empty, deepest first; none is zero
//     ...     64     kind 2 only: key and value hash of the other leaf. The key differs from the
//                    queried one and shares its first `depth` bits.
//
// Sound while H is collision resistant and no message hashes to zero.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/sparse_merkle/node_hash.hpp"
#include "draco/sparse_merkle/types.hpp"

#include <cstddef>

namespace draco::sparse_merkle {

inline constexpr std::size_t kProofBytesMax = 4 + 32 + std::size_t{256} * 32 + 64;

// Ok: the tree with `root` holds `value_hash` at `key`.
// Corrupt: not a canonical encoding (the offset is named), or the root does not come out.
// InvalidArgument: it is a proof of absence.
// Costs one leaf hash and `depth` inner hashes.
template <NodeHash H>
Result<void> verify_membership(const Digest& root,
                               const Key& key,
                               const ValueHash& value_hash,
                               ByteView proof);

// Ok: the tree with `root` has no leaf at `key`. Errors as above; InvalidArgument: it is a proof of
// membership.
template <NodeHash H>
Result<void> verify_absence(const Digest& root, const Key& key, ByteView proof);

}  // namespace draco::sparse_merkle
