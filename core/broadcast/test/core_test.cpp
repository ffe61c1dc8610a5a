// The gossip core alone: what it pushes, advertises, pulls and passes on; that liars and floods
// meet their bounds.

#include "draco/broadcast/core.hpp"

#include <gtest/gtest.h>

namespace draco::broadcast {
namespace {

using namespace std::chrono_literals;
using interfaces::GossipVerdict;
using interfaces::Topic;

types::NodeKey key_number(std::uint32_t number) {
    types::NodeKey key;
    store_be(key.data(), number + 1);
    return key;
}

Bytes payload_of(std::size_t size, std::uint8_t fill = 7) {
    return Bytes(size, fill);
}

template <class M>
std::vector<std::pair<types::NodeKey, M>> sent(const Effects& effects) {
    std::vector<std::pair<types::NodeKey, M>> found;
    for (const Send& one : effects.sends) {
        const auto message = decode_message(*one.message);
        EXPECT_TRUE(message.has_value());
        if (const auto* wanted = std::get_if<M>(&*message)) found.emplace_back(one.to, *wanted);
    }
    return found;
}

class CoreTest : public ::testing::Test {
protected:
    explicit CoreTest(std::uint32_t peers = 10) {
        for (std::uint32_t i = 0; i < peers; ++i) step(PeerUp{key_number(i)});
    }

    Effects step(const Event& event) {
        Effects effects;
        core.step(event, now, effects);
        return effects;
    }

    Effects receive(std::uint32_t from, const Message& message) {
        const Bytes bytes = bcs::encode(message);
        return step(MessageReceived{key_number(from), bytes});
    }

    static Message push(Bytes payload) {
        return Push{1, bcs::Bounded<Bytes, kPushBytesMax>::make(std::move(payload)).value()};
    }

    static Message deliver(Bytes payload) {
        return Deliver{
            1, bcs::Bounded<Bytes, interfaces::kGossipBytesMax>::make(std::move(payload)).value()};
    }

    static Message advertise(const PayloadDigest& digest) {
        Advertise message;
        EXPECT_TRUE(message.digests.try_push_back(digest));
        return message;
    }

