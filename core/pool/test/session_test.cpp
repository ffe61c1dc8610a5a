// Streams over messages: random schedules beside a model, peers that break the rules, and bounds.

#include "draco/pool/session.hpp"

#include "draco/testing/seed.hpp"

#include "../src/frames.hpp"
#include "session_pair.hpp"

#include <gtest/gtest.h>

namespace draco::pool {
namespace {

using namespace std::chrono_literals;
using interfaces::RequestId;

// Over a link that breaks, every request has one outcome and answers are whole and in order.
TEST(SessionPairs, HoldOverBreakingLinks) {
    const std::uint64_t seed = testing::test_seed(1);
    std::size_t complete = 0;
    std::size_t failed = 0;
    for (std::uint64_t i = 0; i < testing::scaled(12); ++i) {
        SessionPair pair(seed + i, 0);
        ASSERT_EQ(pair.run(3000), "") << "seed " << seed + i;
        complete += pair.complete();
        failed += pair.failed();
    }
    EXPECT_GT(complete, 20U);
    EXPECT_GT(failed, 20U);
}

// The same where frames are lost in silence.
TEST(SessionPairs, HoldOverLossyLinks) {
    const std::uint64_t seed = testing::test_seed(500);
    for (std::uint64_t i = 0; i < testing::scaled(12); ++i) {
        SessionPair pair(seed + i, 0.05);
        ASSERT_EQ(pair.run(3000), "") << "seed " << seed + i;
    }
}

// The model sees it when one bit of an answer changes on the way.
TEST(SessionPairs, ModelFindsAPlantedFault) {
    std::size_t found = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed)
        found += SessionPair(seed, 0, true).run(3000) == "chunks are those written, in order";
    EXPECT_EQ(found, 5U);
}

class LyingPeer : public ::testing::Test {
protected:
    LyingPeer() { session.step(LinkUp{}, now, effects); }

    void open(std::uint64_t id) {
        session.step(OpenRequest{.id = RequestId(id),
                                 .protocol = 1,
                                 .request = {},
                                 .deadline = now + 1s,
                                 .credit_bytes = kCreditBytesMin},
                     now,
                     effects);
    }

    void receive(Channel channel, const Frame& frame) { receive(channel, bcs::encode(frame)); }

    void receive(Channel channel, ByteView frame) {
        session.step(FrameReceived{.channel = channel, .frame = frame}, now, effects);
    }

    // What the last request came to.
    std::string outcome() const {
        for (const Effect& effect : effects.told)
            if (const auto* ended = std::get_if<RequestEnded>(&effect))
                return ended->outcome ? "ok" : std::string(to_string(ended->outcome.error().code));
        return "open";
    }

