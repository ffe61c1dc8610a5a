// Proves that a node is paid for exactly what the payer's key acknowledged, once, and what becomes
// of every other acknowledgement.

#include "draco/testing/seed.hpp"

#include "chain_fixture.hpp"

#include <random>

namespace draco::application::testing {
namespace {

// A chain with a lane of 1,000 units of USD from person 0 to machine 1.
struct Settlements : ::testing::Test {
    Settlements() { chain.run({chain.by_person(0, chain.opening(0, 1, usd(1'000)))}); }

    // Signed by the lane's key.
    SignedDeliveryAck changed(std::uint64_t cumulative, auto change) const {
        DeliveryAck ack = chain.ack(0, 1, cumulative).ack;
        change(ack);
        return sign(chain.genesis.chain, ack, session(0));
    }

    Chain chain;
};

TEST_F(Settlements, MoveMoneyFromTheReserveToTheRevenue) {
    // Cumulative: the second acknowledgement pays what it adds. Lane, pot and revenues agree.
    EXPECT_EQ(chain.settle(1, chain.ack(0, 1, 1'500)),
              (AckReceipt{AckOutcome::Settled, usd(10)}));  // 10.5
    EXPECT_EQ(chain.settle(1, chain.ack(0, 1, 3'000)),
              (AckReceipt{AckOutcome::Settled, usd(11)}));  // 21 in all
    EXPECT_EQ(chain.lane(0, 1).reserve, usd(979));
    EXPECT_EQ(chain.lane(0, 1).settled, 3'000U);
    EXPECT_EQ(chain.view()->revenue_pot(), usd(21));
    const auto revenue = chain.view()->node_revenue(Epoch(0), chain.machines[1].key).value();
    EXPECT_EQ(revenue, (NodeRevenue{usd(21), 3'000, {}, std::nullopt}));
    EXPECT_FALSE(chain.view()->node_revenue(Epoch(0), chain.machines[0].key)->has_value());
    EXPECT_FALSE(chain.view()->epoch_revenue(Epoch(0))->has_value());
    EXPECT_EQ(chain.view()->supply().usd, usd(6 * Chain::kFunds));
}

TEST_F(Settlements, JudgeEachAcknowledgementOnItsOwn) {
    // One settlement with every reason in it: those that are good are settled, whatever is around
    // them, and the receipt says of each what became of it.
    chain.run({chain.by_person(2, chain.opening(2, 1, usd(20)))});
    const auto receipts =
        chain.settle(1,
                     settlement({
                         sign(ChainId(1), chain.ack(0, 1, 1'000).ack, session(0)),
                         changed(1'000, [&](DeliveryAck& a) { a.node = chain.machines[0].key; }),
                         changed(1'000, [&](DeliveryAck& a) { a.payer = chain.people[1].address; }),
                         changed(1'000, [](DeliveryAck& a) { a.lane = LaneIndex(1); }),
                         changed(1'000, [](DeliveryAck& a) { a.instance = LaneInstance(2); }),
                         chain.ack(0, 1, 2'000),
                         chain.ack(0, 1, 2'000),
                         chain.ack(0, 1, 1'999),
                         chain.ack(0, 1, 0),
                         sign(chain.genesis.chain, chain.ack(0, 1, 3'000).ack, session(2)),
                         chain.ack(0, 1, 1'000'000),
                         chain.ack(2, 1, 3'000),
                         chain.ack(2, 1, 2'999),
                         chain.ack(0, 1, 3'000),
                     }));
    const std::vector<AckReceipt> expected = {
        {AckOutcome::ForgedSignature, usd(0)},
        {AckOutcome::ForeignNode, usd(0)},
        {AckOutcome::NoLane, usd(0)},
        {AckOutcome::NoLane, usd(0)},
        {AckOutcome::WrongInstance, usd(0)},
        {AckOutcome::Settled, usd(14)},
        {AckOutcome::NotIncreasing, usd(0)},
        {AckOutcome::NotIncreasing, usd(0)},
        {AckOutcome::NotIncreasing, usd(0)},
        {AckOutcome::ForgedSignature, usd(0)},
        {AckOutcome::OverReserve, usd(0)},
        {AckOutcome::OverReserve, usd(0)},
        {AckOutcome::Settled, usd(20)},
        {AckOutcome::Settled, usd(7)},
    };
    EXPECT_EQ(receipts, expected);
    EXPECT_EQ(chain.lane(0, 1).reserve, usd(979));
    EXPECT_EQ(chain.lane(2, 1).reserve, usd(0));
    EXPECT_EQ(chain.view()->revenue_pot(), usd(41));
}

TEST_F(Settlements, AreNotTheOtherNodes) {
    // Another node cannot bring what was acknowledged to this one.
    EXPECT_EQ(chain.settle(0, chain.ack(0, 1, 1'000)).outcome, AckOutcome::ForeignNode);
    EXPECT_EQ(chain.lane(0, 1).settled, 0U);
}

TEST_F(Settlements, AnAcknowledgementOverTheReserveIsGoodAfterATopUp) {
    // Refused as a whole, and nothing lost: with more in the lane the same bytes are settled.
    const auto ack = chain.ack(0, 1, 143'000);  // 1,001 units
    EXPECT_EQ(chain.settle(1, ack).outcome, AckOutcome::OverReserve);
    EXPECT_EQ(chain.lane(0, 1).settled, 0U);
    chain.run({chain.by_person(0, TopUpLane{chain.machines[1].key, LaneIndex(0), usd(1)})});
    EXPECT_EQ(chain.settle(1, ack), (AckReceipt{AckOutcome::Settled, usd(1'001)}));
    EXPECT_EQ(chain.lane(0, 1).reserve, usd(0));
}

TEST_F(Settlements, CannotBeReplayedInALaterEpoch) {
    // What is settled stays settled when the epoch has changed; what is beyond it counts there.
    const auto first = chain.ack(0, 1, 10'000);
    EXPECT_EQ(chain.settle(1, first).outcome, AckOutcome::Settled);
    chain.end_epoch();
    EXPECT_EQ(chain.settle(1, first).outcome, AckOutcome::NotIncreasing);
    EXPECT_EQ(chain.view()->revenue_pot(), usd(0));
    EXPECT_EQ(chain.settle(1, chain.ack(0, 1, 11'000)), (AckReceipt{AckOutcome::Settled, usd(7)}));
    EXPECT_EQ(chain.view()->node_revenue(Epoch(1), chain.machines[1].key)->value().bytes, 1'000U);
}

TEST_F(Settlements, AreTheSameSumHoweverADeliveryIsCut) {
    // Random cuts of one delivery, in random settlements: the lane has paid the cost of the whole,
    // to the unit.
    std::mt19937_64 random(draco::testing::test_seed(3));
    std::uint64_t cumulative = 0;
    for (int block = 0; block < 12; ++block) {
        std::vector<SignedDeliveryAck> acks;
        for (std::uint64_t i = 0; i < 1 + random() % 8; ++i) {
            cumulative += 1 + random() % 500;
            acks.push_back(chain.ack(0, 1, cumulative));
        }
        if (block % 4 == 3) chain.end_epoch();  // for another quota of settlements
        chain.settle(1, settlement(std::move(acks)));
        const std::uint64_t paid = cumulative * 7 / 1'000;
        EXPECT_EQ(chain.lane(0, 1).reserve, usd(1'000 - paid));
    }
}

TEST_F(Settlements, RevertWithoutAnythingInThem) {
    EXPECT_EQ(chain.revert_of(chain.by_machine(1, settlement({}))), Revert::NothingToSettle);
}

TEST_F(Settlements, NeedStakeBehindTheNode) {
    // Stake and what is on its way out of it together must be the minimum; a stranger has none.
    EXPECT_EQ(chain.revert_of(chain.by_person(4, Stake{chain.machines[4].key, flk(999)})),
              Revert::None);
    chain.run({chain.by_person(0, chain.opening(0, 4, usd(100)))});
    const auto ack = chain.ack(0, 4, 1'000);
    EXPECT_EQ(chain.revert_of(chain.by_machine(4, settlement({ack}))), Revert::InsufficientStake);
    chain.run({chain.by_person(4, Stake{chain.machines[4].key, flk(1)})});
    chain.run({chain.by_person(4, Unstake{chain.machines[4].key, flk(500)})});
    EXPECT_EQ(chain.settle(4, ack).outcome, AckOutcome::Settled);
    EXPECT_EQ(chain.refusal_of(chain.by_machine(5, 1, settlement({ack}))), Refusal::UnknownNode);
    EXPECT_EQ(chain.refusal_of(chain.by_person(0, settlement({ack}))), Refusal::WrongMethod);
}

TEST_F(Settlements, HaveAQuotaOfTheirOwn) {
    // As many as the parameters say in an epoch, without a fee; then the node can still do the
    // rest of its duty, and in the next epoch settle again.
    for (std::uint64_t i = 1; i <= 5; ++i)
        EXPECT_EQ(chain.settle(1, chain.ack(0, 1, i * 1'000)).outcome, AckOutcome::Settled);
    const Bytes sixth = chain.by_machine(1, settlement({chain.ack(0, 1, 6'000)}));
    EXPECT_EQ(chain.refusal_of(sixth), Refusal::QuotaUsedUp);
    EXPECT_TRUE(chain.end_epoch().next_committee.has_value());
    EXPECT_EQ(chain.node(1).settlements, 5U);
    EXPECT_EQ(chain.settle(1, chain.ack(0, 1, 6'000)).outcome, AckOutcome::Settled);
    EXPECT_EQ(chain.node(1).settlements, 1U);
}

TEST_F(Settlements, NamePeersOnceEach) {
    // Bytes of a peer add up over the settlements of an epoch, in the order of keys.
    const NodeKey a = chain.machines[2].key;
    const NodeKey b = chain.machines[3].key;
    EXPECT_TRUE(chain.settle(1, settlement({}, {{b, 10}, {a, 5}, {b, 1}})).empty());
    chain.settle(1, settlement({chain.ack(0, 1, 1'000)}, {{a, 2}}));
    const auto revenue = chain.view()->node_revenue(Epoch(0), chain.machines[1].key)->value();
    std::vector<PeerShare> expected = {{a, 7}, {b, 11}};
    std::ranges::sort(expected, {}, &PeerShare::peer);
    EXPECT_EQ(*revenue.peers, expected);
    EXPECT_EQ(revenue.usd, usd(7));
}

TEST_F(Settlements, EveryReasonNotToNameAPeer) {
    // Each reverts the settlement as a whole, with the acknowledgement that was in it.
    const NodeKey peer = chain.machines[2].key;
    const auto refused = [&](std::vector<PeerShare> peers, Revert revert) {
        const auto executed = chain.run(
            {chain.by_machine(1, settlement({chain.ack(0, 1, 1'000)}, std::move(peers)))});
        const auto& receipt = std::get<Receipt>(executed.transactions.at(0).outcome);
        EXPECT_EQ(receipt.revert, revert) << to_string(revert);
        EXPECT_TRUE(receipt.acks->empty());
        EXPECT_EQ(chain.lane(0, 1).settled, 0U);
    };
    refused({{peer, 0}}, Revert::ZeroAmount);
    refused({{chain.machines[1].key, 5}}, Revert::SharesWithItself);
    refused({{chain.machines[5].key, 5}}, Revert::UnknownNode);
    refused({{peer, ~std::uint64_t{0}}, {peer, 1}}, Revert::AmountTooLarge);
}

TEST(ManyPeers, AreTooManyAtTheBound) {
    // 256 different peers in an epoch, and not one more.
    constexpr std::size_t kPeers = kEpochPeersMax + 1;
    Chain chain(kPeers + 1, kPeers + 1);
    std::vector<PeerShare> peers;
    for (std::size_t i = 1; i <= kPeers; ++i) peers.push_back({chain.machines[i].key, 1});
    const auto name = [&](std::size_t from, std::size_t count) {
        const auto first = peers.begin() + static_cast<std::ptrdiff_t>(from);
        const std::vector<PeerShare> some(first, first + static_cast<std::ptrdiff_t>(count));
        return chain.revert_of(chain.by_machine(0, settlement({}, some)));
    };
    for (std::size_t from = 0; from < kEpochPeersMax; from += kSettlementPeersMax)
        EXPECT_EQ(name(from, kSettlementPeersMax), Revert::None);
    const auto revenue = [&] {
        return chain.view()->node_revenue(Epoch(0), chain.machines[0].key)->value();
    };
    EXPECT_EQ(revenue().peers->size(), kEpochPeersMax);
    EXPECT_EQ(name(kEpochPeersMax, 1), Revert::TooManyPeers);
    EXPECT_EQ(revenue().peers->size(), kEpochPeersMax);
}

}  // namespace
}  // namespace draco::application::testing
