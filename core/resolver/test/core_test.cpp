// The resolver's core alone: whom it tells and when, what it keeps and refuses, and its bounds; the
// choice of keepers; the store of records beside a naive model.

#include "draco/resolver/core.hpp"

#include "draco/simulon/seeded_rng.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace draco::resolver {
namespace {

using namespace std::chrono_literals;
using simulon::SeededRng;
using types::ContentHash;
using types::NodeKey;
using types::NodeSecretKey;

constexpr types::ChainId kChain(7);

NodeSecretKey secret_number(std::uint32_t number) {
    SeededRng rng(1000 + number);
    return NodeSecretKey::generate(rng);
}

NodeKey key_number(std::uint32_t number) {
    return secret_number(number).public_key();
}

ContentHash object_number(std::uint32_t number) {
    ContentHash hash;
    store_be(hash.data(), number);
    return hash;
}

std::vector<NodeKey> keys_up_to(std::uint32_t count) {
    std::vector<NodeKey> keys;
    for (std::uint32_t i = 0; i < count; ++i) keys.push_back(key_number(i));
    std::ranges::sort(keys);
    return keys;
}

// Node 0 among others.
class CoreTest : public ::testing::Test {
protected:
    void start(std::uint32_t count) {
        step(NodesChanged{keys_up_to(count)});
        for (std::uint32_t i = 1; i < count; ++i) step(PeerUp{key_number(i)});
    }

    Effects step(const Event& event) {
        Effects effects;
        core.step(event, moment, effects);
        return effects;
    }

    void pass(Duration duration) {
        moment.now = moment.now + duration;
        moment.unix_now.ms += static_cast<std::uint64_t>(duration / 1ms);
    }

