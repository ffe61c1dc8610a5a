#include "draco/atomo/rocks_storage.hpp"
#include "draco/atomo/state_proof.hpp"
#include "draco/simulon/disk.hpp"

#include "../src/epochs.hpp"
#include "../src/working_state.hpp"
#include "chain_fixture.hpp"

#include <algorithm>
#include <map>

namespace draco::application::testing {
namespace {

TEST(Genesis, FundsAccountsAndSeatsTheCommittee) {
    // The state after genesis is what it says; the supply is the sum of all it gave.
    const Chain chain;
    const auto view = chain.view();
    EXPECT_EQ(view->chain(), ChainId(1337));
    EXPECT_EQ(view->genesis(), digest_of(chain.genesis.chain, chain.genesis));
    EXPECT_EQ(view->head(), (ChainHead{Height(0), {}, {1'000'000}}));
    EXPECT_EQ(view->supply().flk, flk(6 * Chain::kFunds + 4 * Chain::kStake));
    EXPECT_EQ(view->supply().usd, usd(6 * Chain::kFunds));
    EXPECT_EQ(view->epoch().committee->size(), 4U);
    EXPECT_EQ(chain.node(3).participation, Participation::Active);
    EXPECT_TRUE(audit(*view).has_value());
    EXPECT_EQ(view->nodes(std::nullopt, 100)->size(), 4U);
    const auto first = view->nodes(std::nullopt, 3).value();
    EXPECT_EQ(view->nodes(first.back().first, 100)->size(), 1U);
}

TEST(Genesis, RefusesOnesThatMakeNoSense) {
    // Doubled entries, sums that overflow, no committee, parameters of zero: each with its reason.
    const Genesis good = Chain().genesis;
    ASSERT_TRUE(check(good).has_value());
    const auto refused = [&](auto change, const std::string& why) {
        Genesis bad = good;
        change(bad);
        const auto opened = open(atomo::open_memory_storage(), bad);
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().code, Errc::InvalidArgument);
        EXPECT_NE(opened.error().context.find(why), std::string::npos) << opened.error().context;
    };
    refused([](Genesis& g) { EXPECT_TRUE(g.accounts.try_push_back((*g.accounts)[0])); }, "twice");
    refused([](Genesis& g) { EXPECT_TRUE(g.nodes.try_push_back((*g.nodes)[0])); }, "twice");
    refused(
        [](Genesis& g) {
            EXPECT_TRUE(g.accounts.try_push_back(
                GenesisAccount{{}, {~static_cast<unsigned __int128>(0)}, {}}));
        },
        "add up");
    refused([](Genesis& g) { g.parameters.stake_min = flk(2'000); }, "0 nodes");
    refused([](Genesis& g) { g.parameters.epoch_ms = 0; }, "epoch_ms");
    refused([](Genesis& g) { g.parameters.committee_size_max = 129; }, "committee_size_max");
    refused([](Genesis& g) { g.parameters.node_transactions_max = 0; }, "node_transactions_max");
    refused([](Genesis& g) { --g.parameters.builder_share_bps; }, "add up to 9999");
    refused([](Genesis& g) { g.parameters.peer_share_bps = 10'001; }, "peer_share_bps");
    refused([](Genesis& g) { EXPECT_TRUE(g.prices.try_push_back((*g.prices)[0])); }, "two prices");
    refused([](Genesis& g) { EXPECT_TRUE(g.services.try_push_back((*g.services)[0])); },
            "service id comes twice");
    refused([](Genesis& g) { g.prices = {}; }, "service 0 sells bandwidth, which has no price");
    refused(
        [](Genesis& g) {
            g.prices = {};
            EXPECT_TRUE(
                g.prices.try_push_back(GenesisPrice{Commodity::Bandwidth, UnitPrice{usd(1), 0}}));
        },
        "for 0 units");
}

TEST(Blocks, OnlyTheNextOneIsExecuted) {
    // A block that does not extend the head in the running epoch with its own batches is
    // InvalidArgument and changes nothing.
    Chain chain;
    chain.run({chain.by_person(0, TransferFlk{chain.people[1].address, flk(1)})});
    const auto refused = [&](auto change, const std::string& why) {
        auto content =
            chain.next({chain.by_person(0, TransferFlk{chain.people[1].address, flk(1)})});
        change(content);
        const auto root = chain.view()->state_root();
        const auto executed = chain.execute(content);
        ASSERT_FALSE(executed.has_value()) << why;
        EXPECT_EQ(executed.error().code, Errc::InvalidArgument);
        EXPECT_NE(executed.error().context.find(why), std::string::npos)
            << executed.error().context;
        EXPECT_EQ(chain.view()->state_root(), root);
    };
    refused([](auto& c) { c.block.height = Height(1); }, "does not follow");
    refused([](auto& c) { c.block.height = Height(3); }, "does not follow");
    refused([](auto& c) { c.block.parent.bytes[0] ^= 1; }, "another parent");
    refused([](auto& c) { c.block.epoch = Epoch(1); }, "epoch 0 is running");
    refused([](auto& c) { c.block.timestamp = {0}; }, "not later");
    refused([](auto& c) { c.batches.clear(); }, "not all its batches");
    refused([](auto& c) { c.batches[0] = std::make_shared<Batch>(); }, "does not name");
    auto content = chain.next({});
    auto view = content.view(chain.genesis.chain);
    view.digest.bytes[0] ^= 1;
    EXPECT_FALSE(chain.application->execute(view).has_value());
    EXPECT_TRUE(chain.execute(content).has_value());
}

TEST(Blocks, TheSameBlocksLeadToTheSameRoot) {
    // Two machines with different databases agree after every block; a proof of an account
    // verifies against the root.
    Chain memory;
    simulon::SimulatedDisk disk(1);
    Chain rocks;
    rocks.application =
        open(atomo::open_rocks_storage({.path = "state", .disk = &disk}).value(), rocks.genesis)
            .value();
    for (std::uint64_t i = 0; i < 5; ++i) {
        const auto content = memory.next(
            {memory.by_person(i % 3, TransferUsd{memory.people[4].address, usd(i + 1)})});
        const auto first = memory.execute(content);
        const auto second = rocks.execute(content);
        ASSERT_TRUE(first && second);
        EXPECT_EQ(first->state_root, second->state_root);
        EXPECT_EQ(first->transactions, second->transactions);
    }
    const Bytes proof = memory.view()->prove_account(memory.people[4].address).value();
    constexpr atomo::Table<1, "accounts", Address, Account> kTable;
    const atomo::TrustedRoot root{atomo::StateRoot(rocks.view()->state_root().bytes)};
    EXPECT_TRUE(
        atomo::verify_present(root, kTable, rocks.people[4].address, rocks.account(4), proof)
            .has_value());
    EXPECT_FALSE(
        atomo::verify_present(root, kTable, rocks.people[4].address, rocks.account(3), proof)
            .has_value());
}

TEST(Blocks, SurviveAPowerFailure) {
    // At whatever change of the disk the power fails: the state afterwards is that of a whole
    // number of blocks, with balanced books, and the chain goes on from there. Another genesis is
    // refused.
    std::vector<StateRoot> roots;
    for (std::uint64_t change = 1; change <= 60; change += 3) {
        Chain chain;
        simulon::SimulatedDisk disk(change);
        const atomo::RocksOptions options{.path = "state", .disk = &disk};
        disk.crash_at_change(change);
        roots.assign(1, chain.view()->state_root());
        auto storage = atomo::open_rocks_storage(options);
        auto crashing = storage ? open(*std::move(storage), chain.genesis)
                                : Result<std::unique_ptr<interfaces::Application>>(
                                      std::unexpected(storage.error()));
        std::vector<Chain::Content> blocks;
        for (std::uint64_t i = 0; i < 4; ++i) {
            blocks.push_back(
                chain.next({chain.by_person(0, TransferFlk{chain.people[1].address, flk(i + 1)})}));
            ASSERT_TRUE(chain.execute(blocks.back()).has_value());
            roots.push_back(chain.view()->state_root());
            if (crashing && !(*crashing)->execute(blocks.back().view(chain.genesis.chain)))
                crashing = std::unexpected(Error{Errc::Io, "the power failed"});
        }
        if (crashing) crashing->reset();
        disk.crash();
        disk.restart();
        auto again = open(atomo::open_rocks_storage(options).value(), chain.genesis);
        ASSERT_TRUE(again.has_value()) << to_string(again.error());
        auto view = (*again)->view().value();
        const std::uint64_t height = view->head().height.value();
        ASSERT_LT(height, roots.size());
        EXPECT_EQ(view->state_root(), roots[height]);
        EXPECT_TRUE(audit(*view).has_value());
        for (std::size_t i = height; i < blocks.size(); ++i)
            ASSERT_TRUE((*again)->execute(blocks[i].view(chain.genesis.chain)).has_value());
        EXPECT_EQ((*again)->view().value()->state_root(), roots.back());
        view.reset();
        again->reset();
        Genesis other = chain.genesis;
        other.time.ms += 1;
        const auto refused = open(atomo::open_rocks_storage(options).value(), other);
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().code, Errc::InvalidArgument);
    }
}

TEST(Epochs, EndWhenAQuorumSaysSoAndNotBefore) {
    // Signals count once per member, only of members, only for the running epoch, only when it is
    // due; the quorum-th begins the next epoch at the end of its block.
    Chain chain(6, 4);
    const auto signal = [&] { return EndEpoch{chain.view()->epoch().epoch}; };
    EXPECT_EQ(chain.revert_of(chain.by_machine(0, signal())), Revert::TooEarly);
    chain.run({}, Chain::kEpochMs);
    EXPECT_EQ(chain.revert_of(chain.by_machine(0, EndEpoch{Epoch(1)})), Revert::WrongEpoch);
    EXPECT_EQ(chain.revert_of(chain.by_machine(0, signal())), Revert::None);
    EXPECT_EQ(chain.refusal_of(chain.by_machine(0, signal())), Refusal::QuotaUsedUp);
    EXPECT_FALSE(chain.run({chain.by_machine(1, signal())}).next_committee.has_value());
    const auto last = chain.run({chain.by_machine(2, signal()),
                                 chain.by_person(0, TransferFlk{chain.people[1].address, flk(1)})});
    ASSERT_TRUE(last.next_committee.has_value());
    EXPECT_EQ(last.next_committee->epoch(), Epoch(1));
    EXPECT_EQ(std::get<Receipt>(last.transactions[1].outcome).revert, Revert::None);
    EXPECT_EQ(chain.view()->epoch().epoch, Epoch(1));
    EXPECT_EQ(chain.view()->epoch().started, chain.view()->head().timestamp);
    EXPECT_TRUE(chain.view()->epoch().end_signals.empty());
    EXPECT_EQ(chain.view()->committee(Epoch(0))->value().size(), 4U);
    EXPECT_FALSE(chain.view()->committee(Epoch(2))->has_value());
    EXPECT_EQ(chain.revert_of(chain.by_machine(0, signal())), Revert::TooEarly);
}

TEST(Epochs, AFifthNodeStakesJoinsAndLeaves) {
    // Staking registers, opting in takes effect with the next epoch and only with enough stake; one
    // that opts out or falls below the minimum is gone an epoch later.
    Chain chain(6, 3);
    EXPECT_EQ(chain.refusal_of(chain.by_machine(4, 1, OptIn{endpoints("a")})),
              Refusal::UnknownNode);
    EXPECT_EQ(chain.revert_of(chain.by_person(4, Stake{chain.machines[4].key, flk(999)})),
              Revert::None);
    EXPECT_EQ(chain.revert_of(chain.by_machine(4, OptIn{endpoints("a")})),
              Revert::InsufficientStake);
    EXPECT_EQ(chain.revert_of(chain.by_person(4, Stake{chain.machines[4].key, flk(1)})),
              Revert::None);
    EXPECT_EQ(chain.revert_of(chain.by_machine(4, OptIn{endpoints("a")})), Revert::None);
    EXPECT_EQ(chain.node(4).participation, Participation::OptedIn);
    const auto joined = chain.end_epoch();
    ASSERT_TRUE(joined.next_committee.has_value());
    EXPECT_TRUE(joined.next_committee->index_of(chain.machines[4].key).has_value());
    EXPECT_EQ(chain.node(4).participation, Participation::Active);
    EXPECT_EQ(chain.revert_of(chain.by_machine(4, OptOut{})), Revert::None);
    EXPECT_EQ(chain.revert_of(chain.by_person(0, Unstake{chain.machines[0].key, flk(1)})),
              Revert::None);
    const auto left = chain.end_epoch();
    ASSERT_TRUE(left.next_committee.has_value());
    EXPECT_EQ(left.next_committee->size(), 2U);
    EXPECT_FALSE(left.next_committee->index_of(chain.machines[4].key).has_value());
    EXPECT_EQ(chain.node(4).participation, Participation::None);
    EXPECT_EQ(chain.node(0).participation, Participation::None);
}

TEST(Epochs, WithTooFewCandidatesTheCommitteeStays) {
    // If everybody leaves, the members in office go on: somebody must order what comes.
    Chain chain(6, 4);
    std::vector<Bytes> leave;
    for (std::size_t i = 0; i < 4; ++i) leave.push_back(chain.by_machine(i, OptOut{}));
    chain.run(leave);
    const auto before = *chain.view()->epoch().committee;
    const auto next = chain.end_epoch().next_committee;
    ASSERT_TRUE(next.has_value());
    EXPECT_TRUE(std::ranges::equal(next->members(), before));
}

TEST(Draw, FollowsTheStake) {
    // One seed, one committee; over many seeds a node is drawn in proportion to its stake, and a
    // committee as large as the candidates has them all.
    std::vector<Candidate> candidates;
    for (std::uint8_t i = 0; i < 4; ++i) {
        NodeKey key;
        key.bytes[0] = i;
        candidates.push_back({key, flk(i == 0 ? 700 : 100)});
    }
    std::map<NodeKey, int> wins;
    constexpr int kDraws = 4000;
    for (int i = 0; i < kDraws; ++i) {
        BlockDigest seed;
        store_le(seed.bytes.data(), static_cast<std::uint32_t>(i));
        const auto drawn = draw_committee(ChainId(1), seed, candidates, 1);
        EXPECT_EQ(drawn, draw_committee(ChainId(1), seed, candidates, 1));
        ++wins[drawn.at(0)];
    }
    EXPECT_NEAR(wins[candidates[0].key], 0.7 * kDraws, 0.04 * kDraws);
    for (std::size_t i = 1; i < 4; ++i)
        EXPECT_NEAR(wins[candidates[i].key], 0.1 * kDraws, 0.03 * kDraws);
    EXPECT_EQ(draw_committee(ChainId(1), {}, candidates, 9).size(), 4U);
    EXPECT_TRUE(draw_committee(ChainId(1), {}, {}, 9).empty());
    for (Candidate& candidate : candidates) candidate.stake = flk(0);
    EXPECT_EQ(draw_committee(ChainId(1), {}, candidates, 2).size(), 2U);
}

TEST(ConservationDeathTest, NoticesMoneyThatAppears) {
    // The assertions can fail: an account, a lane or a pot that grows by itself ends the process,
    // and so does FLK that is emitted without any having been burned.
    auto writer = atomo::open_database<Tables>(atomo::open_memory_storage()).value();
    const auto plant = [&](auto change) {
        static_cast<void>(writer.commit([&](Writes& writes) -> Result<> {
            const ChainRecord chain;
            WorkingState state(writes, chain);
            change(state);
            return state.keep();
        }));
    };
    EXPECT_DEATH(plant([](WorkingState& s) { s.set(Address{}, Account{.flk = flk(1)}); }),
                 "FLK neither appears nor vanishes");
    EXPECT_DEATH(plant([](WorkingState& s) { s.set(LaneKey{}, Lane{.reserve = usd(1)}); }),
                 "USD neither appears nor vanishes");
    EXPECT_DEATH(plant([](WorkingState& s) { s.set_pot(usd(1)); }),
                 "USD neither appears nor vanishes");
    EXPECT_DEATH(plant([](WorkingState& s) { s.emit(flk(1)); }),
                 "no more is emitted than was burned");
}

}  // namespace
}  // namespace draco::application::testing
