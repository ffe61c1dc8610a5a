// Damage is found wherever it is, never served, and costs no more than the object it is in.
#include "store_fixture.hpp"

namespace draco::blockstore {
namespace {

class DamageTest : public StoreFixture {
protected:
    void flip(const Content& content, std::uint64_t byte) {
        ASSERT_TRUE(disk.flip_bit(path_of(content), 8 * byte + byte % 8));
    }

    std::uint64_t size_of(const Content& content) {
        return disk.open(path_of(content), OpenMode::Read).value()->size().value();
    }

    // Opens and reads all; the damage must show, and nothing else.
    void expect_dropped(const Content& content, const std::string& where) {
        const auto damaged_before = store->usage().damaged_objects;
        if (store->has(content.info.hash)) {
            const auto object = store->open(content.info.hash);
            const auto error = object ? read_error(**object, content) : object.error().code;
            ASSERT_EQ(error, Errc::Corrupt) << where;
            ASSERT_EQ(store->usage().damaged_objects, damaged_before + 1) << where;
        } else {
            ASSERT_EQ(damaged_before, 1U) << where;  // found at the start
        }
        ASSERT_FALSE(store->has(content.info.hash)) << where;
        ASSERT_EQ(store->open(content.info.hash).error().code, Errc::NotFound) << where;
        ASSERT_FALSE(disk.exists(path_of(content)).value()) << where;
        ASSERT_EQ(log.count("damaged content is dropped"), 1U) << where;
        log.clear();
    }

    void guard_bytes(const Content& content, std::uint64_t first) {
        options.trees_bytes_max = 0;  // each opening reads all that is behind the data
        open();
        put(content);
        const std::uint64_t size = size_of(content);
        ASSERT_LT(first, size);
        for (std::uint64_t byte = first; byte < size; ++byte) {
            const std::string where = "byte " + std::to_string(byte);
            log.clear();
            flip(content, byte);
            expect_dropped(content, where + ", while open");
            put(content);
            flip(content, byte);
            open();
            expect_dropped(content, where + ", since the start");
            put(content);
        }
        EXPECT_EQ(look(content), "");
        EXPECT_EQ(store->usage().bytes, bytes_on_disk());
    }

