#include "draco/blake3_tree/hash_tree.hpp"

#include "draco/testing/seed.hpp"

#include "sample.hpp"

#include <gtest/gtest.h>

namespace draco::blake3_tree {
namespace {

HashTree tree_of(ByteView content) {
    TreeBuilder builder;
    builder.update(content);
    return std::move(builder).finish();
}

TEST(HashTree, KnownContents) {
    // The roots of the specification's contents, which are their plain BLAKE3 hashes.
    struct Case {
        std::size_t bytes;
        std::size_t leaves;
        std::string_view root;
    };

    constexpr Case kCases[] = {
        {0, 1, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
        {1024, 1, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
        {262144, 1, "d57dc906e20d3fd326ffaa85535500486f46a0979f5a323f028dcabfd381fd4a"},
        {262145, 2, "531c319935cf78f34869faebd865e5748266b1799039103bfb851a680d9ed30c"},
        {786432, 3, "acca1229e537587e75108d1a25c3e28d7ce8036556137dc2973d9289187e58d4"},
        {1310727, 6, "556772da9a5c3e3d39d55bc756992f52bb52dff667c2e512591298bb84bfd129"},
    };
    for (const Case& c : kCases) {
        const Bytes content = sample::counting(c.bytes);
        const HashTree tree = tree_of(content);
        EXPECT_EQ(tree.leaf_count(), c.leaves);
        EXPECT_EQ(block_count(c.bytes), c.leaves);
        EXPECT_EQ(tree.nodes().size(), 2 * c.leaves - 1);
        EXPECT_EQ(sample::hex(tree.root()), c.root);
        EXPECT_EQ(sample::hash_hex(content), c.root);
    }
}

TEST(HashTree, KnownInnerNodes) {
    // Leaves and an inner node of the six-block content, at their places.
    const HashTree tree = tree_of(sample::counting(1310727));
    EXPECT_EQ(sample::hex(tree.nodes()[0]),
              "69febc864103726f98eba5f7437ed4da193c9d6cb02d46036729c1ea9dc3ffad");
    EXPECT_EQ(sample::hex(tree.nodes()[1]),
              "fbdad66a00633e69d549ba33eea2a863640581ce5e5f58b15125cc71f674a33c");
    EXPECT_EQ(sample::hex(tree.nodes()[2]),
              "d6e5fed3f31a513c1ff297ed6bba1a203f493c5a4220e5af3622bc2310b02643");
}

TEST(HashTree, SyntheticLeaves) {
    // 300 synthetic leaves have the specification's root.
    EXPECT_EQ(sample::hex(HashTree::from_leaves(sample::synthetic_leaves(300)).root()),
              "343463df83fe00e23eab2e478bd49d1d769267e42a5d171fad62f427040482f6");
}

TEST(HashTree, ShapeMatchesModel) {
    // Post-order array and leaf positions for every small number of leaves and the odd sizes.
    std::vector<std::size_t> counts(200);
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = i + 1;
    counts.push_back(1025);
    const auto leaves = sample::synthetic_leaves(1025);
    for (const std::size_t count : counts) {
        const std::span<const Hash> used(leaves.data(), count);
        const HashTree tree = HashTree::from_leaves(used);
        ASSERT_EQ(tree.nodes().size(), 2 * count - 1);
        ASSERT_TRUE(std::ranges::equal(tree.nodes(), model::tree({}, used))) << count;
        for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(tree.leaf(i), leaves[i]);
    }
}

TEST(TreeBuilder, RandomContentsAndSplits) {
    // A content fed in pieces of any size has the model's tree, and its BLAKE3 hash as the root.
    std::mt19937_64 rng(testing::test_seed(0x7BEE));
    for (std::uint64_t round = 0; round < testing::scaled(6); ++round) {
        const Bytes content = sample::random(rng() % (4 * kBlockBytes), rng);
        TreeBuilder builder;
        builder.reserve_bytes(content.size());
        for (ByteView rest = content; !rest.empty();) {
            const std::size_t size_max = std::size_t{1} << (8 + rng() % 12);
            const std::size_t taken = std::min<std::size_t>(rest.size(), rng() % (size_max + 1));
            builder.update(rest.first(taken));
            rest = rest.subspan(taken);
        }
        ASSERT_EQ(builder.bytes(), content.size());
        const HashTree tree = std::move(builder).finish();
        ASSERT_EQ(tree.root(), hash(content));
        ASSERT_TRUE(
            std::ranges::equal(tree.nodes(), model::tree({}, model::leaves_of({}, content))));
    }
}

TEST(TreeBuilder, ReservesNoMoreThanItsBoundForAnyClaim) {
    // No claimed size throws or matters to the tree.
    const Bytes content = sample::counting(2 * kBlockBytes + 1);
    for (const int bits : {0, 1, 18, 33, 34, 35, 48, 62, 63, 64}) {
        TreeBuilder builder;
        builder.reserve_bytes(bits == 0 ? 0 : ~std::uint64_t{0} >> (64 - bits));
        builder.update(content);
        EXPECT_EQ(std::move(builder).finish().root(), hash(content)) << bits;
    }
}

TEST(TreeBuilder, KeyedMode) {
    // The root of a keyed tree is the keyed hash.
    Key key;
    key.bytes.fill(7);
    const Bytes content = sample::counting(3 * kBlockBytes + 1);
    TreeBuilder builder(Mode::keyed(key));
    builder.update(content);
    EXPECT_EQ(std::move(builder).finish().root(), hash(content, Mode::keyed(key)));
}

TEST(BlockHasher, GivesTheLeavesAndRefusesTooMuch) {
    // Streamed blocks equal whole ones; a block that would grow past 256 KiB is refused unchanged.
    const Bytes content = sample::counting(2 * kBlockBytes);
    BlockHasher hasher(1);
    const ByteView block = ByteView(content).subspan(kBlockBytes);
    for (std::size_t at = 0; at < kBlockBytes; at += 4096)
        ASSERT_TRUE(hasher.update(block.subspan(at, 4096)));
    const Hash expected = block_node(block, 1).chaining_value();
    const auto refused = hasher.update(block.first(1));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::Exhausted);
    EXPECT_EQ(hasher.bytes(), kBlockBytes);
    EXPECT_EQ(hasher.node().chaining_value(), expected);
    EXPECT_EQ(tree_of(content).leaf(1), expected);
}

TEST(HashTree, FromNodesRefusesEveryFlippedHash) {
    // A stored tree is taken only if every node is right, whichever hash is damaged.
    for (const std::size_t count : {2U, 3U, 6U, 65U}) {
        const HashTree tree = HashTree::from_leaves(sample::synthetic_leaves(count));
        const std::vector<Hash> nodes(tree.nodes().begin(), tree.nodes().end());
        const auto taken = HashTree::from_nodes(nodes);
        ASSERT_TRUE(taken);
        EXPECT_EQ(*taken, tree);
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            auto damaged = nodes;
            damaged[i].bytes[i % 32] ^= 1;
            const auto refused = HashTree::from_nodes(damaged);
            ASSERT_FALSE(refused) << i;
            EXPECT_EQ(refused.error().code, Errc::Corrupt);
        }
    }
}

TEST(HashTree, FromNodesRefusesImpossibleSizes) {
    // No tree has an even number of nodes.
    for (const std::size_t count : {0U, 2U, 4U, 10U}) {
        EXPECT_EQ(HashTree::from_nodes(std::vector<Hash>(count)).error().code,
                  Errc::InvalidArgument);
        EXPECT_FALSE(TreeView::over(std::vector<Hash>(count)));
    }
}

}  // namespace
}  // namespace draco::blake3_tree
