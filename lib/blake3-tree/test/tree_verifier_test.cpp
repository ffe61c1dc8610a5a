#include "draco/blake3_tree/verifier.hpp"
#include "draco/testing/seed.hpp"

#include "sample.hpp"

#include <gtest/gtest.h>

namespace draco::blake3_tree {
namespace {

Errc code_of(const Result<>& result) {
    EXPECT_FALSE(result);
    return result.error().code;
}

// Feeds honest proofs and accepts the leaves [first, end).
void run_honest(TreeVerifier& verifier, const HashTree& tree, std::uint64_t end, bool is_resumed) {
    for (std::uint64_t i = verifier.next_leaf(); i < end; ++i) {
        const Proof proof =
            is_resumed ? resume_proof(tree.view(), i) : initial_proof(tree.view(), i);
        is_resumed = true;
        ASSERT_TRUE(verifier.feed_proof(proof.bytes())) << i;
        ASSERT_EQ(verifier.expects_last(), i + 1 == tree.leaf_count());
        ASSERT_TRUE(verifier.accept_leaf(tree.leaf(i))) << i;
        ASSERT_EQ(verifier.next_leaf(), i + 1);
        ASSERT_EQ(verifier.is_done(), i + 1 == tree.leaf_count());
    }
}

void run_honest_from(const HashTree& tree, std::uint64_t first) {
    TreeVerifier verifier(tree.root(), first, Mode::plain());
    ASSERT_NO_FATAL_FAILURE(run_honest(verifier, tree, tree.leaf_count(), false));
}

TEST(TreeVerifier, HonestStreamsFromEveryLeaf) {
    // Every start of every small tree and of the interesting sizes is accepted to its end, and is
    // done exactly there.
    const auto leaves = sample::synthetic_leaves(1025);
    for (std::size_t count = 1; count <= 40; ++count)
        for (std::size_t first = 0; first < count; ++first)
            run_honest_from(HashTree::from_leaves(std::span(leaves).first(count)), first);
    for (const std::size_t count : {65U, 66U, 129U, 1025U}) {
        const HashTree tree = HashTree::from_leaves(std::span(leaves).first(count));
        for (const std::size_t first : {0U, 1U, 2U, 31U, 32U, 63U, 64U})
            run_honest_from(tree, first);
        run_honest_from(tree, count / 2);
        run_honest_from(tree, count - 2);
        run_honest_from(tree, count - 1);
    }
}

TEST(TreeVerifier, RefusesSetSignBitOfTheLeaf) {
    // The attack on verifiers that drop hashes marked "left": C0 | R | L merges to the right root
    // and would leave nothing to verify.
    const auto leaves = sample::synthetic_leaves(2);
    const HashTree tree = HashTree::from_leaves(leaves);
    Bytes attack = {0xC0};
    append(attack, leaves[1].view());
    append(attack, leaves[0].view());
    TreeVerifier verifier(tree.root(), 0, Mode::plain());
    EXPECT_EQ(code_of(verifier.feed_proof(attack)), Errc::Corrupt);
    EXPECT_FALSE(verifier.is_done());
    attack[0] = 0x40;  // without it: a genuine proof, but of leaf 1
    EXPECT_EQ(code_of(verifier.feed_proof(attack)), Errc::Corrupt);
    EXPECT_FALSE(verifier.is_done());
    TreeVerifier second(tree.root(), 1, Mode::plain());
    attack[0] = 0xC0;
    EXPECT_EQ(code_of(second.feed_proof(attack)), Errc::Corrupt);
    attack[0] = 0x80;
    EXPECT_EQ(code_of(second.feed_proof(attack)), Errc::Corrupt);
    attack[0] = 0x40;
    EXPECT_TRUE(second.feed_proof(attack));
    // For a leaf past the end, two left siblings are the right number.
    TreeVerifier beyond(tree.root(), 3, Mode::plain());
    attack[0] = 0xC0;
    EXPECT_EQ(code_of(beyond.feed_proof(attack)), Errc::Corrupt);
    EXPECT_FALSE(beyond.is_done());
}

TEST(TreeVerifier, RefusesEveryOtherLength) {
    // Of all lengths 0..600 cut from, or padded onto, a genuine proof, only its own passes.
    const HashTree tree = HashTree::from_leaves(sample::synthetic_leaves(300));
    const Proof proof = initial_proof(tree.view(), 0);
    for (std::size_t bytes = 1; bytes <= 600; ++bytes) {
        TreeVerifier verifier(tree.root(), 0, Mode::plain());
        Bytes resized = to_bytes(proof.bytes());
        resized.resize(bytes);
        const auto fed = verifier.feed_proof(resized);
        EXPECT_EQ(fed.has_value(), bytes == proof.bytes().size()) << bytes;
        if (!fed) EXPECT_EQ(fed.error().code, Errc::Corrupt);
    }
}

TEST(TreeVerifier, RefusesEveryFlippedBit) {
    // No bit of an initial or resume proof may change; a refused proof leaves the verifier as it
    // was, so the true one still passes.
    for (const std::size_t count : {2U, 6U, 65U, 300U}) {
        const HashTree tree = HashTree::from_leaves(sample::synthetic_leaves(count));
        for (const std::uint64_t leaf : {std::size_t{0}, count / 2, count - 1}) {
            TreeVerifier verifier(tree.root(), leaf, Mode::plain());
            const Proof proof = initial_proof(tree.view(), leaf);
            Bytes damaged = to_bytes(proof.bytes());
            for (std::size_t bit = 0; bit < damaged.size() * 8; ++bit) {
                damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
                ASSERT_EQ(code_of(verifier.feed_proof(damaged)), Errc::Corrupt) << bit;
                damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            }
            run_honest(verifier, tree, count, false);
        }
    }
    const HashTree tree = HashTree::from_leaves(sample::synthetic_leaves(300));
    TreeVerifier verifier(tree.root(), 0, Mode::plain());
    run_honest(verifier, tree, 256, false);
    Bytes damaged = to_bytes(resume_proof(tree.view(), 256).bytes());
    for (std::size_t bit = 0; bit < damaged.size() * 8; ++bit) {
        damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        ASSERT_EQ(code_of(verifier.feed_proof(damaged)), Errc::Corrupt) << bit;
        damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
    run_honest(verifier, tree, 300, true);
}

TEST(TreeVerifier, AcceptsOnlyWhatTheModelAccepts) {
    // The proofs of every leaf of one tree, offered at every position. That of the position passes.
    // No other does but those of leaves at the right edge, where another tree lacks levels.
    const auto leaves = sample::synthetic_leaves(21);
    const HashTree tree = HashTree::from_leaves(leaves);
    std::vector<Bytes> proofs;
    for (std::size_t i = 0; i < leaves.size(); ++i)
        proofs.push_back(model::initial_proof({}, leaves, i));
    for (std::size_t first = 0; first < leaves.size(); ++first) {
        for (std::size_t i = 0; i < leaves.size(); ++i) {
            TreeVerifier verifier(tree.root(), first, Mode::plain());
            const bool passes = verifier.feed_proof(proofs[i]).has_value();
            if (i < 16 || std::popcount(i) != std::popcount(first)) {
                EXPECT_EQ(passes, i == first) << first << " " << i;
            } else if (i == first) {
                EXPECT_TRUE(passes) << first;
            }
        }
    }
}

TEST(TreeVerifier, RefusesUnusedSignBits) {
    // Bits of a sign byte that belong to no hash must be zero: one proof, one encoding.
    const HashTree tree = HashTree::from_leaves(sample::synthetic_leaves(3));
    Bytes proof = to_bytes(initial_proof(tree.view(), 0).bytes());
    for (unsigned bit = 0; bit < 5; ++bit) {
        TreeVerifier verifier(tree.root(), 0, Mode::plain());
        proof[0] = static_cast<std::uint8_t>(1U << bit);
        const auto fed = verifier.feed_proof(proof);
        EXPECT_EQ(code_of(fed), Errc::Corrupt);
        EXPECT_NE(fed.error().context.find("offset 0"), std::string::npos);
    }
}

TEST(TreeVerifier, StepsOutOfPlaceAreRefused) {
    // No leaf without a proof in the middle of a tree, nothing after the end, no proof for leaves
    // that no tree has.
    const HashTree tree = HashTree::from_leaves(sample::synthetic_leaves(4));
    TreeVerifier middle(tree.root(), 2, Mode::plain());
    EXPECT_EQ(code_of(middle.accept_leaf(tree.leaf(2))), Errc::InvalidArgument);
    EXPECT_EQ(code_of(middle.accept_leaf(tree.root())), Errc::InvalidArgument);
    run_honest(middle, tree, 4, false);
    EXPECT_EQ(code_of(middle.accept_leaf(tree.leaf(3))), Errc::InvalidArgument);
    EXPECT_EQ(code_of(middle.feed_proof({})), Errc::InvalidArgument);
    TreeVerifier beyond(tree.root(), kLeafCountMax, Mode::plain());
    EXPECT_EQ(code_of(beyond.feed_proof(initial_proof(tree.view(), 0).bytes())),
              Errc::InvalidArgument);
}

TEST(TreeVerifier, ProofCanBeReplaced) {
    // A genuine proof that stops above the leaf passes but cannot be completed; another proof for
    // the same leaf puts that right. So does an empty one where the target is the leaf.
    const auto leaves = sample::synthetic_leaves(8);
    const HashTree tree = HashTree::from_leaves(leaves);
    const auto proofs = model::proofs_of({}, leaves, 0);
    ASSERT_EQ(proofs.size(), 4U);
    TreeVerifier verifier(tree.root(), 0, Mode::plain());
    for (const Bytes& proof : {proofs[1], proofs[0], proofs[2]}) {
        ASSERT_TRUE(verifier.feed_proof(proof));
        EXPECT_EQ(verifier.expects_root(), proof.empty());
        EXPECT_EQ(code_of(verifier.accept_leaf(tree.leaf(0))), Errc::Corrupt);
    }
    run_honest(verifier, tree, 8, false);
}

TEST(TreeVerifier, ResumeProofEndsAtItsLeaf) {
    // A hash tree may go on below the leaves (it does, inside blocks); a resume proof must not.
    auto leaves = sample::synthetic_leaves(4);
    const std::vector<Hash> below = {sample::filled(1), sample::filled(2)};
    leaves[1] = model::parent({}, below[0], below[1], model::Place::Inner);
    const HashTree tree = HashTree::from_leaves(leaves);
    TreeVerifier verifier(tree.root(), 0, Mode::plain());
    run_honest(verifier, tree, 1, false);
    const std::vector<model::Sibling> walk = {{.hash = below[1], .is_left = false},
                                              {.hash = below[0], .is_left = false}};
    EXPECT_EQ(code_of(verifier.feed_proof(model::encode(walk))), Errc::Corrupt);
    run_honest(verifier, tree, 4, true);
}

TEST(TreeVerifier, RandomDamageNeverReachesTheEnd) {
    // Under random replaced, damaged and reordered steps, leaves are accepted only in order and
    // only if true, and the end is reached only by the last one.
    std::mt19937_64 rng(testing::test_seed(0x7E57));
    for (std::uint64_t round = 0; round < testing::scaled(300); ++round) {
        const std::size_t count = 1 + rng() % 40;
        const HashTree tree = HashTree::from_leaves(sample::synthetic_leaves(count));
        std::uint64_t expected = rng() % count;
        TreeVerifier verifier(tree.root(), expected, Mode::plain());
        for (int step = 0; step < 60; ++step) {
            const std::uint64_t leaf = rng() % 3 != 0 ? expected : rng() % count;
            const Proof proof =
                rng() % 2 == 0 ? initial_proof(tree.view(), leaf) : resume_proof(tree.view(), leaf);
            Bytes bytes = to_bytes(proof.bytes());
            if (rng() % 4 == 0 && !bytes.empty())
                bytes[rng() % bytes.size()] ^= static_cast<std::uint8_t>(1U << (rng() % 8));
            (void)verifier.feed_proof(bytes);
            const std::uint64_t offered = rng() % 4 != 0 ? expected : rng() % count;
            // Leaves at the right edge may stand in for others: here they do not bind their index.
            if (offered != expected && (count == 1 || offered >= left_leaf_count(count))) continue;
            if (offered < count && verifier.accept_leaf(tree.leaf(offered))) {
                ASSERT_EQ(offered, expected);
                ++expected;
            }
            ASSERT_EQ(verifier.next_leaf(), expected);
            ASSERT_EQ(verifier.is_done(), expected == count);
        }
    }
}

}  // namespace
}  // namespace draco::blake3_tree
