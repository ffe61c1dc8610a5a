// What the store promises while nothing breaks: contents of every shape, pins, quota, removal under
// readers, restarts.
#include "store_fixture.hpp"

#include <functional>
#include <utility>

namespace draco::blockstore {
namespace {

using interfaces::ListedContent;

class BlockstoreTest : public StoreFixture {};

TEST_F(BlockstoreTest, FilesOfEverySizeComeBackInWhateverPiecesTheyWereWritten) {
    // Around each border: nothing, a byte, a chunk, a block, two, and shapes of the tree.
    for (const std::size_t size : std::vector<std::size_t>{0,
                                                           1,
                                                           1023,
                                                           1024,
                                                           kBlockBytes - 1,
                                                           kBlockBytes,
                                                           kBlockBytes + 1,
                                                           2 * kBlockBytes,
                                                           3 * kBlockBytes + 77,
                                                           65 * kBlockBytes,
                                                           66 * kBlockBytes - 1}) {
        const Content content = made_file(size, size);
        for (const std::size_t piece : {std::size_t{100'001}, kBlockBytes, size + 1}) {
            if (size > 4 * kBlockBytes && piece != kBlockBytes) continue;
            auto writer = store->write_file().value();
            for (std::size_t at = 0; at < size; at += piece)
                ASSERT_TRUE(
                    writer->write(ByteView(content.bytes).subspan(at, std::min(piece, size - at))));
            EXPECT_FALSE(store->has(content.info.hash));
            ASSERT_EQ(writer->finish().value(), content.info);
            EXPECT_EQ(look(content), "") << size << " in pieces of " << piece;
            EXPECT_EQ(store->usage().bytes, content.file_bytes());
            EXPECT_EQ(bytes_on_disk(), content.file_bytes());
            writer.reset();  // it holds the object
            open();
            EXPECT_EQ(look(content), "") << size << " after a restart";
            ASSERT_TRUE(store->remove(content.info.hash));
        }
    }
    EXPECT_EQ(store->usage().bytes, 0U);
}

TEST_F(BlockstoreTest, DirectoriesOfEverySizeComeBack) {
    // Also with more entries than fit into one read.
    for (const std::size_t count : {0U, 1U, 2U, 3U, 64U, 65U, 1000U, 3000U}) {
        const Content content = made_directory(count, count);
        put(content);
        EXPECT_EQ(look(content), "") << count;
        open();
        EXPECT_EQ(look(content), "") << count << " after a restart";
    }
    EXPECT_EQ(store->usage().bytes, bytes_on_disk());
}

TEST_F(BlockstoreTest, TheLargestDirectoryComesBack) {
    // 65,535 entries, with names of up to 255 bytes; one more is refused.
    std::vector<types::DirectoryEntry> entries;
    const auto name = [](std::size_t i) {
        return std::to_string(100'000 + i) + std::string(i % 250, 'x');
    };
    for (std::size_t i = 0; i < 65'535; ++i) entries.push_back(made_link(name(i), ContentHash()));
    const Content content = made_directory(std::move(entries));
    put(content);
    EXPECT_EQ(look(content), "");
    auto more = content.entries;
    more.push_back(made_link(name(65'535), ContentHash()));
    EXPECT_EQ(store->put_directory(more).error().code, Errc::Exhausted);
}

TEST_F(BlockstoreTest, ADirectoryAnswersInParts) {
    const Content content = made_directory(5, 100);
    put(content);
    const auto object = store->open(content.info.hash).value();
    const auto part = object->entries(90, 5).value();
    ASSERT_EQ(part.size(), 5U);
    EXPECT_EQ(part.front(), content.entries[90]);
    EXPECT_EQ(object->entries(98, 1000).value().size(), 2U);
    EXPECT_TRUE(object->entries(100, 1).value().empty());
    EXPECT_TRUE(object->entries(0, 0).value().empty());
    EXPECT_EQ(object->find("zzz").value(), std::nullopt);
    EXPECT_EQ(object->find("").value(), std::nullopt);
}

TEST_F(BlockstoreTest, EntriesOutOfOrderAndQuestionsToTheWrongKindAreRefused) {
    const auto a = made_symlink("a", "t");
    const auto b = made_symlink("b", "t");
    EXPECT_EQ(store->put_directory({b, a}).error().code, Errc::InvalidArgument);
    EXPECT_EQ(store->put_directory({a, a}).error().code, Errc::InvalidArgument);
    const Content file = made_file(1, 10);
    put(file);
    const auto object = store->open(file.info.hash).value();
    EXPECT_EQ(object->entries(0, 1).error().code, Errc::InvalidArgument);
    EXPECT_EQ(object->find("a").error().code, Errc::InvalidArgument);
    EXPECT_EQ(store->usage().objects, 1U);
}

TEST_F(BlockstoreTest, NamesAndTargetsThatAreNoTextAreRefused) {
    const ContentHash hash = made_file(1, 1).info.hash;
    for (const auto& entry : {made_link("caf\xe9", hash),
                              made_link("\xc0\xaf", hash),
                              made_symlink("name", "to\xff"),
                              made_symlink("\xed\xa0\x80", "target")}) {
        const auto put = store->put_directory({entry});
        ASSERT_FALSE(put);
        EXPECT_EQ(put.error().code, Errc::InvalidArgument);
        EXPECT_NE(put.error().context.find("UTF-8"), std::string::npos);
    }
    EXPECT_EQ(store->usage().objects, 0U);
    EXPECT_TRUE(store->put_directory({made_symlink("caf\xc3\xa9", "\xe2\x82\xac")}));
}

TEST_F(BlockstoreTest, WhatIsPutTwiceIsThereOnce) {
    const Content file = made_file(1, 300'000);
    const Content directory = made_directory(1, 10);
    for (int i = 0; i < 2; ++i) {
        put(file);
        put(directory);
    }
    EXPECT_EQ(store->usage().objects, 2U);
    EXPECT_EQ(store->usage().bytes, bytes_on_disk());
    EXPECT_TRUE(disk.list("blockstore/staging").value().empty());
}

TEST_F(BlockstoreTest, AFileThatIsNotFinishedLeavesNothing) {
    {
        auto writer = store->write_file().value();
        ASSERT_TRUE(writer->write(Bytes(3 * kBlockBytes)));
        EXPECT_EQ(store->usage().bytes, 3 * kBlockBytes);
        EXPECT_FALSE(disk.list("blockstore/staging").value().empty());
    }
    EXPECT_EQ(store->usage(), (interfaces::StoreUsage{.bytes_max = options.bytes_max}));
    EXPECT_TRUE(disk.list("blockstore/staging").value().empty());
}

TEST_F(BlockstoreTest, ListsInTheOrderOfHashes) {
    std::vector<ListedContent> expected;
    for (std::uint64_t i = 0; i < 20; ++i) {
        const Content content = made_file(i, 10);
        put(content);
        if (i % 3 == 0) ASSERT_TRUE(store->pin(content.info.hash));
        expected.push_back({.info = content.info, .pinned = i % 3 == 0});
    }
    std::ranges::sort(expected, {}, [](const ListedContent& one) { return one.info.hash; });
    std::optional<ContentHash> after;
    for (std::size_t i = 0; i < expected.size(); i += 7) {
        const auto listed = store->list(after, 7);
        for (std::size_t j = 0; j < listed.size(); ++j) EXPECT_EQ(listed[j], expected[i + j]);
        EXPECT_EQ(listed.size(), std::min<std::size_t>(7, expected.size() - i));
        after = listed.back().info.hash;
    }
    EXPECT_TRUE(store->list(after, 7).empty());
}

TEST_F(BlockstoreTest, ReadersReadOnWhenTheirObjectIsRemoved) {
    // And its room is in use until the last one has let go.
    const Content content = made_file(1, 3 * kBlockBytes);
    put(content);
    auto reader = store->open(content.info.hash).value();
    auto other = store->open(content.info.hash).value();
    EXPECT_EQ(reader, other);  // one file, one tree
    other.reset();
    ASSERT_TRUE(store->remove(content.info.hash));
    EXPECT_FALSE(store->has(content.info.hash));
    EXPECT_EQ(store->open(content.info.hash).error().code, Errc::NotFound);
    EXPECT_EQ(store->remove(content.info.hash).error().code, Errc::NotFound);
    EXPECT_EQ(difference(*reader, content), "");
    EXPECT_EQ(store->usage().bytes, content.file_bytes());
    put(content);  // comes again beside it
    EXPECT_EQ(store->usage().bytes, 2 * content.file_bytes());
    EXPECT_EQ(difference(*reader, content), "");
    EXPECT_EQ(look(content), "");
    reader.reset();
    EXPECT_EQ(store->usage().bytes, content.file_bytes());
}

TEST_F(BlockstoreTest, AReaderMayOutliveTheStore) {
    const Content content = made_file(1, 1000);
    put(content);
    auto reader = store->open(content.info.hash).value();
    store.reset();
    EXPECT_EQ(difference(*reader, content), "");
    EXPECT_EQ(blockstore::open(disk, options, log).error().code, Errc::Unavailable);
    reader.reset();
    open();
    EXPECT_EQ(look(content), "");
}

TEST_F(BlockstoreTest, PinsSurviveRestartsAndEndWithTheirObject) {
    const Content one = made_file(1, 10);
    const Content two = made_file(2, 10);
    put(one);
    put(two);
    EXPECT_EQ(store->pin(made_file(3, 10).info.hash).error().code, Errc::NotFound);
    EXPECT_EQ(store->unpin(made_file(3, 10).info.hash).error().code, Errc::NotFound);
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(store->pin(one.info.hash));
        ASSERT_TRUE(store->pin(two.info.hash));
    }
    ASSERT_TRUE(store->unpin(two.info.hash));
    ASSERT_TRUE(store->unpin(two.info.hash));
    open();
    EXPECT_EQ(store->usage().pinned_objects, 1U);
    ASSERT_TRUE(store->remove(one.info.hash));
    put(one);
    EXPECT_EQ(store->usage().pinned_objects, 0U);
    open();
    EXPECT_EQ(store->usage().pinned_objects, 0U);
    EXPECT_EQ(store->usage().objects, 2U);
}

TEST_F(BlockstoreTest, EvictsTheOldestThatNobodyUsedPinnedOrHolds) {
    const std::size_t size = 100'000;
    const std::uint64_t each = made_file(0, size).file_bytes();
    options.bytes_max = 5 * each;
    open();
    std::vector<Content> contents;
    for (std::uint64_t i = 0; i < 8; ++i) contents.push_back(made_file(i, size));
    for (std::size_t i = 0; i < 5; ++i) put(contents[i]);
    EXPECT_EQ(look(contents[0]), "");  // used
    ASSERT_TRUE(store->pin(contents[1].info.hash));
    auto held = store->open(contents[2].info.hash).value();
    const auto here = [&] {
        std::string found;
        for (const auto& content : contents) found += store->has(content.info.hash) ? '1' : '0';
        return found;
    };
    put(contents[5]);
    EXPECT_EQ(here(), "11101100");
    put(contents[6]);
    EXPECT_EQ(here(), "11100110");
    held.reset();
    put(contents[7]);
    EXPECT_EQ(here(), "11100011");
    const auto usage = store->usage();
    EXPECT_EQ(usage.evicted_objects, 3U);
    EXPECT_EQ(usage.bytes, 5 * each);
    EXPECT_EQ(usage.bytes, bytes_on_disk());
}

// Does something at the moment when an object has left the index and its file has not left the
// disk.
class AtEviction final : public log::Log {
public:
    bool enabled(log::Level /*level*/) const override { return true; }

    void write(log::Level /*level*/,
               std::string_view /*component*/,
               std::string_view message,
               std::span<const log::Field> /*fields*/) override {
        if (message == "content is evicted" && act) std::exchange(act, nullptr)();
    }

    std::function<void()> act;
};

TEST_F(BlockstoreTest, WhatComesAgainWhileItIsEvictedKeepsItsFile) {
    AtEviction hook;
    const Content first = made_file(0, 1000);
    store.reset();
    options.bytes_max = 10 * first.file_bytes();
    store = blockstore::open(disk, options, hook).value();
    for (std::uint64_t i = 0; i < 8; ++i) put(made_file(i, 1000));
    bool came_again = false;
    hook.act = [&] {
        EXPECT_FALSE(store->has(first.info.hash));
        came_again = blockstore::put(*store, first).has_value();
    };
    put(made_file(9, 3000));
    EXPECT_TRUE(came_again);
    EXPECT_EQ(look(first), "");
    EXPECT_EQ(store->usage().bytes, bytes_on_disk());
    store.reset();
}

TEST_F(BlockstoreTest, TheOrderOfArrivalSurvivesARestart) {
    const std::uint64_t each = made_file(0, 1000).file_bytes();
    options.bytes_max = 6 * each;
    open();
    for (std::uint64_t i = 0; i < 6; ++i) put(made_file(i, 1000));
    for (std::uint64_t i = 6; i < 9; ++i) {
        open();
        put(made_file(i, 1000));
        for (std::uint64_t j = 0; j <= i; ++j)
            EXPECT_EQ(store->has(made_file(j, 1000).info.hash), j + 6 > i) << i << " " << j;
    }
}

TEST_F(BlockstoreTest, WhatCannotFitIsRefusedAndEvictsNothing) {
    const std::uint64_t each = made_file(0, 1000).file_bytes();
    options.bytes_max = 4 * each;
    open();
    const Content pinned = made_file(0, 1000);
    put(pinned);
    ASSERT_TRUE(store->pin(pinned.info.hash));
    put(made_file(1, 1000));
    const Content large = made_file(2, 4000);
    const auto refused = blockstore::put(*store, large);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::Exhausted);
    EXPECT_NE(refused.error().context.find("raise the quota"), std::string::npos);
    const auto arrival =
        store->arrive(made_file(3, 4000).info.hash, made_file(3, 4000).nodes, 4000);
    EXPECT_EQ(arrival.error().code, Errc::Exhausted);
    EXPECT_EQ(store->usage().evicted_objects, 0U);
    EXPECT_EQ(store->usage().bytes, 2 * each);
    ASSERT_TRUE(store->unpin(pinned.info.hash));
    EXPECT_TRUE(blockstore::put(*store, large));
}

TEST_F(BlockstoreTest, TheNumberOfObjectsIsBoundedToo) {
    options.objects_max = 3;
    open();
    for (std::uint64_t i = 0; i < 5; ++i) put(made_file(i, 10));
    EXPECT_EQ(store->usage().objects, 3U);
    EXPECT_EQ(store->usage().evicted_objects, 2U);
    std::vector<std::unique_ptr<interfaces::FileWriter>> writers;
    for (int i = 0; i < 3; ++i) writers.push_back(store->write_file().value());
    EXPECT_EQ(store->write_file().error().code, Errc::Exhausted);
    EXPECT_EQ(store->usage().objects, 0U);
}

TEST_F(BlockstoreTest, ASmallerQuotaEvictsAtTheStart) {
    for (std::uint64_t i = 0; i < 4; ++i) put(made_file(i, 1000));
    ASSERT_TRUE(store->pin(made_file(0, 1000).info.hash));
    options.bytes_max = 2 * made_file(0, 1000).file_bytes();
    open();
    EXPECT_TRUE(store->has(made_file(0, 1000).info.hash));
    EXPECT_TRUE(store->has(made_file(3, 1000).info.hash));
    EXPECT_EQ(store->usage().bytes, options.bytes_max);
    EXPECT_EQ(store->usage().bytes, bytes_on_disk());
    options.bytes_max = 10;
    open();
    EXPECT_EQ(store->usage().objects, 1U);
    EXPECT_EQ(log.count("the quota is below what is pinned"), 1U);
    EXPECT_EQ(store->write_file().error().code, Errc::Exhausted);
}

TEST_F(BlockstoreTest, RefusesImpossibleOptionsAndASecondOwner) {
    EXPECT_EQ(blockstore::open(disk, options, log).error().code, Errc::Unavailable);
    for (const Options& wrong : {Options{.directory = ""},
                                 Options{.directory = "x", .bytes_max = 0},
                                 Options{.directory = "x", .objects_max = 0}})
        EXPECT_EQ(blockstore::open(disk, wrong, log).error().code, Errc::InvalidArgument);
    EXPECT_TRUE(blockstore::open(disk, {.directory = "a/deep/folder"}, log));
}

TEST_F(BlockstoreTest, AFullDiskIsAnErrorAndTheStoreGoesOn) {
    const Content small = made_file(1, 1000);
    put(small);
    disk.set_options({.capacity_bytes = disk.used_bytes() + 100'000});
    EXPECT_EQ(blockstore::put(*store, made_file(2, 600'000)).error().code, Errc::Exhausted);
    EXPECT_EQ(store->usage().bytes, small.file_bytes());
    put(made_file(3, 1000));
    EXPECT_EQ(look(small), "");
}

TEST_F(BlockstoreTest, FailingWritesAndSyncsMakeNoObjects) {
    // Each error comes back, nothing that failed is visible, and what is counted is on the disk.
    for (int i = 0; i < 300; ++i) {
        const Content content = made_file(static_cast<std::uint64_t>(i), 1000);
        disk.set_options({.write_error = 0.05, .sync_error = 0.1});
        const auto done = blockstore::put(*store, content);
        const bool pinned = done && store->pin(content.info.hash);
        const bool removed = done && i % 4 == 3 && store->remove(content.info.hash);
        disk.set_options({});
        if (!done) ASSERT_EQ(done.error().code, Errc::Io);
        if (!done) ASSERT_FALSE(store->has(content.info.hash));
        if (removed) ASSERT_FALSE(store->has(content.info.hash));
        if (pinned && store->has(content.info.hash)) ASSERT_EQ(look(content), "");
    }
    EXPECT_LE(bytes_on_disk(), store->usage().bytes);
    open();
    EXPECT_EQ(store->usage().bytes, bytes_on_disk());
    EXPECT_EQ(store->usage().damaged_objects, 0U);
    EXPECT_TRUE(disk.list("blockstore/staging").value().empty());
}

}  // namespace
}  // namespace draco::blockstore
