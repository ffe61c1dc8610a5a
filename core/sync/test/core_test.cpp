// Whom the core asks and when it gives up on an answer, event by event.

#include "core_fixture.hpp"

namespace draco::sync {
namespace {

using namespace draco::sync::testing;

TEST_F(CoreTest, StrangersAreAskedAfterMembersAndThoseInAList) {
    // However many there are, and however often the others were asked.
    start(0);
    comes(member, true, 60);
    const Ask first = asked_range();
    EXPECT_EQ(first.peer, member);
    for (std::uint8_t number = 1; number < 20; ++number) comes(stranger(number), true, 60);
    comes(stranger(100), false, 60);
    EXPECT_TRUE(asks.empty());
    answer(first, range_of(1, 3, 60));
    const Ask second = asked_range();
    EXPECT_EQ(second.peer, stranger(100)) << "of the two, who was asked less recently";
    answer(second, range_of(4, 6, 60));
    const Ask third = asked_range();
    EXPECT_EQ(third.peer, member);
    step(RequestEnded{third.ticket, fail(Errc::Unavailable, "the link broke")});
    const Ask fourth = asked_range();
    EXPECT_EQ(fourth.peer, stranger(100));
    step(RequestEnded{fourth.ticket, fail(Errc::Unavailable, "the link broke")});
    EXPECT_LT(asked_range().peer, stranger(20)) << "better than nobody";
}

TEST_F(CoreTest, WhoHasDeliveredIsAskedBeforeNewStrangers) {
    start(0);
    comes(stranger(7), true, 60);
    answer(asked_range(), range_of(1, 3, 60));
    const Ask again = asked_range();
    comes(stranger(6), true, 60);
    comes(stranger(8), true, 60);
    answer(again, range_of(4, 6, 60));
    EXPECT_EQ(asked_range().peer, stranger(7));
}

TEST_F(CoreTest, ASlowRangeIsAskedOfASecondPeer) {
    // The first that is complete counts, every block once, and the other ends.
    start(0);
    comes(stranger(1), true, 60);
    const Ask slow = asked_range();
    const Bytes stream = range_of(1, 9, 60);
    step(ChunkReceived{slow.ticket, ByteView(stream).first(1000)});
    comes(stranger(2), true, 60);
    comes(stranger(3), true, 60);
    pass(1900ms);
    EXPECT_TRUE(asks.empty());
    ASSERT_TRUE(core->wake_at().has_value());
    EXPECT_EQ(*core->wake_at(), now + 100ms);
    pass(100ms);
    const Ask second = asked_range();
    EXPECT_NE(second.peer, slow.peer);
    EXPECT_EQ(std::get<RangeRequest>(second.request).from, Height(1));
    step(ChunkReceived{slow.ticket, ByteView(stream).subspan(1000)});
    EXPECT_EQ(core->executed().head.height, Height(9));
    EXPECT_TRUE(asks.empty()) << "two at a time";
    answer(second, range_of(1, 12, 60));
    EXPECT_EQ(core->executed().head.height, Height(12));
    EXPECT_EQ(cancelled, std::vector{slow.ticket});
    EXPECT_EQ(asked_range().peer, second.peer);
}

TEST_F(CoreTest, AMemberIsAskedBesideAStrangerAtOnce) {
    // Who claims much and gives nothing does not keep those waiting who have it.
    start(0);
    comes(stranger(1), true, 60);
    const Ask claimed = asked_range();
    comes(member, true, 60);
    const Ask range = asked_range();
    EXPECT_EQ(range.peer, member);
    answer(range, range_of(1, 3, 60));
    EXPECT_EQ(core->executed().head.height, Height(3));
    EXPECT_EQ(cancelled, std::vector{claimed.ticket});
}

TEST_F(CoreTest, AFastRangeIsAskedOnce) {
    // What comes at a good rate is not fetched twice, however long it takes.
    start(0);
    comes(stranger(1), true, 60);
    const Ask range = asked_range();
    comes(stranger(2), true, 60);
    Bytes stream = status_of(60);
    step(ChunkReceived{range.ticket, stream});
    // A record of 60 MiB, which is never complete.
    Bytes length(4);
    store_le(length.data(), std::uint32_t{60} << 20);
    step(ChunkReceived{range.ticket, length});
    const Bytes chunk(std::size_t{1} << 20);
    for (int i = 0; i < 40; ++i) {
        step(ChunkReceived{range.ticket, chunk});
        pass(500ms);
    }
    EXPECT_TRUE(asks.empty());
    EXPECT_TRUE(cancelled.empty());
}

TEST_F(CoreTest, ATrickleEnds) {
    // Some bytes every few seconds are no progress.
    start(0);
    comes(stranger(1), true, 60);
    const Ask range = asked_range();
    Duration elapsed{0};
    const Bytes stream = range_of(1, 60, 60);
    for (std::size_t at = 0; cancelled.empty() && elapsed < 60s; at += 100) {
        step(ChunkReceived{range.ticket, ByteView(stream).subspan(at, 100)});
        pass(1s);
        elapsed += 1s;
    }
    EXPECT_LE(elapsed, 6s);
    EXPECT_EQ(cancelled, std::vector{range.ticket});
}

TEST_F(CoreTest, VoidHeightsAreForgottenWhenTheEpochEnds) {
    // Members certified a block above the epoch's last before they knew that it is: the chain is
    // not behind it, and what the next epoch has of that height is learned.
    start(kEpochBlocks - 1);
    comes(member, true, kEpochBlocks - 1);
    step(RequestEnded{asked_tail().ticket, fail(Errc::InvalidArgument, "what is a tail?")});
    const auto& seats = the_chain().seats;
    const BlockStatement beyond{Epoch(0), Height(kEpochBlocks + 2), {}, {}};
    step(CertificateSeen{member, seats[0].certify(beyond)});
    EXPECT_EQ(core->known(), Height(kEpochBlocks + 2));
    const Ask range = asked_range();
    execute(kEpochBlocks);
    EXPECT_EQ(core->known(), Height(kEpochBlocks));
    EXPECT_EQ(cancelled, std::vector{range.ticket}) << "it can bring nothing of the next epoch";
    step(CertificateSeen{member, seats[0].certify(beyond)});
    pass(1h);
    EXPECT_EQ(core->known(), Height(kEpochBlocks));
    EXPECT_TRUE(asks.empty());
    step(CertificateSeen{member, *the_chain().certificate(kEpochBlocks + 1)});
    EXPECT_EQ(core->known(), Height(kEpochBlocks + 1));
    answer(asked_tail(), range_of(kEpochBlocks + 1, kEpochBlocks + 1, kEpochBlocks + 1));
    EXPECT_EQ(core->executed().head.height, Height(kEpochBlocks + 1));
}

TEST_F(CoreTest, WhoLacksTheCertificateOfAnEpochsEndIsNoLiar) {
    // What it can prove is taken; it is asked again soon, and others meanwhile.
    start(kEpochBlocks - 6);
    comes(member, true, kEpochBlocks - 2);
    comes(stranger(1), true, kEpochBlocks);
    Bytes stream = range_of(kEpochBlocks - 5, kEpochBlocks - 1, kEpochBlocks + 10);
    append_record(stream, encode_block(the_chain().at(kEpochBlocks), std::nullopt));
    answer(asked_range(), stream);
    EXPECT_EQ(core->status().liars, 0U);
    EXPECT_EQ(core->executed().head.height, Height(kEpochBlocks - 2));
    EXPECT_EQ(asked_range().peer, stranger(1));
}

}  // namespace
}  // namespace draco::sync
