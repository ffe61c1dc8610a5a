#include "draco/blake3_tree/verifier.hpp"

#include "node.hpp"

#include <bit>
#include <cstring>

namespace draco::blake3_tree {
namespace {

struct DecodedProof {
    std::array<Hash, kProofHashesMax> hashes;
    std::size_t count;
    std::uint64_t left_siblings;  // bit i: hashes[i] is a left sibling

    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): decode() writes what is read
    DecodedProof() {}
};

// Precondition: proof_hash_count(bytes.size()) == proof.count.
Result<> decode(ByteView bytes, DecodedProof& proof) {
    proof.left_siblings = 0;
    std::size_t offset = 0;
    for (std::size_t first = 0; first < proof.count;) {
        const std::size_t in_segment = (proof.count - first - 1) % kSegmentHashes + 1;
        const std::uint8_t sign = bytes[offset++];
        if ((sign & (0xFFU >> in_segment)) != 0)
            return fail(Errc::Corrupt,
                        "proof: sign byte at offset " + std::to_string(offset - 1) +
                            " has bits set that belong to no hash; discard it");
        for (std::size_t i = 0; i < in_segment; ++i, offset += Hash::kSize) {
            std::memcpy(proof.hashes[first + i].data(), bytes.data() + offset, Hash::kSize);
            if ((sign & (0x80U >> i)) != 0) proof.left_siblings |= std::uint64_t{1} << (first + i);
        }
        first += in_segment;
    }
    return {};
}

// Whether an initial proof with these left siblings can be one of leaf `leaf`. They are the
// complete subtrees that add up to `leaf` leaves, one for each bit of it. Below the highest right
// sibling all subtrees are complete, so there the bit of each level is known; above it lies the
// right edge of the tree, where levels may be missing. A bit at the leaf itself, which is on no
// side, would pass the merge: it is refused here.
bool leads_to(std::uint64_t leaf, std::size_t hash_count, std::uint64_t left_siblings) {
    const std::uint64_t right_siblings = ~left_siblings & ((std::uint64_t{1} << hash_count) - 1);
    const auto highest_right = std::bit_width(right_siblings | 1) - 1;
    const std::uint64_t levels_known = (std::uint64_t{1} << highest_right) - 1;
    return (left_siblings & 1) == 0 && ((left_siblings >> 1 ^ leaf) & levels_known) == 0 &&
           std::popcount(left_siblings) == std::popcount(leaf);
}

Hash top_of(const Mode& mode, const DecodedProof& proof, bool is_root) {
    Hash below = proof.hashes[0];
    for (std::size_t i = 1; i < proof.count; ++i) {
        const bool is_left = (proof.left_siblings >> i & 1) != 0;
        const Node parent = is_left ? parent_node(mode, proof.hashes[i], below)
                                    : parent_node(mode, below, proof.hashes[i]);
        below = is_root && i + 1 == proof.count ? parent.root_hash() : parent.chaining_value();
    }
    return below;
}

}  // namespace

TreeVerifier::TreeVerifier(const Hash& root, std::uint64_t first_leaf, const Mode& mode)
    : mode_(mode), next_leaf_(first_leaf), target_(root) {
    pending_[0] = root;
}

Result<> TreeVerifier::check_hash_count(std::size_t hash_count) const {
    if (target_is_root_) return {};
    const auto count_max = static_cast<std::size_t>(std::countr_zero(next_leaf_)) + 1;
    if (hash_count <= count_max) return {};
    return fail(Errc::Corrupt,
                "resume proof of leaf " + std::to_string(next_leaf_) + " has " +
                    std::to_string(hash_count) + " hashes, more than the " +
                    std::to_string(count_max) + " below the node it starts from; discard it");
}

