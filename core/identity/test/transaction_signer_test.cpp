// The driver on a simulated node: a fake chain takes what it submits, crashes between and inside
// disk changes, and in the end every method is executed once.

#include "draco/identity/transaction_signer.hpp"

#include "draco/affair/registry.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/simulon/world.hpp"
#include "draco/testing/seed.hpp"

#include "identity_fixture.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace draco::identity {
namespace {

using namespace std::chrono_literals;
using types::Nonce;

constexpr types::ChainId kChain(1337);

// What all nodes of the world agree on: a list of executed transactions.
struct FakeChain {
    std::vector<types::Transaction> executed;
    std::map<types::TransactionHash, types::Receipt> receipts;
    std::map<Nonce, Bytes> sent;
    bool signed_twice = false;
    bool registered = true;
};

class FakeView final : public interfaces::StateView {
public:
    explicit FakeView(const FakeChain& chain) : chain_(chain) {}

    types::ChainId chain() const override { return kChain; }

    types::GenesisDigest genesis() const override { return {}; }

    const types::ChainParameters& parameters() const override { return parameters_; }

    const types::ChainHead& head() const override { return head_; }

    types::StateRoot state_root() const override { return {}; }

    const types::EpochInfo& epoch() const override { return epoch_; }

    const types::Supply& supply() const override { return supply_; }

    Result<types::Account> account(const types::Address& /*address*/) const override {
        return types::Account{.nonce = Nonce(chain_.executed.size())};
    }

    Result<std::optional<types::NodeRecord>> node(const types::NodeKey& /*key*/) const override {
        if (!chain_.registered) return std::nullopt;
        types::NodeRecord record;
        record.nonce = Nonce(chain_.executed.size());
        return record;
    }

    Result<std::vector<std::pair<types::Address, types::Account>>> accounts(
        const std::optional<types::Address>& /*after*/, std::size_t /*count*/) const override {
        return {};
    }

    Result<std::vector<std::pair<types::NodeKey, types::NodeRecord>>> nodes(
        const std::optional<types::NodeKey>& /*after*/, std::size_t /*count*/) const override {
        return {};
    }

    Result<std::optional<types::Committee>> committee(types::Epoch /*epoch*/) const override {
        return std::nullopt;
    }

    Result<std::optional<types::Receipt>> receipt(
        const types::TransactionHash& hash) const override {
        const auto at = chain_.receipts.find(hash);
        if (at == chain_.receipts.end()) return std::nullopt;
        return at->second;
    }

    Result<Bytes> prove_account(const types::Address& /*address*/) const override {
        return Bytes{};
    }

    types::UsdAmount revenue_pot() const override { return {}; }

    Result<std::optional<types::Lane>> lane(const types::LaneKey& /*key*/) const override {
        return std::nullopt;
    }

    Result<std::vector<std::pair<types::LaneKey, types::Lane>>> lanes(
        const std::optional<types::LaneKey>& /*after*/, std::size_t /*count*/) const override {
        return {};
    }

    Result<std::vector<std::pair<types::LaneKey, types::Lane>>> lanes_of(
        const types::Address& /*payer*/,
        const std::optional<types::LaneKey>& /*after*/,
        std::size_t /*count*/) const override {
        return {};
    }

    Result<std::vector<std::pair<types::Commodity, types::UnitPrice>>> prices() const override {
        return {};
    }

    Result<std::vector<std::pair<types::ServiceId, types::Service>>> services() const override {
        return {};
    }

    Result<std::optional<types::NodeRevenue>> node_revenue(
        types::Epoch /*epoch*/, const types::NodeKey& /*node*/) const override {
        return std::nullopt;
    }

