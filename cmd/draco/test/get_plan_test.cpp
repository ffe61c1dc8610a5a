// What a folder leads to is counted before anything is written, each object listed once, however
// many paths there are; and what is beyond the limits is refused with how much it is.

#include "../src/get_plan.hpp"

#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace draco {
namespace {

using types::ContentHash;

ContentHash hash_of(std::size_t number) {
    ContentHash hash;
    for (std::size_t i = 0; i < 8; ++i)
        hash.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return hash;
}

types::DirectoryEntry entry(const std::string& name,
                            std::variant<ContentHash, types::LinkTarget> target) {
    using Name = bcs::Bounded<std::string, blake3_tree::kEntryNameBytesMax>;
    return {.name = Name::make(std::string(name)).value(), .target = std::move(target)};
}

// Objects by number; those without entries are files.
struct Store {
    std::map<ContentHash, GetPlan::Entries> folders;
    std::uint64_t listed = 0;

    GetPlan::List list() {
        return [this](const ContentHash& hash) -> Result<std::optional<GetPlan::Entries>> {
            ++listed;
            const auto found = folders.find(hash);
            if (found == folders.end()) return std::optional<GetPlan::Entries>();
            return std::optional(found->second);
        };
    }

    // Folders 0 .. levels - 1, each with two names for the next one.
    void add_doubling(std::size_t levels) {
        for (std::size_t i = 0; i < levels; ++i)
            folders[hash_of(i)] = {entry("a", hash_of(i + 1)), entry("b", hash_of(i + 1))};
    }
};

TEST(GetPlan, AFolderOfMoreThanAllPathsIsRefusedAfterOneLookAtEach) {
    Store store;
    store.add_doubling(64);
    GetPlan plan({});
    const auto refused = plan.add(hash_of(0), store.list());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::Exhausted);
    EXPECT_TRUE(refused.error().context.contains("more than 18446744073709551614 files"));
    EXPECT_TRUE(refused.error().context.contains("nothing was written"));
    EXPECT_TRUE(refused.error().context.contains("--max-entries"));
    EXPECT_EQ(store.listed, 65U);
}

TEST(GetPlan, SaysHowManyThereAre) {
    Store store;
    store.add_doubling(30);
    GetPlan plan({});
    const auto refused = plan.add(hash_of(0), store.list());
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().context.contains(std::to_string((std::uint64_t{1} << 31U) - 1)));
    GetPlan larger({.entries_max = (std::uint64_t{1} << 31U) - 1});
    EXPECT_TRUE(larger.add(hash_of(0), store.list()));
}

TEST(GetPlan, BoundsTheDepth) {
    for (const std::size_t levels : {3U, 4U, 5U}) {
        Store store;
        for (std::size_t i = 0; i < levels; ++i)
            store.folders[hash_of(i)] = {entry("a", hash_of(i + 1))};
        GetPlan plan({.depth_max = 4});
        const auto added = plan.add(hash_of(0), store.list());
        EXPECT_EQ(added.has_value(), levels <= 4) << levels;
        if (!added) EXPECT_TRUE(added.error().context.contains("--max-depth"));
    }
    // Known from another place, but deeper there.
    Store store;
    store.folders[hash_of(0)] = {entry("a", hash_of(2)), entry("b", hash_of(1))};
    store.folders[hash_of(1)] = {entry("a", hash_of(2))};
    store.folders[hash_of(2)] = {entry("a", hash_of(3))};
    EXPECT_FALSE(GetPlan({.depth_max = 2}).add(hash_of(0), store.list()));
    EXPECT_TRUE(GetPlan({.depth_max = 3}).add(hash_of(0), store.list()));
}

TEST(GetPlan, LooksAtNoMoreObjectsThanMayBeMade) {
    Store store;
    GetPlan::Entries many;
    for (std::size_t i = 1; i <= 1000; ++i) many.push_back(entry(std::to_string(i), hash_of(i)));
    store.folders[hash_of(0)] = many;
    GetPlan plan({.entries_max = 10});
    EXPECT_FALSE(plan.add(hash_of(0), store.list()));
    EXPECT_LE(store.listed, 11U);
}

TEST(GetPlan, WhatWasTakenForAFileCanBeListedAgain) {
    Store store;
    GetPlan plan({});
    ASSERT_TRUE(plan.add(hash_of(7), store.list()));
    EXPECT_EQ(plan.entries(hash_of(7)), nullptr);
    store.folders[hash_of(7)] = {entry("a", hash_of(8))};
    plan.forget(hash_of(7));
    ASSERT_TRUE(plan.add(hash_of(7), store.list()));
    ASSERT_NE(plan.entries(hash_of(7)), nullptr);
    EXPECT_EQ(plan.entries(hash_of(8)), nullptr);
}

// Model: walking every path.
std::uint64_t walked(const Store& store, const ContentHash& hash) {
    const auto found = store.folders.find(hash);
    if (found == store.folders.end()) return 1;
    std::uint64_t count = 1;
    for (const auto& each : found->second) {
        const auto* child = std::get_if<ContentHash>(&each.target);
        count += child == nullptr ? 1 : walked(store, *child);
    }
    return count;
}

TEST(GetPlan, CountsAsAWalkDoes) {
    std::mt19937_64 random(testing::test_seed(41));
    for (std::uint64_t round = 0; round < testing::scaled(300); ++round) {
        Store store;
        const std::size_t folders = 1 + random() % 8;
        for (std::size_t i = 0; i < folders; ++i) {
            GetPlan::Entries entries;
            for (std::size_t each = random() % 4; each > 0; --each) {
                if (random() % 5 == 0)
                    entries.push_back(
                        entry(std::to_string(each), types::LinkTarget::make("x").value()));
                else
                    entries.push_back(entry(std::to_string(each), hash_of(i + 1 + random() % 8)));
            }
            store.folders[hash_of(i)] = entries;
        }
        const std::uint64_t count = walked(store, hash_of(0));
        EXPECT_TRUE(GetPlan({.entries_max = count}).add(hash_of(0), store.list()));
        if (count > 1)
            EXPECT_FALSE(GetPlan({.entries_max = count - 1}).add(hash_of(0), store.list()));
    }
}

}  // namespace
}  // namespace draco
