#include "draco/sparse_merkle/proof.hpp"

#include "draco/testing/seed.hpp"

#include "model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

namespace draco::sparse_merkle {
namespace {

struct Statement {
    Digest root;
    Key key;
    std::optional<ValueHash> value_hash;  // nullopt: absent

    Result<void> verify(ByteView proof) const {
        return value_hash ? verify_membership<Sha256Nodes>(root, key, *value_hash, proof)
                          : verify_absence<Sha256Nodes>(root, key, proof);
    }
};

struct Sample {
    Statement statement;
    Bytes proof;
};

// One proof of each kind, from a tree with a cluster of close keys and some random ones.
class ProofTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::mt19937_64 rng(draco::testing::test_seed(7));
        Model model;
        while (model.size() < 60) model[random_key(rng, model)] = random_fixed<ValueHash>(rng);
        ASSERT_TRUE(world_.update(as_changes(model)));
        const auto& [key, value] = *std::next(model.begin(), 30);
        samples_.push_back({{world_.tree.root(), key, value}, {}});
        // An absent key for each way to be absent.
        for (const unsigned kind : {1U, 2U})
            for (;;) {
                const Key absent = random_key(rng, model);
                if (model.contains(absent)) continue;
                const auto proof = world_.tree.prove(world_.store, absent);
                ASSERT_TRUE(proof);
                if ((*proof)[1] != kind) continue;
                samples_.push_back({{world_.tree.root(), absent, std::nullopt}, {}});
                break;
            }
        for (Sample& sample : samples_) {
            auto proof = world_.tree.prove(world_.store, sample.statement.key);
            ASSERT_TRUE(proof);
            sample.proof = *std::move(proof);
            ASSERT_TRUE(sample.statement.verify(sample.proof));
        }
    }

    static void expect_refused(const Statement& statement, const Bytes& proof) {
        const auto verdict = statement.verify(proof);
        ASSERT_FALSE(verdict);
        EXPECT_TRUE(verdict.error().code == Errc::Corrupt ||
                    verdict.error().code == Errc::InvalidArgument);
    }

    World world_;
    std::vector<Sample> samples_;
};

// No single bit of a proof can be changed.
TEST_F(ProofTest, EveryFlippedBitIsRefused) {
    for (const auto& [statement, proof] : samples_)
        for (std::size_t bit = 0; bit < proof.size() * 8; ++bit) {
            Bytes flipped = proof;
            flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            expect_refused(statement, flipped);
        }
}

// A proof cut at any length, or extended, is refused.
TEST_F(ProofTest, EveryOtherLengthIsRefused) {
    for (const auto& [statement, proof] : samples_) {
        for (std::size_t size = 0; size < proof.size(); ++size)
            expect_refused(statement,
                           Bytes(proof.begin(), proof.begin() + static_cast<std::ptrdiff_t>(size)));
        for (const std::size_t extra : {1U, 8U, 32U, 64U}) {
            Bytes longer = proof;
            longer.resize(proof.size() + extra);
            expect_refused(statement, longer);
        }
    }
}

// A proof proves its own statement only: not another root, key, value or the opposite.
TEST_F(ProofTest, ProvesNothingElse) {
    for (const auto& [statement, proof] : samples_) {
        Statement other = statement;
        other.root.bytes[31] ^= 1;
        expect_refused(other, proof);
        for (unsigned bit = 0; bit < kKeyBits; ++bit) {
            other = statement;
            other.key.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            // An absent key's neighbours may share its slot and so its proof.
            if (statement.value_hash) expect_refused(other, proof);
        }
        other = statement;
        other.value_hash = statement.value_hash ? std::nullopt : std::optional(ValueHash{});
        expect_refused(other, proof);
        if (!statement.value_hash) continue;
        other.value_hash = statement.value_hash;
        other.value_hash->bytes[0] ^= 1;
        expect_refused(other, proof);
    }
}

