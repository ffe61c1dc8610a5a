#include "draco/types/committee.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <thread>

namespace draco::types {
namespace {

NodeKey key(std::uint8_t id) {
    NodeKey made;
    made.bytes[0] = id;
    return made;
}

Committee committee_of(std::size_t size) {
    std::vector<NodeKey> keys;
    for (std::size_t i = size; i > 0; --i) keys.push_back(key(static_cast<std::uint8_t>(i)));
    return Committee::make(Epoch(3), keys).value();
}

TEST(Committee, AnyTwoQuorumsShareAnHonestMember) {
    // For every size: n > 3f, two quorums overlap in more than f, and a quorum of honest members
    // exists.
    for (std::size_t n = 1; n <= kCommitteeMax; ++n) {
        const Committee committee = committee_of(n);
        const std::size_t f = committee.faulty_max();
        EXPECT_GT(n, 3 * f);
        EXPECT_LE(n, 3 * f + 3);
        EXPECT_GE(2 * committee.quorum(), n + f + 1);
        EXPECT_LE(committee.quorum(), n - f);
        EXPECT_EQ(committee.validity(), f + 1);
    }
}

TEST(Committee, NumbersMembersByKey) {
    // The order given does not matter; index and key are inverse to each other; a stranger has no
    // index.
    const Committee committee = committee_of(7);
    for (std::uint16_t i = 0; i < 7; ++i) {
        EXPECT_EQ(committee.key(AuthorityIndex(i)), key(static_cast<std::uint8_t>(i + 1)));
        EXPECT_EQ(committee.index_of(committee.key(AuthorityIndex(i))), AuthorityIndex(i));
    }
    EXPECT_FALSE(committee.index_of(key(0)).has_value());
    EXPECT_FALSE(committee.index_of(key(8)).has_value());
    EXPECT_FALSE(committee.has(AuthorityIndex(7)));
}

TEST(Committee, RefusesImpossibleOnes) {
    // Empty, doubled and oversized committees are errors with a reason.
    EXPECT_FALSE(Committee::make(Epoch(0), {}).has_value());
    EXPECT_FALSE(Committee::make(Epoch(0), {key(1), key(2), key(1)}).has_value());
    std::vector<NodeKey> many;
    for (std::size_t i = 0; i <= kCommitteeMax; ++i)
        many.push_back(key(static_cast<std::uint8_t>(i)));
    EXPECT_FALSE(Committee::make(Epoch(0), many).has_value());
}

TEST(Committee, VerifiesByItsMembersKeys) {
    // Each member's signature is the member's alone, from several threads that all come first, from
    // a copy, and when the committee is gone. A key that is none verifies nothing.
    std::vector<NodeSecretKey> secrets;
    std::vector<NodeKey> keys = {key(1)};
    for (std::uint8_t i = 0; i < 5; ++i) {
        secrets.emplace_back(crypto::Ed25519Seed::make([&](auto seed) { seed[0] = i; }));
        keys.push_back(secrets.back().public_key());
    }
    auto committee = std::make_optional(Committee::make(Epoch(1), keys).value());
    const Committee copy = *committee;
    const Bytes message = {1, 2, 3};
    const auto check = [&](const Committee& of) {
        for (const NodeSecretKey& secret : secrets) {
            const NodeSignature signature = secret.sign(message);
            const auto signer = of.index_of(secret.public_key());
            ASSERT_TRUE(signer.has_value());
            for (std::uint16_t i = 0; i < of.size(); ++i)
                EXPECT_EQ(of.verify(AuthorityIndex(i), message, signature).has_value(),
                          AuthorityIndex(i) == *signer);
            EXPECT_FALSE(of.verify(*signer, Bytes{1, 2}, signature));
        }
    };
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { check(*committee); });
    threads.clear();
    committee.reset();
    check(copy);
}

TEST(AuthoritySet, BehavesLikeASet) {
    // Compared with std::set over all indices, at word borders too.
    AuthoritySet set;
    std::set<std::uint16_t> model;
    for (const std::uint16_t index :
         std::initializer_list<std::uint16_t>{0, 1, 63, 64, 65, 127, 63}) {
        set.insert(AuthorityIndex(index));
        model.insert(index);
    }
    std::vector<std::uint16_t> visited;
    set.for_each([&](AuthorityIndex index) { visited.push_back(index.value()); });
    EXPECT_EQ(visited, std::vector<std::uint16_t>(model.begin(), model.end()));
    EXPECT_EQ(set.count(), model.size());
    for (std::uint16_t i = 0; i < kCommitteeMax; ++i)
        EXPECT_EQ(set.contains(AuthorityIndex(i)), model.contains(i));
    EXPECT_TRUE(set.within(128));
    EXPECT_FALSE(set.within(127));
    AuthoritySet other;
    other.insert(AuthorityIndex(64));
    other.insert(AuthorityIndex(2));
    EXPECT_EQ(set.intersection(other).count(), 1U);
}

}  // namespace
}  // namespace draco::types
