// Proves who gets which part of an epoch's revenue, by numbers computed by hand, that nothing is
// lost on the way, and that paying oneself loses money.

#include "draco/testing/seed.hpp"

#include "../src/revenue_split.hpp"
#include "chain_fixture.hpp"

#include <random>

namespace draco::application::testing {
namespace {

NodeKey key(std::uint8_t id) {
    NodeKey made;
    made.bytes[0] = id;
    return made;
}

NodeRevenue earned(std::uint64_t units, std::uint64_t bytes, std::vector<PeerShare> peers = {}) {
    return {usd(units), bytes, PeerShares::make(std::move(peers)).value(), std::nullopt};
}

// 70 % node, 10 % builder, 20 % protocol, a fifth of the node's part to peers; half a unit of FLK
// for each unit of USD of the protocol's share.
ChainParameters parameters() {
    return Chain().genesis.parameters;
}

TEST(Split, RoundsDownAndTheRestIsTheProtocols) {
    // 1,001: 700.7, 100.1 and 200.2 become 700, 100 and 201; half of the 200 is emitted.
    const auto split = split_revenue(parameters(),
                                     {.burned = flk(1'000),
                                      .nodes = {{key(1), earned(1'001, 143'000)}},
                                      .services = {{ServiceId(0), usd(1'001)}}});
    EXPECT_EQ(split.nodes.at(key(1)), (NodePayout{usd(700), usd(0), usd(0), flk(100)}));
    EXPECT_EQ(split.builders.at(ServiceId(0)), usd(100));
    EXPECT_EQ(split.total,
              (EpochRevenue{usd(1'001), usd(700), usd(100), usd(201), flk(1'000), flk(100)}));
}

TEST(Split, IsByRevenueAndPeersByBytes) {
    // Three nodes, two services. Node 1 delivered 100 bytes, 30 of them had from node 2 and 20 from
    // node 3: of its 700, a fifth is 140, of which 42 and 28 go to them. Of 50 burned FLK each gets
    // 50 * own / 1,334, rounded down.
    const auto split =
        split_revenue(parameters(),
                      {.burned = flk(50),
                       .nodes = {{key(1), earned(1'000, 100, {{key(2), 30}, {key(3), 20}})},
                                 {key(2), earned(333, 40)},
                                 {key(3), earned(1, 1)}},
                       .services = {{ServiceId(0), usd(1'000)}, {ServiceId(1), usd(334)}}});
    EXPECT_EQ(split.nodes.at(key(1)), (NodePayout{usd(630), usd(70), usd(0), flk(37)}));
    EXPECT_EQ(split.nodes.at(key(2)), (NodePayout{usd(233), usd(0), usd(42), flk(12)}));
    EXPECT_EQ(split.nodes.at(key(3)), (NodePayout{usd(0), usd(0), usd(28), flk(0)}));
    EXPECT_EQ(split.builders.at(ServiceId(0)), usd(100));
    EXPECT_EQ(split.builders.at(ServiceId(1)), usd(33));
    EXPECT_EQ(split.total,
              (EpochRevenue{usd(1'334), usd(933), usd(133), usd(268), flk(50), flk(49)}));
}

TEST(Split, PeersNeverGetMoreThanTheirShare) {
    // Who names more bytes than it delivered, or none that it was paid for, divides the same fifth.
    const auto more =
        split_revenue(parameters(),
                      {.burned = flk(0),
                       .nodes = {{key(1), earned(1'000, 100, {{key(2), 150}, {key(3), 50}})}},
                       .services = {{ServiceId(0), usd(1'000)}}});
    EXPECT_EQ(more.nodes.at(key(1)), (NodePayout{usd(560), usd(140), usd(0), flk(0)}));
    EXPECT_EQ(more.nodes.at(key(2)).from_peers, usd(105));
    EXPECT_EQ(more.nodes.at(key(3)).from_peers, usd(35));
    const auto nothing =
        split_revenue(parameters(),
                      {.burned = flk(9),
                       .nodes = {{key(1), earned(0, 0, {{key(2), ~std::uint64_t{0}}})}},
                       .services = {}});
    EXPECT_EQ(nothing.nodes.at(key(2)), NodePayout{});
    EXPECT_EQ(nothing.total, (EpochRevenue{.flk_burned = flk(9)}));
}

TEST(Split, AddsUpForAnyNumbers) {
    // Random shares, revenues and peers: node, builder and protocol parts are the revenue, nobody
    // gets more than the parts allow, and the emission keeps both its bounds.
    std::mt19937_64 random(draco::testing::test_seed(17));
    const auto below = [&](std::uint64_t bound) { return random() % bound; };
    for (int run = 0; run < 2'000; ++run) {
        ChainParameters p = parameters();
        p.node_share_bps = static_cast<std::uint16_t>(below(10'001));
        p.builder_share_bps = static_cast<std::uint16_t>(below(10'001 - p.node_share_bps));
        p.protocol_share_bps =
            static_cast<std::uint16_t>(10'000 - p.node_share_bps - p.builder_share_bps);
        p.peer_share_bps = static_cast<std::uint16_t>(below(10'001));
        p.emission_flk_per_usd = flk(random() >> below(64));
        EpochEarnings earnings{.burned = flk(random() >> below(64)), .nodes = {}, .services = {}};
        unsigned __int128 all = 0;
        const auto nodes = static_cast<std::uint8_t>(below(5));
        for (std::uint8_t i = 0; i < nodes; ++i) {
            std::vector<PeerShare> peers;
            for (std::uint8_t peer = 0; peer < 5; ++peer)
                if (peer != i && below(2) == 0) peers.push_back({key(peer), random() >> below(64)});
            const std::uint64_t own = random() >> below(64);
            all += own;
            earnings.nodes.emplace_back(key(i), earned(own, random() >> below(64), peers));
        }
        const unsigned __int128 first = all / 3;
        earnings.services = {{ServiceId(0), {first}}, {ServiceId(1), {all - first}}};
        const auto split = split_revenue(p, earnings);
        unsigned __int128 paid = 0;
        unsigned __int128 given = 0;
        unsigned __int128 had = 0;
        unsigned __int128 emitted = 0;
        for (const auto& [node, payout] : split.nodes) {
            paid += payout.own.units + payout.from_peers.units;
            given += payout.to_peers.units;
            had += payout.from_peers.units;
            emitted += payout.flk.units;
        }
        EXPECT_EQ(given, had);
        EXPECT_EQ(paid, split.total.nodes.units);
        EXPECT_LE(paid * 10'000, all * p.node_share_bps);
        EXPECT_EQ(split.builders.at(ServiceId(0)).units + split.builders.at(ServiceId(1)).units,
                  split.total.builders.units);
        EXPECT_EQ(paid + split.total.builders.units + split.total.protocol.units,
                  split.total.usd.units);
        EXPECT_EQ(split.total.usd.units, all);
        EXPECT_EQ(emitted, split.total.flk_emitted.units);
        EXPECT_LE(emitted, earnings.burned.units);
        EXPECT_LE(static_cast<long double>(emitted) * 1e6L,
                  static_cast<long double>(split.total.protocol.units) *
                          static_cast<long double>(p.emission_flk_per_usd.units) +
                      1e-3L);
    }
}

TEST(Emission, PayingOneselfLosesMoney) {
    // A dealer who owns nodes, has built the service, has honest revenue, and may burn fees of its
    // own: what it gains by settling x more with itself, and burning f more, is worth no more than
    // what both cost it, if a USD buys at least emission_flk_per_usd. For random economies.
    std::mt19937_64 random(draco::testing::test_seed(29));
    ChainParameters p = parameters();
    const auto amount = [&] { return random() >> (24 + random() % 40); };
    for (int run = 0; run < 5'000; ++run) {
        p.emission_flk_per_usd = flk(1 + amount());
        const std::uint64_t others = amount();
        const std::uint64_t honest = amount();
        const std::uint64_t dealt = amount();
        const std::uint64_t burned = amount();
        const std::uint64_t extra = random() % 2 == 0 ? 0 : amount();
        const auto outcome = [&](std::uint64_t own, std::uint64_t burn) {
            return split_revenue(
                p,
                {.burned = flk(burn),
                 .nodes = {{key(1), earned(own, 1)}, {key(2), earned(others, 1)}},
                 .services = {{ServiceId(0), usd(own)}, {ServiceId(1), usd(others)}}});
        };
        const auto before = outcome(honest, burned);
        const auto after = outcome(honest + dealt, burned + extra);
        const auto gets = [](const RevenueSplit& split) {
            return static_cast<__int128>(split.nodes.at(key(1)).own.units +
                                         split.builders.at(ServiceId(0)).units);
        };
        const __int128 usd_lost = static_cast<__int128>(dealt) - (gets(after) - gets(before));
        const __int128 flk_gained = static_cast<__int128>(after.nodes.at(key(1)).flk.units) -
                                    static_cast<__int128>(before.nodes.at(key(1)).flk.units) -
                                    static_cast<__int128>(extra);
        // Rounding is worth less than two units of either token: honest revenue loses as much to
        // it, and a little more may get it back.
        EXPECT_GE(5 * (usd_lost + 2), static_cast<__int128>(dealt));
        const long double rate = static_cast<long double>(p.emission_flk_per_usd.units) / 1e6L;
        EXPECT_LE(static_cast<long double>(flk_gained),
                  (static_cast<long double>(usd_lost) + 2) * rate + 2)
            << "others " << others << " honest " << honest << " dealt " << dealt << " burned "
            << burned << " extra " << extra;
    }
}

TEST(EpochEnd, PaysOwnersBuildersPeersAndTheProtocol) {
    // 1,001 units earned by machine 1, 30 of its 100 parts had from machine 2: the accounts of
    // their owners, of the builder and of the protocol get 658, 42, 100 and 201, and the owner
    // 100 FLK.
    Chain chain;
    chain.run({chain.by_person(0, chain.opening(0, 1, usd(2'000)))});
    chain.settle(1, settlement({chain.ack(0, 1, 143'000)}, {{chain.machines[2].key, 42'900}}));
    const Supply before = chain.view()->supply();
    EXPECT_GT(before.flk_burned, flk(200));
    const auto last = chain.end_epoch();
    ASSERT_TRUE(last.next_committee.has_value());
    EXPECT_EQ(chain.account(1),
              (Account{flk(Chain::kFunds + 100), usd(Chain::kFunds + 658), Nonce(0)}));
    EXPECT_EQ(chain.account(2).usd, usd(Chain::kFunds + 42));
    EXPECT_EQ(chain.account(5).usd, usd(Chain::kFunds + 100));
    EXPECT_EQ(chain.view()->account(Chain::protocol())->usd, usd(201));
    EXPECT_EQ(chain.account(0).usd, usd(Chain::kFunds - 2'000));
    EXPECT_EQ(chain.lane(0, 1).reserve, usd(999));
    EXPECT_EQ(chain.view()->revenue_pot(), usd(0));
    const Supply after = chain.view()->supply();
    EXPECT_EQ(after.usd, before.usd);
    EXPECT_EQ(after.flk, before.flk.plus(flk(100)));
    EXPECT_EQ(after.flk_burned, before.flk_burned);
    EXPECT_EQ(after.flk_emitted, flk(100));
    EXPECT_EQ(
        chain.view()->epoch_revenue(Epoch(0))->value(),
        (EpochRevenue{usd(1'001), usd(700), usd(100), usd(201), before.flk_burned, flk(100)}));
    const auto own = chain.view()->node_revenue(Epoch(0), chain.machines[1].key)->value();
    EXPECT_EQ(own.payout, (NodePayout{usd(658), usd(42), usd(0), flk(100)}));
    const auto peer = chain.view()->node_revenue(Epoch(0), chain.machines[2].key)->value();
    EXPECT_EQ(peer, (NodeRevenue{{}, 0, {}, NodePayout{usd(0), usd(0), usd(42), flk(0)}}));
}

TEST(EpochEnd, EmitsNoMoreThanTheFeesOfTheEpoch) {
    // The fees of an epoch without revenue are gone for good; of one with much revenue, they come
    // back whole and the supply is what it was when the epoch began.
    Chain chain;
    for (int i = 0; i < 5; ++i)
        chain.run({chain.by_person(3, TransferFlk{chain.people[4].address, flk(1)})});
    chain.end_epoch();
    EXPECT_EQ(chain.view()->epoch_revenue(Epoch(0))->value(),
              (EpochRevenue{.flk_burned = chain.view()->supply().flk_burned}));
    const FlkAmount at_start = chain.view()->supply().flk;
    const Bytes opening = chain.by_person(0, chain.opening(0, 1, usd(700'000)));
    chain.run({opening});
    chain.settle(1, chain.ack(0, 1, 100'000'000));
    chain.end_epoch();
    EXPECT_EQ(chain.view()->epoch_revenue(Epoch(1))->value(),
              (EpochRevenue{usd(700'000),
                            usd(490'000),
                            usd(70'000),
                            usd(140'000),
                            chain.fee(opening),
                            chain.fee(opening)}));
    EXPECT_EQ(chain.view()->supply().flk, at_start);
    EXPECT_EQ(chain.account(1).flk, chain.fee(opening).plus(flk(Chain::kFunds)));
}

TEST(EpochEnd, ForgetsRevenuesAnEpochLater) {
    // What nodes earned can be read while the epoch runs and during the next one; what the epoch
    // earned, for good. Service revenues begin at zero again.
    Chain chain;
    const NodeKey node = chain.machines[1].key;
    chain.run({chain.by_person(0, chain.opening(0, 1, usd(2'000)))});
    chain.settle(1, chain.ack(0, 1, 10'000));
    chain.end_epoch();
    EXPECT_TRUE(chain.view()->node_revenue(Epoch(0), node)->has_value());
    EXPECT_FALSE(chain.view()->node_revenue(Epoch(1), node)->has_value());
    chain.settle(1, chain.ack(0, 1, 20'000));
    chain.end_epoch();
    EXPECT_FALSE(chain.view()->node_revenue(Epoch(0), node)->has_value());
    EXPECT_EQ(chain.view()->node_revenue(Epoch(1), node)->value().usd, usd(70));
    EXPECT_EQ(chain.view()->epoch_revenue(Epoch(0))->value().usd, usd(70));
    EXPECT_EQ(chain.view()->epoch_revenue(Epoch(1))->value().builders, usd(7));
    chain.end_epoch();
    EXPECT_FALSE(chain.view()->node_revenue(Epoch(1), node)->has_value());
    EXPECT_EQ(chain.view()->epoch_revenue(Epoch(2))->value().usd, usd(0));
}

TEST(EpochEnd, OneWhoIsEverythingLosesTheProtocolsShare) {
    // Person 1 pays its own node, and has it named by a second own node: after the epoch all its
    // accounts together have lost 20 % and more of what was dealt, and got 100 FLK for the fees
    // it burned.
    Chain chain;
    const Bytes opening = chain.by_person(1, chain.opening(1, 1, usd(1'001)));
    chain.run({opening});
    chain.settle(1, settlement({chain.ack(1, 1, 143'000)}, {{chain.machines[2].key, 143'000}}));
    chain.end_epoch();
    const auto held = [&](std::size_t person) { return chain.account(person).usd.units; };
    EXPECT_EQ(held(1) + held(2) + held(5), 3 * Chain::kFunds - 201);
    EXPECT_EQ(chain.account(1).flk, flk(Chain::kFunds + 100).minus(chain.fee(opening)));
    EXPECT_LT(chain.account(1).flk, flk(Chain::kFunds));
}

}  // namespace
}  // namespace draco::application::testing
