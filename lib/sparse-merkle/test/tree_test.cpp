#include "draco/sparse_merkle/tree.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/keccak.hpp"
#include "draco/sparse_merkle/proof.hpp"
#include "draco/sparse_merkle/rebuild.hpp"
#include "draco/testing/seed.hpp"

#include "model.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace draco::sparse_merkle {
namespace {

std::vector<Change> sorted(std::map<Key, std::optional<ValueHash>> changes) {
    std::vector<Change> out;
    out.reserve(changes.size());
    for (const auto& [key, value] : changes) out.push_back({key, value});
    return out;
}

// A batch of inserts, updates, removals and no-ops; applied to the model at once.
std::vector<Change> random_batch(std::mt19937_64& rng, Model& model, std::size_t size) {
    std::map<Key, std::optional<ValueHash>> changes;
    while (changes.size() < size) {
        const Key key = random_key(rng, model);
        const auto known = model.find(key);
        switch (rng() % 4) {
            case 0:
                changes[key] = std::nullopt;
                break;
            case 1:
                if (known != model.end()) changes[key] = known->second;
                break;
            default:
                changes[key] = random_fixed<ValueHash>(rng);
        }
    }
    for (const auto& [key, value] : changes) {
        if (value)
            model[key] = *value;
        else
            model.erase(key);
    }
    return sorted(std::move(changes));
}

Key key_of(std::initializer_list<std::uint8_t> prefix) {
    Key key;
    std::ranges::copy(prefix, key.data());
    return key;
}

ValueHash value_of(std::uint8_t byte) {
    ValueHash value;
    value.bytes.fill(byte);
    return value;
}

// Every page that a set of leaves leads to, built in one batch.
std::map<PageId, Bytes> pages_of(const Model& model) {
    World world;
    EXPECT_TRUE(world.update(as_changes(model)));
    return world.store.pages;
}

// The empty tree, one leaf, two leaves that share 3 bits: digests computed from the rules by hand.
TEST(Tree, FollowsTheHashingRules) {
    World world;
    EXPECT_EQ(world.tree.root(), kEmptyDigest);

    const Key a = key_of({0b0001'0000});
    const Key b = key_of({0b0000'0001});
    const auto leaf = [](const Key& key, std::uint8_t value) {
        Bytes message(65, value);
        message[0] = 0;
        std::ranges::copy(key.bytes, &message[1]);
        return model_hash(message);
    };
    const auto inner = [](const Digest& left, const Digest& right) {
        Bytes message = to_bytes(left.view());
        append(message, right.view());
        return model_hash(message);
    };
    ASSERT_TRUE(world.update(std::vector<Change>{{a, value_of(7)}}));
    EXPECT_EQ(world.tree.root(), leaf(a, 7));

    ASSERT_TRUE(world.update(std::vector<Change>{{b, value_of(9)}}));
    Digest expected = inner(leaf(b, 9), leaf(a, 7));
    for (int level = 0; level < 3; ++level) expected = inner(expected, kEmptyDigest);
    EXPECT_EQ(world.tree.root(), expected);
}

// A fixed set of leaves has a fixed root: the format did not change by accident. The value was
// computed with Python's hashlib from the rules in types.hpp.
TEST(Tree, GoldenRoot) {
    Model model;
    for (std::uint8_t i = 0; i < 100; ++i)
        model[Key(crypto::sha256(Bytes{i}).bytes)] = ValueHash(crypto::sha256(Bytes{i, i}).bytes);
    World world;
    ASSERT_TRUE(world.update(as_changes(model)));
    EXPECT_EQ(to_hex(world.tree.root().view()),
              "b6d22502d4a464d48be8542c7766bcd044010b29f6803506224c973f72c57a9e");
}

// The hash is a parameter: with Keccak-256 the same leaves give another root, which the streaming
// computation confirms and proofs lead to. Two leaves, hashed by hand.
TEST(Tree, HashIsAParameter) {
    const Leaf a{key_of({0x00}), value_of(1)};
    const Leaf b{key_of({0x80}), value_of(2)};
    const auto leaf = [](const Leaf& of) {
        Bytes message{0};
        append(message, of.key.view());
        append(message, of.value_hash.view());
        return crypto::keccak256(message);
    };
    Bytes message = to_bytes(leaf(a).view());
    append(message, leaf(b).view());

    MemoryStore store;
    const std::vector<Change> changes{{a.key, a.value_hash}, {b.key, b.value_hash}};
    auto update = Keccak256Tree().update(store, changes);
    ASSERT_TRUE(update);
    store.apply(std::move(update->writes));
    const Digest root = update->next.root();
    EXPECT_EQ(root.bytes, crypto::keccak256(message).bytes);
    const auto proof = update->next.prove(store, b.key);
    ASSERT_TRUE(proof);
    EXPECT_TRUE(verify_membership<Keccak256Nodes>(root, b.key, b.value_hash, *proof));
    EXPECT_FALSE(verify_membership<Sha256Nodes>(root, b.key, b.value_hash, *proof));
}

// After each of many random batches, over few keys and over long common prefixes: the root is the
// model's, the pages are those of a tree built at once from the same leaves (so neither depends on
// history), reopening gives the same version, and sampled proofs verify.
TEST(Tree, AgreesWithTheModel) {
    std::mt19937_64 rng(draco::testing::test_seed(1));
    for (std::uint64_t round = 0; round < draco::testing::scaled(6); ++round) {
        Model model;
        World world;
        for (int step = 0; step < 30; ++step) {
            const std::vector<Change> batch = random_batch(rng, model, rng() % 60);
            ASSERT_TRUE(world.update(batch));
            ASSERT_EQ(world.tree.root(), model_root(model));
            ASSERT_EQ(world.store.pages, pages_of(model));
            const auto reopened = Sha256Tree::open(world.store, world.tree.root());
            ASSERT_TRUE(reopened) << to_string(reopened.error());
            for (const Change& change : batch) {
                const auto proof = reopened->prove(world.store, change.key);
                ASSERT_TRUE(proof) << to_string(proof.error());
                const Digest root = world.tree.root();
                const auto verdict = change.value_hash
                                         ? verify_membership<Sha256Nodes>(
                                               root, change.key, *change.value_hash, *proof)
                                         : verify_absence<Sha256Nodes>(root, change.key, *proof);
                ASSERT_TRUE(verdict) << to_string(verdict.error());
            }
        }
    }
}

// Thousands of keys that share 40 bits, so that pages branch several levels deep; then removed in
// random order until none is left: roots follow the model, pages stay canonical, none remains.
TEST(Tree, GrowsAndShrinksThroughBranches) {
    std::mt19937_64 rng(draco::testing::test_seed(2));
    Model model;
    World world;
    while (model.size() < 3000) {
        Key key = random_fixed<Key>(rng);
        std::fill_n(key.data(), 5, std::uint8_t{0xa5});
        model[key] = random_fixed<ValueHash>(rng);
    }
    ASSERT_TRUE(world.update(as_changes(model)));
    std::vector<Key> keys;
    keys.reserve(model.size());
    for (const auto& [key, value] : model) keys.push_back(key);
    std::ranges::shuffle(keys, rng);
    while (!keys.empty()) {
        std::map<Key, std::optional<ValueHash>> removals;
        for (std::size_t i = 0; i < 150 && !keys.empty(); ++i, keys.pop_back()) {
            removals[keys.back()] = std::nullopt;
            model.erase(keys.back());
        }
        ASSERT_TRUE(world.update(sorted(removals)));
        ASSERT_EQ(world.tree.root(), model_root(model));
        ASSERT_EQ(world.store.pages, pages_of(model));
    }
    EXPECT_EQ(world.tree.root(), kEmptyDigest);
    EXPECT_TRUE(world.store.pages.empty());
}

// Two keys that differ in the last bit only: the deepest tree there is.
TEST(Tree, ReachesDepth256) {
    Model model;
    Key key(value_of(0x5a).bytes);
    for (std::uint8_t last = 0; last < 32; ++last) {
        key.bytes[31] = last;
        model[key] = value_of(last);
    }
    World world;
    ASSERT_TRUE(world.update(as_changes(model)));
    EXPECT_EQ(world.tree.root(), model_root(model));
    const auto proof = world.tree.prove(world.store, key);
    ASSERT_TRUE(proof);
    EXPECT_TRUE(verify_membership<Sha256Nodes>(world.tree.root(), key, value_of(31), *proof));
}

// One unchanged key in a batch hides no later change of it, and a batch without effect writes
// nothing.
TEST(Tree, MixesChangedAndUnchangedKeys) {
    World world;
    Model model;
    for (std::uint8_t i = 0; i < 40; ++i) model[key_of({i, 1})] = value_of(i);
    ASSERT_TRUE(world.update(as_changes(model)));
    auto changes = as_changes(model);
    const auto unchanged = world.tree.update(world.store, changes);
    ASSERT_TRUE(unchanged);
    EXPECT_TRUE(unchanged->writes.empty());
    EXPECT_EQ(unchanged->next.root(), world.tree.root());

    for (std::size_t i = 1; i < changes.size(); i += 2) {
        changes[i].value_hash = value_of(200);
        model[changes[i].key] = value_of(200);
    }
    const auto update = world.tree.update(world.store, changes);
    ASSERT_TRUE(update);
    EXPECT_EQ(update->next.root(), model_root(model));
    EXPECT_EQ(update->writes.size(), 20U);
}

// A version is immutable: a dropped update leaves no trace, and a reader that holds an older
// version and its pages proves against the old root.
TEST(Tree, UpdateChangesNothingUntilAdopted) {
    World world;
    std::mt19937_64 rng(draco::testing::test_seed(3));
    Model model;
    ASSERT_TRUE(world.update(random_batch(rng, model, 50)));
    const World reader = world;
    const Digest before = model_root(model);

    Model next = model;
    const auto batch = random_batch(rng, next, 50);
    ASSERT_TRUE(world.tree.update(world.store, batch));  // dropped: an aborted commit
    EXPECT_EQ(world.tree.root(), before);
    ASSERT_TRUE(world.update(batch));
    EXPECT_EQ(world.tree.root(), model_root(next));

    EXPECT_EQ(reader.tree.root(), before);
    for (const auto& [key, value] : model) {
        const auto proof = reader.tree.prove(reader.store, key);
        ASSERT_TRUE(proof) << to_string(proof.error());
        EXPECT_TRUE(verify_membership<Sha256Nodes>(before, key, value, *proof));
    }
}

// Changes out of order, or twice the same key, are refused.
TEST(Tree, RefusesUnsortedChanges) {
    const World world;
    const std::vector<Change> descending{{key_of({2}), value_of(1)}, {key_of({1}), value_of(1)}};
    const std::vector<Change> twice{{key_of({2}), value_of(1)}, {key_of({2}), value_of(2)}};
    for (const auto& changes : {descending, twice}) {
        const auto update = world.tree.update(world.store, changes);
        ASSERT_FALSE(update);
        EXPECT_EQ(update.error().code, Errc::InvalidArgument);
    }
}

// Every bit flip, truncation, extension and the loss of every page of a branching tree: update,
// prove, open and the leaf walk end in Corrupt or in success, never in a crash; and open or the
// leaf walk finds every single one.
TEST(Tree, SurvivesDamagedPages) {
    std::mt19937_64 rng(draco::testing::test_seed(4));
    Model model;
    while (model.size() < 40) {
        Key key = random_fixed<Key>(rng);
        std::fill_n(key.data(), 3, std::uint8_t{1});
        model[key] = random_fixed<ValueHash>(rng);
    }
    for (int i = 0; i < 3; ++i) model[random_fixed<Key>(rng)] = random_fixed<ValueHash>(rng);
    World sound;
    ASSERT_TRUE(sound.update(as_changes(model)));

    const auto exercise = [&](const MemoryStore& store) {
        const auto opened = Sha256Tree::open(store, sound.tree.root());
        const auto walk =
            for_each_leaf<Sha256Nodes>(store, [](const Leaf&) -> Result<void> { return {}; });
        EXPECT_TRUE(!opened || !walk);
        auto changes = as_changes(model);
        for (Change& change : changes) change.value_hash = std::nullopt;
        for (const auto& batch : {as_changes(model), changes}) {
            const auto update = sound.tree.update(store, batch);
            if (!update) EXPECT_EQ(update.error().code, Errc::Corrupt);
        }
        const Key& some = std::next(model.begin(), static_cast<long>(rng() % model.size()))->first;
        const auto proof = sound.tree.prove(store, some);
        if (!proof) EXPECT_EQ(proof.error().code, Errc::Corrupt);
    };
    for (const auto& [id, page] : sound.store.pages) {
        MemoryStore store = sound.store;
        store.pages.erase(id);
        exercise(store);
        store.pages[id] = page;
        store.pages[id].push_back(0);
        exercise(store);
        const std::size_t step = 1 + page.size() / 40;
        for (std::size_t size = 0; size < page.size(); size += step) {
            store.pages[id] = Bytes(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(size));
            exercise(store);
        }
        for (std::size_t bit = 0; bit < page.size() * 8; bit += bit < 24 * 8 ? 1 : 61) {
            store.pages[id] = page;
            store.pages[id][bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            exercise(store);
        }
    }
}

// Opening against another root than the pages have is refused.
TEST(Tree, OpenChecksTheRoot) {
    World world;
    ASSERT_TRUE(world.update(std::vector<Change>{{key_of({1}), value_of(1)}}));
    EXPECT_FALSE(Sha256Tree::open(world.store, kEmptyDigest));
    EXPECT_FALSE(Sha256Tree::open(MemoryStore{}, world.tree.root()));
    EXPECT_TRUE(Sha256Tree::open(MemoryStore{}, kEmptyDigest));
}

}  // namespace
}  // namespace draco::sparse_merkle