    Result<std::optional<types::EpochRevenue>> epoch_revenue(
        types::Epoch /*epoch*/) const override {
        return std::nullopt;
    }

private:
    const FakeChain& chain_;
    types::ChainParameters parameters_{};
    types::ChainHead head_{};
    types::EpochInfo epoch_{};
    types::Supply supply_{};
};

class FakeLedger final : public interfaces::Ledger {
public:
    explicit FakeLedger(const FakeChain& chain) : chain_(chain) {}

    Result<> append(interfaces::BlockWithContent /*block*/,
                    interfaces::BlockOrigin /*origin*/) override {
        return {};
    }

    Result<> certify(const types::BlockCertificate& /*certificate*/) override { return {}; }

    std::shared_ptr<const interfaces::StateView> view() const override {
        return std::make_shared<FakeView>(chain_);
    }

    std::optional<types::BlockCertificate> latest_certificate() const override {
        return std::nullopt;
    }

    types::Height lowest() const override { return {}; }

    Result<std::optional<Bytes>> read(types::Height /*height*/) const override {
        return std::nullopt;
    }

    void add_observer(interfaces::LedgerObserver& observer) override {
        observers_.insert(&observer);
    }

    void remove_observer(interfaces::LedgerObserver& observer) override {
        observers_.erase(&observer);
    }

    void executed(interfaces::TransactionOutcome outcome) {
        auto block = std::make_shared<interfaces::LedgerBlock>();
        block->result.transactions.push_back(std::move(outcome));
        for (auto* observer : observers_) observer->on_block(block);
    }

private:
    const FakeChain& chain_;
    std::set<interfaces::LedgerObserver*> observers_;
};

// Loses some, refuses some, and executes the rest after a random time, so in any order.
class FakeForwarder final : public interfaces::TransactionForwarder {
public:
    FakeForwarder(const simulon::Host& host, FakeChain& chain, FakeLedger& ledger)
        : host_(host), chain_(chain), ledger_(ledger) {}

    void submit(Bytes transaction, Done done) override {
        const auto decoded = bcs::decode<types::SignedTransaction>(transaction).value();
        EXPECT_TRUE(types::verify(kChain, decoded));
        const auto [at, first] = chain_.sent.emplace(decoded.transaction.nonce, transaction);
        if (!first && at->second != transaction) chain_.signed_twice = true;
        if (host_.rng.below(8) == 0) return;  // no answer
        const auto hash = types::digest_of(kChain, decoded.transaction);
        const bool busy = host_.rng.below(4) == 0;
        host_.executor.post([done = std::move(done), hash, busy]() mutable {
            if (busy) return done(fail(Errc::Exhausted, "busy"));
            done(hash);
        });
        if (busy || host_.rng.below(5) == 0) return;
        host_.executor.post_after(
            std::chrono::milliseconds(host_.rng.below(500)),
            [this, transaction = decoded.transaction, hash] { run(transaction, hash); });
    }

private:
    void run(const types::Transaction& transaction, const types::TransactionHash& hash) {
        interfaces::TransactionOutcome outcome{hash, types::Refusal::WrongNonce};
        if (transaction.nonce.value() == chain_.executed.size() + 1) {
            chain_.executed.push_back(transaction);
            const types::Receipt receipt{.height = types::Height(chain_.executed.size())};
            chain_.receipts[hash] = receipt;
            outcome.outcome = receipt;
        }
        ledger_.executed(std::move(outcome));
    }

    const simulon::Host& host_;
    FakeChain& chain_;
    FakeLedger& ledger_;
};

struct Tally {
    int asked = 0;
    int executed = 0;
    int failed = 0;
};

// Asks for a method every 200 ms.
class Node final : public simulon::Program {
public:
    Node(const simulon::Host& host, FakeChain& chain, SecretKey key, Tally& tally)
        : host_(host),
          tally_(tally),
          ledger_(chain),
          forwarder_(host, chain, ledger_),
          registry_(host.executor) {
        auto signer = TransactionSigner::open(
            {host.executor, registry_, host.disk, ledger_, forwarder_, log_},
            std::move(key),
            "signer.journal",
            MissingJournal::Create,
            {.resend_after = 1s, .submit_timeout = 1s});
        if (signer) signer_ = *std::move(signer);
        tick();
    }