    Instant now{};
    Effects effects;
    Session session;
};

// More bytes than there is credit for end the link, and the request as Corrupt.
TEST_F(LyingPeer, ExceedsItsCredit) {
    open(5);
    const Bytes chunk(interfaces::kResponseChunkBytesMax);
    std::uint64_t offset = 0;
    for (; offset < kCreditBytesMin; offset += chunk.size()) {
        receive(Channel::Bulk, ChunkFrame{.id = 5, .offset = offset, .chunk = chunk});
        EXPECT_FALSE(effects.violation);
    }
    receive(Channel::Bulk,
            ChunkFrame{.id = 5, .offset = offset, .chunk = ByteView(chunk).first(1)});
    EXPECT_TRUE(effects.violation);
    EXPECT_EQ(outcome(), "Corrupt");
    EXPECT_FALSE(session.check_open());
}

// A chunk that was sent before, one that is too long or empty, an end before what was sent.
TEST_F(LyingPeer, SendsImpossibleChunks) {
    const Bytes chunk(10);
    const Bytes longest(interfaces::kResponseChunkBytesMax + 1);
    const std::vector<Frame> lies = {ChunkFrame{.id = 5, .offset = 0, .chunk = chunk},
                                     ChunkFrame{.id = 5, .offset = 10, .chunk = longest},
                                     ChunkFrame{.id = 5, .offset = 10, .chunk = {}},
                                     end_frame(5, 9, {})};
    for (const Frame& lie : lies) {
        effects = {};
        session.step(LinkUp{}, now, effects);
        open(5);
        receive(Channel::Bulk, ChunkFrame{.id = 5, .offset = 0, .chunk = chunk});
        EXPECT_FALSE(effects.violation);
        receive(Channel::Bulk, lie);
        EXPECT_TRUE(effects.violation);
        EXPECT_EQ(outcome(), "Corrupt");
    }
}

// A gap is what a lossy link leaves: the request fails, the link stays.
TEST_F(LyingPeer, LeavesAGap) {
    const Bytes chunk(10);
    open(5);
    receive(Channel::Bulk, ChunkFrame{.id = 5, .offset = 10, .chunk = chunk});
    EXPECT_FALSE(effects.violation);
    EXPECT_EQ(outcome(), "Unavailable");
    effects = {};
    open(6);
    receive(Channel::Bulk, end_frame(6, 1, {}));
    EXPECT_EQ(outcome(), "Unavailable");
}

// Frames that do not decode, or come on a channel where they do not belong.
TEST_F(LyingPeer, SendsMalformedFrames) {
    const Bytes request(interfaces::kRequestBytesMax + 1);
    const std::vector<std::pair<Channel, Bytes>> lies = {
        {Channel::Control, {}},
        {Channel::Control, {9}},
        {Channel::Control, {2, 1}},
        {Channel::Bulk, bcs::encode(Frame(CancelFrame{1}))},
        {Channel::Consensus, bcs::encode(Frame(CancelFrame{1}))},
        {Channel::Control, bcs::encode(Frame(end_frame(1, 0, {})))},
        {Channel::Control, bcs::encode(Frame(OpenFrame{.id = 1, .request = request}))}};
    for (const auto& [channel, frame] : lies) {
        effects = {};
        session.step(LinkUp{}, now, effects);
        receive(channel, frame);
        EXPECT_TRUE(effects.violation);
    }
}

// Requests beyond the bound are answered Exhausted at once; a second one of an open id is dropped.
TEST_F(LyingPeer, OpensTooMuch) {
    for (std::uint64_t id = 1; id <= 65; ++id)
        receive(Channel::Control, OpenFrame{.id = id, .deadline_ms = 1000, .request = {}});
    EXPECT_EQ(session.streams_open(), 64U);
    EXPECT_EQ(effects.refused, 1U);
    const auto answer = bcs::decode<Frame>(*session.next_frame(Channel::Bulk));
    EXPECT_EQ(outcome_of(std::get<EndFrame>(*answer)).error().code, Errc::Exhausted);
    receive(Channel::Control, OpenFrame{.id = 1, .deadline_ms = 1000, .request = {}});
    EXPECT_EQ(effects.refused, 2U);
    EXPECT_FALSE(effects.violation);
    session.step(TimePassed{}, now + 1s, effects);
    EXPECT_EQ(session.streams_open(), 0U);
}

// Whatever it asks for and never reads, what waits for it is bounded.
TEST_F(LyingPeer, NeverReads) {
    for (std::uint64_t i = 0; i < 200'000; ++i) {
        Effects ignored;
        session.step(
            FrameReceived{
                .channel = Channel::Bulk,
                .frame = bcs::encode(Frame(ChunkFrame{.id = i, .offset = 0, .chunk = Bytes(64)}))},
            now,
            ignored);
    }
    const SessionLimits limits;
    EXPECT_LE(session.backlog_bytes(), 2 * limits.backlog_bytes_max + 64);
}

// An id that is used again does not get the answer of the one before.
TEST_F(LyingPeer, UsesAnIdAgain) {
    receive(Channel::Control, OpenFrame{.id = 1, .deadline_ms = 1000, .limit = 100, .request = {}});
    const auto before = std::get<RequestArrived>(effects.told.back()).stream;
    receive(Channel::Control, CancelFrame{1});
    receive(Channel::Control, OpenFrame{.id = 1, .deadline_ms = 1000, .limit = 100, .request = {}});
    const auto after = std::get<RequestArrived>(effects.told.back()).stream;
    EXPECT_EQ(session.check_write(before, 1).error().code, Errc::Unavailable);
    EXPECT_TRUE(session.check_write(after, 1));
}

// Error texts are cut to their bound, at the end of a character.
TEST(Frames, BoundErrorTexts) {
    std::string text(kErrorTextBytesMax - 1, 'x');
    text += "\xc3\xa9";
    EXPECT_EQ(*end_frame(1, 0, fail(Errc::Io, text)).text,
              std::string(kErrorTextBytesMax - 1, 'x'));
    EXPECT_EQ(*end_frame(1, 0, fail(Errc::Io, "\xff")).text, "(not a text)");
    for (std::uint8_t code = 1; code <= 10; ++code) {
        const EndFrame frame{.code = code, .text = {}};
        const auto outcome = outcome_of(frame);
        EXPECT_EQ(end_frame(0, 0, outcome).code, code);
    }
    EXPECT_EQ(outcome_of(EndFrame{.code = 11, .text = {}}).error().code, Errc::Corrupt);
}

}  // namespace
}  // namespace draco::pool
