#include "draco/testing/seed.hpp"

#include "chain_fixture.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <variant>

namespace draco::application::testing {
namespace {

using Number = __int128;  // signed and wide: the model never has to be careful

struct ModelNode {
    std::size_t owner = 0;
    Number stake = 0;
    Number unbonding = 0;
    std::uint64_t release = 0;
    Participation participation = Participation::None;
    std::uint64_t nonce = 0;
    std::uint64_t used = 0;  // free transactions of this epoch
};

// The rules of README.md on plain numbers: persons and machines by index.
struct Model {
    struct Purse {
        Number flk = Chain::kFunds;
        Number usd = Chain::kFunds;
        std::uint64_t nonce = 0;
    };

    std::map<std::size_t, Purse> purses;
    std::map<std::size_t, ModelNode> nodes;
    std::set<std::size_t> committee;
    std::set<std::size_t> signals;
    std::uint64_t epoch = 0;
    std::uint64_t started_ms = 1'000'000;
    Number burned = 0;
};

struct Planned {
    bool by_machine = false;
    std::size_t sender = 0;
    std::uint64_t nonce = 0;
    Number fee_max = 0;
    Bytes bytes;
    enum class Kind { Flk, Usd, Stake, Unstake, Withdraw, OptIn, OptOut, EndEpoch } kind;
    std::size_t target = 0;
    Number amount = 0;
};

using Outcome = std::variant<Revert, Refusal>;

class ModelRules {
public:
    ModelRules(Model& model, std::uint64_t now_ms) : m_(model), now_ms_(now_ms) {}

    Outcome run(const Planned& p) {
        if (p.by_machine != (p.kind >= Planned::Kind::OptIn)) return Refusal::WrongMethod;
        return p.by_machine ? run_machine(p) : run_person(p);
    }

private:
    Outcome run_person(const Planned& p) {
        auto& purse = m_.purses[p.sender];
        const Number fee = 10 + static_cast<Number>(p.bytes.size());
        if (p.nonce != purse.nonce + 1) return Refusal::WrongNonce;
        if (fee > p.fee_max) return Refusal::FeeAboveMax;
        if (fee > purse.flk) return Refusal::FeeNotCovered;
        purse.flk -= fee;
        m_.burned += fee;
        ++purse.nonce;
        const bool needs_amount = p.kind != Planned::Kind::Withdraw;
        if (needs_amount && p.amount == 0) return Revert::ZeroAmount;
        const auto known = m_.nodes.find(p.target);
        switch (p.kind) {
            case Planned::Kind::Flk:
                return pay(purse.flk, m_.purses[p.target].flk, p.amount);
            case Planned::Kind::Usd:
                return pay(purse.usd, m_.purses[p.target].usd, p.amount);
            case Planned::Kind::Stake:
                if (known != m_.nodes.end() && known->second.owner != p.sender)
                    return Revert::NotTheOwner;
                if (purse.flk < p.amount) return Revert::InsufficientBalance;
                m_.nodes[p.target].owner = p.sender;
                return pay(purse.flk, m_.nodes[p.target].stake, p.amount);
            default:
                break;
        }
        if (known == m_.nodes.end()) return Revert::UnknownNode;
        ModelNode& node = known->second;
        if (node.owner != p.sender) return Revert::NotTheOwner;
        if (p.kind == Planned::Kind::Unstake) {
            if (node.stake < p.amount) return Revert::InsufficientStake;
            node.release = m_.epoch + 2;
            return pay(node.stake, node.unbonding, p.amount);
        }
        if (node.unbonding == 0) return Revert::NothingToWithdraw;
        if (m_.epoch < node.release) return Revert::StillUnbonding;
        return pay(node.unbonding, purse.flk, node.unbonding);
    }

    Outcome run_machine(const Planned& p) {
        const auto known = m_.nodes.find(p.sender);
        if (known == m_.nodes.end()) return Refusal::UnknownNode;
        ModelNode& node = known->second;
        if (p.nonce != node.nonce + 1) return Refusal::WrongNonce;
        if (node.used >= 3) return Refusal::QuotaUsedUp;
        ++node.used;
        ++node.nonce;
        if (p.kind == Planned::Kind::OptIn) {
            if (node.stake < Chain::kStake) return Revert::InsufficientStake;
            if (node.participation == Participation::Active ||
                node.participation == Participation::OptedIn)
                return Revert::AlreadyTakesPart;
            node.participation = node.participation == Participation::None ? Participation::OptedIn
                                                                           : Participation::Active;
            return Revert::None;
        }
        if (p.kind == Planned::Kind::OptOut) {
            if (node.participation == Participation::None ||
                node.participation == Participation::OptedOut)
                return Revert::TakesNoPart;
            node.participation = node.participation == Participation::Active
                                     ? Participation::OptedOut
                                     : Participation::None;
            return Revert::None;
        }
        if (!m_.committee.contains(p.sender)) return Revert::NotAMember;
        if (now_ms_ < m_.started_ms + Chain::kEpochMs) return Revert::TooEarly;
        m_.signals.insert(p.sender);
        return Revert::None;
    }

