// Whom the core asks and when it gives up on an answer, event by event.

#include "draco/sync/core.hpp"

#include "fake_chain.hpp"

#include <chrono>

namespace draco::sync {
namespace {

using namespace std::chrono_literals;
using namespace draco::sync::testing;

const FakeChain& the_chain() {
    static const FakeChain chain(450);
    return chain;
}

NodeKey stranger(std::uint8_t number) {
    NodeKey key;
    key.bytes.fill(number);
    return key;
}

// A follower whose ledger executes at once what it is given.
class CoreTest : public ::testing::Test {
protected:
    static Executed executed_at(std::uint64_t height) {
        const BlockDigest digest = height == 0 ? BlockDigest{} : the_chain().at(height).digest;
        return {{Height(height), digest}, the_chain().committee_after(height)};
    }

    void start(std::uint64_t height) {
        core.emplace(kChain, stranger(200), executed_at(height), Limits{});
    }

    void step(const Event& event) {
        Effects effects;
        core->step(event, now, effects);
        take(effects);
        while (const auto* block = core->to_append()) {
            const std::uint64_t height = block->block.height.value();
            EXPECT_EQ(block->digest, the_chain().at(height).digest);
            EXPECT_EQ(height, core->executed().head.height.value() + 1) << "in order, once";
            Effects more;
            core->step(AppendTried{Result<>{}}, now, more);
            take(more);
            execute(height);
        }
    }

    void execute(std::uint64_t height) {
        BlockExecuted event{{Height(height), the_chain().at(height).digest, {}}, std::nullopt};
        if (height % kEpochBlocks == 0) event.next_committee = the_chain().committee_after(height);
        Effects effects;
        core->step(event, now, effects);
        take(effects);
    }

    void take(Effects& effects) {
        for (const CancelAsk& cancel : effects.cancels) cancelled.push_back(cancel.ticket);
        for (Ask& ask : effects.asks) asks.push_back(std::move(ask));
    }

    static Bytes status_of(std::uint64_t head) {
        auto latest = std::prev(the_chain().certificates.upper_bound(head));
        Bytes stream;
        append_record(stream, bcs::encode(Status{Height(1), Height(head), latest->second}));
        return stream;
    }

    static Bytes range_of(std::uint64_t from, std::uint64_t to, std::uint64_t head) {
        Bytes stream = status_of(head);
        for (std::uint64_t height = from; height <= to; ++height)
            append_record(stream,
                          encode_block(the_chain().at(height), the_chain().certificate(height)));
        return stream;
    }

    // A peer comes, and says that it has the chain up to `head`.
    void comes(const NodeKey& peer, bool is_guest, std::uint64_t head) {
        step(PeerUp{peer, is_guest});
        const Ask ask = asks.back();
        asks.pop_back();
        ASSERT_EQ(ask.peer, peer);
        ASSERT_TRUE(std::holds_alternative<StatusRequest>(ask.request));
        const Bytes stream = status_of(head);
        step(ChunkReceived{ask.ticket, stream});
        step(RequestEnded{ask.ticket, Result<>{}});
    }

    // The one range that was asked for since the last call.
    Ask asked_range() {
        EXPECT_EQ(asks.size(), 1U);
        Ask ask = asks.empty() ? Ask{} : asks.back();
        asks.clear();
        EXPECT_TRUE(std::holds_alternative<RangeRequest>(ask.request));
        return ask;
    }

    void answer(const Ask& ask, const Bytes& stream) {
        step(ChunkReceived{ask.ticket, stream});
        step(RequestEnded{ask.ticket, Result<>{}});
    }

    void pass(Duration duration) {
        now = now + duration;
        step(TimePassed{});
    }

    std::optional<Core> core;
    Instant now{1h};
    std::vector<Ask> asks;
    std::vector<std::uint64_t> cancelled;
    const NodeKey member = the_chain().seats[0].committee.key(AuthorityIndex(2));
};

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
    answer(asked_range(), range_of(kEpochBlocks + 1, kEpochBlocks + 1, kEpochBlocks + 1));
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