// An empty sibling written out hashes to the right root, and is still refused: one encoding only.
TEST_F(ProofTest, ListedEmptySiblingIsRefused) {
    for (const auto& [statement, proof] : samples_) {
        const std::size_t depth = proof[2];
        Bytes padded = proof;
        std::size_t listed = 0;  // siblings before the one to add, deepest first
        bool found = false;
        for (std::size_t i = depth; i-- > 0 && !found;) {
            std::uint8_t& bits = padded[4 + i / 8];
            if (((bits >> (i % 8)) & 1) != 0) {
                ++listed;
                continue;
            }
            bits = static_cast<std::uint8_t>(bits | (1U << (i % 8)));
            const auto at = 4 + (depth + 7) / 8 + 32 * listed;
            padded.insert(padded.begin() + static_cast<std::ptrdiff_t>(at), 32, std::uint8_t{0});
            found = true;
        }
        if (!found) continue;
        const auto verdict = statement.verify(padded);
        ASSERT_FALSE(verdict);
        EXPECT_THAT(verdict.error().context, ::testing::HasSubstr("empty sibling"));
    }
}

// The way to a key's own leaf does not prove it absent, though it leads to the root.
TEST_F(ProofTest, NoKeyIsAbsentBesideItself) {
    auto [statement, proof] = samples_[0];
    proof[1] = 2;
    append(proof, statement.key.view());
    append(proof, statement.value_hash->view());
    const auto verdict = verify_absence<Sha256Nodes>(statement.root, statement.key, proof);
    ASSERT_FALSE(verdict);
    EXPECT_THAT(verdict.error().context, ::testing::HasSubstr("key itself"));
}

// A sibling for a level below the slot would be skipped on the way to the root: one encoding only.
TEST_F(ProofTest, SiblingsBelowTheSlotAreRefused) {
    auto [statement, proof] = samples_[0];
    const std::size_t depth = proof[2];
    ASSERT_NE(depth % 8, 0U) << "the bitmap has no unused bit; take another sample";
    std::uint8_t& last = proof[4 + depth / 8];
    last = static_cast<std::uint8_t>(last | (1U << (depth % 8)));
    proof.resize(proof.size() + Digest::kSize, std::uint8_t{1});
    const auto verdict = statement.verify(proof);
    ASSERT_FALSE(verdict);
    EXPECT_THAT(verdict.error().context, ::testing::HasSubstr("bitmap"));
}

// A leaf cannot pass as an inner node, nor an inner node as a leaf: with both hashed from the same
// 64 bytes and no prefix, the key and value hash chosen here would make either of them both.
TEST_F(ProofTest, LeavesAndInnerNodesAreDistinct) {
    const auto& [statement, proof] = samples_[0];
    Bytes body = to_bytes(statement.key.view());
    append(body, statement.value_hash->view());
    std::array<std::uint8_t, 32> as_inner;
    std::array<std::uint8_t, 32> as_leaf;
    Sha256Nodes::hash_inner(body.data(), as_inner.data(), 1);
    Sha256Nodes::hash_leaves(body.data(), as_leaf.data(), 1);
    EXPECT_NE(as_inner, as_leaf);
    EXPECT_EQ(Digest(as_inner), model_hash(body));
    body.insert(body.begin(), 0);
    EXPECT_EQ(Digest(as_leaf), model_hash(body));
}

// The empty tree has exactly one proof of absence, for every key; it proves no presence.
TEST(Proof, OfTheEmptyTree) {
    const World world;
    const Key key;
    const auto proof = world.tree.prove(world.store, key);
    ASSERT_TRUE(proof);
    EXPECT_EQ(*proof, (Bytes{1, 1, 0, 0}));
    EXPECT_TRUE(verify_absence<Sha256Nodes>(kEmptyDigest, key, *proof));
    EXPECT_FALSE(verify_membership<Sha256Nodes>(kEmptyDigest, key, ValueHash{}, *proof));
}

// A proof of depth 256 is the largest there is; a deeper one is refused before it is read.
TEST(Proof, DepthIsBounded) {
    Bytes deep(kProofBytesMax + 100, 0xff);
    deep[0] = 1;
    deep[1] = 0;
    store_le<std::uint16_t>(&deep[2], 257);
    const auto verdict = verify_membership<Sha256Nodes>(Digest{}, Key{}, ValueHash{}, deep);
    ASSERT_FALSE(verdict);
    EXPECT_THAT(verdict.error().context, ::testing::HasSubstr("deeper"));
}

}  // namespace
}  // namespace draco::sparse_merkle
