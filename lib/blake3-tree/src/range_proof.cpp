#include "draco/blake3_tree/range_proof.hpp"

#include "draco/base/checked.hpp"

#include <algorithm>

namespace draco::blake3_tree {
namespace {

bool has_frame(BlockRange range, std::uint64_t block) {
    return block == range.first || block % 2 == 0;
}

std::uint64_t frame_count(BlockRange range) {
    return 1 + (range.end - 1) / 2 - range.first / 2;
}

Result<> check_range(BlockRange range) {
    if (range.first < range.end && range.end <= kLeafCountMax) return {};
    return fail(Errc::InvalidArgument,
                "blocks [" + std::to_string(range.first) + ", " + std::to_string(range.end) +
                    ") are not a range of a content");
}

// The bytes of the frame at `offset`, with its count byte.
Result<std::size_t> frame_bytes(ByteView proof, std::size_t offset) {
    const std::size_t bytes = proof_bytes(proof[offset]);
    if (!proof_hash_count(bytes))
        return fail(Errc::Corrupt,
                    "range proof: no frame has " + std::to_string(proof[offset]) +
                        " hashes, at offset " + std::to_string(offset) + "; discard it");
    if (bytes > proof.size() - offset - 1)
        return fail(Errc::Corrupt,
                    "range proof: the frame at offset " + std::to_string(offset) +
                        " is cut short; discard it");
    return bytes + 1;
}

}  // namespace

Result<BlockRange> blocks_of_bytes(std::uint64_t first_byte, std::uint64_t byte_count) {
    const auto end_byte = checked_add(first_byte, byte_count);
    if (byte_count == 0 || !end_byte)
        return fail(Errc::InvalidArgument,
                    std::to_string(byte_count) + " bytes from " + std::to_string(first_byte) +
                        " are empty or pass 2^64");
    return BlockRange{.first = first_byte / kBlockBytes, .end = (*end_byte - 1) / kBlockBytes + 1};
}

Result<Bytes> range_proof(TreeView tree, BlockRange range) {
    range.end = std::min(range.end, tree.leaf_count());
    DRACO_TRY_VOID(check_range(range));
    Bytes out;
    for (std::uint64_t block = range.first; block < range.end; ++block) {
        if (!has_frame(range, block)) continue;
        const Proof proof =
            block == range.first ? initial_proof(tree, block) : resume_proof(tree, block);
        out.push_back(static_cast<std::uint8_t>(proof.bytes().size() / Hash::kSize));
        append(out, proof.bytes());
    }
    return out;
}

Result<RangeVerifier> RangeVerifier::open(const Hash& content_hash, BlockRange range, Bytes proof) {
    DRACO_TRY_VOID(check_range(range));
    std::uint64_t frames = 0;
    for (std::size_t offset = 0; offset < proof.size(); ++frames) {
        DRACO_TRY(bytes, frame_bytes(proof, offset));
        offset += bytes;
    }
    if (frames == 0 || frames > frame_count(range))
        return fail(Errc::Corrupt,
                    "range proof: " + std::to_string(frames) + " frames for blocks [" +
                        std::to_string(range.first) + ", " + std::to_string(range.end) +
                        "); discard it");
    return RangeVerifier(content_hash, range, std::move(proof));
}

Result<Hash> RangeVerifier::verify_block(ByteView block) {
    if (next_block() >= range_.end || verifier_.is_done())
        return fail(Errc::InvalidArgument, "the last block of the range was already verified");
    std::size_t used_after = used_bytes_;
    if (has_frame(range_, next_block())) {
        if (used_bytes_ == proof_.size())
            return fail(Errc::Corrupt,
                        "range proof: it has no frame for block " + std::to_string(next_block()) +
                            "; discard it");
        DRACO_TRY(bytes, frame_bytes(proof_, used_bytes_));
        DRACO_TRY_VOID(verifier_.feed_proof(ByteView(proof_).subspan(used_bytes_ + 1, bytes - 1)));
        used_after += bytes;
    }
    DRACO_TRY(leaf, verifier_.verify_block(block));
    used_bytes_ = used_after;
    return leaf;
}

bool RangeVerifier::is_done() const {
    const bool at_end = next_block() == range_.end || verifier_.is_done();
    return at_end && used_bytes_ == proof_.size();
}

}  // namespace draco::blake3_tree