    interfaces::SignerStatus status() const {
        return signer_ ? signer_->status() : interfaces::SignerStatus{};
    }

private:
    void tick() {
        if (!signer_) return;
        ++tally_.asked;
        signer_->execute(types::EndEpoch{types::Epoch(static_cast<std::uint64_t>(tally_.asked))},
                         [this](const Result<types::Receipt>& receipt) {
                             ++(receipt ? tally_.executed : tally_.failed);
                         });
        if (host_.clock.now() < Instant{20s}) host_.executor.post_after(200ms, [this] { tick(); });
    }

    const simulon::Host& host_;
    Tally& tally_;
    log::NullLog log_;
    FakeLedger ledger_;
    FakeForwarder forwarder_;
    affair::Registry registry_;
    std::unique_ptr<TransactionSigner> signer_;
};

struct Ending {
    std::size_t executed;
    std::uint64_t digest;

    bool operator==(const Ending&) const = default;
};

Ending run(std::uint64_t seed, bool faults, Tally& tally, FakeChain& chain) {
    simulon::World world(seed);
    simulon::SeededRng rng(seed);
    const SecretKey key = types::NodeSecretKey::generate(rng);
    const PeerId node = world.add_node([&](const simulon::Host& host) {
        return std::make_unique<Node>(
            host, chain, std::get<types::NodeSecretKey>(key).clone(), tally);
    });
    world.start_all();
    for (int i = 1; faults && i < 20; ++i) {
        world.at(Instant{1s * i}, [&world, node, change = 1 + rng.below(12)] {
            if (world.running(node)) world.disk(node).crash_at_change(change);
        });
        world.at(Instant{1s * i + 900ms}, [&world, node] {
            if (!world.running(node)) world.start(node);
        });
    }
    EXPECT_TRUE(world.run_until(Instant{25s}));
    world.disk(node).crash_at_change(0);
    if (!world.running(node)) world.start(node);
    EXPECT_TRUE(world.run_until(Instant{200s}));
    EXPECT_FALSE(chain.signed_twice);
    const auto status = dynamic_cast<Node&>(world.program(node)).status();
    EXPECT_EQ(status.pending, 0U);
    EXPECT_EQ(status.signed_last.value(), chain.executed.size());
    std::set<std::uint64_t> epochs;
    for (const types::Transaction& transaction : chain.executed)
        EXPECT_TRUE(
            epochs.insert(std::get<types::EndEpoch>(transaction.method).epoch.value()).second);
    return {chain.executed.size(), world.digest()};
}

// Without crashes every method asked for is executed once, whatever the forwarder loses.
TEST(TransactionSigner, ExecutesEverything) {
    Tally tally;
    FakeChain chain;
    run(1, false, tally, chain);
    EXPECT_GT(tally.asked, 90);
    EXPECT_EQ(tally.executed, tally.asked);
    EXPECT_EQ(chain.executed.size(), static_cast<std::size_t>(tally.asked));
}

// With crashes inside disk changes no nonce is signed twice and all that was sent is executed.
TEST(TransactionSigner, SurvivesCrashes) {
    const std::uint64_t seed = draco::testing::test_seed(1);
    std::size_t executed = 0;
    for (std::uint64_t i = 0; i < draco::testing::scaled(10); ++i) {
        Tally tally;
        FakeChain chain;
        const Ending ending = run(seed + i, true, tally, chain);
        executed += ending.executed;
        Tally again_tally;
        FakeChain again_chain;
        EXPECT_EQ(ending, run(seed + i, true, again_tally, again_chain)) << "seed " << seed + i;
    }
    EXPECT_GT(executed, 100U);
}

}  // namespace
}  // namespace draco::identity