    Instant now{1s};
    Limits limits;
    Core core{42, limits};
};

TEST_F(CoreTest, AShortPayloadIsPushedToSomeAndAdvertisedToTheRest) {
    const auto out = step(Publish{Topic::BlockCertificates, payload_of(100)});
    EXPECT_EQ(sent<Push>(out).size(), limits.fan_out);
    EXPECT_TRUE(sent<Advertise>(out).empty());
    now = core.wake_at().value();
    EXPECT_EQ(sent<Advertise>(step(TimePassed{})).size(), 10U);
    EXPECT_TRUE(step(Publish{Topic::BlockCertificates, payload_of(100)}).sends.empty());
}

TEST_F(CoreTest, ALongPayloadIsAdvertisedAndDeliveredOnRequest) {
    const auto out = step(Publish{Topic::BlockCertificates, payload_of(5000)});
    EXPECT_TRUE(sent<Push>(out).empty());
    const auto adverts = sent<Advertise>(out);
    ASSERT_EQ(adverts.size(), 10U);
    const auto answer = receive(3, Pull{adverts[0].second.digests->front()});
    ASSERT_EQ(sent<Deliver>(answer).size(), 1U);
    EXPECT_EQ(*sent<Deliver>(answer)[0].second.payload, payload_of(5000));
}

TEST_F(CoreTest, OnlyWhatTheSubscriberAcceptsIsPassedOn) {
    for (const auto verdict :
         {GossipVerdict::Accept, GossipVerdict::Ignore, GossipVerdict::Reject}) {
        const auto judge =
            receive(0, push(payload_of(10, static_cast<std::uint8_t>(verdict)))).judge;
        ASSERT_TRUE(judge.has_value());
        const auto out = step(Judged{judge->digest, verdict});
        EXPECT_EQ(out.sends.empty(), verdict != GossipVerdict::Accept);
        for (const Send& one : out.sends) EXPECT_NE(one.to, key_number(0));
        // Seen is seen.
        EXPECT_FALSE(receive(1, push(payload_of(10, static_cast<std::uint8_t>(verdict)))).judge);
    }
    EXPECT_EQ(core.counts().rejected, 1U);
    EXPECT_EQ(core.counts().duplicates, 3U);
}

TEST_F(CoreTest, WhatWasNoNewsIsPassedOnWhenTheNodePublishesIt) {
    // Once: what was ignored was kept from those who have it only from here.
    const auto judge = receive(0, push(payload_of(10))).judge;
    ASSERT_TRUE(judge.has_value());
    EXPECT_TRUE(step(Judged{judge->digest, GossipVerdict::Ignore}).sends.empty());
    EXPECT_FALSE(sent<Push>(step(Publish{Topic::BlockCertificates, payload_of(10)})).empty());
    EXPECT_TRUE(step(Publish{Topic::BlockCertificates, payload_of(10)}).sends.empty());
    EXPECT_FALSE(receive(1, push(payload_of(10))).judge) << "seen is seen";
}

TEST_F(CoreTest, OneHolderIsAskedAtATimeAndTheNextOnDeadline) {
    const Bytes payload = payload_of(5000);
    const auto digest = digest_of(1, payload);
    const auto first = sent<Pull>(receive(0, advertise(digest)));
    ASSERT_EQ(first.size(), 1U);
    EXPECT_TRUE(receive(1, advertise(digest)).sends.empty());
    EXPECT_TRUE(receive(2, advertise(digest)).sends.empty());
    now = core.wake_at().value();
    const auto second = sent<Pull>(step(TimePassed{}));
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(second[0].first, key_number(1));
    const auto third = sent<Pull>(receive(1, Absent{digest}));
    ASSERT_EQ(third.size(), 1U);
    EXPECT_EQ(third[0].first, key_number(2));
    EXPECT_TRUE(receive(2, deliver(payload)).judge.has_value());
    EXPECT_EQ(core.wanted_count(), 0U);
}

TEST_F(CoreTest, WhoDeliversSomethingElseIsMutedInTheEnd) {
    const auto digest = digest_of(1, payload_of(5000));
    receive(0, advertise(digest));
    for (std::uint32_t i = 0; i < limits.faults_max; ++i)
        EXPECT_FALSE(receive(0, deliver(payload_of(4000, static_cast<std::uint8_t>(i)))).judge);
    EXPECT_EQ(core.counts().mutes, 1U);
    EXPECT_FALSE(receive(0, push(payload_of(1))).judge);
    EXPECT_TRUE(receive(1, push(payload_of(1))).judge);
    now = now + limits.mute;
    EXPECT_TRUE(receive(0, push(payload_of(2))).judge);
}

TEST_F(CoreTest, APeerThatComesUpHearsWhatIsFresh) {
    step(Publish{Topic::BlockCertificates, payload_of(10)});
    step(Publish{Topic::BlockCertificates, payload_of(5000)});
    const auto adverts = sent<Advertise>(step(PeerUp{key_number(50)}));
    ASSERT_EQ(adverts.size(), 1U);
    EXPECT_EQ(adverts[0].second.digests->size(), 2U);
    now = now + limits.age_max;
    EXPECT_TRUE(step(PeerUp{key_number(51)}).sends.empty());
}

TEST_F(CoreTest, NothingIsUnderWayWhenAllIsToldAndMemoryIsBoundedUnderFloods) {
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        now = now + 1ms;
        Bytes payload = payload_of(1000);
        store_le(payload.data(), i);
        if (const auto judge = receive(i % 10, push(payload)).judge)
            step(Judged{judge->digest, GossipVerdict::Accept});
        PayloadDigest made_up;
        store_le(made_up.data(), i);
        receive(i % 10, advertise(made_up));
        ASSERT_LE(core.seen_count(), limits.seen_max);
        ASSERT_LE(core.store_bytes(), limits.store_bytes_max);
        ASSERT_LE(core.wanted_count(), limits.wanted_max);
    }
    for (int turns = 0; core.wake_at() && turns < 100'000; ++turns) {
        now = std::max(now, *core.wake_at());
        step(TimePassed{});
    }
    EXPECT_FALSE(core.wake_at().has_value());
    EXPECT_EQ(core.wanted_count(), 0U);
}

TEST_F(CoreTest, WhatIsNoMessageIsAFault) {
    for (const Bytes& bytes :
         {Bytes{}, Bytes{9}, Bytes(kGossipMessageBytesMax + 1, 0), Bytes{0, 1, 200}})
        EXPECT_TRUE(step(MessageReceived{key_number(0), bytes}).sends.empty());
    EXPECT_EQ(core.counts().malformed, 4U);
    EXPECT_FALSE(receive(0, Push{77, {}}).judge);
    EXPECT_EQ(core.counts().malformed, 5U);
}

}  // namespace
}  // namespace draco::broadcast
