// Rules of the core, one by one: what is refused and why, what a reply waits for, what is settled
// when, and what becomes of it.

#include "pod_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace draco::pod {
namespace {

using namespace std::chrono_literals;
using namespace pod::testing;  // NOLINT(google-build-using-namespace): the vocabulary of the tests
using types::AckOutcome;
using types::LaneKey;
using types::PeerShare;
using types::Revert;

types::NodeKey peer(std::uint64_t number) {
    return number_key<types::NodeKey>(1'000 + number);
}

class PodCore : public ::testing::Test {
protected:
    PodCore() { begin({}); }

    void begin(const JournalContent& journal, CoreOptions options = {}) {
        options.pace = {.interval = 5s, .epoch_margin = 10s};
        core.emplace(kChain, this_node(), journal, options);
        see();
    }

    Effects step(Event event) {
        Effects effects;
        core->step(std::move(event), now, effects);
        for (const Persist& one : all_of<Persist>(effects)) {
            EXPECT_EQ(one.ticket, ++tickets);
            written.push_back(one.record);
        }
        return effects;
    }

    // A new block, with whatever it makes the core read.
    Effects see() {
        Effects effects = step(ChainSeen{clock});
        answer_reads(effects);
        return effects;
    }

    void answer_reads(Effects& effects) {
        for (const ReadLanes& read : all_of<ReadLanes>(effects)) {
            LanesRead answer;
            for (const LaneKey& key : read.lanes) answer.lanes.emplace_back(key, on_chain(key));
            for (Effect& effect : step(std::move(answer))) effects.push_back(std::move(effect));
        }
    }

    LaneOnChain on_chain(const LaneKey& key) const {
        const auto at = lanes.find(key);
        if (at == lanes.end()) return {.lane = {}, .time = clock.time, .payer_nonce = nonce};
        return {.lane = at->second, .time = clock.time, .payer_nonce = {}};
    }

    // Without making it durable.
    Effects offer(const types::SignedDeliveryAck& one) {
        return step(
            AckReceived{++request, one, on_chain({one.ack.payer, one.ack.node, one.ack.lane})});
    }

    Effects persisted() { return step(Persisted{tickets, {}}); }

    Errc refusal(const types::SignedDeliveryAck& one) {
        const auto replies = all_of<Reply>(offer(one));
        EXPECT_EQ(replies.size(), 1U);
        if (replies.size() != 1 || replies[0].result) return Errc::Abandoned;
        EXPECT_EQ(replies[0].request, request);
        EXPECT_FALSE(replies[0].result.error().context.empty());
        return replies[0].result.error().code;
    }

    void take(const types::SignedDeliveryAck& one) {
        EXPECT_TRUE(all_of<Reply>(offer(one)).empty());
        EXPECT_EQ(all_of<Reply>(persisted()).size(), 1U);
    }

    // Opens lane 0 of `payer` and takes a word on it.
    LaneKey taken(std::uint64_t payer, std::uint64_t units, std::uint64_t reserve = 1'000'000) {
        const LaneKey key = lane_of(payer);
        lanes[key] = open_lane(4, reserve, session(payer));
        take(word(key, 4, units, session(payer)));
        return key;
    }

    std::optional<Submit> wait(Duration length) {
        now = now + length;
        const auto submits = all_of<Submit>(step(TimePassed{}));
        EXPECT_LE(submits.size(), 1U);
        return submits.empty() ? std::nullopt : std::optional(submits[0]);
    }

    // The chain executes it, and the lanes are as it says.
    Effects judge(const Submit& submit, AckOutcome outcome) {
        Judgement judgement;
        for (const auto& one : submit.content.acks) {
            judgement.outcomes.push_back(outcome);
            if (outcome == AckOutcome::Settled)
                lanes[{one.ack.payer, one.ack.node, one.ack.lane}].settled = one.ack.cumulative;
        }
        Effects effects = step(Judged{submit.settlement, judgement});
        answer_reads(effects);
        return effects;
    }

    std::optional<Core> core;
    Instant now{100s};
    ChainClock clock{.time = {1'000'000},
                     .epoch = types::Epoch(3),
                     .epoch_started = {1'000'000},
                     .epoch_ms = 3'600'000,
                     .settlements_max = 10'000,
                     .settlements_used = 0};
    std::map<LaneKey, types::Lane> lanes;
    types::Nonce nonce{100};
    RequestId request = 0;
    Ticket tickets = 0;
    std::vector<JournalRecord> written;
};

// Each with the error that the interface names.
TEST_F(PodCore, RefusesWithAReason) {
    const LaneKey key = taken(1, 5'000, 70);
    const auto mine = session(1);
    EXPECT_EQ(refusal(word(key, 4, 6'000, session(2))), Errc::Unauthenticated);
    EXPECT_EQ(refusal(word(key, 4, 6'000, mine, types::ChainId(1))), Errc::Unauthenticated);
    auto bent = word(key, 4, 6'000, mine);
    bent.ack.cumulative = 6'001;
    EXPECT_EQ(refusal(bent), Errc::Unauthenticated);
    LaneKey elsewhere = key;
    elsewhere.node = peer(1);
    lanes[elsewhere] = lanes[key];
    EXPECT_EQ(refusal(word(elsewhere, 4, 6'000, mine)), Errc::NotFound);
    EXPECT_EQ(refusal(word(lane_of(1, 1), 4, 6'000, mine)), Errc::NotFound);
    EXPECT_EQ(refusal(word(key, 3, 6'000, mine)), Errc::NotFound);
    EXPECT_EQ(refusal(word(key, 5, 6'000, mine)), Errc::NotFound);
    EXPECT_EQ(refusal(word(key, 4, 4'999, mine)), Errc::InvalidArgument);
    EXPECT_EQ(units_max(lanes[key]), 10'142U);
    EXPECT_EQ(refusal(word(key, 4, 10'143, mine)), Errc::Exhausted);
    lanes[key].closes = clock.time;
    EXPECT_EQ(refusal(word(key, 4, 6'000, mine)), Errc::NotFound);
    lanes[key].closes = UnixTime{clock.time.ms + 1};
    take(word(key, 4, 10'142, mine));
    EXPECT_EQ(core->status().refused, 10U);
    EXPECT_EQ(core->status().taken, 2U);
}

// A reply waits until its record, and with it all before, is durable.
TEST_F(PodCore, RepliesWhenDurable) {
    const LaneKey key = lane_of(1);
    lanes[key] = open_lane(4, 1'000, session(1));
    EXPECT_TRUE(all_of<Reply>(offer(word(key, 4, 10, session(1)))).empty());
    EXPECT_TRUE(all_of<Reply>(offer(word(key, 4, 20, session(1)))).empty());
    EXPECT_TRUE(core->kept({}, 9).empty()) << "not durable yet";
    const auto first = all_of<Reply>(step(Persisted{1, {}}));
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(first[0].result->acknowledged, 10U);
    EXPECT_EQ(first[0].result->latest, word(key, 4, 10, session(1)));
    const auto second = all_of<Reply>(step(Persisted{2, {}}));
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(second[0].result->acknowledged, 20U);
    EXPECT_EQ(second[0].result->units_max, units_max(lanes[key]));
    EXPECT_EQ(core->kept({}, 9), std::vector{word(key, 4, 20, session(1))});
}

// The same word again succeeds: not before it is durable, then at once and without a record.
TEST_F(PodCore, TheSameWordAgain) {
    const LaneKey key = lane_of(1);
    lanes[key] = open_lane(4, 1'000, session(1));
    const auto one = word(key, 4, 10, session(1));
    EXPECT_TRUE(all_of<Reply>(offer(one)).empty());
    EXPECT_TRUE(all_of<Reply>(offer(one)).empty());
    EXPECT_EQ(tickets, 1U);
    EXPECT_EQ(all_of<Reply>(persisted()).size(), 2U);
    EXPECT_EQ(all_of<Reply>(offer(one)).at(0).result->acknowledged, 10U);
    const auto submit = wait(5s);
    ASSERT_TRUE(submit);
    judge(*submit, AckOutcome::Settled);
    const auto settled = all_of<Reply>(offer(one));
    ASSERT_EQ(settled.size(), 1U);
    EXPECT_EQ(settled[0].result->acknowledged, 10U);
    EXPECT_FALSE(settled[0].result->latest);
    EXPECT_EQ(tickets, 1U);
}

// What the driver could not make durable is an error for all that wait, and the end.
TEST_F(PodCore, AFailedJournalIsToldToAll) {
    const LaneKey key = taken(1, 10);
    offer(word(key, 4, 20, session(1)));
    offer(word(key, 4, 30, session(1)));
    const auto replies = all_of<Reply>(step(Persisted{3, fail(Errc::Io, "the disk is gone")}));
    ASSERT_EQ(replies.size(), 2U);
    for (const Reply& reply : replies) EXPECT_EQ(reply.result.error().code, Errc::Io);
    EXPECT_EQ(refusal(word(key, 4, 40, session(1))), Errc::Io);
    EXPECT_FALSE(wait(1h));
    EXPECT_FALSE(core->wakes_at());
}

TEST_F(PodCore, Standing) {
    const auto ask = [&](const LaneKey& key) {
        const auto replies = all_of<Reply>(step(StandingAsked{++request, key, on_chain(key)}));
        return replies.at(0).result;
    };
    EXPECT_EQ(ask(lane_of(1)).error().code, Errc::NotFound);
    const LaneKey key = lane_of(1);
    lanes[key] = open_lane(4, 70, session(1));
    lanes[key].settled = 1'000;
    const auto before = ask(key);
    ASSERT_TRUE(before);
    EXPECT_EQ(*before, (interfaces::LaneStanding{lanes[key], 1'000, {}, 11'142}));
    take(word(key, 4, 3'000, session(1)));
    EXPECT_EQ(ask(key)->acknowledged, 3'000U);
    lanes[key].closes = UnixTime{clock.time.ms + 60'000};
    EXPECT_EQ(ask(key).error().code, Errc::Unavailable);
}

// A payer that opens its lane again begins anew, and nothing of the old instance is brought back.
TEST_F(PodCore, ALaneThatIsOpenedAgain) {
    const LaneKey key = taken(1, 5'000);
    lanes[key] = open_lane(9, 1'000, session(7));
    Effects effects = offer(word(key, 9, 10, session(7)));
    const auto dropped = all_of<AckDropped>(effects);
    ASSERT_EQ(dropped.size(), 1U);
    EXPECT_EQ(dropped[0].units, 5'000U);
    persisted();
    EXPECT_EQ(core->kept({}, 9), std::vector{word(key, 9, 10, session(7))});
    EXPECT_EQ(wait(5s)->content.acks, core->kept({}, 9));
}

// One settlement at a time, not before the interval, with the newest durable words.
TEST_F(PodCore, SettlesInTurn) {
    const LaneKey key = taken(1, 5'000);
    EXPECT_FALSE(wait(4s));
    take(word(key, 4, 6'000, session(1)));
    offer(word(key, 4, 7'000, session(1)));
    EXPECT_EQ(core->wakes_at(), Instant{105s});
    const auto submit = wait(1s);
    ASSERT_TRUE(submit);
    EXPECT_EQ(submit->content.acks, std::vector{word(key, 4, 6'000, session(1))});
    persisted();
    EXPECT_FALSE(wait(4s));
    EXPECT_FALSE(wait(4s)) << "one is under way";
    const auto next = all_of<Submit>(judge(*submit, AckOutcome::Settled));
    EXPECT_EQ(core->status().settled_units, 6'000U);
    EXPECT_EQ(core->status().unsettled_units, 1'000U);
    ASSERT_EQ(next.size(), 1U);
    EXPECT_EQ(next[0].content.acks, std::vector{word(key, 4, 7'000, session(1))});
    judge(next[0], AckOutcome::Settled);
    EXPECT_EQ(core->status(),
              (interfaces::DeliveryStatus{.lanes = 0,
                                          .taken = 3,
                                          .refused = 0,
                                          .settlements = 2,
                                          .settled_units = 7'000,
                                          .unsettled_units = 0}));
    EXPECT_FALSE(wait(1h)) << "nothing to settle";
}

// What is worth most comes first when there is not room for all.
TEST_F(PodCore, SettlesTheLargestFirst) {
    constexpr std::uint64_t kLanes = types::kSettlementAcksMax + 10;
    for (std::uint64_t i = 1; i <= kLanes; ++i) taken(i, i * 1'000);
    const auto first = wait(5s);
    ASSERT_TRUE(first);
    ASSERT_EQ(first->content.acks.size(), types::kSettlementAcksMax);
    EXPECT_EQ(first->content.acks.front().ack.cumulative, kLanes * 1'000);
    EXPECT_EQ(first->content.acks.back().ack.cumulative, 11'000U);
    judge(*first, AckOutcome::Settled);
    const auto second = wait(5s);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->content.acks.size(), 10U);
}

// A lane that closes is settled as soon as a block shows it, before all others.
TEST_F(PodCore, ClosingLanesAreSettledAtOnce) {
    taken(1, 900'000);
    const LaneKey later = taken(2, 1'000);
    const LaneKey sooner = taken(3, 1'000);
    lanes[later].closes = UnixTime{clock.time.ms + 600'000};
    lanes[sooner].closes = UnixTime{clock.time.ms + 500'000};
    now = now + 1s;
    const auto submits = all_of<Submit>(see());
    ASSERT_EQ(submits.size(), 1U);
    const auto& acks = submits[0].content.acks;
    ASSERT_EQ(acks.size(), 3U);
    EXPECT_EQ(acks[0].ack.payer, sooner.payer);
    EXPECT_EQ(acks[1].ack.payer, later.payer);
}

// Words above the reserve wait for a top-up; they are not sent before.
TEST_F(PodCore, OverReserveWaitsForATopUp) {
    const LaneKey key = taken(1, 5'000, 35);
    auto submit = wait(5s);
    ASSERT_TRUE(submit);
    lanes[key].reserve = types::UsdAmount{1};
    judge(*submit, AckOutcome::OverReserve);
    EXPECT_EQ(core->status().lanes, 1U);
    EXPECT_FALSE(wait(1h));
    lanes[key].reserve = types::UsdAmount{35};
    see();
    submit = wait(5s);
    ASSERT_TRUE(submit);
    EXPECT_EQ(submit->content.acks, std::vector{word(key, 4, 5'000, session(1))});
}

// What the chain will never take is dropped, and people are told.
TEST_F(PodCore, DropsWhatCannotBeSettled) {
    const LaneKey forged = taken(1, 5'000);
    auto effects = judge(*wait(5s), AckOutcome::ForgedSignature);
    ASSERT_EQ(all_of<AckDropped>(effects).size(), 1U);
    EXPECT_EQ(all_of<AckDropped>(effects)[0].why, AckOutcome::ForgedSignature);
    lanes.erase(forged);
    const LaneKey ended = taken(2, 5'000);
    lanes.erase(ended);
    effects = judge(*wait(5s), AckOutcome::NoLane);
    ASSERT_EQ(all_of<AckDropped>(effects).size(), 1U);
    EXPECT_EQ(all_of<AckDropped>(effects)[0].units, 5'000U);
    EXPECT_EQ(core->status().lanes, 0U);
}

// Records of an earlier run are compared with the chain first: what it has counted or ended is
// forgotten, and what it does not know yet is kept.
TEST_F(PodCore, ComparesTheJournalWithTheChain) {
    JournalContent journal;
    for (std::uint64_t i = 1; i <= 4; ++i)
        journal.acks[lane_of(i)] = word(lane_of(i), 50, 1'000, session(i));
    for (const std::uint64_t i : {1U, 2U}) lanes[lane_of(i)] = open_lane(50, 100, session(i));
    lanes[lane_of(1)].settled = 1'000;
    lanes[lane_of(4)] = open_lane(49, 100, session(4));  // an older state than the journal
    nonce = types::Nonce(49);                            // of lane 3 too
    begin(journal);
    EXPECT_EQ(core->status().lanes, 3U);
    EXPECT_EQ(wait(5s)->content.acks, std::vector{word(lane_of(2), 50, 1'000, session(2))});
    nonce = types::Nonce(50);
    const auto dropped = all_of<AckDropped>(see());
    ASSERT_EQ(dropped.size(), 1U);
    EXPECT_EQ(dropped[0].word.ack.payer, lane_of(3).payer);
    EXPECT_EQ(refusal(word(lane_of(4), 49, 2'000, session(4))), Errc::NotFound)
        << "a word of an instance that is over";
}

// A settlement whose outcome is unknown comes again, each time later.
TEST_F(PodCore, UnknownOutcomesComeAgain) {
    taken(1, 5'000);
    auto submit = wait(5s);
    for (const Duration pause : {5s, 5s, 5s, 8s, 16s, 32s, 60s, 60s}) {
        ASSERT_TRUE(submit);
        Effects effects = step(Judged{submit->settlement, fail(Errc::Abandoned, "stopped")});
        EXPECT_EQ(all_of<SettlementFailed>(effects).size(), 1U);
        answer_reads(effects);
        EXPECT_FALSE(wait(pause - 1ms));
        submit = wait(1ms);
    }
    ASSERT_TRUE(submit);
    judge(*submit, AckOutcome::NotIncreasing);
    EXPECT_EQ(core->status().lanes, 0U);
}

// Peers are named with the next settlement, the largest first, each byte at most once: the journal
// says that they are gone before they leave.
TEST_F(PodCore, NamesPeersOnce) {
    taken(1, 30'000);
    PeersServed served;
    for (std::uint64_t i = 1; i <= 70; ++i) served.peers.push_back({peer(i), 10 * i});
    served.peers.push_back({this_node(), 1'000'000});
    served.peers.push_back({peer(80), 0});
    step(served);
    EXPECT_EQ(tickets, 1U + 70) << "their totals are saved";
    persisted();
    EXPECT_FALSE(wait(5s)) << "not before the journal has it";
    ASSERT_EQ(tickets, 71U + types::kSettlementPeersMax);
    EXPECT_EQ(std::get<PeerShare>(written.back()).bytes, 0U);
    const auto submits = all_of<Submit>(persisted());
    ASSERT_EQ(submits.size(), 1U);
    ASSERT_EQ(submits[0].content.peers.size(), types::kSettlementPeersMax);
    EXPECT_EQ(submits[0].content.peers[0], (PeerShare{peer(70), 700}));
    EXPECT_EQ(submits[0].content.peers[63], (PeerShare{peer(7), 70}));
    EXPECT_EQ(core->live_count(), 1U + 6);
    judge(submits[0], AckOutcome::Settled);
    taken(2, 1'000);
    wait(5s);
    const auto rest = all_of<Submit>(persisted());
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest[0].content.peers.size(), 6U);
}

// With a settlement peers are named for no more bytes than it sells, the largest first; the rest
// waits for what is sold later, also over a restart.
TEST_F(PodCore, NamesPeersForNoMoreThanIsSold) {
    const auto settle = [&] {
        wait(5s);
        const auto submits = all_of<Submit>(persisted());
        EXPECT_EQ(submits.size(), 1U);
        return submits.at(0);
    };
    taken(1, 1'000);
    step(PeersServed{{{peer(1), 700}, {peer(2), 900}, {peer(3), 50}}});
    persisted();
    const auto first = settle();
    EXPECT_EQ(first.content.peers, (std::vector{PeerShare{peer(2), 900}, PeerShare{peer(1), 100}}));
    EXPECT_EQ(std::get<PeerShare>(written.back()), (PeerShare{peer(1), 600}));
    judge(first, AckOutcome::Settled);
    JournalContent journal;
    for (const JournalRecord& record : core->live())
        if (const auto* share = std::get_if<PeerShare>(&record))
            journal.peers[share->peer] = share->bytes;
    EXPECT_EQ(journal.peers,
              (std::map<types::NodeKey, std::uint64_t>{{peer(1), 600}, {peer(3), 50}}));
    tickets = 0;
    begin(journal, {});
    lanes.clear();
    taken(2, 610);
    const auto second = settle();
    EXPECT_EQ(second.content.peers, (std::vector{PeerShare{peer(1), 600}, PeerShare{peer(3), 10}}));
}

// A settlement that reverts for want of stake names its peers again; peers that the chain does not
// take do not come again; too many wait for the next epoch.
TEST_F(PodCore, RevertsOfPeers) {
    const auto settle_with_peer = [&](Duration pause) {
        step(PeersServed{{{peer(1), 10}}});
        now = now + pause;
        step(TimePassed{});
        const auto submits = all_of<Submit>(persisted());
        EXPECT_EQ(submits.size(), 1U);
        return submits.at(0);
    };
    const auto revert = [&](const Submit& submit, Revert why) {
        Effects effects = step(Judged{submit.settlement, Judgement{why, {}}});
        answer_reads(effects);
    };
    taken(1, 5'000);
    auto submit = settle_with_peer(5s);
    EXPECT_EQ(submit.content.peers, (std::vector{PeerShare{peer(1), 10}}));
    revert(submit, Revert::InsufficientStake);
    submit = settle_with_peer(5s);
    EXPECT_EQ(submit.content.peers, (std::vector{PeerShare{peer(1), 20}}));
    revert(submit, Revert::UnknownNode);
    submit = settle_with_peer(5s);
    EXPECT_EQ(submit.content.peers, (std::vector{PeerShare{peer(1), 10}}));
    revert(submit, Revert::TooManyPeers);
    now = now + 5s;
    const auto alone = all_of<Submit>(step(TimePassed{}));
    ASSERT_EQ(alone.size(), 1U);
    EXPECT_TRUE(alone[0].content.peers.empty());
    EXPECT_EQ(core->status().settlements, 3U);
    judge(alone[0], AckOutcome::Settled);
    clock.epoch = types::Epoch(4);
    see();
    taken(2, 1'000);
    submit = settle_with_peer(5s);
    EXPECT_EQ(submit.content.peers, (std::vector{PeerShare{peer(1), 20}}));
}

// Bounds on lanes and peers, and the pages of what is kept.
TEST_F(PodCore, Bounds) {
    begin({}, {.lanes_max = 3, .peers_max = 2});
    for (std::uint64_t i = 1; i <= 3; ++i) taken(i, i);
    lanes[lane_of(4)] = open_lane(4, 100, session(4));
    EXPECT_EQ(refusal(word(lane_of(4), 4, 1, session(4))), Errc::Unavailable);
    take(word(lane_of(3), 4, 9, session(3)));
    step(PeersServed{{{peer(1), 1}, {peer(2), 1}, {peer(3), 1}}});
    EXPECT_EQ(core->live_count(), 5U);
    EXPECT_EQ(core->live().size(), 5U);
    const auto page = core->kept({}, 2);
    ASSERT_EQ(page.size(), 2U);
    const auto rest = core->kept(lane_of(2), 5);
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest[0].ack.cumulative, 9U);
}

// Each block looks at a bounded number of lanes, and all get their turn.
TEST_F(PodCore, LooksAtLanesInTurn) {
    begin({}, {.lanes_read_max = 3});
    for (std::uint64_t i = 1; i <= 5; ++i) taken(i, i);
    std::map<LaneKey, int> seen;
    for (int block = 0; block < 10; ++block)
        for (const ReadLanes& read : all_of<ReadLanes>(see())) {
            EXPECT_EQ(read.lanes.size(), 3U);
            for (const LaneKey& key : read.lanes) ++seen[key];
        }
    EXPECT_EQ(seen.size(), 5U);
    EXPECT_TRUE(std::ranges::all_of(seen, [](const auto& entry) { return entry.second == 6; }));
}

}  // namespace
}  // namespace draco::pod
