// The same on the files of the operating system, with contents as large as a test may make them.
#include "draco/io/posix_disk.hpp"

#include "store_fixture.hpp"

#include <filesystem>

namespace draco::blockstore {
namespace {

class PosixTest : public ::testing::Test {
protected:
    PosixTest() : root_(::testing::TempDir() + "draco-blockstore-XXXXXX") {
        if (::mkdtemp(root_.data()) == nullptr) std::abort();
        disk = io::PosixDisk::open_root(root_).value();
        open();
    }

    ~PosixTest() override {
        store.reset();
        disk.reset();
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }

    void open() {
        store.reset();
        store = blockstore::open(*disk, options, log).value();
    }

    Options options;
    log::MemoryLog log;
    std::unique_ptr<io::PosixDisk> disk;
    std::unique_ptr<interfaces::Blockstore> store;

private:
    std::string root_;
};

// A file that is never in memory: block i is the same bytes with i in front.
Bytes block_of(Bytes& pattern, std::uint64_t index, std::uint64_t bytes) {
    store_le(pattern.data(), index);
    return {pattern.begin(), pattern.begin() + static_cast<std::ptrdiff_t>(bytes)};
}

TEST_F(PosixTest, LongFilesStreamThroughAndComeBack) {
    // 65, 66 and 1,025 blocks: a tree that is full but for a leaf, and ones that grow past it.
    Bytes pattern = made_bytes(9, kBlockBytes);
    for (const std::uint64_t blocks : {65U, 66U, 1025U}) {
        const std::uint64_t last = kBlockBytes - blocks;
        blake3_tree::Hasher hasher;
        auto writer = store->write_file().value();
        for (std::uint64_t i = 0; i < blocks; ++i) {
            const Bytes block = block_of(pattern, i, i + 1 == blocks ? last : kBlockBytes);
            hasher.update(block);
            ASSERT_TRUE(writer->write(block));
        }
        const auto info = writer->finish().value();
        EXPECT_EQ(info.hash, ContentHash(hasher.finish().bytes));
        EXPECT_EQ(info.leaves, blocks);
        writer.reset();  // it holds the object
        open();
        const auto object = store->open(info.hash).value();
        for (std::uint64_t i = 0; i < blocks; ++i)
            ASSERT_EQ(object->read_block(i).value(),
                      block_of(pattern, i, i + 1 == blocks ? last : kBlockBytes));
        ASSERT_EQ(store->usage().bytes, bytes_below(*disk, "blockstore/objects"));
        ASSERT_TRUE(store->remove(info.hash));
    }
}

TEST_F(PosixTest, ObjectsPinsAndArrivalsSurviveARestart) {
    const Content file = made_file(1, 3 * kBlockBytes + 1);
    const Content directory = made_directory(3, 2000);
    ASSERT_TRUE(put(*store, directory));
    ASSERT_TRUE(store->pin(directory.info.hash));
    auto arriving = store->arrive(file.info.hash, file.nodes, file.bytes.size()).value();
    for (const std::uint64_t i : {3U, 0U, 2U, 1U})
        ASSERT_TRUE(arriving->put_block(i, file.block(i)));
    ASSERT_TRUE(arriving->finish());
    arriving.reset();
    open();
    EXPECT_EQ(difference(*store->open(file.info.hash).value(), file), "");
    EXPECT_EQ(difference(*store->open(directory.info.hash).value(), directory), "");
    EXPECT_EQ(store->usage().pinned_objects, 1U);
    EXPECT_EQ(store->usage().bytes, bytes_below(*disk, "blockstore/objects"));
    auto reader = store->open(file.info.hash).value();
    ASSERT_TRUE(store->remove(file.info.hash));
    EXPECT_EQ(difference(*reader, file), "");
    reader.reset();
    EXPECT_EQ(store->usage().bytes, bytes_below(*disk, "blockstore/objects"));
}

}  // namespace
}  // namespace draco::blockstore
