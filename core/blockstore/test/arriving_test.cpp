// Files from strangers: blocks in any order, on many threads, lies about blocks, trees and lengths.
#include "store_fixture.hpp"

#include <atomic>
#include <thread>

namespace draco::blockstore {
namespace {

class ArrivingTest : public StoreFixture {
protected:
    std::unique_ptr<interfaces::ArrivingFile> arrive(const Content& content) {
        return store->arrive(content.info.hash, content.nodes, content.bytes.size()).value();
    }

    static void put_all(interfaces::ArrivingFile& file, const Content& content) {
        for (std::uint64_t i = content.info.leaves; i-- > 0;)
            ASSERT_TRUE(file.put_block(i, content.block(i)));
    }
};

TEST_F(ArrivingTest, BlocksComeInAnyOrderAndAreReadableAtOnce) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, kBlockBytes, kBlockBytes + 1, 6 * kBlockBytes + 5}) {
        const Content content = made_file(size, size);
        auto file = arrive(content);
        EXPECT_EQ(file->info(), content.info);
        for (std::uint64_t i = content.info.leaves; i-- > 0;) {
            EXPECT_FALSE(file->has_block(i));
            EXPECT_EQ(file->read_block(i).error().code, Errc::NotFound);
            EXPECT_EQ(file->finish().error().code, Errc::NotFound);
            ASSERT_TRUE(file->put_block(i, content.block(i)));
            ASSERT_TRUE(file->put_block(i, content.block(i)));
            EXPECT_TRUE(file->has_block(i));
            EXPECT_TRUE(equal(file->read_block(i).value(), content.block(i)));
        }
        EXPECT_FALSE(store->has(content.info.hash));
        EXPECT_EQ(store->usage().bytes, size);
        ASSERT_TRUE(file->finish());
        ASSERT_TRUE(file->finish());
        EXPECT_EQ(look(content), "");
        EXPECT_TRUE(equal(file->read_block(0).value(), content.block(0)));
        EXPECT_EQ(store->usage().bytes, content.file_bytes());
        file.reset();
        open();
        EXPECT_EQ(look(content), "");
        ASSERT_TRUE(store->remove(content.info.hash));
    }
}

TEST_F(ArrivingTest, WrongBlocksChangeNothing) {
    const Content content = made_file(1, 3 * kBlockBytes + 100);
    const auto file = arrive(content);
    const auto code = [&](std::uint64_t index, ByteView block) {
        const auto put = file->put_block(index, block);
        return put ? std::nullopt : std::optional(put.error().code);
    };
    Bytes changed = to_bytes(content.block(1));
    changed[1000] ^= 1U;
    EXPECT_EQ(code(1, changed), Errc::Corrupt);
    EXPECT_EQ(code(1, content.block(2)), Errc::Corrupt);
    EXPECT_EQ(code(1, content.block(1).first(1000)), Errc::Corrupt);
    EXPECT_EQ(code(1, {}), Errc::Corrupt);
    EXPECT_EQ(code(1, ByteView(content.bytes).first(kBlockBytes + 1)), Errc::Corrupt);
    EXPECT_EQ(code(4, content.block(3)), Errc::Corrupt);
    EXPECT_EQ(code(~std::uint64_t{0}, content.block(3)), Errc::Corrupt);
    EXPECT_FALSE(file->has_block(4));
    EXPECT_EQ(store->usage().bytes, 0U);
    put_all(*file, content);
    ASSERT_TRUE(file->finish());
    EXPECT_EQ(look(content), "");
}

TEST_F(ArrivingTest, LyingTreesAndLengthsAreFound) {
    const Content content = made_file(1, 3 * kBlockBytes);
    const auto code = [&](std::vector<blake3_tree::Hash> nodes, std::uint64_t bytes) {
        const auto arrived = store->arrive(content.info.hash, std::move(nodes), bytes);
        return arrived ? std::nullopt : std::optional(arrived.error().code);
    };
    EXPECT_EQ(code(content.nodes, 3 * kBlockBytes + 1), Errc::Corrupt);
    EXPECT_EQ(code(content.nodes, 2 * kBlockBytes), Errc::Corrupt);
    EXPECT_EQ(code(content.nodes, ~std::uint64_t{0}), Errc::Corrupt);
    EXPECT_EQ(code({}, 0), Errc::Corrupt);
    EXPECT_EQ(code({content.nodes.front()}, 1), Errc::Corrupt);
    EXPECT_EQ(code(made_file(2, 3 * kBlockBytes).nodes, 3 * kBlockBytes), Errc::Corrupt);
    for (std::size_t i = 0; i < content.nodes.size(); ++i) {
        auto nodes = content.nodes;
        nodes[i].bytes[5] ^= 1U;
        EXPECT_EQ(code(nodes, 3 * kBlockBytes), Errc::Corrupt) << i;
    }
    // A length within the last block is believed until that block comes.
    for (const std::uint64_t claimed : {3 * kBlockBytes - 1, 2 * kBlockBytes + 1}) {
        const auto file = store->arrive(content.info.hash, content.nodes, claimed).value();
        EXPECT_TRUE(file->put_block(0, content.block(0)));
        const auto last = file->put_block(2, content.block(2));
        EXPECT_EQ(last.error().code, Errc::Corrupt);
        EXPECT_NE(last.error().context.find("claimed length"), std::string::npos);
        EXPECT_EQ(
            file->put_block(2, content.block(2).first(claimed - 2 * kBlockBytes)).error().code,
            Errc::Corrupt);
        EXPECT_EQ(file->finish().error().code, Errc::NotFound);
    }
    // One block: the tree is but the hash, which fits every length of one block.
    const Content small = made_file(2, 1000);
    const auto file = store->arrive(small.info.hash, small.nodes, 999).value();
    EXPECT_EQ(file->put_block(0, small.bytes).error().code, Errc::Corrupt);
    EXPECT_EQ(store->usage().objects, 0U);
}

