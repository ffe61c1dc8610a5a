// Proves how lanes open, grow, close and end, and that their money is the payer's, the node's or
// held, and nothing else.

#include "chain_fixture.hpp"

namespace draco::application::testing {
namespace {

TEST(Lanes, HoldMoneyOfThePayer) {
    // Opening takes the reserve out of the account and fixes service, price, key and instance; a
    // top-up adds to it.
    Chain chain;
    chain.run({chain.by_person(0, TransferUsd{chain.people[1].address, usd(1)})});
    EXPECT_EQ(chain.revert_of(chain.by_person(0, chain.opening(0, 1, usd(500)))), Revert::None);
    EXPECT_EQ(chain.account(0).usd, usd(Chain::kFunds - 1 - 500));
    EXPECT_EQ(chain.lane(0, 1),
              (Lane{.instance = LaneInstance(2),
                    .service = ServiceId(0),
                    .commodity = Commodity::Bandwidth,
                    .price = {usd(7), 1'000},
                    .session_key = session(0).public_key(),
                    .reserve = usd(500)}));
    EXPECT_EQ(chain.revert_of(
                  chain.by_person(0, TopUpLane{chain.machines[1].key, LaneIndex(0), usd(70)})),
              Revert::None);
    EXPECT_EQ(chain.lane(0, 1).reserve, usd(570));
    EXPECT_EQ(chain.lane(0, 1).instance, LaneInstance(2));
    EXPECT_EQ(chain.account(0).usd, usd(Chain::kFunds - 1 - 570));
    EXPECT_EQ(chain.view()->supply().usd, usd(6 * Chain::kFunds));
    EXPECT_FALSE(chain.find_lane(chain.lane_key(1, 0)).has_value());
}

TEST(Lanes, AreListedByPayer) {
    // Pages of one payer's lanes, in the order of node and index; all lanes together for an audit.
    Chain chain;
    for (const std::size_t person : {0U, 1U})
        for (const std::size_t machine : {2U, 0U, 1U})
            for (const std::uint16_t index : {std::uint16_t{7}, std::uint16_t{1}})
                chain.run({chain.by_person(person, chain.opening(person, machine, usd(5), index))});
    const auto view = chain.view();
    for (const std::size_t person : {0U, 1U}) {
        const Address& payer = chain.people[person].address;
        const auto all = view->lanes_of(payer, std::nullopt, 100).value();
        ASSERT_EQ(all.size(), 6U);
        EXPECT_TRUE(std::ranges::is_sorted(all, {}, [](const auto& entry) { return entry.first; }));
        for (const auto& [key, lane] : all) EXPECT_EQ(key.payer, payer);
        const auto first = view->lanes_of(payer, std::nullopt, 4).value();
        const auto rest = view->lanes_of(payer, first.back().first, 4).value();
        ASSERT_EQ(rest.size(), 2U);
        EXPECT_EQ(rest[0], all[4]);
        EXPECT_EQ(rest[1], all[5]);
    }
    EXPECT_EQ(view->lanes(std::nullopt, 100)->size(), 12U);
    EXPECT_TRUE(view->lanes_of(chain.people[2].address, std::nullopt, 100)->empty());
}

TEST(Lanes, EveryReasonNotToOpenOne) {
    // Each leaves account and lanes as they were.
    Chain chain;
    chain.run({chain.by_person(0, chain.opening(0, 0, usd(10)))});
    const auto refused = [&](auto change, Revert revert) {
        OpenLane method = chain.opening(0, 1, usd(10));
        change(method);
        const UsdAmount before = chain.account(0).usd;
        EXPECT_EQ(chain.revert_of(chain.by_person(0, method)), revert) << to_string(revert);
        EXPECT_EQ(chain.account(0).usd, before);
        EXPECT_EQ(chain.view()->lanes(std::nullopt, 100)->size(), 1U);
    };
    refused([&](OpenLane& m) { m.node = chain.machines[5].key; }, Revert::UnknownNode);
    refused([](OpenLane& m) { m.service = ServiceId(1); }, Revert::UnknownService);
    refused([&](OpenLane& m) { m.node = chain.machines[0].key; }, Revert::LaneInUse);
    refused([](OpenLane& m) { m.session_key = {}; }, Revert::UnsoundSessionKey);
    refused([](OpenLane& m) { m.reserve = usd(0); }, Revert::ZeroAmount);
    refused([](OpenLane& m) { m.reserve = usd(Chain::kFunds); }, Revert::InsufficientBalance);
    refused([](OpenLane& m) { m.reserve = {~static_cast<unsigned __int128>(0)}; },
            Revert::InsufficientBalance);
}

TEST(Lanes, EveryReasonNotToTopUpOrClose) {
    // Only the payer's own open lane, with money that is there; a lane that closes grows no more
    // and closes once.
    Chain chain;
    const NodeKey node = chain.machines[1].key;
    const auto top_up = [&](std::size_t person, UsdAmount amount) {
        return chain.revert_of(chain.by_person(person, TopUpLane{node, LaneIndex(0), amount}));
    };
    const auto close = [&](std::size_t person) {
        return chain.revert_of(chain.by_person(person, CloseLane{node, LaneIndex(0)}));
    };
    EXPECT_EQ(top_up(0, usd(1)), Revert::NoLane);
    EXPECT_EQ(close(0), Revert::NoLane);
    chain.run({chain.by_person(0, chain.opening(0, 1, usd(10)))});
    EXPECT_EQ(top_up(1, usd(1)), Revert::NoLane);
    EXPECT_EQ(close(1), Revert::NoLane);
    EXPECT_EQ(top_up(0, usd(0)), Revert::ZeroAmount);
    EXPECT_EQ(top_up(0, usd(Chain::kFunds)), Revert::InsufficientBalance);
    EXPECT_EQ(close(0), Revert::None);
    const Lane closing = chain.lane(0, 1);
    EXPECT_EQ(close(0), Revert::LaneCloses);
    EXPECT_EQ(top_up(0, usd(1)), Revert::LaneCloses);
    EXPECT_EQ(chain.lane(0, 1), closing);
    EXPECT_EQ(chain.revert_of(chain.by_person(0, chain.opening(0, 1, usd(10)))), Revert::LaneInUse);
}

TEST(Lanes, EndWhenTheChallengeTimeIsOver) {
    // Up to and in the first block at the end of the challenge time the node settles; at the end of
    // that block, and not before, the rest is the payer's again.
    Chain chain;
    chain.run({chain.by_person(0, chain.opening(0, 1, usd(100)))});
    const auto early = chain.ack(0, 1, 2'000);
    const auto last = chain.ack(0, 1, 3'000);
    chain.run({chain.by_person(0, CloseLane{chain.machines[1].key, LaneIndex(0)})});
    const std::uint64_t closed_ms = chain.view()->head().timestamp.ms;
    EXPECT_EQ(chain.lane(0, 1).closes, UnixTime{closed_ms + Chain::kChallengeMs});
    chain.run({chain.by_machine(1, settlement({early}))}, Chain::kChallengeMs - 1);
    EXPECT_EQ(chain.lane(0, 1).reserve, usd(86));
    EXPECT_EQ(chain.account(0).usd, usd(Chain::kFunds - 100));
    const auto executed = chain.run({chain.by_machine(1, settlement({last}))});
    EXPECT_EQ(chain.view()->head().timestamp.ms, closed_ms + Chain::kChallengeMs);
    const auto& receipt = std::get<Receipt>(executed.transactions.at(0).outcome);
    EXPECT_EQ(*receipt.acks, (std::vector<AckReceipt>{{AckOutcome::Settled, usd(7)}}));
    EXPECT_FALSE(chain.find_lane(chain.lane_key(0, 1)).has_value());
    EXPECT_EQ(chain.account(0).usd, usd(Chain::kFunds - 21));
    EXPECT_EQ(chain.view()->revenue_pot(), usd(21));
    EXPECT_EQ(chain.settle(1, last).outcome, AckOutcome::NoLane);
}

TEST(Lanes, AnIndexComesBackWithAFreshInstance) {
    // After the end the index is free, in the next block; acknowledgements of the lane before are
    // no good for the new one, though key, payer, node and index are the same.
    Chain chain;
    chain.run({chain.by_person(0, chain.opening(0, 1, usd(100)))});
    const auto old = chain.ack(0, 1, 9'000);
    const LaneInstance first = chain.lane(0, 1).instance;
    chain.run({chain.by_person(0, CloseLane{chain.machines[1].key, LaneIndex(0)})});
    chain.run({}, Chain::kChallengeMs);
    EXPECT_EQ(chain.account(0).usd, usd(Chain::kFunds));
    chain.run({chain.by_person(0, chain.opening(0, 1, usd(100)))});
    EXPECT_GT(chain.lane(0, 1).instance, first);
    EXPECT_EQ(chain.settle(1, old), (AckReceipt{AckOutcome::WrongInstance, usd(0)}));
    EXPECT_EQ(chain.lane(0, 1).reserve, usd(100));
    EXPECT_EQ(chain.settle(1, chain.ack(0, 1, 9'000)).outcome, AckOutcome::Settled);
}

TEST(Lanes, ManyEndInTheOrderOfTheirTimes) {
    // Lanes closed at different times end each at its own; several in one block, all of one payer.
    Chain chain;
    for (std::uint16_t i = 0; i < 6; ++i)
        chain.run({chain.by_person(0, chain.opening(0, 1, usd(10), i))});
    std::uint64_t start = 0;
    for (std::uint16_t i = 0; i < 6; ++i) {
        const auto close =
            CloseLane{chain.machines[1].key, LaneIndex(static_cast<std::uint16_t>(5 - i))};
        chain.run({chain.by_person(0, close)}, 100);
        if (i == 0) start = chain.view()->head().timestamp.ms;
    }
    chain.run({}, Chain::kChallengeMs - 500 - 1);
    EXPECT_EQ(chain.view()->lanes(std::nullopt, 100)->size(), 6U);
    chain.run({}, 201);
    ASSERT_EQ(chain.view()->head().timestamp.ms, start + Chain::kChallengeMs + 200);
    const auto left = chain.view()->lanes(std::nullopt, 100).value();
    ASSERT_EQ(left.size(), 3U);
    EXPECT_EQ(left[0].first.index, LaneIndex(0));
    EXPECT_EQ(left[2].first.index, LaneIndex(2));
    EXPECT_EQ(chain.account(0).usd, usd(Chain::kFunds - 30));
    chain.run({}, 1'000);
    EXPECT_TRUE(chain.view()->lanes(std::nullopt, 100)->empty());
    EXPECT_EQ(chain.account(0).usd, usd(Chain::kFunds));
}

}  // namespace
}  // namespace draco::application::testing
