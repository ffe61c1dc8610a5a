#pragma once
// The values a sparse Merkle tree is made of. All are plain value types.
//
// The tree is a binary trie over 256-bit keys. Bit 0 of a key is the most significant bit of its
// first byte; the node at depth d covers the keys that share their first d bits. A subtree without
// leaves has the zero digest; a subtree with exactly one leaf *is* that leaf, at the highest level
// possible; every other node is an inner node. The root therefore depends on the set of leaves and
// on nothing else.
//
//     empty                       32 zero bytes
//     leaf(key, value_hash)       H(0x00 || key || value_hash)      65 bytes
//     inner(left, right)          H(left || right)                  64 bytes
//
// Leaves and inner nodes are told apart by the length of what is hashed: one message cannot be
// both, so a node that could be read either way would be a collision of H. A leaf binds its whole
// key, so it cannot be moved to another slot.

#include "draco/base/bytes.hpp"

#include <cstdint>
#include <optional>

namespace draco::sparse_merkle {

struct KeyTag;
struct ValueHashTag;
struct DigestTag;

// Keys are the output of a hash: their first bits are expected to be uniform. Correctness does not
// depend on it, only depth and speed.
using Key = FixedBytes<KeyTag, 32>;
using ValueHash = FixedBytes<ValueHashTag, 32>;
using Digest = FixedBytes<DigestTag, 32>;

inline constexpr unsigned kKeyBits = 256;
inline constexpr Digest kEmptyDigest{};  // of the tree, or a subtree, without leaves

struct Leaf {
    Key key;
    ValueHash value_hash;

    bool operator==(const Leaf&) const = default;
};

// Sets (value_hash present) or removes (absent) a key. Removing an absent key, or setting what is
// already there, is no change.
struct Change {
    Key key;
    std::optional<ValueHash> value_hash;
};

}  // namespace draco::sparse_merkle