TEST_F(ArrivingTest, WhatIsThereOrArrivesTwiceIsThereOnce) {
    const Content content = made_file(1, 2 * kBlockBytes);
    const auto first = arrive(content);
    const auto second = arrive(content);
    put_all(*first, content);
    put_all(*second, content);
    ASSERT_TRUE(first->finish());
    ASSERT_TRUE(second->finish());
    EXPECT_EQ(store->usage().objects, 1U);
    EXPECT_TRUE(equal(second->read_block(1).value(), content.block(1)));
    const auto third = arrive(content);
    EXPECT_TRUE(third->has_block(0));
    EXPECT_FALSE(third->has_block(2));
    EXPECT_TRUE(third->put_block(1, content.block(1)));
    EXPECT_EQ(third->put_block(2, content.block(1)).error().code, Errc::Corrupt);
    EXPECT_TRUE(equal(third->read_block(1).value(), content.block(1)));
    EXPECT_TRUE(third->finish());
    EXPECT_EQ(store->arrive(content.info.hash, content.nodes, 2 * kBlockBytes - 1).error().code,
              Errc::Corrupt);
}

TEST_F(ArrivingTest, DroppedArrivalsLeaveNothing) {
    const Content content = made_file(1, 2 * kBlockBytes);
    {
        const auto file = arrive(content);
        ASSERT_TRUE(file->put_block(1, content.block(1)));
        EXPECT_EQ(store->usage().bytes, kBlockBytes);
    }
    EXPECT_EQ(store->usage().bytes, 0U);
    EXPECT_TRUE(disk.list("blockstore/staging").value().empty());
}

TEST_F(ArrivingTest, ABlockThatIsDamagedBeforeTheEndArrivesAgain) {
    const Content content = made_file(1, 2 * kBlockBytes);
    const auto file = arrive(content);
    put_all(*file, content);
    const auto staged = disk.list("blockstore/staging").value();
    ASSERT_EQ(staged.size(), 1U);
    ASSERT_TRUE(disk.flip_bit("blockstore/staging/" + staged.front().name, 8 * kBlockBytes + 77));
    EXPECT_TRUE(file->read_block(0));
    EXPECT_EQ(file->read_block(1).error().code, Errc::Corrupt);
    EXPECT_FALSE(file->has_block(1));
    EXPECT_EQ(store->usage().bytes, kBlockBytes);
    EXPECT_EQ(file->finish().error().code, Errc::NotFound);
    ASSERT_TRUE(file->put_block(1, content.block(1)));
    ASSERT_TRUE(file->finish());
    EXPECT_EQ(look(content), "");
}

TEST_F(ArrivingTest, ThreadsPutTheSameBlocksAndFinishAtOnce) {
    // Among them wrong ones; each block is counted once.
    const Content content = made_file(1, 12 * kBlockBytes + 9);
    for (int round = 0; round < 2; ++round) {
        const auto file = arrive(content);
        std::atomic<int> finished = 0;
        const auto work = [&](std::uint64_t thread) {
            std::mt19937_64 rng(thread);
            std::vector<std::uint64_t> order(content.info.leaves);
            for (std::uint64_t i = 0; i < order.size(); ++i) order[i] = i;
            std::ranges::shuffle(order, rng);
            for (const std::uint64_t i : order) {
                if (i + 1 < content.info.leaves)
                    EXPECT_FALSE(file->put_block(i + 1, content.block(i)) &&
                                 !file->has_block(i + 1));
                EXPECT_TRUE(file->put_block(i, content.block(i)));
                EXPECT_TRUE(equal(file->read_block(i).value(), content.block(i)));
            }
            const auto done = file->finish();
            EXPECT_TRUE(done) << to_string(done.error());
            ++finished;
        };
        std::vector<std::thread> threads;
        for (std::uint64_t t = 0; t < 4; ++t) threads.emplace_back(work, t);
        for (auto& thread : threads) thread.join();
        EXPECT_EQ(finished, 4);
        EXPECT_EQ(look(content), "");
        EXPECT_EQ(store->usage().bytes, content.file_bytes());
        EXPECT_EQ(bytes_on_disk(), content.file_bytes());
        ASSERT_TRUE(store->remove(content.info.hash));
    }
}

}  // namespace
}  // namespace draco::blockstore
