// The end of an epoch makes the blocks void that were committed after it. They are dropped wherever
// they are, queued or archived, also by a start after a crash, and the next epoch's blocks take
// their heights; none of that is a fork.
#include "ledger_fixture.hpp"

#include <gtest/gtest.h>

namespace draco::ledger {
namespace {

constexpr std::size_t kLast = 10;  // of epoch 0 in a MadeChain

const MadeChain& made() {
    static const MadeChain chain(15);
    return chain;
}

// What epoch 0's committee commits after its last block: `count` blocks that follow it.
std::vector<BlockWithContent> void_blocks(std::size_t count) {
    std::vector<BlockWithContent> blocks;
    BlockWithContent before = made().blocks[kLast - 1];
    for (std::size_t i = 0; i < count; ++i) {
        BlockWithContent next;
        next.block.epoch = before.block.epoch;
        next.block.height = Height(before.block.height.value() + 1);
        next.block.parent = before.digest;
        next.block.timestamp = {before.block.timestamp.ms + 1};
        next.digest = types::digest_of(made().chain.genesis.chain, next.block);
        blocks.push_back(next);
        before = next;
    }
    return blocks;
}

BlockCertificate certificate_of(const BlockWithContent& block) {
    BlockCertificate certificate;
    certificate.statement = {
        block.block.epoch, block.block.height, block.block.parent, block.digest};
    certificate.signers.insert(types::AuthorityIndex(1));
    return certificate;
}

const BlockWithContent& real(std::size_t height) {
    return made().blocks.at(height - 1);
}

class EpochEnd : public ::testing::Test {
protected:
    void start() {
        if (life) life->close();
        life = std::make_unique<Life>();
        const auto opened = life->open_in_memory(made(), disk, small_options());
        ASSERT_TRUE(opened) << to_string(opened.error());
    }

    Result<> append(const BlockWithContent& block) {
        return life->ledger->append(block, BlockOrigin::Consensus);
    }

    void run() { life->executor.run_all(); }

    void queue_with_void(std::size_t count) {
        start();
        for (std::size_t h = 1; h <= kLast; ++h) ASSERT_TRUE(append(real(h)));
        for (const BlockWithContent& block : void_blocks(count)) ASSERT_TRUE(append(block));
    }

    void expect_certificate(std::size_t height) {
        const auto bytes = life->ledger->read(Height(height));
        ASSERT_TRUE(bytes && *bytes);
        const auto archived = bcs::decode<ArchivedBlock>(**bytes).value();
        ASSERT_TRUE(archived.certificate) << height;
        EXPECT_EQ(archived.certificate->statement.block, real(height).digest);
    }

    void expect_healthy(std::size_t head) {
        EXPECT_TRUE(life->escalations.empty());
        EXPECT_TRUE(life->log.errors.empty());
        ASSERT_EQ(life->head(), head);
        EXPECT_EQ(life->ledger->view()->state_root(), made().roots[head - 1]);
    }

