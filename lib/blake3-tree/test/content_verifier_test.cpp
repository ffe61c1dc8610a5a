#include "draco/blake3_tree/range_proof.hpp"
#include "draco/testing/seed.hpp"

#include "sample.hpp"

#include <gtest/gtest.h>

namespace draco::blake3_tree {
namespace {

struct Content {
    Bytes bytes;
    HashTree tree;

    explicit Content(std::size_t size)
        : bytes(sample::counting(size)), tree(HashTree::from_leaves(model::leaves_of({}, bytes))) {}

    ByteView block(std::size_t index) const { return sample::block_of(bytes, index); }
};

template <class T>
Errc code_of(const Result<T>& result) {
    EXPECT_FALSE(result);
    return result.error().code;
}

// One content for all tests, since the model is slow: six blocks and the last of seven bytes.
const Content& six_blocks() {
    static const Content content(5 * kBlockBytes + 7);
    return content;
}

TEST(IncrementalVerifier, ContentsOfEverySize) {
    // Honest streams of the sizes at the edges, from every block, end with the true length.
    for (const std::size_t size : {std::size_t{0},
                                   std::size_t{1},
                                   std::size_t{1024},
                                   kBlockBytes - 1,
                                   kBlockBytes,
                                   kBlockBytes + 1,
                                   2 * kBlockBytes,
                                   3 * kBlockBytes - 5}) {
        const Content content(size);
        for (std::uint64_t first = 0; first < content.tree.leaf_count(); ++first) {
            IncrementalVerifier verifier(content.tree.root(), first);
            for (std::uint64_t i = first; i < content.tree.leaf_count(); ++i) {
                const Proof proof = i == first ? initial_proof(content.tree.view(), i)
                                               : resume_proof(content.tree.view(), i);
                ASSERT_FALSE(verifier.content_bytes());
                ASSERT_TRUE(verifier.feed_proof(proof.bytes()));
                const auto leaf = verifier.verify_block(content.block(i));
                ASSERT_TRUE(leaf) << size << " " << i;
                EXPECT_EQ(*leaf, content.tree.leaf(i));
            }
            EXPECT_TRUE(verifier.is_done());
            EXPECT_EQ(verifier.content_bytes(), size);
        }
    }
}

TEST(IncrementalVerifier, StreamedBlocks) {
    // Blocks hashed while they arrive are accepted like whole ones, but only at their own position.
    const Content& content = six_blocks();
    IncrementalVerifier verifier(content.tree.root(), 3);
    ASSERT_TRUE(verifier.feed_proof(initial_proof(content.tree.view(), 3).bytes()));
    BlockHasher other(2);
    BlockHasher hasher(3);
    for (std::size_t at = 0; at < kBlockBytes; at += 65536) {
        ASSERT_TRUE(hasher.update(content.block(3).subspan(at, 65536)));
        ASSERT_TRUE(other.update(content.block(3).subspan(at, 65536)));
    }
    EXPECT_EQ(code_of(verifier.verify_block(other)), Errc::InvalidArgument);
    EXPECT_EQ(*verifier.verify_block(hasher), content.tree.leaf(3));
}

TEST(IncrementalVerifier, RefusesDamagedBlocksAndGoesOn) {
    // A flipped bit, a shorter or longer block, another block: refused without harm.
    const Content& content = six_blocks();
    IncrementalVerifier verifier(content.tree.root());
    for (std::uint64_t i = 0; i < 6; ++i) {
        const Proof proof =
            i == 0 ? initial_proof(content.tree.view(), 0) : resume_proof(content.tree.view(), i);
        ASSERT_TRUE(verifier.feed_proof(proof.bytes()));
        Bytes block = to_bytes(content.block(i));
        for (const std::size_t at : {std::size_t{0}, block.size() / 2, block.size() - 1}) {
            block[at] ^= 0x10;
            EXPECT_EQ(code_of(verifier.verify_block(block)), Errc::Corrupt);
            block[at] ^= 0x10;
        }
        block.push_back(0);
        EXPECT_EQ(code_of(verifier.verify_block(block)), Errc::Corrupt);
        block.resize(block.size() - 2);
        EXPECT_EQ(code_of(verifier.verify_block(block)), Errc::Corrupt);
        EXPECT_EQ(code_of(verifier.verify_block(ByteView())), Errc::Corrupt);
        EXPECT_EQ(code_of(verifier.verify_block(content.block((i + 1) % 6))), Errc::Corrupt);
        EXPECT_FALSE(verifier.is_done());
        ASSERT_TRUE(verifier.verify_block(content.block(i)));
    }
    EXPECT_TRUE(verifier.is_done());
    EXPECT_EQ(code_of(verifier.verify_block(content.block(0))), Errc::InvalidArgument);
}

TEST(IncrementalVerifier, EarlyEndIsNotTheEnd) {
    // A sender that stops, or passes off a prefix as everything, is found out.
    const Content& content = six_blocks();
    IncrementalVerifier verifier(content.tree.root());
    EXPECT_EQ(code_of(verifier.verify_block(content.block(0))), Errc::Corrupt);
    EXPECT_EQ(code_of(verifier.verify_block(ByteView())), Errc::Corrupt);
    ASSERT_TRUE(verifier.feed_proof(initial_proof(content.tree.view(), 0).bytes()));
    for (std::uint64_t i = 0; i < 5; ++i) {
        ASSERT_TRUE(verifier.feed_proof(i == 0 ? initial_proof(content.tree.view(), 0).bytes()
                                               : resume_proof(content.tree.view(), i).bytes()));
        ASSERT_TRUE(verifier.verify_block(content.block(i)));
        EXPECT_FALSE(verifier.is_done());
        EXPECT_EQ(verifier.content_bytes(), std::nullopt);
    }
}

TEST(IncrementalVerifier, RefusesPartsOfABlock) {
    // Hashes inside a block are as genuine as those above it. A proof down to half a block must not
    // make that half pass as the block, in a content of one block and of several.
    for (const std::size_t size : {kBlockBytes, 2 * kBlockBytes}) {
        const Content content(size);
        const std::size_t half = kBlockBytes / 2;
        std::vector<Hash> halves;
        for (std::size_t at = 0; at < size; at += half)
            halves.push_back(
                model::to_hash(model::subtree({},
                                              ByteView(content.bytes).subspan(at, half),
                                              at / kChunkBytes,
                                              model::Place::Inner)));
        IncrementalVerifier verifier(content.tree.root());
        ASSERT_TRUE(verifier.feed_proof(model::initial_proof({}, halves, 0)));
        EXPECT_EQ(code_of(verifier.verify_block(ByteView(content.bytes).first(half))),
                  Errc::Corrupt);
        EXPECT_EQ(code_of(verifier.verify_block(content.block(0))), Errc::Corrupt);
        // The true proof still replaces it.
        ASSERT_TRUE(verifier.feed_proof(initial_proof(content.tree.view(), 0).bytes()));
        EXPECT_TRUE(verifier.verify_block(content.block(0)));
    }
}

TEST(IncrementalVerifier, RefusesAnEmptyBlockAfterAnother) {
    // Who makes up the hash may put a chunk of no bytes after a whole block. No content has that
    // hash, so there must be no content that verifies against it.
    const Content& content = six_blocks();
    const Hash leaves[] = {content.tree.leaf(0), block_node({}, 1).chaining_value()};
    const HashTree tree = HashTree::from_leaves(leaves);
    IncrementalVerifier verifier(tree.root());
    ASSERT_TRUE(verifier.feed_proof(initial_proof(tree.view(), 0).bytes()));
    ASSERT_TRUE(verifier.verify_block(content.block(0)));
    EXPECT_EQ(code_of(verifier.verify_block(ByteView())), Errc::Corrupt);
    EXPECT_FALSE(verifier.is_done());
}

TEST(IncrementalVerifier, RefusesBlocksThatNoContentHas) {
    // Positions past the largest content are an error, not arithmetic that wraps.
    const Content& content = six_blocks();
    for (const std::uint64_t first : {kLeafCountMax, ~std::uint64_t{0}}) {
        IncrementalVerifier verifier(content.tree.root(), first);
        EXPECT_EQ(code_of(verifier.feed_proof({})), Errc::InvalidArgument);
        EXPECT_EQ(code_of(verifier.verify_block(content.block(5))), Errc::InvalidArgument);
    }
}

TEST(RangeProof, EveryRange) {
    // Every range of the six blocks verifies; the length is known exactly when the end is in it.
    const Content& content = six_blocks();
    for (std::uint64_t first = 0; first < 6; ++first) {
        for (std::uint64_t end = first + 1; end <= 8; ++end) {
            const BlockRange range{.first = first, .end = end};
            Bytes proof = *range_proof(content.tree.view(), range);
            auto verifier = *RangeVerifier::open(content.tree.root(), range, std::move(proof));
            const std::uint64_t real_end = std::min<std::uint64_t>(end, 6);
            for (std::uint64_t i = first; i < real_end; ++i) {
                EXPECT_FALSE(verifier.is_done());
                EXPECT_EQ(code_of(verifier.verify_block(content.block((i + 1) % 6))),
                          Errc::Corrupt);
                ASSERT_TRUE(verifier.verify_block(content.block(i))) << first << " " << end;
            }
            EXPECT_TRUE(verifier.is_done());
            EXPECT_EQ(verifier.content_bytes().has_value(), end >= 6);
            if (end >= 6) EXPECT_EQ(verifier.content_bytes(), content.bytes.size());
            EXPECT_EQ(code_of(verifier.verify_block(content.block(0))), Errc::InvalidArgument);
        }
    }
}

// Whether the blocks of the range, offered honestly, are verified to its end with this proof.
bool verifies(const Content& content, BlockRange range, const Bytes& proof) {
    auto verifier = RangeVerifier::open(content.tree.root(), range, proof);
    if (!verifier) {
        EXPECT_EQ(verifier.error().code, Errc::Corrupt);
        return false;
    }
    for (std::uint64_t i = range.first; i < std::min<std::uint64_t>(range.end, 6); ++i)
        if (!verifier->verify_block(content.block(i))) return false;
    return verifier->is_done();
}

TEST(RangeProof, RefusesEveryDamage) {
    // Truncated at every length, padded, every bit flipped: such a proof never verifies its range.
    const Content& content = six_blocks();
    const BlockRange range{.first = 1, .end = 6};
    const Bytes proof = *range_proof(content.tree.view(), range);
    ASSERT_TRUE(verifies(content, range, proof));
    for (std::size_t bytes = 0; bytes < proof.size(); ++bytes)
        ASSERT_FALSE(verifies(content, range, to_bytes(ByteView(proof).first(bytes)))) << bytes;
    for (const int extra : {0, 1, 2, 255}) {
        Bytes padded = proof;
        padded.push_back(static_cast<std::uint8_t>(extra));
        ASSERT_FALSE(verifies(content, range, padded));
    }
    for (std::size_t bit = 0; bit < proof.size() * 8; bit += 3) {
        Bytes damaged = proof;
        damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        ASSERT_FALSE(verifies(content, range, damaged)) << bit;
    }
}

TEST(RangeProof, RefusesFramesThatNothingNeeds) {
    // More frames than the range can have are refused at once; frames for blocks past the end of
    // the content are found when the end is reached.
    const Content& content = six_blocks();
    const BlockRange whole{.first = 1, .end = 6};
    Bytes proof = *range_proof(content.tree.view(), whole);
    proof.push_back(0);
    EXPECT_EQ(code_of(RangeVerifier::open(content.tree.root(), whole, proof)), Errc::Corrupt);
    const BlockRange beyond{.first = 4, .end = 8};
    proof = *range_proof(content.tree.view(), beyond);
    ASSERT_TRUE(verifies(content, beyond, proof));
    proof.push_back(0);
    EXPECT_TRUE(RangeVerifier::open(content.tree.root(), beyond, proof));
    EXPECT_FALSE(verifies(content, beyond, proof));
}

TEST(RangeProof, RefusesEmptyAndImpossibleRanges) {
    // Ranges are checked on both sides.
    const Content& content = six_blocks();
    for (const BlockRange range : {BlockRange{.first = 2, .end = 2},
                                   BlockRange{.first = 6, .end = 7},
                                   BlockRange{.first = 3, .end = 1}})
        EXPECT_EQ(code_of(range_proof(content.tree.view(), range)), Errc::InvalidArgument);
    EXPECT_EQ(code_of(RangeVerifier::open(content.tree.root(), {.first = 2, .end = 2}, {0})),
              Errc::InvalidArgument);
    EXPECT_EQ(code_of(RangeVerifier::open(
                  content.tree.root(), {.first = 0, .end = kLeafCountMax + 1}, {0})),
              Errc::InvalidArgument);
    // The block of no bytes, and bytes past 2^64.
    EXPECT_EQ(code_of(blocks_of_bytes(5, 0)), Errc::InvalidArgument);
    EXPECT_EQ(code_of(blocks_of_bytes(~std::uint64_t{0}, 2)), Errc::InvalidArgument);
    EXPECT_EQ(*blocks_of_bytes(kBlockBytes - 1, 2), (BlockRange{.first = 0, .end = 2}));
    EXPECT_EQ(*blocks_of_bytes(kBlockBytes, kBlockBytes), (BlockRange{.first = 1, .end = 2}));
}

TEST(RangeProof, SizeOfLargeRanges) {
    // The bound stated for the size holds for a content of 1,025 blocks.
    const HashTree tree = HashTree::from_leaves(sample::synthetic_leaves(1025));
    for (const std::uint64_t count : {1U, 2U, 17U, 1000U}) {
        const auto proof = *range_proof(tree.view(), {.first = 13, .end = 13 + count});
        EXPECT_LE(proof.size(), 1 + kProofBytesMax + 50 * count);
    }
}

}  // namespace
}  // namespace draco::blake3_tree
