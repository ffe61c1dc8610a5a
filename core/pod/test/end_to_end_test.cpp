// A node with the real journal, signer, ledger and state machine, in virtual time, beside a chain
// that goes on whatever becomes of the node. It crashes inside disk changes. Checked: a word that
// was answered with success is paid for, no word beyond what clients signed, and all money adds up.

#include "draco/affair/registry.hpp"
#include "draco/identity/transaction_signer.hpp"
#include "draco/ledger/ledger.hpp"
#include "draco/pod/acknowledgements.hpp"
#include "draco/simulon/world.hpp"
#include "draco/testing/seed.hpp"

#include "../../application/test/chain_fixture.hpp"

#include <gtest/gtest.h>

#include <map>

namespace draco::pod {
namespace {

using namespace std::chrono_literals;
using application::testing::Chain;
using interfaces::BlockWithContent;
using interfaces::LaneStanding;

constexpr auto kBlockTime = 500ms;
constexpr auto kWordTime = 100ms;
constexpr std::size_t kPayers = 4;

// What a client and the chain know of the lane of one person.
struct Account {
    std::uint64_t signed_units = 0;
    std::uint64_t replied = 0;
    std::uint64_t settled = 0;  // as the chain was last seen to have it
};

// The chain, its blocks, and what waits to be in the next one. Machine 0 is the node.
struct Network {
    Network() {
        for (std::size_t person = 0; person < kPayers; ++person)
            add(chain.by_person(person, chain.opening(person, 0, types::UsdAmount{20'000})));
        block();
    }

    void add(const Bytes& transaction) { pool.push_back(transaction); }

    void block() {
        const auto state = chain.view();
        if (state->head().timestamp.ms >= state->epoch().started.ms + Chain::kEpochMs)
            for (std::size_t machine = 1; machine < 4; ++machine)
                add(chain.by_machine(machine, types::EndEpoch{state->epoch().epoch}));
        auto content = chain.next(std::exchange(pool, {}), kBlockTime / 1ms);
        EXPECT_TRUE(chain.execute(content));
        EXPECT_TRUE(application::audit(*chain.view()));
        blocks.push_back(
            {content.block, types::digest_of(chain.genesis.chain, content.block), content.batches});
        for (std::size_t person = 0; person < kPayers; ++person)
            if (const auto lane = chain.find_lane(chain.lane_key(person, 0)))
                accounts[person].settled = lane->settled;
        const auto revenue =
            chain.view()->node_revenue(chain.view()->epoch().epoch, chain.machines[0].key);
        if (revenue && *revenue)
            for (const auto& share : *(*revenue)->peers)
                named[chain.view()->epoch().epoch] = share.bytes;
    }

    Chain chain{6, 4};
    std::vector<BlockWithContent> blocks;
    std::vector<Bytes> pool;
    std::map<std::size_t, Account> accounts;
    std::map<types::Epoch, std::uint64_t> named;  // bytes of the one peer
    std::uint64_t had_from_peer = 0;
    std::vector<std::string> refusals;
    bool calm = false;
    simulon::SimulatedDisk* journal_disk = nullptr;  // instead of the node's
};

class Forwarder final : public interfaces::TransactionForwarder {
public:
    Forwarder(const simulon::Host& host, Network& network) : host_(host), network_(network) {}

    void submit(Bytes transaction, Done done) override {
        const auto hash = types::digest_of(
            network_.chain.genesis.chain,
            bcs::decode<types::SignedTransaction>(transaction).value().transaction);
        if (network_.calm || host_.rng.below(5) != 0) network_.add(transaction);
        host_.executor.post([done = std::move(done), hash]() mutable { done(hash); });
    }

private:
    const simulon::Host& host_;
    Network& network_;
};

class Node final : public simulon::Program {
public:
    Node(const simulon::Host& host, Network& network)
        : host_(host), network_(network), registry_(host.executor), forwarder_(host, network) {
        const auto started = start();
        if (!started) {
            EXPECT_NE(started.error().code, Errc::Corrupt) << to_string(started.error());
            return;
        }
        catch_up();
        host_.executor.post_after(kWordTime, [this] { sign_words(); });
    }

    // Takes what it has missed.
    void catch_up() {
        if (!pod_) return;
        const std::uint64_t head = ledger_->view()->head().height.value();
        for (std::size_t i = head; i < network_.blocks.size(); ++i)
            if (!ledger_->append(network_.blocks[i], interfaces::BlockOrigin::Followed)) return;
    }

    interfaces::Acknowledgements* acknowledgements() { return pod_.get(); }

private:
    Result<> start() {
        DRACO_TRY(application,
                  application::open(atomo::open_memory_storage(), network_.chain.genesis));
        ledger::Options ledger_options;
        ledger_options.segment_bytes = 64U << 10U;
        ledger_options.state_is_durable = false;
        DRACO_TRY(
            opened,
            ledger::open(std::move(application), host_.disk, registry_, log_, ledger_options));
        ledger_ = std::move(opened);
        DRACO_TRY(signer,
                  identity::TransactionSigner::open(
                      {host_.executor, registry_, host_.disk, *ledger_, forwarder_, log_},
                      network_.chain.machines[0].secret.clone(),
                      "signer.journal",
                      identity::MissingJournal::Create,
                      {.resend_after = 1s, .submit_timeout = 1s}));
        signer_ = std::move(signer);
        Options options;
        options.journal.segment_bytes = 4'096;
        options.core.pace.interval = 1s;
        DRACO_TRY(pod,
                  pod::open({host_.executor,
                             registry_,
                             network_.journal_disk ? *network_.journal_disk : host_.disk,
                             *ledger_,
                             log_},
                            network_.chain.machines[0].key,
                            make_lane_submitter(*signer_),
                            options));
        pod_ = std::move(pod);
        return {};
    }

    // Each client signs for what it received since, and goes on from what it signed last.
    void sign_words() {
        host_.executor.post_after(kWordTime, [this] { sign_words(); });
        if (network_.calm) return;
        const std::size_t person = host_.rng.below(kPayers);
        if (!network_.chain.find_lane(network_.chain.lane_key(person, 0))) return;
        Account& account = network_.accounts[person];
        account.signed_units += host_.rng.below(20'000);
        const std::uint64_t units = account.signed_units;
        pod_->acknowledge(network_.chain.ack(person, 0, units),
                          [this, person, units](const Result<LaneStanding>& standing) {
                              heard(person, units, standing);
                          });
        pod_->had_from_peer(network_.chain.machines[1].key, 100);
        network_.had_from_peer += 100;
    }

    void heard(std::size_t person, std::uint64_t units, const Result<LaneStanding>& standing) {
        if (!standing) {
            network_.refusals.push_back(to_string(standing.error()));
            return;
        }
        EXPECT_GE(standing->acknowledged, units);
        Account& account = network_.accounts[person];
        account.replied = std::max(account.replied, units);
    }

    const simulon::Host& host_;
    Network& network_;
    log::NullLog log_;
    affair::Registry registry_;
    Forwarder forwarder_;
    std::unique_ptr<interfaces::Ledger> ledger_;
    std::unique_ptr<identity::TransactionSigner> signer_;
    std::unique_ptr<interfaces::Acknowledgements> pod_;
};

struct Ending {
    std::uint64_t digest = 0;
    std::uint64_t changes = 0;
    std::uint64_t settled = 0;

    bool operator==(const Ending&) const = default;
};

// Words come for 20 seconds; then half of the lanes close, and 20 seconds later all is judged.
// `crash_at` is a change of the disk, 0 for none; `failing` a disk for the journal alone, whose
// syncs fail for a while.
Ending run(std::uint64_t seed, std::uint64_t crash_at, simulon::SimulatedDisk* failing = nullptr) {
    simulon::World world(seed);
    Network network;
    network.journal_disk = failing;
    if (failing != nullptr) {
        world.at(Instant{5s}, [failing] { failing->set_options({.sync_error = 1}); });
        world.at(Instant{5'150ms}, [failing] { failing->set_options({}); });
    }
    const PeerId node = world.add_node(
        [&](const simulon::Host& host) { return std::make_unique<Node>(host, network); });
    const auto program = [&] { return dynamic_cast<Node*>(&world.program(node)); };
    world.disk(node).crash_at_change(crash_at);
    world.start_all();
    for (Duration at = kBlockTime; at < 40s; at += kBlockTime)
        world.at(Instant{at}, [&] {
            network.block();
            if (!world.running(node))
                world.start(node);
            else
                program()->catch_up();
        });
    world.at(Instant{20s}, [&] {
        network.calm = true;
        for (const std::size_t person : {0U, 1U})
            network.add(network.chain.by_person(
                person, types::CloseLane{network.chain.machines[0].key, types::LaneIndex(0)}));
    });
    EXPECT_TRUE(world.run_until(Instant{39'900ms}));
    Ending ending{world.digest(), world.disk(node).change_count(), 0};
    for (const auto& [person, account] : network.accounts) {
        EXPECT_GE(account.settled, account.replied) << "lost, of person " << person;
        EXPECT_LE(account.settled, account.signed_units) << "more than was signed";
        EXPECT_GT(account.replied, 0U);
        ending.settled += account.settled;
    }
    if (crash_at == 0 && failing == nullptr)
        EXPECT_EQ(network.refusals, std::vector<std::string>());
    if (failing != nullptr) EXPECT_FALSE(network.refusals.empty());
    std::uint64_t named = 0;
    for (const auto& [epoch, bytes] : network.named) named += bytes;
    EXPECT_GT(named, 0U);
    EXPECT_LE(named, network.had_from_peer);
    const auto status = program()->acknowledgements()->status();
    EXPECT_EQ(status.unsettled_units, 0U);
    EXPECT_EQ(status.lanes, 0U);
    EXPECT_FALSE(network.chain.find_lane(network.chain.lane_key(0, 0))) << "it was closed";
    return ending;
}

TEST(PodEndToEnd, PaysForAllThatWasAcknowledged) {
    const std::uint64_t seed = draco::testing::test_seed(1);
    const Ending ending = run(seed, 0);
    EXPECT_GT(ending.settled, 100'000U);
    EXPECT_EQ(ending, run(seed, 0)) << "the same seed, the same run";
}

// Words that could not be kept are refused, and the object comes back with all that was.
TEST(PodEndToEnd, SurvivesAFailingJournal) {
    const std::uint64_t seed = draco::testing::test_seed(1);
    for (std::uint64_t i = 0; i < draco::testing::scaled(10); ++i) {
        SCOPED_TRACE("DRACO_SEED=" + std::to_string(seed + i));
        simulon::SimulatedDisk disk(seed + i);
        run(seed + i, 0, &disk);
    }
}

TEST(PodEndToEnd, SurvivesACrashAtAnyChangeOfTheDisk) {
    const std::uint64_t seed = draco::testing::test_seed(1);
    const std::uint64_t changes = run(seed, 0).changes;
    ASSERT_GT(changes, 200U);
    const std::uint64_t runs = draco::testing::scaled(60);
    for (std::uint64_t i = 0; i < runs; ++i) {
        const std::uint64_t at = 1 + (i * changes) / runs;
        SCOPED_TRACE("crash at change " + std::to_string(at));
        run(seed + i, at);
        if (::testing::Test::HasFailure()) return;
    }
}

}  // namespace
}  // namespace draco::pod
