#include "model.hpp"

#include "draco/testing/seed.hpp"

#include <algorithm>
#include <random>

namespace draco::application::testing {
namespace {

using Kind = Planned::Kind;

class ModelTest {
public:
    explicit ModelTest(std::uint64_t seed) : random_(seed) {
        for (std::size_t i = 0; i < chain_.people.size(); ++i) model_.purses[i];
        for (std::size_t i = 0; i < 4; ++i)
            model_.nodes[i] = {
                .owner = i, .stake = Chain::kStake, .participation = Participation::Active};
        note_committee();
    }

    // False: a difference was found (and reported).
    bool run_block() {
        const std::uint64_t later_ms = 1 + random_() % (Chain::kEpochMs / 3);
        const std::uint64_t now_ms = chain_.view()->head().timestamp.ms + later_ms;
        ModelRules rules(model_, now_ms);
        std::vector<Bytes> transactions;
        std::vector<Outcome> expected;
        for (std::size_t i = below(8); i > 0; --i) {
            const Planned planned = plan();
            transactions.push_back(planned.bytes);
            expected.push_back(rules.run(planned));
        }
        const auto executed = chain_.run(transactions, later_ms);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const auto& outcome = executed.transactions.at(i).outcome;
            const auto* receipt = std::get_if<Receipt>(&outcome);
            const Outcome seen = receipt != nullptr ? Outcome{receipt->revert, *receipt->acks}
                                                    : Outcome{std::get<Refusal>(outcome)};
            EXPECT_EQ(seen, expected[i]) << "transaction " << i;
            for (const AckReceipt& ack : seen.acks) ++acks_[ack.outcome];
        }
        rules.end_lanes();
        change_epoch(executed, rules, now_ms);
        compare();
        return !::testing::Test::HasFailure();
    }

    const Model& model() const { return model_; }

    // How many acknowledgements had this outcome.
    std::uint64_t acks(AckOutcome outcome) const {
        const auto found = acks_.find(outcome);
        return found == acks_.end() ? 0 : found->second;
    }

private:
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

