// Blocks are executed once each, in order, whoever hands them over how often; what contradicts the
// chain is a fork; what is archived can be read and survives.
#include "ledger_fixture.hpp"

#include <gtest/gtest.h>

namespace draco::ledger {
namespace {

class LedgerTest : public ::testing::Test {
protected:
    static const MadeChain& made() {
        static const MadeChain chain(40);
        return chain;
    }

    void start() {
        life = std::make_unique<Life>();
        const auto opened = life->open_in_memory(made(), disk, options);
        ASSERT_TRUE(opened) << to_string(opened.error());
    }

    void restart() {
        if (life) life->close();
        life.reset();
        start();
    }

    Result<> append(std::size_t height, BlockOrigin origin = BlockOrigin::Consensus) {
        return life->ledger->append(made().blocks.at(height - 1), origin);
    }

    void run_to(std::size_t height) {
        for (std::size_t h = life->head() + 1; h <= height; ++h) ASSERT_TRUE(append(h));
        life->executor.run_all();
        ASSERT_EQ(life->head(), height);
    }

    ArchivedBlock read(std::size_t height) {
        const auto bytes = life->ledger->read(Height(height));
        EXPECT_TRUE(bytes) << to_string(bytes.error());
        EXPECT_TRUE(bytes->has_value());
        return bcs::decode<ArchivedBlock>(**bytes).value();
    }

