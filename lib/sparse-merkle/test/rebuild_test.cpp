#include "draco/sparse_merkle/rebuild.hpp"

#include "draco/testing/seed.hpp"

#include "model.hpp"

#include <gtest/gtest.h>

namespace draco::sparse_merkle {
namespace {

LeafSource source_of(const Model& model) {
    return [at = model.begin(), end = model.end()]() mutable -> Result<std::optional<Leaf>> {
        if (at == end) return std::nullopt;
        const Leaf leaf{at->first, at->second};
        ++at;
        return leaf;
    };
}

Model random_model(std::mt19937_64& rng, std::size_t size) {
    Model model;
    while (model.size() < size) model[random_key(rng, model)] = random_fixed<ValueHash>(rng);
    return model;
}

// The streaming root equals the model's after every leaf, over close and far keys.
TEST(RootBuilder, AgreesWithTheModel) {
    std::mt19937_64 rng(draco::testing::test_seed(11));
    for (std::uint64_t round = 0; round < draco::testing::scaled(20); ++round) {
        RootBuilder<Sha256Nodes> builder;
        EXPECT_EQ(builder.root(), kEmptyDigest);
        Model so_far;
        for (const auto& [key, value] : random_model(rng, rng() % 60)) {
            so_far[key] = value;
            ASSERT_TRUE(builder.add({key, value}));
            ASSERT_EQ(builder.root(), model_root(so_far));
        }
    }
}

// A key that does not ascend is refused and changes nothing.
TEST(RootBuilder, RefusesDescendingKeys) {
    RootBuilder<Sha256Nodes> builder;
    Leaf leaf;
    leaf.key.bytes[0] = 1;
    ASSERT_TRUE(builder.add(leaf));
    const Digest before = builder.root();
    EXPECT_FALSE(builder.add(leaf));
    EXPECT_FALSE(builder.add({}));
    EXPECT_EQ(builder.root(), before);
}

// Rebuilding from leaves gives, over several batches, the very pages and root that updates gave;
// the leaf walk gives the leaves back, and they lead to the same root.
TEST(Rebuild, GivesTheSamePages) {
    std::mt19937_64 rng(draco::testing::test_seed(12));
    const Model model = random_model(rng, 10'000);
    World world;
    ASSERT_TRUE(world.update(as_changes(model)));

    MemoryStore rebuilt;
    int sinks = 0;
    const auto tree = rebuild<Sha256Nodes>(source_of(model), [&](std::vector<PageWrite> writes) {
        ++sinks;
        for (const PageWrite& write : writes) EXPECT_FALSE(rebuilt.pages.contains(write.id));
        rebuilt.apply(std::move(writes));
        return Result<void>();
    });
    ASSERT_TRUE(tree) << to_string(tree.error());
    EXPECT_GT(sinks, 1);
    EXPECT_EQ(tree->root(), world.tree.root());
    EXPECT_EQ(rebuilt.pages, world.store.pages);

    Model walked;
    RootBuilder<Sha256Nodes> builder;
    ASSERT_TRUE(for_each_leaf<Sha256Nodes>(rebuilt, [&](const Leaf& leaf) {
        walked[leaf.key] = leaf.value_hash;
        return builder.add(leaf);
    }));
    EXPECT_EQ(walked, model);
    EXPECT_EQ(builder.root(), tree->root());
}

// Errors of the source and the sink, and keys out of order, end a rebuild.
TEST(Rebuild, PassesErrorsOn) {
    std::mt19937_64 rng(draco::testing::test_seed(13));
    const Model model = random_model(rng, 10);
    const auto no_sink = [](auto) { return Result<void>(); };
    const LeafSource broken = [] { return Result<std::optional<Leaf>>(fail(Errc::Io, "no disk")); };
    EXPECT_EQ(rebuild<Sha256Nodes>(broken, no_sink).error().code, Errc::Io);
    const auto full = rebuild<Sha256Nodes>(
        source_of(model), [](auto) { return Result<void>(fail(Errc::Exhausted, "full")); });
    EXPECT_EQ(full.error().code, Errc::Exhausted);
    const LeafSource same = [] { return Result<std::optional<Leaf>>(Leaf{}); };
    EXPECT_EQ(rebuild<Sha256Nodes>(same, no_sink).error().code, Errc::InvalidArgument);
}

}  // namespace
}  // namespace draco::sparse_merkle