    Planned plan() {
        Planned p;
        p.by_machine = below(3) == 0;
        p.sender = below(chain_.people.size());
        p.target = below(chain_.people.size());
        p.kind = static_cast<Kind>(
            p.by_machine ? Planned::kAccountKinds + below(Planned::kKinds - Planned::kAccountKinds)
                         : below(Planned::kAccountKinds));
        // Most of what goes on is delivery.
        if (below(3) == 0) p.kind = p.by_machine ? Kind::Settle : Kind::OpenLane;
        if (below(20) == 0) p.kind = static_cast<Kind>(below(Planned::kKinds));
        if (p.kind == Kind::EndEpoch && below(3) != 0) p.sender = below(4);
        if (p.kind >= Kind::OpenLane && below(4) != 0) p.target = below(3);
        const Number amounts[] = {0, 1, 300, 1'000, Chain::kFunds / 2, 3 * Number{Chain::kFunds}};
        p.amount = amounts[below(6)];
        p.lane = static_cast<std::uint16_t>(below(2));
        p.service = below(10) == 0 ? 1 : 0;
        if (p.kind == Kind::Settle) plan_settlement(p);
        // Nonces as the model has them, for several of one sender may come in one block.
        const auto node = model_.nodes.find(p.sender);
        const std::uint64_t used = p.by_machine
                                       ? (node == model_.nodes.end() ? 0 : node->second.nonce)
                                       : model_.purses[p.sender].nonce;
        p.nonce = below(15) == 0 ? used + below(3) : used + 1;
        p.fee_max = below(15) == 0 ? 50 : 100'000;
        const FlkAmount fee_max{static_cast<unsigned __int128>(p.fee_max)};
        p.bytes = p.by_machine ? chain_.by_machine(p.sender, p.nonce, method_of(p))
                               : chain_.by_person(p.sender, p.nonce, method_of(p), fee_max);
        return p;
    }

    void plan_settlement(Planned& p) {
        for (std::size_t i = below(4); i > 0; --i) p.acks.push_back(plan_ack(p.sender));
        const std::uint64_t bytes[] = {0, 1, 500, 40'000};
        if (below(3) == 0)
            for (std::size_t i = 1 + below(2); i > 0; --i)
                p.peers.emplace_back(below(4), bytes[below(10) == 0 ? 0 : 1 + below(3)]);
    }

    // Of a lane to the machine that is open, if there is one, and mostly good.
    PlannedAck plan_ack(std::size_t machine) {
        std::vector<ModelLaneKey> open;
        for (const auto& [key, lane] : model_.lanes)
            if (std::get<1>(key) == machine) open.push_back(key);
        PlannedAck ack{.payer = below(chain_.people.size()), .machine = machine};
        ack.session = ack.payer;
        ack.instance = 1 + below(5);
        ack.cumulative = below(10'000);
        if (!open.empty() && below(10) != 0) {
            const ModelLaneKey key = open[below(open.size())];
            const ModelLane& lane = model_.lanes.at(key);
            const auto settled = static_cast<std::uint64_t>(lane.settled);
            const std::uint64_t steps[] = {1, 100, 5'000, 10'000'000};
            ack.payer = ack.session = std::get<0>(key);
            ack.index = std::get<2>(key);
            ack.instance = lane.instance - (below(10) == 0 ? 1 : 0);
            ack.cumulative = settled + below(steps[below(4)]) + (below(8) == 0 ? 0 : 1);
        }
        if (below(12) == 0) ack.machine = below(4);
        if (below(12) == 0) ack.session = below(chain_.people.size());
        if (below(20) == 0) ack.this_chain = false;
        return ack;
    }

    SignedDeliveryAck signed_ack(const PlannedAck& p) const {
        return sign(p.this_chain ? chain_.genesis.chain : ChainId(1),
                    DeliveryAck{chain_.people[p.payer].address,
                                chain_.machines[p.machine].key,
                                LaneIndex(p.index),
                                LaneInstance(p.instance),
                                p.cumulative},
                    session(static_cast<std::uint8_t>(p.session)));
    }

    Method settlement_of(const Planned& p) const {
        std::vector<SignedDeliveryAck> acks;
        acks.reserve(p.acks.size());
        for (const PlannedAck& ack : p.acks) acks.push_back(signed_ack(ack));
        std::vector<PeerShare> peers;
        peers.reserve(p.peers.size());
        for (const auto& [peer, bytes] : p.peers)
            peers.push_back({chain_.machines[peer].key, bytes});
        return settlement(std::move(acks), std::move(peers));
    }

    Method method_of(const Planned& p) const {
        const auto units = static_cast<unsigned __int128>(p.amount);
        const NodeKey& node = chain_.machines[p.target].key;
        switch (p.kind) {
            case Kind::Flk:
                return TransferFlk{chain_.people[p.target].address, {units}};
            case Kind::Usd:
                return TransferUsd{chain_.people[p.target].address, {units}};
            case Kind::Stake:
                return Stake{node, {units}};
            case Kind::Unstake:
                return Unstake{node, {units}};
            case Kind::Withdraw:
                return WithdrawUnstaked{node};
            case Kind::OpenLane: {
                OpenLane method = chain_.opening(p.sender, p.target, {units}, p.lane);
                method.service = ServiceId(p.service);
                return method;
            }
            case Kind::TopUpLane:
                return TopUpLane{node, LaneIndex(p.lane), {units}};
            case Kind::CloseLane:
                return CloseLane{node, LaneIndex(p.lane)};
            case Kind::OptIn:
                return OptIn{endpoints("127.0.0.1")};
            case Kind::OptOut:
                return OptOut{};
            case Kind::EndEpoch:
                return EndEpoch{Epoch(model_.epoch)};
            case Kind::Settle:
                return settlement_of(p);
        }
        return OptOut{};
    }

    void change_epoch(const interfaces::ExecutedBlock& executed,
                      ModelRules& rules,
                      std::uint64_t now_ms) {
        const std::size_t quorum = model_.committee.size() - (model_.committee.size() - 1) / 3;
        EXPECT_EQ(executed.next_committee.has_value(), model_.signals.size() >= quorum);
        if (model_.signals.size() < quorum) return;
        rules.pay_out(chain_.people.size() - 1);
        ++model_.epoch;
        model_.started_ms = now_ms;
        model_.signals.clear();
        std::set<std::size_t> active;
        for (auto& [machine, node] : model_.nodes) {
            node.used = 0;
            node.settlements = 0;
            const bool wants = node.participation == Participation::Active ||
                               node.participation == Participation::OptedIn;
            const bool serves = wants && node.stake >= Chain::kStake;
            node.participation = serves ? Participation::Active : Participation::None;
            if (serves) active.insert(machine);
        }
        const std::set<std::size_t> before = model_.committee;
        note_committee();
        if (active.empty()) {
            EXPECT_EQ(model_.committee, before);
        } else {
            EXPECT_EQ(model_.committee.size(), std::min<std::size_t>(active.size(), 4));
            EXPECT_TRUE(std::ranges::includes(active, model_.committee));
        }
    }

    void note_committee() {
        model_.committee.clear();
        for (std::size_t i = 0; i < chain_.machines.size(); ++i)
            if (std::ranges::binary_search(*chain_.view()->epoch().committee,
                                           chain_.machines[i].key))
                model_.committee.insert(i);
    }

    void compare() const {
        const auto view = chain_.view();
        for (const auto& [person, purse] : model_.purses) {
            const Account account = chain_.account(person);
            EXPECT_EQ(static_cast<Number>(account.flk.units), purse.flk) << "person " << person;
            EXPECT_EQ(static_cast<Number>(account.usd.units), purse.usd) << "person " << person;
            EXPECT_EQ(account.nonce.value(), purse.nonce) << "person " << person;
        }
        EXPECT_EQ(view->nodes(std::nullopt, 100)->size(), model_.nodes.size());
        for (const auto& [machine, expected] : model_.nodes) compare(machine, expected);
        EXPECT_EQ(view->lanes(std::nullopt, 1'000)->size(), model_.lanes.size());
        for (const auto& [key, expected] : model_.lanes) compare(key, expected);
        for (std::size_t machine = 0; machine < chain_.machines.size(); ++machine)
            compare_revenue(machine);
        EXPECT_EQ(static_cast<Number>(view->supply().flk_burned.units), model_.burned);
        EXPECT_EQ(static_cast<Number>(view->supply().flk_emitted.units), model_.emitted);
        EXPECT_EQ(static_cast<Number>(view->account(Chain::protocol())->usd.units),
                  model_.protocol);
        EXPECT_EQ(view->epoch().epoch.value(), model_.epoch);
    }

    void compare(std::size_t machine, const ModelNode& expected) const {
        const NodeRecord node = chain_.node(machine);
        EXPECT_EQ(node.owner, chain_.people[expected.owner].address);
        EXPECT_EQ(static_cast<Number>(node.stake.units), expected.stake) << "machine " << machine;
        const auto unbonding =
            node.unbonding ? static_cast<Number>(node.unbonding->amount.units) : 0;
        EXPECT_EQ(unbonding, expected.unbonding) << "machine " << machine;
        EXPECT_EQ(node.participation, expected.participation) << "machine " << machine;
        EXPECT_EQ(node.nonce.value(), expected.nonce) << "machine " << machine;
    }

    void compare(const ModelLaneKey& key, const ModelLane& expected) const {
        const auto& [payer, machine, index] = key;
        const auto lane = chain_.find_lane(chain_.lane_key(payer, machine, index));
        ASSERT_TRUE(lane.has_value());
        EXPECT_EQ(lane->instance.value(), expected.instance);
        EXPECT_EQ(static_cast<Number>(lane->reserve.units), expected.reserve);
        EXPECT_EQ(static_cast<Number>(lane->settled), expected.settled);
        EXPECT_EQ(lane->closes.has_value(), expected.closes_ms.has_value());
        if (lane->closes) EXPECT_EQ(lane->closes->ms, *expected.closes_ms);
    }

    void compare_revenue(std::size_t machine) const {
        const auto revenue = chain_.view()
                                 ->node_revenue(Epoch(model_.epoch), chain_.machines[machine].key)
                                 .value()
                                 .value_or(NodeRevenue{});
        const auto found = model_.revenues.find(machine);
        const ModelRevenue expected =
            found == model_.revenues.end() ? ModelRevenue{} : found->second;
        EXPECT_EQ(static_cast<Number>(revenue.usd.units), expected.usd) << "machine " << machine;
        EXPECT_EQ(static_cast<Number>(revenue.bytes), expected.bytes) << "machine " << machine;
        EXPECT_EQ(revenue.peers->size(), expected.peers.size()) << "machine " << machine;
    }

    std::mt19937_64 random_;
    Chain chain_;
    Model model_;
    std::map<AckOutcome, std::uint64_t> acks_;
};

TEST(Model, AgreesWithPlainNumbers) {
    // Random blocks of valid and invalid transactions of all methods, across epochs: every outcome,
    // of acknowledgements too, balance, stake, nonce, lane, revenue, payout, committee and burned
    // fee is the model's, and the books balance after every block.
    std::mt19937_64 seeds(draco::testing::test_seed(41));
    std::uint64_t epochs = 0;
    Number emitted = 0;
    std::map<AckOutcome, std::uint64_t> acks;
    constexpr auto kOutcomes = static_cast<int>(AckOutcome::OverReserve) + 1;
    for (std::uint64_t run = 0; run < draco::testing::scaled(6); ++run) {
        ModelTest test(seeds());
        for (int block = 0; block < 120; ++block) ASSERT_TRUE(test.run_block()) << "run " << run;
        epochs += test.model().epoch;
        emitted += test.model().emitted;
        for (int outcome = 0; outcome < kOutcomes; ++outcome)
            acks[static_cast<AckOutcome>(outcome)] += test.acks(static_cast<AckOutcome>(outcome));
    }
    EXPECT_GT(epochs, 0U);
    EXPECT_GT(emitted, 0);
    for (const auto& [outcome, count] : acks) EXPECT_GT(count, 0U) << to_string(outcome);
}

}  // namespace
}  // namespace draco::application::testing
