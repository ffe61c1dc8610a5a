// The tail: at whom the core keeps it, what it brings, and when the core gives it up.

#include "core_fixture.hpp"

namespace draco::sync {
namespace {

using namespace draco::sync::testing;

class TailTest : public CoreTest {
protected:
    // The core is at block 60, and keeps its tail at the member; the other one is in its list.
    Ask start_with_tail(const Limits& limits = {}) {
        start(60, limits);
        comes(member, true, 60);
        comes(listed, false, 60);
        Ask tail = asked_tail();
        EXPECT_EQ(tail.peer, member);
        return tail;
    }

    void gossip(std::uint64_t height) {
        step(CertificateSeen{listed, *the_chain().certificate(height)});
    }

    // Blocks behind a status, or behind what the tail has brought before.
    static Bytes blocks_of(std::uint64_t from, std::uint64_t to) {
        const Bytes whole = range_of(from, to, to);
        const auto skip = static_cast<std::ptrdiff_t>(status_of(to).size());
        return {whole.begin() + skip, whole.end()};
    }

    std::uint64_t head() const { return core->executed().head.height.value(); }

    const NodeKey listed = stranger(100);
};

TEST_F(TailTest, BringsBlocksThatNobodyWasAskedFor) {
    // One question, and block after block; certificates that come by gossip ask for nothing.
    const Ask tail = start_with_tail();
    EXPECT_EQ(std::get<TailRequest>(tail.request).from, Height(61));
    EXPECT_EQ(std::get<TailRequest>(tail.request).wait_ms, 30'000U);
    step(ChunkReceived{tail.ticket, status_of(60)});
    for (std::uint64_t height = 63; height <= 198; height += 3) {
        pass(150ms);
        if (height % 2 == 0) gossip(height);
        step(ChunkReceived{tail.ticket, blocks_of(height - 2, height)});
        if (height % 2 == 1) gossip(height);
        EXPECT_EQ(head(), height);
    }
    EXPECT_TRUE(asks.empty());
    EXPECT_TRUE(tails.empty());
    EXPECT_TRUE(cancelled.empty());
    EXPECT_FALSE(core->status().fetching);
}

TEST_F(TailTest, GoesOnInTheNextEpoch) {
    // With a question of its own, asked when the epoch's last block is executed, since only then is
    // the committee known that signs what follows.
    start(kEpochBlocks - 2);
    comes(member, true, kEpochBlocks - 2);
    const Ask first = asked_tail();
    step(ChunkReceived{first.ticket, status_of(kEpochBlocks - 2)});
    step(ChunkReceived{first.ticket, blocks_of(kEpochBlocks - 1, kEpochBlocks)});
    EXPECT_EQ(head(), kEpochBlocks);
    EXPECT_EQ(cancelled, std::vector{first.ticket});
    const Ask second = asked_tail();
    EXPECT_EQ(std::get<TailRequest>(second.request).from, Height(kEpochBlocks + 1));
    step(ChunkReceived{second.ticket, status_of(kEpochBlocks)});
    step(ChunkReceived{second.ticket, blocks_of(kEpochBlocks + 1, kEpochBlocks + 1)});
    EXPECT_EQ(head(), kEpochBlocks + 1);
    EXPECT_TRUE(asks.empty());
}

TEST_F(TailTest, AMemberKeepsNone) {
    // It has its own core.
    start(60, {}, the_chain().seats[0].committee.key(AuthorityIndex(0)));
    comes(member, false, 60);
    EXPECT_TRUE(tails.empty());
}

TEST_F(TailTest, WhoKeepsBlocksBackIsLeftForAnother) {
    // Gossip tells that there is more; after half a second it is fetched elsewhere, and the next
    // tail is kept elsewhere too.
    const Ask tail = start_with_tail();
    step(ChunkReceived{tail.ticket, status_of(60)});
    pass(20s);
    gossip(63);
    pass(499ms);
    EXPECT_TRUE(asks.empty());
    ASSERT_TRUE(core->wake_at().has_value());
    EXPECT_LE(*core->wake_at(), now + 2ms) << "half a second, and the bytes of a status";
    pass(2ms);
    EXPECT_EQ(cancelled, std::vector{tail.ticket});
    const Ask range = asked_range();
    EXPECT_EQ(range.peer, listed);
    answer(range, range_of(61, 63, 63));
    EXPECT_EQ(head(), 63U);
    EXPECT_EQ(asked_tail().peer, listed);
}

TEST_F(TailTest, ATrickleIsNoProgress) {
    // Nor are blocks that come far slower than they are made.
    for (const bool has_blocks : {false, true}) {
        tails.clear();
        cancelled.clear();
        const Ask tail = start_with_tail();
        step(ChunkReceived{tail.ticket, status_of(60)});
        const Bytes stream = blocks_of(61, 198);
        std::uint64_t brought = 60;
        gossip(198);
        const Instant begun = now;
        for (std::size_t i = 0; cancelled.empty() && i < 100; ++i) {
            pass(300ms);
            if (!has_blocks) step(ChunkReceived{tail.ticket, ByteView(stream).subspan(i, 1)});
            if (!has_blocks || !cancelled.empty()) continue;
            step(ChunkReceived{tail.ticket, blocks_of(brought + 1, brought + 3)});
            brought += 3;
        }
        EXPECT_EQ(cancelled, std::vector{tail.ticket});
        EXPECT_LE(now - begun, 2400ms);
        EXPECT_EQ(asked_range().peer, listed);
        asks.clear();
    }
}

TEST_F(TailTest, ALargeBlockHasItsTime) {
    const Ask tail = start_with_tail();
    step(ChunkReceived{tail.ticket, status_of(60)});
    gossip(63);
    Bytes length(4);
    store_le(length.data(), std::uint32_t{60} << 20);
    step(ChunkReceived{tail.ticket, length});
    const Bytes chunk(std::size_t{1} << 20);
    for (int i = 0; i < 40; ++i) {
        step(ChunkReceived{tail.ticket, chunk});
        pass(900ms);
    }
    EXPECT_TRUE(cancelled.empty());
    EXPECT_TRUE(asks.empty());
}

TEST_F(TailTest, NothingYetIsAskedAgain) {
    // At once, when the peer has waited; not at once, and of another one, when it did not wait.
    const Ask first = start_with_tail();
    step(ChunkReceived{first.ticket, status_of(60)});
    pass(30s);
    step(RequestEnded{first.ticket, Result<>{}});
    const Ask second = asked_tail();
    EXPECT_EQ(second.peer, member);
    step(ChunkReceived{second.ticket, status_of(60)});
    pass(1s);
    step(RequestEnded{second.ticket, Result<>{}});
    const Ask third = asked_tail();
    EXPECT_EQ(third.peer, listed);
    step(RequestEnded{third.ticket, fail(Errc::InvalidArgument, "what is a tail?")});
    pass(1s);
    EXPECT_TRUE(tails.empty());
    EXPECT_EQ(*core->wake_at(), now + 119s) << "without a tail it rests for two minutes";
    // Then gossip and ranges are the way, of both.
    gossip(63);
    answer(asked_range(), range_of(61, 63, 63));
    EXPECT_EQ(head(), 63U);
    EXPECT_EQ(core->status().liars, 0U);
    pass(2min);
    EXPECT_EQ(asked_tail().peer, member);
}

TEST_F(TailTest, WhoHasNoRoomIsNotBlamed) {
    // The next best has it, and a range is asked of the full one all the same.
    const Ask tail = start_with_tail();
    step(RequestEnded{tail.ticket, fail(Errc::Exhausted, "too many")});
    const Ask other = asked_tail();
    EXPECT_EQ(other.peer, listed);
    step(RequestEnded{other.ticket, fail(Errc::Unavailable, "the link broke")});
    step(CertificateSeen{member, *the_chain().certificate(63)});
    EXPECT_EQ(asked_range().peer, member);
}

TEST_F(TailTest, ALostLinkMovesIt) {
    const Ask tail = start_with_tail();
    step(ChunkReceived{tail.ticket, status_of(60)});
    step(PeerDown{member});
    step(RequestEnded{tail.ticket, fail(Errc::Unavailable, "the link broke")});
    const Ask other = asked_tail();
    EXPECT_EQ(other.peer, listed);
    step(ChunkReceived{other.ticket, status_of(60)});
    step(ChunkReceived{other.ticket, blocks_of(61, 63)});
    EXPECT_EQ(head(), 63U);
    // Back where certificates are made, when the failure is forgiven.
    comes(member, true, 63);
    EXPECT_TRUE(tails.empty());
    pass(2s);
    EXPECT_EQ(asked_tail().peer, member);
    EXPECT_EQ(cancelled, std::vector{other.ticket});
}

TEST_F(TailTest, ADeadLinkIsNoticed) {
    // One that answers nothing, not even that there is nothing yet.
    const Ask tail = start_with_tail();
    step(ChunkReceived{tail.ticket, status_of(60)});
    pass(34s);
    EXPECT_TRUE(cancelled.empty());
    EXPECT_EQ(*core->wake_at(), now + 1s);
    pass(1s);
    EXPECT_EQ(cancelled, std::vector{tail.ticket});
    EXPECT_EQ(asked_tail().peer, listed);
}

TEST_F(TailTest, IsAskedAnewAfterAWhile) {
    // Without blame: deadlines of links are not for ever.
    const Ask tail = start_with_tail();
    step(ChunkReceived{tail.ticket, status_of(60)});
    std::uint64_t height = 60;
    for (int i = 1; i < 40; ++i) {
        pass(15s);
        step(ChunkReceived{tail.ticket, blocks_of(height + 1, height + 3)});
        height += 3;
    }
    EXPECT_TRUE(cancelled.empty());
    EXPECT_GT(tail.deadline, now + 15s);
    pass(15s);
    EXPECT_EQ(cancelled, std::vector{tail.ticket});
    const Ask again = asked_tail();
    EXPECT_EQ(again.peer, member);
    EXPECT_EQ(std::get<TailRequest>(again.request).from, Height(height + 1));
}

TEST_F(TailTest, ALieIsSeenThrough) {
    const Ask tail = start_with_tail();
    step(ChunkReceived{tail.ticket, status_of(60)});
    step(ChunkReceived{tail.ticket, blocks_of(62, 63)});
    EXPECT_EQ(core->status().liars, 1U);
    EXPECT_EQ(head(), 60U);
    EXPECT_EQ(cancelled, std::vector{tail.ticket});
    EXPECT_EQ(asked_tail().peer, listed);
}

TEST_F(TailTest, EndsWhenTheLedgerDoesNotFollow) {
    // Without blame, so that what waits is bounded; ranges bring the rest when there is room.
    const Ask tail = start_with_tail({.range_bytes_max = 20'000});
    step(ChunkReceived{tail.ticket, status_of(60)});
    ledger_is_full = true;
    std::uint64_t height = 60;
    for (; cancelled.empty() && height < 190; height += 3)
        step(ChunkReceived{tail.ticket, blocks_of(height + 1, height + 3)});
    EXPECT_EQ(cancelled, std::vector{tail.ticket});
    EXPECT_LT(height, 120U);
    EXPECT_TRUE(asks.empty());
    ledger_is_full = false;
    execute(61);
    step(TimePassed{});
    EXPECT_EQ(head(), height);
    EXPECT_EQ(asked_tail().peer, member);
}

}  // namespace
}  // namespace draco::sync
