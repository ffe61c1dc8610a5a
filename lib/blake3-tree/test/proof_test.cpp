#include "draco/blake3_tree/proof.hpp"

#include "sample.hpp"

#include <gtest/gtest.h>

namespace draco::blake3_tree {
namespace {

TEST(Proof, KnownContent) {
    // Proofs of the specification's six-block content.
    TreeBuilder builder;
    builder.update(sample::counting(1310727));
    const HashTree tree = std::move(builder).finish();
    const Proof initial_0 = initial_proof(tree.view(), 0);
    const Proof initial_3 = initial_proof(tree.view(), 3);
    const Proof initial_5 = initial_proof(tree.view(), 5);
    EXPECT_EQ(initial_0.bytes().size(), 129U);
    EXPECT_EQ(initial_0.bytes()[0], 0x00);
    EXPECT_EQ(sample::hash_hex(initial_0.bytes()),
              "2a8466646a11a4ebbfd66a255eddaf93d6470688f7324a37ca2ab2def9b27f6a");
    EXPECT_EQ(initial_3.bytes().size(), 129U);
    EXPECT_EQ(initial_3.bytes()[0], 0x60);
    EXPECT_EQ(sample::hash_hex(initial_3.bytes()),
              "7c6c305c0e16ae118d862ab4f6da7e976d44034cfc60c13f3759bfe285227f0e");
    EXPECT_EQ(initial_5.bytes().size(), 97U);
    EXPECT_EQ(initial_5.bytes()[0], 0x60);
    EXPECT_EQ(sample::hash_hex(initial_5.bytes()),
              "2c6335c584dc70365c1af3783d8aa49a8ede64a822f167c2f6d009e94cf9a612");
    const Proof resume_2 = resume_proof(tree.view(), 2);
    const Proof resume_4 = resume_proof(tree.view(), 4);
    EXPECT_EQ(resume_2.bytes().size(), 65U);
    EXPECT_EQ(sample::hash_hex(resume_2.bytes()),
              "bc0e2f354e183faaa33a968beb6e3d4d11c329ed3137900d010e96d2f58366a8");
    EXPECT_EQ(resume_4.bytes().size(), 65U);
    EXPECT_EQ(sample::hash_hex(resume_4.bytes()),
              "21e09232d68d003a88dd008e90d434d0b8e4a6f33ac6059c3f3619e22330b1ec");
    for (const std::uint64_t leaf : {0U, 1U, 3U, 5U, 6U, 100U})
        EXPECT_TRUE(resume_proof(tree.view(), leaf).bytes().empty());
    EXPECT_TRUE(initial_proof(tree.view(), 6).bytes().empty());
}

TEST(Proof, KnownSyntheticTree) {
    // Proofs of more than one segment, over the specification's 300 synthetic leaves.
    const HashTree tree = HashTree::from_leaves(sample::synthetic_leaves(300));
    const auto expect = [](const Proof& proof, std::size_t bytes, std::string_view digest) {
        EXPECT_EQ(proof.bytes().size(), bytes);
        EXPECT_EQ(sample::hash_hex(proof.bytes()), digest);
    };
    expect(initial_proof(tree.view(), 0),
           322,
           "754d1255907992796909e27439588a60d7206e7c756ab56f3d748092814be420");
    expect(initial_proof(tree.view(), 256),
           257,
           "2811dda34ec280fdf90adc845ba29e2eda2f3a8efb4253a7208761cc73250b20");
    expect(resume_proof(tree.view(), 256),
           225,
           "1156ebd6d171b4179120c63ec6a61488f113cf092ec1f028b896f64944b023ff");
    expect(initial_proof(tree.view(), 299),
           193,
           "c120ad101d6aaf325d1f8b45a558a221f9365689369fbbda1d507586ea0265c2");
}

TEST(Proof, MatchesModel) {
    // Initial and resume proofs of every leaf of trees of the interesting sizes.
    const auto leaves = sample::synthetic_leaves(129);
    for (const std::size_t count :
         {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 31U, 64U, 65U, 66U, 99U, 129U}) {
        const std::span<const Hash> used(leaves.data(), count);
        const HashTree tree = HashTree::from_leaves(used);
        for (std::size_t i = 0; i < count; ++i) {
            ASSERT_TRUE(
                equal(initial_proof(tree.view(), i).bytes(), model::initial_proof({}, used, i)))
                << count << " " << i;
            if (i > 0) {
                ASSERT_TRUE(
                    equal(resume_proof(tree.view(), i).bytes(), model::resume_proof({}, used, i)))
                    << count << " " << i;
            }
        }
    }
}

TEST(Proof, Lengths) {
    // Exactly the lengths of 0 and 2..47 hashes are possible; the formula alone would let 258 pass.
    std::vector<std::size_t> possible = {0};
    for (std::size_t count = 2; count <= 47; ++count)
        possible.push_back(32 * count + (count + 7) / 8);
    for (std::size_t bytes = 0; bytes <= 3000; ++bytes)
        EXPECT_EQ(proof_hash_count(bytes).has_value(), std::ranges::count(possible, bytes) == 1)
            << bytes;
    for (const std::size_t bytes : {1U, 32U, 33U, 64U, 66U, 258U, 515U})
        EXPECT_FALSE(proof_hash_count(bytes)) << bytes;
    for (const std::size_t bytes : {0U, 65U, 97U, 129U, 161U, 193U, 225U, 257U, 290U, 322U})
        EXPECT_TRUE(proof_hash_count(bytes)) << bytes;
}

TEST(Proof, LargestTree) {
    // The buffer holds the longest proof there can be.
    Proof proof;
    for (std::size_t i = 0; i < kProofHashesMax; ++i)
        proof.prepend(Side::Left, sample::filled(static_cast<std::uint8_t>(i)));
    proof.close();
    EXPECT_EQ(proof.bytes().size(), kProofBytesMax);
    EXPECT_EQ(proof.bytes()[0], 0xFE);
    EXPECT_EQ(proof.bytes()[1], 46);
}

}  // namespace
}  // namespace draco::blake3_tree
