// What the store asks of the disk: a long file is synced in parts, so that finishing it is short,
// an object that is opened again is not read again, and neither costs any of what was promised.
#include "draco/simulon/seeded_rng.hpp"
#include "draco/testing/seed.hpp"

#include "../src/store.hpp"
#include "../src/tail_cache.hpp"
#include "store_fixture.hpp"

#include <atomic>

namespace draco::blockstore {
namespace {

struct DiskCost {
    std::atomic<std::uint64_t> read_bytes = 0;
    std::atomic<std::uint64_t> syncs = 0;
    std::atomic<std::uint64_t> synced_at_once_max = 0;  // of one file
};

class WatchedFile final : public File {
public:
    WatchedFile(std::unique_ptr<File> file, DiskCost& cost) : file_(std::move(file)), cost_(cost) {}

    Result<std::size_t> read_at(std::uint64_t offset, MutByteView out) const override {
        auto read = file_->read_at(offset, out);
        if (read) cost_.read_bytes += *read;
        return read;
    }

    Result<> write_at(std::uint64_t offset, ByteView data) override {
        unsynced_ += data.size();
        return file_->write_at(offset, data);
    }

    Result<> truncate(std::uint64_t size_bytes) override { return file_->truncate(size_bytes); }

    Result<> preallocate(std::uint64_t size_bytes) override {
        return file_->preallocate(size_bytes);
    }

    Result<> sync() override {
        ++cost_.syncs;
        cost_.synced_at_once_max = std::max<std::uint64_t>(cost_.synced_at_once_max, unsynced_);
        unsynced_ = 0;
        return file_->sync();
    }

    Result<std::uint64_t> size() const override { return file_->size(); }

private:
    std::unique_ptr<File> file_;
    DiskCost& cost_;
    std::uint64_t unsynced_ = 0;
};

class WatchedDisk final : public Disk {
public:
    explicit WatchedDisk(Disk& disk) : disk_(disk) {}

    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override {
        DRACO_TRY(file, disk_.open(path, mode));
        return std::make_unique<WatchedFile>(std::move(file), cost);
    }

    Result<> rename(std::string_view from, std::string_view to) override {
        return disk_.rename(from, to);
    }

    Result<> remove(std::string_view path) override { return disk_.remove(path); }

    Result<> create_directory(std::string_view path) override {
        return disk_.create_directory(path);
    }

    Result<> remove_directory(std::string_view path) override {
        return disk_.remove_directory(path);
    }

    Result<> sync_directory(std::string_view path) override { return disk_.sync_directory(path); }

    Result<std::vector<DirectoryEntry>> list(std::string_view path) const override {
        return disk_.list(path);
    }

    Result<bool> exists(std::string_view path) const override { return disk_.exists(path); }

    Result<std::unique_ptr<DiskLock>> lock(std::string_view path) override {
        return disk_.lock(path);
    }

    DiskCost cost;

private:
    Disk& disk_;
};

class DiskCostTest : public ::testing::Test {
protected:
    void open_store() {
        store.reset();
        store = blockstore::open(disk, options, log).value();
    }

    std::string look(const Content& content) {
        const auto object = store->open(content.info.hash);
        return object ? difference(**object, content) : to_string(object.error());
    }

    // What opening costs, in bytes that are read.
    std::uint64_t cost_of_opening(const Content& content) {
        const std::uint64_t before = disk.cost.read_bytes;
        EXPECT_TRUE(store->open(content.info.hash));
        return disk.cost.read_bytes - before;
    }

    void flip(const Content& content, std::uint64_t byte) {
        ASSERT_TRUE(medium.flip_bit(Layout(options.directory).object(content.info.hash), 8 * byte));
    }

