#pragma once
// One proof for a run of consecutive blocks [first, end) of a content: what a range request carries
// besides the bytes. It is made for streaming: each block is proven when it arrives.
//
// Encoding: frame(first), then frame(i) for each even i in (first, end). Odd blocks after the first
// have no frame, because their resume proof is always empty.
//   frame = 1 byte hash count (0 or 2..47) | proof of that many hashes (proof.hpp)
// frame(first) is the initial proof, the others are resume proofs. For given tree and range there
// is one encoding. Beside the first frame it takes at most 50 bytes per block.
//
// What a range proves about the length. BLAKE3 binds the length of a content only through its last
// chunk, so a verifier learns it when, and only when, the range includes the last block: then no
// proven hash remains without its block and content_bytes() is known. A range that ends earlier is
// proven to be followed by more. A range that reaches beyond the content is shortened to it, and
// the receiver can tell: content_bytes() has a value. A range that begins beyond the content cannot
// be proven to be empty; ask for one that includes the last block.

#include "draco/blake3_tree/verifier.hpp"

namespace draco::blake3_tree {

struct BlockRange {
    std::uint64_t first = 0;
    std::uint64_t end = 0;  // one past the last

    bool operator==(const BlockRange&) const = default;
};

// The blocks that hold bytes [first_byte, first_byte + byte_count).
// InvalidArgument if the range is empty or exceeds 2^64 bytes.
Result<BlockRange> blocks_of_bytes(std::uint64_t first_byte, std::uint64_t byte_count);

// `range.end` may lie beyond the tree. InvalidArgument if the range is empty or begins beyond it.
Result<Bytes> range_proof(TreeView tree, BlockRange range);

// Verifies the blocks of a range as they arrive. Errors and their meaning are
// IncrementalVerifier's.
class RangeVerifier {
public:
    // Takes the proof as it came from the sender. Corrupt if it is not a sequence of frames, or has
    // more of them than the range can have. `range` is what was asked for.
    static Result<RangeVerifier> open(const Hash& content_hash, BlockRange range, Bytes proof);

    // Verifies block next_block(). The verifier is unchanged if that fails.
    Result<Hash> verify_block(ByteView block);

    std::uint64_t next_block() const { return verifier_.next_block(); }

    // Every block of the range, or of its part that exists, is verified, and the proof used up.
    bool is_done() const;

    // The length of the content, if the range reached its end.
    std::optional<std::uint64_t> content_bytes() const { return verifier_.content_bytes(); }

private:
    RangeVerifier(const Hash& content_hash, BlockRange range, Bytes proof)
        : verifier_(content_hash, range.first), range_(range), proof_(std::move(proof)) {}

    IncrementalVerifier verifier_;
    BlockRange range_;
    Bytes proof_;
    std::size_t used_bytes_ = 0;
};

}  // namespace draco::blake3_tree