    simulon::SimulatedDisk disk{1};
    std::unique_ptr<Life> life;
};

TEST_F(EpochEnd, DropsWhatIsQueuedAndArchived) {
    // Void blocks in one group with the epoch's last block, with their certificates, and more that
    // come late: the next epoch takes their heights, now and after a restart.
    queue_with_void(3);
    const auto wrong = void_blocks(5);
    ASSERT_TRUE(life->ledger->certify(certificate_of(wrong[0])));
    ASSERT_TRUE(life->ledger->certify(certificate_of(wrong[2])));
    ASSERT_TRUE(life->ledger->certify(made().certificate(kLast)));
    run();
    expect_healthy(kLast);
    expect_certificate(kLast);
    ASSERT_TRUE(append(wrong[0]));
    ASSERT_TRUE(append(wrong[4]));
    ASSERT_TRUE(life->ledger->certify(certificate_of(wrong[1])));
    run();
    expect_healthy(kLast);
    EXPECT_EQ(life->ledger->latest_certificate()->statement.height, Height(kLast));
    start();
    expect_healthy(kLast);
    EXPECT_EQ(life->ledger->latest_certificate()->statement.height, Height(kLast));
    for (std::size_t h = kLast + 1; h <= 13; ++h) ASSERT_TRUE(append(real(h)));
    ASSERT_TRUE(life->ledger->certify(made().certificate(12)));
    run();
    expect_healthy(13);
    // Late again, below the head and above it.
    ASSERT_TRUE(append(wrong[1]));
    ASSERT_TRUE(append(wrong[4]));
    ASSERT_TRUE(life->ledger->certify(certificate_of(wrong[0])));
    start();
    expect_healthy(13);
    expect_certificate(12);
}

TEST_F(EpochEnd, WhatFollowsWaitsForIt) {
    // A peer hands over the next epoch before this node has executed the end: not yet, but no fork;
    // its certificate is kept.
    queue_with_void(2);
    ASSERT_TRUE(life->ledger->certify(made().certificate(11)));
    EXPECT_EQ(append(real(11)).error().code, Errc::Exhausted);
    EXPECT_EQ(append(real(12)).error().code, Errc::Exhausted);
    EXPECT_EQ(append(real(13)).error().code, Errc::Exhausted);
    run();
    expect_healthy(kLast);
    for (std::size_t h = 11; h <= 13; ++h) ASSERT_TRUE(append(real(h)));
    run();
    expect_healthy(13);
    expect_certificate(11);
}

TEST_F(EpochEnd, AForkIsStillOne) {
    // Another block of the same epoch, queued or executed, certified or not.
    queue_with_void(1);
    auto other = real(5);
    other.block.timestamp = {other.block.timestamp.ms + 7};
    other.digest = types::digest_of(made().chain.genesis.chain, other.block);
    EXPECT_EQ(append(other).error().code, Errc::Corrupt);
    EXPECT_EQ(life->ledger->certify(certificate_of(other)).error().code, Errc::Corrupt);
    run();
    EXPECT_EQ(append(other).error().code, Errc::Corrupt);
    EXPECT_EQ(life->ledger->certify(certificate_of(other)).error().code, Errc::Corrupt);
    // A later epoch than the one that this height was executed in.
    other.block.epoch = types::Epoch(1);
    EXPECT_EQ(life->ledger->certify(certificate_of(other)).error().code, Errc::Corrupt);
}

TEST_F(EpochEnd, SurvivesACrashAtEveryChangeOfTheDisk) {
    // Wherever power fails, the next life goes on from a prefix of the chain, and none of it void.
    for (std::uint64_t change = 1;; ++change) {
        simulon::SimulatedDisk fresh(change);
        const auto live = [&] {
            Life one;
            if (!one.open_in_memory(made(), fresh, small_options())) return std::uint64_t{0};
            for (std::size_t h = one.head() + 1; h <= kLast; ++h)
                static_cast<void>(one.ledger->append(real(h), BlockOrigin::Consensus));
            for (const BlockWithContent& block : void_blocks(3)) {
                static_cast<void>(one.ledger->append(block, BlockOrigin::Consensus));
                static_cast<void>(one.ledger->certify(certificate_of(block)));
            }
            one.executor.run_all();
            for (std::size_t h = one.head() + 1; h <= 13; ++h)
                static_cast<void>(one.ledger->append(real(h), BlockOrigin::Consensus));
            one.executor.run_all();
            const std::uint64_t head = one.head();
            one.close();
            return head;
        };
        const std::uint64_t before = fresh.change_count();
        fresh.crash_at_change(change);
        static_cast<void>(live());
        const bool was_whole = fresh.change_count() - before < change;
        fresh.crash();
        fresh.restart();
        ASSERT_EQ(live(), 13U) << "after a crash at change " << change;
        ASSERT_EQ(live(), 13U);
        if (was_whole) break;
        ASSERT_LT(change, 1000U);
    }
}

}  // namespace
}  // namespace draco::ledger