    simulon::SimulatedDisk medium{1};
    WatchedDisk disk{medium};
    log::MemoryLog log;
    Options options;
    std::unique_ptr<interfaces::Blockstore> store;
};

// The same file from a trusted hand, and in blocks out of order.
TEST_F(DiskCostTest, ALongFileIsSyncedInParts) {
    options.unsynced_bytes_max = 2 * kBlockBytes;
    open_store();
    const Content content = made_file(1, 11 * kBlockBytes + 5);
    for (const bool arrives : {false, true}) {
        disk.cost.syncs = 0;
        disk.cost.synced_at_once_max = 0;
        if (arrives) {
            const auto file =
                store->arrive(content.info.hash, content.nodes, content.info.bytes).value();
            for (std::uint64_t i = content.info.leaves; i-- > 0;)
                ASSERT_TRUE(file->put_block(i, content.block(i)));
            ASSERT_TRUE(file->finish());
        } else {
            ASSERT_TRUE(put(*store, content));
        }
        EXPECT_GE(disk.cost.syncs, 6U);
        EXPECT_LT(disk.cost.synced_at_once_max, 3 * kBlockBytes) << "with the last write";
        EXPECT_EQ(look(content), "");
        ASSERT_TRUE(store->remove(content.info.hash));
    }
}

// Syncs fail, and the later ones say that all is well: the file is none.
TEST_F(DiskCostTest, AFileWhoseSyncFailedInTheMiddleIsNeverFinished) {
    options.unsynced_bytes_max = kBlockBytes;
    open_store();
    const Content content = made_file(1, 5 * kBlockBytes);
    const auto file = store->arrive(content.info.hash, content.nodes, content.info.bytes).value();
    ASSERT_TRUE(file->put_block(0, content.block(0)));
    medium.set_options({.sync_error = 1});
    EXPECT_EQ(file->put_block(1, content.block(1)).error().code, Errc::Io);
    medium.set_options({});
    for (std::uint64_t i = 1; i < content.info.leaves; ++i)
        EXPECT_TRUE(file->put_block(i, content.block(i)));
    EXPECT_EQ(file->finish().error().code, Errc::Io);
    EXPECT_FALSE(store->has(content.info.hash));
}

TEST_F(DiskCostTest, AnObjectThatIsOpenedAgainIsNotReadAgain) {
    open_store();
    const std::vector<Content> contents{made_file(1, 40 * kBlockBytes), made_directory(2, 300)};
    for (const Content& content : contents) ASSERT_TRUE(put(*store, content));
    // Those that were just written, too.
    for (const Content& content : contents) EXPECT_EQ(cost_of_opening(content), kFooterBytes);
    open_store();
    for (const Content& content : contents) {
        EXPECT_GE(cost_of_opening(content), 32 * content.nodes.size());
        EXPECT_EQ(cost_of_opening(content), kFooterBytes);
        EXPECT_EQ(look(content), "");
    }
    options.trees_bytes_max = 0;
    open_store();
    for (int i = 0; i < 2; ++i)
        EXPECT_GE(cost_of_opening(contents[0]), 32 * contents[0].nodes.size());
}

// A tree in memory proves what is read, whatever has become of the one on the disk; looking for
// damage finds that.
TEST_F(DiskCostTest, ADamagedTreeOnTheDiskHarmsNobodyAndIsFoundByScrubbing) {
    open_store();
    const Content content = made_file(1, 4 * kBlockBytes);
    ASSERT_TRUE(put(*store, content));
    flip(content, content.bytes.size() + 40);
    EXPECT_EQ(look(content), "");
    flip(content, kBlockBytes + 3);
    flip(content, kBlockBytes + 3);  // whole again
    EXPECT_EQ(store->scrub(1U << 30U).damaged_objects, 1U);
    EXPECT_FALSE(store->has(content.info.hash));
    ASSERT_TRUE(put(*store, content));
    EXPECT_EQ(look(content), "");
    flip(content, kBlockBytes + 3);
    EXPECT_EQ(store->open(content.info.hash).value()->read_block(1).error().code, Errc::Corrupt);
    EXPECT_FALSE(store->has(content.info.hash));
}

// Beside a naive model: the tails used last, as long as they fit.
TEST(TailCacheModel, KeepsWhatWasUsedLast) {
    simulon::SeededRng rng(draco::testing::test_seed(1));
    constexpr std::uint64_t kBytesMax = 20'000;
    TailCache cache(kBytesMax);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> model;  // key and bytes, used last: first
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t key = rng.below(12);
        ContentHash hash;
        store_be(hash.bytes.data(), key);
        const auto known =
            std::ranges::find(model, key, &std::pair<std::uint64_t, std::uint64_t>::first);
        const auto what = rng.below(8);
        if (what < 5) {
            ASSERT_EQ(cache.find(hash) != nullptr, known != model.end());
            if (known != model.end()) std::rotate(model.begin(), known, known + 1);
        } else if (what == 5) {
            cache.drop(hash);
            if (known != model.end()) model.erase(known);
        } else {
            const std::uint64_t nodes = rng.below(12) == 0 ? 1000 : rng.below(200);
            ObjectTail tail;
            tail.nodes.resize(nodes);
            cache.put(hash, std::make_shared<const ObjectTail>(std::move(tail)));
            if (known != model.end()) model.erase(known);
            const std::uint64_t bytes = 32 * nodes + 256;
            if (bytes <= kBytesMax) model.insert(model.begin(), {key, bytes});
        }
        std::uint64_t sum = 0;
        for (std::size_t n = 0; n < model.size(); ++n) {
            sum += model[n].second;
            if (sum > kBytesMax) {
                sum -= model[n].second;
                model.resize(n);
            }
        }
        ASSERT_EQ(cache.bytes(), sum);
    }
}

}  // namespace
}  // namespace draco::blockstore