Result<> TreeVerifier::feed_proof(ByteView bytes) {
    if (is_done()) return fail(Errc::InvalidArgument, "proof: the last leaf was already accepted");
    if (next_leaf_ >= kLeafCountMax)
        return fail(Errc::InvalidArgument,
                    "leaf " + std::to_string(next_leaf_) + ": no tree has so many leaves");
    const auto count = proof_hash_count(bytes.size());
    if (!count)
        return fail(Errc::Corrupt,
                    "proof: " + std::to_string(bytes.size()) +
                        " bytes is the length of no proof; discard it");
    if (*count == 0) {
        replace_target({&target_, 1}, 0);
        return {};
    }
    DRACO_TRY_VOID(check_hash_count(*count));

    DecodedProof proof;
    proof.count = *count;
    DRACO_TRY_VOID(decode(bytes, proof));
    const bool is_in_place = target_is_root_
                                 ? leads_to(next_leaf_, proof.count, proof.left_siblings)
                                 : proof.left_siblings == 0;
    if (!is_in_place)
        return fail(Errc::Corrupt,
                    "proof of leaf " + std::to_string(next_leaf_) +
                        " marks the wrong hashes as left siblings; discard it");
    const auto left_count = static_cast<std::size_t>(std::popcount(proof.left_siblings));
    if (right_of_target_ + proof.count - left_count > pending_.size())
        return fail(Errc::Corrupt, "proof: the tree would have more than 46 levels; discard it");
    if (top_of(mode_, proof, target_is_root_) != target_)
        return fail(Errc::Corrupt,
                    "proof of leaf " + std::to_string(next_leaf_) +
                        " does not lead to the expected hash; discard it");
    replace_target({proof.hashes.data(), proof.count}, proof.left_siblings);
    return {};
}

void TreeVerifier::replace_target(std::span<const Hash> hashes, std::uint64_t left_siblings) {
    pending_count_ = right_of_target_;
    for (std::size_t i = hashes.size(); i-- > 0;)
        if ((left_siblings >> i & 1) == 0) pending_[pending_count_++] = hashes[i];
    is_proof_given_ = hashes.size() > 1;
}

Result<> TreeVerifier::accept_leaf(const Hash& leaf) {
    if (is_done()) return fail(Errc::InvalidArgument, "the last leaf was already accepted");
    if (expects_root() && next_leaf_ > 0)
        return fail(Errc::InvalidArgument,
                    "leaf " + std::to_string(next_leaf_) + " needs an initial proof first");
    if (leaf != pending_[pending_count_ - 1])
        return fail(
            Errc::Corrupt,
            "leaf " + std::to_string(next_leaf_) + " does not have the expected hash; discard it");
    --pending_count_;
    ++next_leaf_;
    target_is_root_ = false;
    is_proof_given_ = false;
    if (pending_count_ > 0) {
        target_ = pending_[pending_count_ - 1];
        right_of_target_ = pending_count_ - 1;
    }
    return {};
}

IncrementalVerifier::IncrementalVerifier(const Hash& content_hash,
                                         std::uint64_t first_block,
                                         const Mode& mode)
    : mode_(mode), tree_(content_hash, first_block, mode) {}

// Sizes are fixed by the position alone, so that a proof that descends into a block, where the
// hashes are as genuine as above, cannot pass off a part of the block as the block.
Result<> IncrementalVerifier::check_block_size(std::size_t bytes) const {
    if (is_done()) return fail(Errc::InvalidArgument, "the last block was already verified");
    if (next_block() >= kLeafCountMax)
        return fail(Errc::InvalidArgument, "a content has at most 2^46 blocks");
    const bool fits = tree_.expects_last()
                          ? bytes <= kBlockBytes && (bytes > 0 || tree_.expects_root())
                          : bytes == kBlockBytes;
    if (fits) return {};
    return fail(Errc::Corrupt,
                "block " + std::to_string(next_block()) + " cannot have " + std::to_string(bytes) +
                    " bytes here; discard it");
}

Result<Hash> IncrementalVerifier::verify_block(ByteView block) {
    DRACO_TRY_VOID(check_block_size(block.size()));
    return accept(block_node(block, next_block(), mode_), block.size());
}

Result<Hash> IncrementalVerifier::verify_block(const BlockHasher& block) {
    DRACO_TRY_VOID(check_block_size(block.bytes()));
    if (block.block_index() != next_block())
        return fail(Errc::InvalidArgument,
                    "block " + std::to_string(block.block_index()) + " was hashed, block " +
                        std::to_string(next_block()) + " is expected");
    return accept(block.node(), block.bytes());
}

Result<Hash> IncrementalVerifier::accept(const Node& node, std::size_t bytes) {
    const Hash leaf = tree_.expects_root() ? node.root_hash() : node.chaining_value();
    DRACO_TRY_VOID(tree_.accept_leaf(leaf));
    last_block_bytes_ = bytes;
    return leaf;
}

std::optional<std::uint64_t> IncrementalVerifier::content_bytes() const {
    if (!is_done()) return std::nullopt;
    return (next_block() - 1) * kBlockBytes + last_block_bytes_;
}

}  // namespace draco::blake3_tree