    static Outcome pay(Number& from, Number& to, Number amount) {
        if (from < amount) return Revert::InsufficientBalance;
        from -= amount;
        to += amount;
        return Revert::None;
    }

    Model& m_;
    std::uint64_t now_ms_;
};

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
        std::vector<Planned> plans;
        std::vector<Bytes> transactions;
        std::vector<Outcome> expected;
        ModelRules rules(model_, now_ms);
        for (std::size_t i = random_() % 12; i > 0; --i) {
            plans.push_back(plan());
            transactions.push_back(plans.back().bytes);
            expected.push_back(rules.run(plans.back()));
        }
        const auto executed = chain_.run(transactions, later_ms);
        for (std::size_t i = 0; i < plans.size(); ++i) {
            const auto& outcome = executed.transactions.at(i).outcome;
            const auto* receipt = std::get_if<Receipt>(&outcome);
            const Outcome seen =
                receipt != nullptr ? Outcome(receipt->revert) : Outcome(std::get<Refusal>(outcome));
            EXPECT_EQ(seen, expected[i]) << "transaction " << i;
        }
        change_epoch(executed, now_ms);
        compare();
        return !::testing::Test::HasFailure();
    }

    Model& model() { return model_; }

private:
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

    Planned plan() {
        Planned p;
        p.by_machine = below(3) == 0;
        p.sender = below(chain_.people.size());
        p.target = below(chain_.people.size());
        p.kind = static_cast<Planned::Kind>(p.by_machine ? 5 + below(3) : below(5));
        if (below(20) == 0) p.kind = static_cast<Planned::Kind>(below(8));
        if (p.kind == Planned::Kind::EndEpoch && below(3) != 0) p.sender = below(4);
        const Number amounts[] = {0, 1, 300, 1'000, Chain::kFunds / 2, Chain::kFunds * 3};
        p.amount = amounts[below(6)];
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

    Method method_of(const Planned& p) const {
        const auto units = static_cast<unsigned __int128>(p.amount);
        const NodeKey& node = chain_.machines[p.target].key;
        switch (p.kind) {
            case Planned::Kind::Flk:
                return TransferFlk{chain_.people[p.target].address, {units}};
            case Planned::Kind::Usd:
                return TransferUsd{chain_.people[p.target].address, {units}};
            case Planned::Kind::Stake:
                return Stake{node, {units}};
            case Planned::Kind::Unstake:
                return Unstake{node, {units}};
            case Planned::Kind::Withdraw:
                return WithdrawUnstaked{node};
            case Planned::Kind::OptIn:
                return OptIn{endpoints("127.0.0.1")};
            case Planned::Kind::OptOut:
                return OptOut{};
            case Planned::Kind::EndEpoch:
                return EndEpoch{Epoch(model_.epoch)};
        }
        return OptOut{};
    }

    void change_epoch(const interfaces::ExecutedBlock& executed, std::uint64_t now_ms) {
        const std::size_t quorum = model_.committee.size() - (model_.committee.size() - 1) / 3;
        EXPECT_EQ(executed.next_committee.has_value(), model_.signals.size() >= quorum);
        if (model_.signals.size() < quorum) return;
        ++model_.epoch;
        model_.started_ms = now_ms;
        model_.signals.clear();
        std::set<std::size_t> active;
        for (auto& [machine, node] : model_.nodes) {
            node.used = 0;
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
        for (const auto& [machine, expected] : model_.nodes) {
            const NodeRecord node = chain_.node(machine);
            EXPECT_EQ(node.owner, chain_.people[expected.owner].address);
            EXPECT_EQ(static_cast<Number>(node.stake.units), expected.stake)
                << "machine " << machine;
            const auto unbonding =
                node.unbonding ? static_cast<Number>(node.unbonding->amount.units) : 0;
            EXPECT_EQ(unbonding, expected.unbonding) << "machine " << machine;
            EXPECT_EQ(node.participation, expected.participation) << "machine " << machine;
            EXPECT_EQ(node.nonce.value(), expected.nonce) << "machine " << machine;
        }
        EXPECT_EQ(static_cast<Number>(view->supply().flk_burned.units), model_.burned);
        EXPECT_EQ(view->epoch().epoch.value(), model_.epoch);
    }

    std::mt19937_64 random_;
    Chain chain_;
    Model model_;
};

TEST(Model, AgreesWithPlainNumbers) {
    // Random blocks of valid and invalid transactions of all methods, across epochs: every outcome,
    // balance, stake, nonce, committee and burned fee is the model's, and the books balance after
    // every block.
    std::mt19937_64 seeds(draco::testing::test_seed(41));
    std::uint64_t epochs = 0;
    for (std::uint64_t run = 0; run < draco::testing::scaled(6); ++run) {
        ModelTest test(seeds());
        for (int block = 0; block < 80; ++block) ASSERT_TRUE(test.run_block()) << "run " << run;
        epochs += test.model().epoch;
    }
    EXPECT_GT(epochs, 0U);
}

}  // namespace
}  // namespace draco::application::testing