    simulon::SimulatedDisk disk{1};
    Options options = small_options();
    std::unique_ptr<Life> life;
};

TEST_F(LedgerTest, ExecutesInOrderAndTellsOnce) {
    start();
    for (std::size_t h = 1; h <= 40; ++h) {
        ASSERT_TRUE(append(h, h % 2 == 0 ? BlockOrigin::Followed : BlockOrigin::Consensus));
        ASSERT_TRUE(append(h, BlockOrigin::Followed));  // queued already
    }
    EXPECT_EQ(life->head(), 0U);
    life->executor.run_all();
    ASSERT_EQ(life->observer.blocks.size(), 40U);
    for (std::size_t h = 1; h <= 40; ++h) {
        const auto& block = *life->observer.blocks[h - 1];
        EXPECT_EQ(block.content.block, made().blocks[h - 1].block);
        EXPECT_EQ(block.result.head.height, Height(h));
        EXPECT_EQ(block.result.state_root, made().roots[h - 1]);
        EXPECT_EQ(block.origin, h % 2 == 0 ? BlockOrigin::Followed : BlockOrigin::Consensus);
        ASSERT_TRUE(append(h));  // executed already
    }
    life->executor.run_all();
    EXPECT_EQ(life->observer.blocks.size(), 40U);
    EXPECT_EQ(life->ledger->view()->state_root(), made().roots.back());
    EXPECT_TRUE(life->log.errors.empty());
}

TEST_F(LedgerTest, RefusesGapsAndWhatIsIncomplete) {
    start();
    EXPECT_EQ(append(2).error().code, Errc::InvalidArgument);
    auto block = made().blocks[0];
    block.batches.pop_back();
    EXPECT_EQ(life->ledger->append(block, BlockOrigin::Followed).error().code,
              Errc::InvalidArgument);
    block = made().blocks[0];
    block.batches.front() = nullptr;
    EXPECT_EQ(life->ledger->append(block, BlockOrigin::Followed).error().code,
              Errc::InvalidArgument);
    EXPECT_TRUE(append(1));
}

TEST_F(LedgerTest, BoundsWhatWaits) {
    options.blocks_waiting_max = 5;
    start();
    for (std::size_t h = 1; h <= 5; ++h) ASSERT_TRUE(append(h));
    EXPECT_EQ(append(6).error().code, Errc::Exhausted);
    life->executor.run_all();
    EXPECT_TRUE(append(6));

    options.blocks_waiting_max = 100;
    options.bytes_waiting_max = 1;
    restart();
    EXPECT_TRUE(append(life->head() + 1));
    EXPECT_EQ(append(life->head() + 2).error().code, Errc::Exhausted);
}

TEST_F(LedgerTest, ReadsWhatIsExecuted) {
    start();
    run_to(10);
    ASSERT_TRUE(append(11));
    EXPECT_EQ(life->ledger->lowest(), Height(1));
    for (std::size_t h = 1; h <= 10; ++h) {
        const auto archived = read(h);
        EXPECT_EQ(archived.block, made().blocks[h - 1].block);
        ASSERT_EQ(archived.batches->size(), made().blocks[h - 1].batches.size());
        EXPECT_EQ((*archived.batches)[0], *made().blocks[h - 1].batches[0]);
        EXPECT_FALSE(archived.certificate);
        EXPECT_EQ(**life->ledger->read(Height(h)), bcs::encode(archived));
    }
    EXPECT_FALSE(life->ledger->read(Height(0)).value());
    EXPECT_FALSE(life->ledger->read(Height(11)).value());
    EXPECT_FALSE(life->ledger->read(Height(~std::uint64_t{0})).value());
}

TEST_F(LedgerTest, KeepsCertificatesOfBlocksBeforeAndAfterTheirExecution) {
    start();
    run_to(5);
    EXPECT_FALSE(life->ledger->latest_certificate());
    ASSERT_TRUE(life->ledger->certify(made().certificate(3)));
    ASSERT_TRUE(life->ledger->certify(made().certificate(8)));
    ASSERT_TRUE(life->ledger->certify(made().certificate(3)));
    life->executor.run_all();
    EXPECT_EQ(life->observer.certificates, std::vector<std::uint64_t>{3});
    EXPECT_EQ(life->ledger->latest_certificate(), made().certificate(3));
    EXPECT_EQ(read(3).certificate, made().certificate(3));
    ASSERT_TRUE(append(6));
    ASSERT_TRUE(life->ledger->certify(made().certificate(6)));
    run_to(10);
    EXPECT_EQ(life->observer.certificates, (std::vector<std::uint64_t>{3, 6, 8}));
    ASSERT_TRUE(life->ledger->certify(made().certificate(3)));
    ASSERT_TRUE(life->ledger->certify(made().certificate(8)));
    life->executor.run_all();
    EXPECT_EQ(life->observer.certificates.size(), 3U);
    restart();
    EXPECT_EQ(life->ledger->latest_certificate(), made().certificate(8));
    EXPECT_EQ(read(6).certificate, made().certificate(6));
    EXPECT_EQ(read(8).certificate, made().certificate(8));
    EXPECT_FALSE(read(7).certificate);
}

TEST_F(LedgerTest, BoundsTheCertificatesThatWait) {
    options.certificates_waiting_max = 3;
    start();
    for (const std::size_t h : {9U, 4U, 7U, 5U, 3U})
        ASSERT_TRUE(life->ledger->certify(made().certificate(h)));
    run_to(12);
    EXPECT_EQ(life->observer.certificates, (std::vector<std::uint64_t>{3, 4, 5}));
}

TEST_F(LedgerTest, ReportsForks) {
    start();
    run_to(8);
    ASSERT_TRUE(append(9));
    const auto other_block = [&](std::size_t height) {
        auto block = made().blocks.at(height - 1);
        block.block.anchor_round = types::Round(77);
        block.digest = types::digest_of(made().chain.genesis.chain, block.block);
        return block;
    };
    const auto other_certificate = [&](std::size_t height) {
        auto certificate = made().certificate(height);
        certificate.statement.block = other_block(height).digest;
        return certificate;
    };
    std::size_t forks = 0;
    for (const std::size_t height : {2U, 8U, 9U}) {  // executed and queued
        EXPECT_EQ(life->ledger->append(other_block(height), BlockOrigin::Followed).error().code,
                  Errc::Corrupt);
        EXPECT_EQ(life->ledger->certify(other_certificate(height)).error().code, Errc::Corrupt);
        EXPECT_EQ(life->log.errors.size(), forks += 2);
    }
    // After a restart the digests are read from the archive.
    life->executor.run_all();
    restart();
    EXPECT_EQ(life->ledger->append(other_block(2), BlockOrigin::Followed).error().code,
              Errc::Corrupt);
    EXPECT_EQ(life->ledger->certify(other_certificate(2)).error().code, Errc::Corrupt);
    // Another parent.
    auto orphan = made().blocks.at(life->head());
    orphan.block.parent.bytes[0] ^= 1U;
    EXPECT_EQ(life->ledger->append(orphan, BlockOrigin::Followed).error().code, Errc::Corrupt);
    // What a verified certificate contradicts is never archived.
    ASSERT_TRUE(life->ledger->certify(other_certificate(life->head() + 1)));
    EXPECT_EQ(append(life->head() + 1).error().code, Errc::Corrupt);
    EXPECT_TRUE(life->escalations.empty());
}

TEST_F(LedgerTest, AnInvalidBlockIsNotArchivedAndStopsTheLedger) {
    start();
    run_to(3);
    auto forged = made().blocks[3];
    forged.block.timestamp = {1};
    forged.digest = types::digest_of(made().chain.genesis.chain, forged.block);
    ASSERT_TRUE(life->ledger->append(forged, BlockOrigin::Followed));
    life->executor.run_all();
    ASSERT_EQ(life->escalations.size(), 1U);
    EXPECT_EQ(life->escalations[0].error.code, Errc::InvalidArgument);
    EXPECT_EQ(append(4).error().code, Errc::Unavailable);
    EXPECT_EQ(life->head(), 3U);
    EXPECT_TRUE(read(3).block == made().blocks[2].block);
    restart();
    EXPECT_EQ(life->head(), 3U);
    run_to(6);
}

TEST_F(LedgerTest, AFailingDiskStopsTheLedgerOnce) {
    start();
    run_to(3);
    disk.set_options({.sync_error = 1});
    for (std::size_t h = 4; h <= 8; ++h) ASSERT_TRUE(append(h));
    life->executor.run_all();
    EXPECT_EQ(life->escalations.size(), 1U);
    EXPECT_EQ(life->escalations[0].name, "ledger");
    EXPECT_EQ(append(9).error().code, Errc::Unavailable);
    EXPECT_EQ(life->head(), 3U);
    EXPECT_EQ(life->observer.blocks.size(), 3U);
    disk.set_options({});
    restart();
    EXPECT_GE(life->head(), 3U);
    run_to(20);
    EXPECT_EQ(life->ledger->view()->state_root(), made().roots[19]);
}

TEST_F(LedgerTest, SeveralBlocksShareOneSync) {
    start();
    run_to(1);
    const auto before = disk.change_count();
    run_to(9);
    // One write and one sync for the group, one write for the mark behind it.
    EXPECT_EQ(disk.change_count(), before + 3);
}

TEST_F(LedgerTest, ObserversComeAndGo) {
    start();
    Observer late;
    run_to(3);
    life->ledger->add_observer(late);
    run_to(5);
    life->ledger->remove_observer(late);
    run_to(7);
    EXPECT_EQ(late.blocks.size(), 2U);
    EXPECT_EQ(late.blocks[0]->result.head.height, Height(4));
}

TEST_F(LedgerTest, RefusesBoundsOfZero) {
    life = std::make_unique<Life>();
    options.blocks_waiting_max = 0;
    EXPECT_EQ(life->open_in_memory(made(), disk, options).error().code, Errc::InvalidArgument);
}

TEST_F(LedgerTest, TakesNothingOnceTheRegistryHasStopped) {
    start();
    run_to(2);
    life->registry.stop_all(affair::StopPolicy::Drain, Instant{}, [](const auto& /*report*/) {});
    life->executor.run_all();
    EXPECT_EQ(append(3).error().code, Errc::Unavailable);
    EXPECT_EQ(read(2).block, made().blocks[1].block);
}

}  // namespace
}  // namespace draco::ledger