    types::SignedProviderRecord record(std::uint32_t node,
                                       const ContentHash& hash,
                                       std::uint64_t sequence = 1) const {
        return types::sign(kChain,
                           {.hash = hash,
                            .node = key_number(node),
                            .expires = {moment.unix_now.ms + 60'000},
                            .sequence = sequence},
                           secret_number(node));
    }

    void announce(std::uint32_t from, const types::SignedProviderRecord& record) {
        Announce message;
        ASSERT_TRUE(message.records.try_push_back(record));
        const Bytes bytes = bcs::encode(message);
        step(MessageReceived{key_number(from), bytes});
    }

    std::size_t kept(const ContentHash& hash) {
        const Bytes request = bcs::encode(Lookup{hash});
        const auto out = step(LookupReceived{1, key_number(1), request});
        return decode_found(*out.answers.at(0).answer).value().records->size();
    }

    static std::size_t told(const Effects& effects) {
        std::size_t records = 0;
        for (const Send& send : effects.sends)
            records += decode_announce(send.message).value().records->size();
        return records;
    }

    Moment moment{.now = Instant{10s}, .unix_now = {1'700'000'000'000}};
    Limits limits;
    Core core{kChain, secret_number(0), limits};
};

TEST_F(CoreTest, AllKeepersAreToldAtOnceAndAgainAtAThirdOfTheLifetime) {
    start(6);
    EXPECT_EQ(told(step(Provide{object_number(1)})), 5U);
    EXPECT_EQ(kept(object_number(1)), 1U) << "it keeps its own, too";
    EXPECT_TRUE(step(Provide{object_number(1)}).sends.empty());
    pass(limits.lifetime / 3 - 1s);
    EXPECT_TRUE(step(TimePassed{}).sends.empty());
    pass(1s);
    EXPECT_LE(*core.wake_at(), moment.now);
    EXPECT_EQ(told(step(TimePassed{})), 5U);
    EXPECT_EQ(told(step(Withdraw{object_number(1)})), 5U);
    EXPECT_EQ(kept(object_number(1)), 0U);
}

TEST_F(CoreTest, AKeeperThatComesUpIsToldAllAndNoFasterThanItMayBe) {
    start(3);
    for (std::uint32_t i = 0; i < 150; ++i) step(Provide{object_number(i)});
    pass(10s);
    step(TimePassed{});
    pass(10s);
    step(TimePassed{});
    pass(10s);
    step(TimePassed{});
    step(PeerDown{key_number(1)});
    std::size_t records = told(step(PeerUp{key_number(1)}));
    EXPECT_EQ(records, kAnnouncedMax);
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(step(TimePassed{}).sends.empty());
        pass(limits.announce_pause);
        records += told(step(TimePassed{}));
    }
    EXPECT_EQ(records, 150U);
}

TEST_F(CoreTest, WhatCouldNotBeSentIsToldLater) {
    start(3);
    step(Provide{object_number(1)});
    step(SendFailed{key_number(1)});
    pass(1s);
    EXPECT_TRUE(step(TimePassed{}).sends.empty());
    pass(1s);
    const auto out = step(TimePassed{});
    ASSERT_EQ(out.sends.size(), 1U);
    EXPECT_EQ(out.sends[0].to, key_number(1));
}

TEST_F(CoreTest, OnlyWhatItsNodeSignedAndSendsItselfIsKept) {
    start(4);
    announce(1, record(1, object_number(1)));
    EXPECT_EQ(kept(object_number(1)), 1U);
    announce(2, record(1, object_number(2)));  // passed on
    auto forged = record(1, object_number(2));
    forged.record.sequence = 9;
    announce(1, forged);
    auto other_chain = record(1, object_number(2));
    other_chain.signature =
        types::sign(types::ChainId(8), other_chain.record, secret_number(1)).signature;
    announce(1, other_chain);
    EXPECT_EQ(kept(object_number(2)), 0U);
    EXPECT_EQ(core.status().refused_records, 3U);
    // An older one does not undo a newer one.
    auto withdrawn = record(1, object_number(1), 5);
    withdrawn.record.is_withdrawn = true;
    withdrawn = types::sign(kChain, withdrawn.record, secret_number(1));
    announce(1, withdrawn);
    announce(1, record(1, object_number(1), 4));
    EXPECT_EQ(kept(object_number(1)), 0U);
    pass(61s);
    step(TimePassed{});
    EXPECT_EQ(core.status().kept_records, 0U);
}

TEST_F(CoreTest, RecordsOfObjectsThatAreOthersToKeepAreRefused) {
    start(60);
    std::size_t refused = 0;
    for (std::uint32_t i = 0; i < 40; ++i) {
        const bool is_own =
            is_among_best(object_number(i), key_number(0), keys_up_to(60), 2 * kKeepers);
        announce(1, record(1, object_number(i)));
        EXPECT_EQ(kept(object_number(i)), is_own ? 1U : 0U);
        refused += is_own ? 0U : 1U;
    }
    EXPECT_GT(refused, 10U);
    EXPECT_EQ(core.status().refused_records, refused);
}

TEST_F(CoreTest, AFloodMeetsItsBudget) {
    start(3);
    for (std::uint32_t i = 0; i < 2 * limits.records_per_s; ++i)
        announce(1, record(1, object_number(i % 3), i + 1));
    EXPECT_EQ(core.status().refused_records, limits.records_per_s);
    announce(2, record(2, object_number(1)));
    EXPECT_EQ(kept(object_number(1)), 2U) << "others are not held up";
}

TEST_F(CoreTest, ALookupEndsAMomentAfterTheFirstThatNamesSomebody) {
    start(6);
    const auto out = step(Find{.find = 1, .hash = object_number(9), .deadline = moment.now + 10s});
    EXPECT_EQ(out.asks.size(), 5U);
    resolver::Found found;
    ASSERT_TRUE(found.records.try_push_back(record(3, object_number(9))));
    EXPECT_TRUE(step(AnswerReceived{1, out.asks[0].keeper, bcs::encode(found)}).done.empty());
    EXPECT_EQ(core.wake_at(), moment.now + limits.find_grace);
    pass(limits.find_grace);
    const auto end = step(TimePassed{});
    ASSERT_EQ(end.done.size(), 1U);
    EXPECT_EQ(end.done[0].providers.value(), std::vector{key_number(3)});
}

TEST(Keepers, ANodeThatLeavesMovesOnlyWhatWasItsOwn) {
    const auto all = keys_up_to(40);
    auto fewer = all;
    fewer.erase(fewer.begin() + 7);
    std::size_t moved = 0;
    for (std::uint32_t i = 0; i < 200; ++i) {
        const auto before = best_of(object_number(i), all, kKeepers);
        const auto after = best_of(object_number(i), fewer, kKeepers);
        ASSERT_EQ(before.size(), kKeepers);
        std::size_t kept = 0;
        for (const auto& keeper : before)
            kept += std::ranges::find(after, keeper) != after.end() ? 1U : 0U;
        const bool was_keeper =
            std::ranges::any_of(before, [&](const auto& one) { return one.second == all[7]; });
        ASSERT_EQ(kept, was_keeper ? kKeepers - 1 : kKeepers);
        ASSERT_EQ(is_among_best(object_number(i), all[7], all, kKeepers), was_keeper);
        moved += was_keeper ? 1U : 0U;
    }
    // A fifth of all, give or take.
    EXPECT_GT(moved, 15U);
    EXPECT_LT(moved, 80U);
}

TEST(RecordStoreModel, KeepsWhatAPlainMapKeepsWithinItsBounds) {
    SeededRng rng(draco::testing::test_seed(1));
    const RecordLimits limits{
        .records_max = 40, .records_per_node_max = 12, .records_per_object_max = 4};
    RecordStore store(limits);
    std::map<std::pair<ContentHash, NodeKey>, std::pair<types::ProviderRecord, Instant>> model;
    Instant now{1s};
    for (int i = 0; i < 20'000; ++i) {
        now = now + Duration(std::chrono::milliseconds(rng.below(100)));
        store.drop_expired(now);
        std::erase_if(model, [now](const auto& one) { return one.second.second <= now; });
        types::SignedProviderRecord record;
        record.record.hash = object_number(static_cast<std::uint32_t>(rng.below(20)));
        store_be(record.record.node.data(), static_cast<std::uint32_t>(rng.below(6)));
        record.record.sequence = rng.below(1000);
        record.record.is_withdrawn = rng.below(5) == 0;
        const std::pair key(record.record.hash, record.record.node);
        const auto found = model.find(key);
        const bool is_news =
            found == model.end() || found->second.first.sequence < record.record.sequence;
        ASSERT_EQ(store.is_news(record.record), is_news);
        if (is_news) {
            const auto of_object = std::ranges::count_if(
                model, [&](const auto& one) { return one.first.first == key.first; });
            const auto of_node = std::ranges::count_if(
                model, [&](const auto& one) { return one.first.second == key.second; });
            const bool has_room =
                found != model.end() || (of_object < 4 && of_node < 12 && model.size() < 40);
            const Instant until = now + Duration(std::chrono::milliseconds(1 + rng.below(3000)));
            ASSERT_EQ(store.put(record, until), has_room);
            if (has_room) model[key] = {record.record, until};
        }
        ASSERT_EQ(store.size(), model.size());
        const ContentHash asked = object_number(static_cast<std::uint32_t>(rng.below(20)));
        std::set<NodeKey> expected;
        for (const auto& [place, kept] : model)
            if (place.first == asked && !kept.first.is_withdrawn) expected.insert(place.second);
        std::set<NodeKey> named;
        for (const auto& one : store.lookup(asked, key.second, 20)) named.insert(one.record.node);
        ASSERT_EQ(named, expected);
    }
}

}  // namespace
}  // namespace draco::resolver