    // Every block or entry that is read is the right one, or the error that is returned.
    static std::optional<Errc> read_error(const StoredContent& object, const Content& content) {
        std::optional<Errc> error;
        for (std::uint64_t i = 0; i < content.info.leaves; ++i) {
            if (content.info.kind == ContentKind::File) {
                const auto block = object.read_block(i);
                if (!block)
                    error = block.error().code;
                else
                    EXPECT_TRUE(equal(*block, content.block(i)));
            } else {
                const auto entry = object.entries(i, 1);
                if (!entry)
                    error = entry.error().code;
                else
                    EXPECT_EQ(entry->front(), content.entries[i]);
            }
        }
        return error;
    }
};

TEST_F(DamageTest, EachByteOfADirectoryIsGuarded) {
    // Entries, offsets, tree and footer: by the store that has it, and by one that finds it.
    guard_bytes(made_directory(4, 5), 0);
}

TEST_F(DamageTest, EachByteBehindTheDataOfAFileIsGuarded) {
    const Content content = made_file(1, 2 * kBlockBytes + 10);
    guard_bytes(content, content.bytes.size());
}

TEST_F(DamageTest, ADamagedBlockIsNotServedAndTheOthersAre) {
    const Content content = made_file(1, 5 * kBlockBytes);
    put(content);
    const auto reader = store->open(content.info.hash).value();
    flip(content, 2 * kBlockBytes + 12'345);
    const auto damaged = reader->read_block(2);
    EXPECT_EQ(damaged.error().code, Errc::Corrupt);
    EXPECT_NE(damaged.error().context.find("block 2"), std::string::npos);
    EXPECT_FALSE(store->has(content.info.hash));
    EXPECT_TRUE(equal(reader->read_block(1).value(), content.block(1)));
    EXPECT_EQ(store->usage().damaged_objects, 1U);
    EXPECT_EQ(reader->read_block(2).error().code, Errc::Corrupt);
    EXPECT_EQ(store->usage().damaged_objects, 1U);  // counted once
    put(content);
    EXPECT_EQ(look(content), "");
}

TEST_F(DamageTest, FilesThatAreCutGrownEmptyOrExchangedAreDropped) {
    const Content one = made_file(1, 1000);
    const Content two = made_file(2, 1000);
    const auto replace = [&](const Bytes& bytes) {
        const auto file = disk.open(path_of(one), OpenMode::Truncate).value();
        ASSERT_TRUE(file->write_at(0, bytes));
    };
    put(one);
    put(two);
    Bytes whole(size_of(one));
    ASSERT_TRUE(disk.open(path_of(one), OpenMode::Read).value()->read_at(0, whole));
    Bytes grown = whole;
    grown.push_back(0);
    Bytes other(whole.size());
    ASSERT_TRUE(disk.open(path_of(two), OpenMode::Read).value()->read_at(0, other));
    for (const Bytes& bytes :
         {Bytes(), Bytes(1), Bytes(whole.begin(), whole.end() - 1), grown, other, Bytes(5000)}) {
        replace(bytes);
        EXPECT_EQ(store->open(one.info.hash).error().code, Errc::Corrupt) << bytes.size();
        EXPECT_FALSE(store->has(one.info.hash));
        put(one);
        replace(bytes);
        open();
        EXPECT_FALSE(store->has(one.info.hash)) << bytes.size();
        EXPECT_EQ(store->usage().damaged_objects, 1U);
        put(one);
    }
    ASSERT_TRUE(disk.remove(path_of(one)));
    EXPECT_EQ(store->open(one.info.hash).error().code, Errc::Corrupt);
    EXPECT_EQ(store->usage().bytes, bytes_on_disk());
}

TEST_F(DamageTest, APinOutlivesTheDamageOfItsObject) {
    const Content content = made_file(1, 1000);
    put(content);
    ASSERT_TRUE(store->pin(content.info.hash));
    flip(content, 5);
    EXPECT_NE(look(content), "");
    EXPECT_EQ(log.entries().back().field("pinned"), log::Value(true));
    EXPECT_EQ(store->usage().pinned_objects, 0U);
    open();
    EXPECT_EQ(log.count("pinned content is missing"), 1U);
    put(content);
    EXPECT_EQ(store->usage().pinned_objects, 1U);
    ASSERT_TRUE(store->unpin(content.info.hash));
    open();
    EXPECT_EQ(store->usage().pinned_objects, 0U);
}

TEST_F(DamageTest, ForeignFilesAreNamedAndLeftAlone) {
    const Content content = made_file(1, 1000);
    put(content);
    const std::string shard = "blockstore/objects/zz";
    ASSERT_TRUE(disk.create_directory(shard));
    const std::vector<std::string> foreign{
        "blockstore/pins/notes.txt",
        path_of(content) + ".bak",
        shard + "/" + path_of(content).substr(path_of(content).rfind('/') + 1)};
    for (const auto& path : foreign) ASSERT_TRUE(disk.open(path, OpenMode::Create));
    ASSERT_TRUE(disk.create_directory("blockstore/staging/folder"));
    open();
    EXPECT_EQ(log.count("a foreign file lies among the objects"), 2U);
    EXPECT_EQ(log.count("a foreign file lies among the pins"), 1U);
    for (const auto& path : foreign) EXPECT_TRUE(disk.exists(path).value()) << path;
    EXPECT_EQ(look(content), "");
    EXPECT_EQ(store->usage().bytes, content.file_bytes());
}

TEST_F(DamageTest, WhatANewerProgramWroteAndWhatTheDiskCannotReadIsKept) {
    const Content content = made_file(1, 1000);
    put(content);
    const std::uint64_t size = size_of(content);
    Bytes footer = encode_footer({.info = content.info, .data_bytes = 1000, .sequence = 0});
    footer[8] = 2;
    const auto mode = blake3_tree::Mode::derive_key("draco blockstore object footer");
    const auto checksum = blake3_tree::hash(ByteView(footer).first(77), mode);
    std::ranges::copy(checksum.view(), footer.begin() + 77);
    ASSERT_TRUE(disk.open(path_of(content), OpenMode::ReadWrite)
                    .value()
                    ->write_at(size - kFooterBytes, footer));
    open();
    EXPECT_FALSE(store->has(content.info.hash));
    EXPECT_TRUE(disk.exists(path_of(content)).value());
    EXPECT_EQ(store->usage().bytes, size);
    EXPECT_EQ(store->usage().damaged_objects, 0U);
    EXPECT_EQ(log.count("content cannot be read and is left alone"), 1U);
    disk.set_options({.read_error = 1});
    open();
    EXPECT_TRUE(disk.exists(path_of(content)).value());
    EXPECT_EQ(store->usage().bytes, size);
}

TEST_F(DamageTest, AFailingReadIsNoDamage) {
    const Content content = made_file(1, 1000);
    put(content);
    const auto reader = store->open(content.info.hash).value();
    disk.set_options({.read_error = 1});
    EXPECT_EQ(reader->read_block(0).error().code, Errc::Io);
    EXPECT_EQ(store->scrub(1000).unreadable_objects, 1U);
    disk.set_options({});
    EXPECT_EQ(look(content), "");
    EXPECT_EQ(store->usage().damaged_objects, 0U);
}

TEST_F(DamageTest, ScrubbingFindsWhatNobodyReads) {
    // In steps of any size, with what comes and goes between them; every leaf is read once a round.
    std::vector<Content> contents;
    for (std::uint64_t i = 0; i < 6; ++i) contents.push_back(made_file(i, i * kBlockBytes + 100));
    contents.push_back(made_directory(1, 0));
    contents.push_back(made_directory(2, 2500));
    std::uint64_t data_bytes = 0;
    for (const auto& content : contents) {
        put(content);
        data_bytes += content.bytes.size();
    }
    for (const std::uint64_t step :
         {std::uint64_t{0}, std::uint64_t{kBlockBytes + 1}, ~std::uint64_t{0}}) {
        interfaces::ScrubReport sum;
        for (bool end = false; !end;) {
            const auto report = store->scrub(step);
            if (step < kBlockBytes * 2) EXPECT_LE(report.bytes, step + kFooterBytes + kBlockBytes);
            sum.bytes += report.bytes;
            sum.whole_objects += report.whole_objects;
            end = report.end_reached;
        }
        EXPECT_EQ(sum.whole_objects, contents.size());
        EXPECT_GT(sum.bytes, data_bytes);
    }
    flip(contents[4], 3 * kBlockBytes + 5);
    flip(contents[7], 100'000);
    interfaces::ScrubReport sum;
    for (bool end = false; !end;) {
        const auto report = store->scrub(2 * kBlockBytes);
        sum.whole_objects += report.whole_objects;
        sum.damaged_objects += report.damaged_objects;
        end = report.end_reached;
    }
    EXPECT_EQ(sum.damaged_objects, 2U);
    EXPECT_EQ(sum.whole_objects, contents.size() - 2);
    EXPECT_FALSE(store->has(contents[4].info.hash));
    EXPECT_FALSE(store->has(contents[7].info.hash));
    EXPECT_EQ(store->usage().bytes, bytes_on_disk());
    EXPECT_EQ(log.count("damaged content is dropped"), 2U);
    // One that leaves while it is checked.
    while (store->scrub(0).end_reached) {
    }
    for (const auto& content : contents) static_cast<void>(store->remove(content.info.hash));
    EXPECT_TRUE(store->scrub(0).end_reached);
    EXPECT_EQ(store->scrub(0), (interfaces::ScrubReport{.end_reached = true}));
}

}  // namespace
}  // namespace draco::blockstore
