// Consensus commits ahead of execution, so it may hand over blocks after the last one of an epoch.
// They are never executed, are no fork, and leave no trace after a restart.
#include "ledger_fixture.hpp"

#include <gtest/gtest.h>

namespace draco::ledger {
namespace {

constexpr std::size_t kLast = 10;  // of the first epoch of a MadeChain

class VoidBlocks : public ::testing::Test {
protected:
    static const MadeChain& made() {
        static const MadeChain chain(25);
        return chain;
    }

    void SetUp() override { start(); }

    void start() {
        if (life) life->close();
        life = std::make_unique<Life>();
        const auto opened = life->open_in_memory(made(), disk, options);
        ASSERT_TRUE(opened) << to_string(opened.error());
    }

    Result<> append(std::size_t height) {
        return life->ledger->append(made().blocks.at(height - 1), BlockOrigin::Consensus);
    }

    // What the old epoch's committee committed after its last block.
    static std::vector<BlockWithContent> void_blocks(std::size_t count) {
        std::vector<BlockWithContent> blocks;
        BlockDigest parent = made().blocks.at(kLast - 1).digest;
        for (std::size_t i = 0; i < count; ++i) {
            BlockWithContent block = made().blocks.at(kLast + i);
            block.block.epoch = made().blocks.front().block.epoch;
            block.block.parent = parent;
            block.block.anchor_round = types::Round(500 + i);
            block.digest = types::digest_of(made().chain.genesis.chain, block.block);
            parent = block.digest;
            blocks.push_back(std::move(block));
        }
        return blocks;
    }

    void append_void(std::size_t count) {
        for (const auto& block : void_blocks(count))
            ASSERT_TRUE(life->ledger->append(block, BlockOrigin::Consensus));
    }

    void go_on_to(std::size_t height) {
        for (std::size_t h = life->head() + 1; h <= height; ++h) {
            const auto appended = append(h);
            ASSERT_TRUE(appended) << to_string(appended.error());
        }
        life->executor.run_all();
        ASSERT_EQ(life->head(), height);
        EXPECT_EQ(life->ledger->view()->state_root(), made().roots.at(height - 1));
        EXPECT_TRUE(life->log.errors.empty());
        EXPECT_TRUE(life->escalations.empty());
    }

    simulon::SimulatedDisk disk{1};
    Options options = small_options();
    std::unique_ptr<Life> life;
};

TEST_F(VoidBlocks, QueuedWithTheLastOneAreDropped) {
    for (std::size_t h = 1; h <= kLast; ++h) ASSERT_TRUE(append(h));
    append_void(5);
    life->executor.run_all();
    ASSERT_EQ(life->head(), kLast);
    EXPECT_EQ(life->observer.blocks.size(), kLast);
    EXPECT_FALSE(life->ledger->read(Height(kLast + 1)).value().has_value());
    go_on_to(25);
    const auto read = life->ledger->read(Height(kLast + 1)).value();
    EXPECT_EQ(bcs::decode<ArchivedBlock>(*read)->block, made().blocks.at(kLast).block);
}

TEST_F(VoidBlocks, HandedOverLateAreIgnored) {
    go_on_to(kLast);
    append_void(3);
    go_on_to(kLast + 1);
    append_void(3);
    go_on_to(25);
}

TEST_F(VoidBlocks, InTheArchiveDoNotStopTheNextStarts) {
    for (std::size_t h = 1; h <= kLast; ++h) ASSERT_TRUE(append(h));
    append_void(5);
    life->executor.run_all();
    start();
    ASSERT_EQ(life->head(), kLast);
    go_on_to(kLast + 2);  // fewer than the void ones
    start();
    ASSERT_EQ(life->head(), kLast + 2);
    EXPECT_EQ(life->ledger->view()->state_root(), made().roots.at(kLast + 1));
    go_on_to(25);
    start();
    ASSERT_EQ(life->head(), 25U);
    EXPECT_EQ(life->ledger->view()->state_root(), made().roots.back());
}

TEST_F(VoidBlocks, AreNoForkForWhatTheNextEpochSays) {
    for (std::size_t h = 1; h <= kLast; ++h) ASSERT_TRUE(append(h));
    append_void(3);
    // Others are ahead: their blocks and certificates are of the next epoch.
    EXPECT_EQ(append(kLast + 1).error().code, Errc::Exhausted);
    EXPECT_EQ(append(kLast + 4).error().code, Errc::Exhausted);
    EXPECT_TRUE(life->ledger->certify(made().certificate(kLast + 2)));
    life->executor.run_all();
    ASSERT_EQ(life->head(), kLast);
    EXPECT_TRUE(life->observer.certificates.empty());
    go_on_to(25);
    EXPECT_EQ(life->observer.certificates, std::vector<std::uint64_t>{kLast + 2});
}

// Members sign what they commit, before they know where the epoch ends.
TEST_F(VoidBlocks, MayBeCertified) {
    const auto certify_void = [&] {
        for (const auto& block : void_blocks(3)) {
            BlockCertificate certificate = made().certificate(kLast + 1);
            certificate.statement = {
                block.block.epoch, block.block.height, block.block.parent, block.digest};
            EXPECT_TRUE(life->ledger->certify(certificate));
        }
    };
    for (std::size_t h = 1; h <= kLast; ++h) ASSERT_TRUE(append(h));
    EXPECT_TRUE(life->ledger->certify(made().certificate(kLast - 1)));
    append_void(2);
    certify_void();
    life->executor.run_all();
    ASSERT_EQ(life->head(), kLast);
    start();
    EXPECT_EQ(life->ledger->latest_certificate()->statement.height, Height(kLast - 1));
    go_on_to(kLast + 2);
    certify_void();
    start();
    EXPECT_EQ(life->ledger->latest_certificate()->statement.height, Height(kLast - 1));
    certify_void();
    go_on_to(25);
    EXPECT_TRUE(life->ledger->certify(made().certificate(kLast + 3)));
    life->executor.run_all();
    EXPECT_EQ(life->ledger->latest_certificate()->statement,
              made().certificate(kLast + 3).statement);
}

TEST_F(VoidBlocks, ThatACertificateOfTheNextEpochForetoldAreIgnored) {
    for (std::size_t h = 1; h <= kLast; ++h) ASSERT_TRUE(append(h));
    EXPECT_TRUE(life->ledger->certify(made().certificate(kLast + 1)));
    append_void(3);
    life->executor.run_all();
    ASSERT_EQ(life->head(), kLast);
    go_on_to(25);
}

}  // namespace
}  // namespace draco::ledger
