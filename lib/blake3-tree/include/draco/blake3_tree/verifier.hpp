#pragma once
// Checks a content that arrives block by block, from an untrusted sender, against nothing but its
// hash. A block that is accepted is the true block at its position: what was accepted so far may be
// used before the rest has arrived.
//
// Protocol, for each block from the first one wanted: feed_proof() (initial for the first, resume
// for the others; an empty proof may be left out), then verify_block(). The end is reached when
// is_done(): only then is the length of the content known, because BLAKE3 commits to the length
// through the last chunk only. A sender who stops earlier, or who offers a shorter content, cannot
// make is_done() true.
//
// Errors are Corrupt for bytes that are not what the hash demands (discard them, ask another
// sender; the verifier is unchanged and the same step may be repeated) and InvalidArgument for a
// step that makes no sense at this point. When a block fails, its proof may be at fault too (it is
// genuine, but of another node): feeding another proof for the same block replaces it. Values
// without threads or allocation (except in error messages), about 1.7 KiB. A proof of k hashes
// costs k - 1 compressions.

#include "draco/blake3_tree/proof.hpp"

namespace draco::blake3_tree {

// The walk over the tree, for leaves of any kind: the stack of hashes that are proven but whose
// leaves have not been seen, the next one on top. The hash of a leaf must bind its index, as those
// of blocks do by the chunk counter and those of directory entries by their transcript: the root
// does not tell how many leaves there are, so at the right edge the same hashes could prove leaf 1
// of 2 or leaf 2 of 3.
class TreeVerifier {
public:
    TreeVerifier(const Hash& root, std::uint64_t first_leaf, const Mode& mode);

    // Beyond the encoding it checks that left siblings are where next_leaf() demands them (nowhere
    // in a resume proof) and that a resume proof descends no further than its leaf. Replaces an
    // earlier proof for the same leaf.
    Result<> feed_proof(ByteView proof);

    // Whether the next leaf is the whole tree: then its root hash is expected.
    bool expects_root() const { return target_is_root_ && !is_proof_given_; }

    // Whether no leaf follows the next one.
    bool expects_last() const { return pending_count_ == 1; }

    Result<> accept_leaf(const Hash& leaf);

    // The last leaf of the tree was accepted.
    bool is_done() const { return pending_count_ == 0; }

    std::uint64_t next_leaf() const { return next_leaf_; }

private:
    Result<> check_hash_count(std::size_t hash_count) const;
    void replace_target(std::span<const Hash> hashes, std::uint64_t left_siblings);

    Mode mode_;
    std::array<Hash, kProofHashesMax> pending_;
    std::size_t pending_count_ = 1;
    std::uint64_t next_leaf_;
    // The node that a proof for next_leaf_ walks from, and how many pending ones lie to its right.
    Hash target_;
    std::size_t right_of_target_ = 0;
    bool target_is_root_ = true;
    bool is_proof_given_ = false;
};

class IncrementalVerifier {
public:
    explicit IncrementalVerifier(const Hash& content_hash,
                                 std::uint64_t first_block = 0,
                                 const Mode& mode = Mode::plain());

    Result<> feed_proof(ByteView proof) { return tree_.feed_proof(proof); }

    // Returns the leaf hash of the block: HashTree::from_leaves of all of them is the tree.
    // Besides a wrong hash, Corrupt: a block longer than kBlockBytes, or shorter without being the
    // last.
    Result<Hash> verify_block(ByteView block);
    // A block hashed while it arrived, with the mode of this verifier. InvalidArgument if it was
    // hashed for another position.
    Result<Hash> verify_block(const BlockHasher& block);

    bool is_done() const { return tree_.is_done(); }

    std::uint64_t next_block() const { return tree_.next_leaf(); }

    // The length of the content, proven; nullopt before is_done().
    std::optional<std::uint64_t> content_bytes() const;

private:
    Result<> check_block_size(std::size_t bytes) const;
    Result<Hash> accept(const Node& node, std::size_t bytes);

    Mode mode_;
    TreeVerifier tree_;
    std::uint64_t last_block_bytes_ = 0;
};

}  // namespace draco::blake3_tree
