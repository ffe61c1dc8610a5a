#include "draco/atomo/storage.hpp"

#include "draco/atomo/byte_order.hpp"
#include "draco/atomo/memory_storage.hpp"
#include "draco/atomo/rocks_storage.hpp"
#include "draco/simulon/disk.hpp"
#include "draco/testing/seed.hpp"

#include "temporary_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

namespace draco::atomo {
namespace {

using Model = std::map<Bytes, Bytes, BytesLess>;
using Random = std::mt19937_64;

enum class Backend { Memory, Rocks };

class StorageBackend : public ::testing::TestWithParam<Backend> {
protected:
    std::unique_ptr<Storage> open() {
        if (GetParam() == Backend::Memory) return open_memory_storage();
        auto storage =
            open_rocks_storage({.path = directory_.path(), .durability = Durability::Buffered});
        EXPECT_TRUE(storage.has_value());
        return *std::move(storage);
    }

private:
    TemporaryDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(All,
                         StorageBackend,
                         ::testing::Values(Backend::Memory, Backend::Rocks),
                         [](const auto& backend) {
                             return backend.param == Backend::Memory ? "Memory" : "Rocks";
                         });

// Short keys over few letters, so that some exist and many share prefixes; some are long.
Bytes draw_key(Random& random) {
    Bytes key(1 + random() % (random() % 10 == 0 ? 40 : 6));
    for (auto& byte : key) byte = static_cast<std::uint8_t>("\x00\x01\x7F\xFF"[random() % 4]);
    return key;
}

using Batch = std::map<Bytes, std::optional<Bytes>, BytesLess>;

Batch draw_batch(Random& random, std::size_t size_max) {
    Batch batch;
    for (std::size_t i = 1 + random() % size_max; i > 0; --i) {
        std::optional<Bytes> value;
        if (random() % 3 != 0)
            value = Bytes(random() % (random() % 50 == 0 ? 9000 : 60),
                          static_cast<std::uint8_t>(random()));
        batch.insert_or_assign(draw_key(random), value);
    }
    return batch;
}

void commit(Storage& storage, const Batch& batch) {
    std::vector<StorageWrite> writes;
    for (const auto& [key, value] : batch) writes.push_back({key, value});
    const auto committed = storage.commit(writes);
    ASSERT_TRUE(committed.has_value()) << to_string(committed.error());
}

void apply(Model& model, const Batch& batch) {
    for (const auto& [key, value] : batch) {
        model.erase(key);
        if (value) model.emplace(key, *value);
    }
}

std::vector<std::pair<Bytes, Bytes>> scan(const StorageSnapshot& snapshot,
                                          const KeyInterval& interval,
                                          Order order) {
    std::vector<std::pair<Bytes, Bytes>> found;
    const auto cursor = snapshot.scan(interval, order);
    while (true) {
        const auto entry = cursor->next();
        EXPECT_TRUE(entry.has_value());
        if (!entry || !*entry) return found;
        found.emplace_back(to_bytes((*entry)->key), to_bytes((*entry)->value));
    }
}

void expect_same(const StorageSnapshot& snapshot, const Model& model, Random& random) {
    Bytes scratch;
    std::vector<Bytes> keys;
    for (int i = 0; i < 20; ++i) keys.push_back(draw_key(random));
    std::ranges::sort(keys, bytes_less);
    const auto twice = std::ranges::unique(keys);
    keys.erase(twice.begin(), twice.end());
    std::size_t present = 0;
    for (const Bytes& key : keys) {
        const auto value = snapshot.get(key, scratch);
        ASSERT_TRUE(value.has_value());
        const auto expected = model.find(key);
        ASSERT_EQ(value->has_value(), expected != model.end());
        if (*value) ASSERT_TRUE(equal(**value, expected->second));
        present += value->has_value() ? 1 : 0;
    }
    std::size_t visited = 0;
    const std::vector<ByteView> views(keys.begin(), keys.end());
    const auto many = snapshot.get_many(views, [&](std::size_t i, ByteView value) -> Result<> {
        EXPECT_TRUE(equal(value, model.find(keys[i])->second));
        ++visited;
        return {};
    });
    ASSERT_TRUE(many.has_value());
    ASSERT_EQ(visited, present);

    KeyInterval interval{draw_key(random), std::nullopt};
    if (random() % 4 == 0) interval.from.clear();
    if (random() % 4 != 0) interval.to = draw_key(random);
    if (random() % 4 == 0) interval = KeyInterval::with_prefix(draw_key(random));
    std::vector<std::pair<Bytes, Bytes>> expected;
    for (const auto& [key, value] : model)
        if (!bytes_less(key, interval.from) && (!interval.to || bytes_less(key, *interval.to)))
            expected.emplace_back(key, value);
    ASSERT_EQ(scan(snapshot, interval, Order::Ascending), expected);
    std::ranges::reverse(expected);
    ASSERT_EQ(scan(snapshot, interval, Order::Descending), expected);
}

TEST_P(StorageBackend, AgreesWithAMap) {
    // Random batches: point reads, batched reads and scans in both directions are those of a
    // std::map, also through snapshots of earlier states.
    Random random(testing::test_seed(11));
    const auto storage = open();
    Model model;
    std::vector<std::pair<std::shared_ptr<const StorageSnapshot>, Model>> kept;
    for (std::uint64_t round = 0; round < testing::scaled(150); ++round) {
        const Batch batch = draw_batch(random, round % 10 == 0 ? 600 : 20);
        commit(*storage, batch);
        apply(model, batch);
        auto snapshot = storage->snapshot();
        ASSERT_TRUE(snapshot.has_value());
        expect_same(**snapshot, model, random);
        if (random() % 4 == 0) kept.emplace_back(*snapshot, model);
        if (!kept.empty()) {
            auto& [old_snapshot, old_model] = kept[random() % kept.size()];
            expect_same(*old_snapshot, old_model, random);
        }
        if (kept.size() > 4) kept.erase(kept.begin());
    }
}

TEST_P(StorageBackend, EmptiesAndFillsAgain) {
    // Removing everything leaves an empty storage that works; leaves and inner nodes vanish.
    const auto storage = open();
    for (int round = 0; round < 2; ++round) {
        Batch fill;
        Batch clear;
        for (std::uint32_t i = 0; i < 5000; ++i) {
            Bytes key(4);
            store_be(key.data(), i * 2654435761U);
            fill.emplace(key, Bytes{1, 2, 3});
            clear.emplace(key, std::nullopt);
        }
        commit(*storage, fill);
        const auto full = storage->snapshot();
        EXPECT_EQ(scan(**full, {}, Order::Ascending).size(), 5000U);
        commit(*storage, clear);
        const auto empty = storage->snapshot();
        EXPECT_EQ(scan(**empty, {}, Order::Ascending).size(), 0U);
        EXPECT_EQ(scan(**full, {}, Order::Descending).size(), 5000U);
    }
}

TEST_P(StorageBackend, SnapshotsOutliveTheStorage) {
    // A snapshot keeps what it needs.
    auto storage = open();
    commit(*storage, {{Bytes{1}, Bytes{2}}});
    const auto snapshot = storage->snapshot();
    storage.reset();
    Bytes scratch;
    const auto value = (*snapshot)->get(Bytes{1}, scratch);
    ASSERT_TRUE(value && *value);
    EXPECT_EQ((**value)[0], 2);
}

TEST_P(StorageBackend, ReadersSeeWholeCommits) {
    // Two keys are always written together; threads that read snapshots during commits never see
    // them differ. (Under tsan: no data race.)
    const auto storage = open();
    const auto write = [&](std::uint8_t value) {
        commit(*storage, {{Bytes{1}, Bytes{value}}, {Bytes{2}, Bytes{value}}});
    };
    write(0);
    std::atomic<bool> done = false;
    std::vector<std::jthread> readers;
    for (int i = 0; i < 2; ++i)
        readers.emplace_back([&] {
            Bytes a;
            Bytes b;
            while (!done) {
                const auto snapshot = *storage->snapshot();
                const auto first = snapshot->get(Bytes{1}, a);
                const auto second = snapshot->get(Bytes{2}, b);
                ASSERT_TRUE(equal(**first, **second));
            }
        });
    for (int i = 0; i < 500; ++i) write(static_cast<std::uint8_t>(i));
    done = true;
}

TEST(RocksStorage, IsExclusive) {
    // A second open of the same directory is Unavailable, and works after the first is closed.
    const TemporaryDirectory directory;
    auto first = open_rocks_storage({.path = directory.path()});
    ASSERT_TRUE(first.has_value());
    const auto second = open_rocks_storage({.path = directory.path()});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::Unavailable) << to_string(second.error());
    first->reset();
    EXPECT_TRUE(open_rocks_storage({.path = directory.path()}).has_value());
}

TEST(RocksStorage, ADatabaseInANewDeepDirectoryIsDurable) {
    // All directories on the way to the database are as durable as what is committed to it, also
    // those that opening it created.
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        simulon::SimulatedDisk disk(seed);
        const RocksOptions options{.path = "node/data/state", .disk = &disk};
        commit(**open_rocks_storage(options), {{Bytes{1}, Bytes{2}}});
        disk.crash();
        disk.restart();
        const auto storage = open_rocks_storage(options);
        ASSERT_TRUE(storage.has_value()) << to_string(storage.error());
        Bytes scratch;
        const auto found = (*(*storage)->snapshot())->get(Bytes{1}, scratch);
        ASSERT_TRUE(found.has_value());
        EXPECT_TRUE(found->has_value()) << "seed " << seed;
    }
}

TEST(RocksStorage, OpensAfterACrashWhileItWasCreated) {
    // At whatever change of the disk the power fails, and whichever of the names made until then
    // survive: there is no database, or a whole one.
    for (std::uint64_t seed = 0; seed < 6; ++seed)
        for (std::uint64_t change = 1; change <= 24; ++change) {
            simulon::SimulatedDisk disk(100 * seed + change);
            const RocksOptions options{.path = "state", .disk = &disk};
            disk.crash_at_change(change);
            static_cast<void>(open_rocks_storage(options));
            disk.crash();
            disk.restart();
            const auto storage = open_rocks_storage(options);
            ASSERT_TRUE(storage.has_value())
                << "seed " << seed << ", change " << change << ": " << to_string(storage.error());
        }
}

// The write-ahead log of a closed database, whose commits no memtable has left yet.
std::filesystem::path log_of(const std::string& directory) {
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        if (entry.path().extension() == ".log") return entry.path();
    return {};
}

TEST(RocksStorage, ALogThatLostAPageEndsThere) {
    // Whichever page of an unsynced log the medium lost (it reads as zeros), commits are missing
    // from some point on, never between others. The records of this log have such a size that a
    // lost page starts where a record would: there RocksDB alone takes the zeros for padding and
    // goes on behind them.
    constexpr std::uint64_t kPageBytes = 4096;
    constexpr std::uint64_t kRecordBytes = 1024;
    constexpr std::uint64_t kOverheadBytes = 27;  // of the log and the batch
    const TemporaryDirectory directory;
    constexpr std::uint32_t kCommits = 200;
    {
        const auto storage = open_rocks_storage(
            {.path = directory.path() + "/whole", .durability = Durability::Buffered});
        ASSERT_TRUE(storage.has_value()) << to_string(storage.error());
        for (std::uint32_t i = 0; i < kCommits; ++i) {
            Bytes key(4);
            store_be(key.data(), i);
            commit(**storage,
                   {{key, Bytes(kRecordBytes - kOverheadBytes, static_cast<std::uint8_t>(i))}});
        }
    }
    const auto log_bytes = std::filesystem::file_size(log_of(directory.path() + "/whole"));
    ASSERT_EQ(log_bytes, kRecordBytes * kCommits);
    for (std::uint64_t page = 0; page * kPageBytes < log_bytes; ++page) {
        const std::string path = directory.path() + "/" + std::to_string(page);
        std::filesystem::copy(directory.path() + "/whole", path);
        {
            std::fstream log(log_of(path), std::ios::in | std::ios::out | std::ios::binary);
            // The first record is synced: only what follows it can be lost.
            const std::uint64_t from = std::max(page * kPageBytes, kRecordBytes);
            log.seekp(static_cast<std::streamoff>(from));
            log << std::string(std::min((page + 1) * kPageBytes, log_bytes) - from, '\0');
            ASSERT_TRUE(log.good());
        }
        const auto storage = open_rocks_storage({.path = path});
        ASSERT_TRUE(storage.has_value()) << to_string(storage.error());
        const auto found = scan(**(*storage)->snapshot(), {}, Order::Ascending);
        EXPECT_LT(found.size(), kCommits) << "page " << page;
        if (!found.empty()) {
            EXPECT_EQ(load_be<std::uint32_t>(found.back().first.data()), found.size() - 1)
                << "page " << page;
        }
    }
}

TEST(RocksStorage, TheFirstCommitOfALogIsDurable) {
    // A log's first batch has none before it to be checked against, so it must not vanish beneath
    // later ones: it waits for the medium, also when commits in general do not.
    simulon::SimulatedDisk disk(testing::test_seed(18));
    const RocksOptions options{.path = "state", .disk = &disk, .durability = Durability::Buffered};
    const auto key_of = [](std::uint8_t opening) { return Bytes{opening}; };
    for (std::uint8_t opening = 0; opening < 5; ++opening) {
        commit(**open_rocks_storage(options), {{key_of(opening), Bytes{1}}});
        disk.crash();
        disk.restart();
        const auto storage = open_rocks_storage(options);
        ASSERT_TRUE(storage.has_value()) << to_string(storage.error());
        EXPECT_EQ(scan(**(*storage)->snapshot(), {}, Order::Ascending).size(), opening + 1U);
    }
}

TEST(RocksStorage, ReadOnlyRefusesWritesAndNeedsADatabase) {
    // Read-only: NotFound where nothing is; reads what is there; commit is InvalidArgument.
    const TemporaryDirectory directory;
    const auto nothing = open_rocks_storage_read_only({.path = directory.path() + "/none"});
    ASSERT_FALSE(nothing.has_value());
    EXPECT_EQ(nothing.error().code, Errc::NotFound) << to_string(nothing.error());
    commit(**open_rocks_storage({.path = directory.path()}), {{Bytes{1}, Bytes{2}}});
    const auto storage = open_rocks_storage_read_only({.path = directory.path()});
    ASSERT_TRUE(storage.has_value()) << to_string(storage.error());
    Bytes scratch;
    EXPECT_TRUE((*(*storage)->snapshot())->get(Bytes{1}, scratch)->has_value());
    const auto committed = (*storage)->commit({});
    ASSERT_FALSE(committed.has_value());
    EXPECT_EQ(committed.error().code, Errc::InvalidArgument);
    EXPECT_EQ((*storage)->sync().error().code, Errc::InvalidArgument);
}

TEST(RocksStorage, RefusesOptionsThatMakeNoSense) {
    // An empty path and a group of no commits.
    EXPECT_EQ(open_rocks_storage({}).error().code, Errc::InvalidArgument);
    EXPECT_EQ(open_rocks_storage({.path = "x", .group_commits = 0}).error().code,
              Errc::InvalidArgument);
}

}  // namespace
}  // namespace draco::atomo
