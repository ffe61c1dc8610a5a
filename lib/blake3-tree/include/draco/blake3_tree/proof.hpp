#pragma once
// Proofs that a leaf belongs to a tree.
//
// Encoding. Walk from a node down to the leaf; at each step take the sibling that is not entered,
// at the end the leaf itself. Reversed, the list is: leaf, lowest sibling, ..., highest sibling. It
// is cut into segments of 8 hashes from its END, so only the first segment may be shorter:
//   segment = 1 sign byte | 1..8 hashes of 32 bytes
//   sign byte: most significant bit = first hash of the segment; set <=> the hash is a left
//   sibling; bits without a hash are 0. The leaf has 0.
// count hashes take 32 * count + ceil(count / 8) bytes; count is 2..47, or the proof is empty.
//
// An *initial* proof walks from the root; it is empty for a tree of one leaf. A *resume* proof for
// leaf i > 0 serves a verifier that has just accepted leaf i - 1: it walks from the highest node
// whose first leaf is i, of min(2^ctz(i), n - i) leaves, and is empty if that is the leaf itself (i
// odd, or i the last leaf).
//
// Threading: functions of const data. No allocation.

#include "draco/blake3_tree/hash_tree.hpp"

#include <array>
#include <optional>

namespace draco::blake3_tree {

// The leaf and one sibling for each of the 46 levels of the largest tree.
inline constexpr std::size_t kProofHashesMax = 47;
inline constexpr std::size_t kSegmentHashes = 8;

constexpr std::size_t proof_bytes(std::size_t hash_count) {
    return hash_count * Hash::kSize + (hash_count + kSegmentHashes - 1) / kSegmentHashes;
}

inline constexpr std::size_t kProofBytesMax = proof_bytes(kProofHashesMax);
static_assert(kProofBytesMax == 1510);

// The number of hashes in a proof of this size; nullopt if no proof has this size.
constexpr std::optional<std::size_t> proof_hash_count(std::size_t bytes) {
    const std::size_t count = bytes / Hash::kSize;
    const bool possible = count == 0 || (count >= 2 && count <= kProofHashesMax);
    if (!possible || proof_bytes(count) != bytes) return std::nullopt;
    return count;
}

enum class Side : std::uint8_t { Left, Right };

// An encoded proof in a fixed buffer. It is written from its end towards its beginning, in the
// order in which the walk meets the hashes.
class Proof {
public:
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): the buffer is read where written
    Proof() {}

    ByteView bytes() const { return ByteView(buffer_).subspan(begin_); }

    // Puts a hash before those already there. Precondition (asserted): fewer than kProofHashesMax.
    void prepend(Side side, const Hash& hash);
    // Completes the first segment. Nothing may be prepended afterwards.
    void close();

private:
    void write_sign();

    std::array<std::uint8_t, kProofBytesMax> buffer_;
    std::size_t begin_ = kProofBytesMax;
    std::size_t hash_count_ = 0;
    std::uint8_t sign_ = 0;  // of the open segment
};

// Empty if `leaf` is not in the tree.
Proof initial_proof(TreeView tree, std::uint64_t leaf);
// Empty also for leaf 0.
Proof resume_proof(TreeView tree, std::uint64_t leaf);

}  // namespace draco::blake3_tree
