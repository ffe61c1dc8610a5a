// Proves, with whole nodes and workers over the real links layer in virtual time, that a committee
// whose batches are carried by worker processes executes what comes in at its nodes, that these
// keep a lost worker apart from their peers, and that a worker in the wrong place says so.

#include "draco/bcs/bcs.hpp"
#include "draco/consensus/worker_driver.hpp"
#include "draco/log/sinks.hpp"
#include "draco/node/devnet_genesis.hpp"
#include "draco/node/first_start.hpp"
#include "draco/node/node.hpp"
#include "draco/node/peer_address.hpp"
#include "draco/pool/pool.hpp"
#include "draco/rpc/service.hpp"
#include "draco/simulon/seeded_rng.hpp"
#include "draco/simulon/world.hpp"
#include "draco/testing/seed.hpp"
#include "draco/types/transaction.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

namespace draco::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kNodes = 4;
constexpr std::size_t kWorkersEach = 2;
constexpr std::size_t kHosts = kNodes * (1 + kWorkersEach);

// Nodes, then the workers of node 0, of node 1, ...
struct Cast {
    explicit Cast(std::uint64_t seed) {
        simulon::SeededRng rng(seed);
        for (std::size_t i = 0; i < kHosts; ++i) {
            keys.push_back(types::NodeSecretKey::generate(rng));
            names.push_back(keys.back().public_key());
        }
        DevnetOptions options{.time = UnixTime{1'700'000'000'000}, .epoch_ms = 6'000, .nodes = {}};
        for (std::size_t i = 0; i < kNodes; ++i) {
            NodeConfig config;
            options.nodes.push_back({.key = names[i], .endpoints = endpoints_of(config).value()});
        }
        genesis = devnet_genesis(options).value();
    }

    static std::size_t worker(std::size_t node, std::size_t index) {
        return kNodes + node * kWorkersEach + index;
    }

    std::string address(std::size_t host) const {
        return to_text(interfaces::PeerAddress{names[host], "127.0.0.1", 4400});
    }

    std::vector<types::NodeSecretKey> keys;
    std::vector<types::NodeKey> names;
    types::Genesis genesis;
};

// The simulated network under the keys of its hosts; the world decides who is linked.
class NamedTransport final : public interfaces::PeerTransport {
public:
    NamedTransport(Transport& transport, const Cast& cast) : transport_(transport), cast_(cast) {}

    PeerId self() const override { return transport_.self(); }

    Result<> send(PeerId to, Channel channel, Bytes message) override {
        return transport_.send(to, channel, std::move(message));
    }

    void set_receiver(TransportReceiver* receiver) override { transport_.set_receiver(receiver); }

    std::optional<PeerId> id_of(const types::NodeKey& key) const override {
        const auto found = std::ranges::find(cast_.names, key);
        if (found == cast_.names.end()) return std::nullopt;
        return PeerId(static_cast<std::uint32_t>(found - cast_.names.begin()));
    }

    std::optional<types::NodeKey> key_of(PeerId id) const override {
        if (id.value() >= cast_.names.size()) return std::nullopt;
        return cast_.names[id.value()];
    }

    void set_peers(std::vector<interfaces::PeerAddress> peers) override {
        listed = std::move(peers);
    }

    void refuse(PeerId /*peer*/, Duration /*pause*/) override { refused = true; }

    std::vector<interfaces::PeerAddress> listed;
    bool refused = false;

private:
    Transport& transport_;
    const Cast& cast_;
};

class NodeProgram final : public simulon::Program {
public:
    NodeProgram(const simulon::Host& host, const Cast& cast) : transport(host.transport, cast) {
        NodeConfig config;
        config.state.backend = "memory";
        const std::size_t self = host.id.value();
        for (std::size_t i = 0; i < kWorkersEach; ++i)
            config.consensus.workers.push_back(cast.address(Cast::worker(self, i)));
        EXPECT_TRUE(host.disk.create_directory(config.keys.directory));
        EXPECT_TRUE(host.disk.sync_directory(""));
        const bool is_first = take_first_start(host.disk, config.keys.directory).value();
        auto started = Node::start({.executor = host.executor,
                                    .disk_executor = host.executor,
                                    .disk = host.disk,
                                    .rng = host.rng,
                                    .peers = transport,
                                    .log = log},
                                   {.key = cast.keys[self].clone(), .first_start = is_first},
                                   cast.genesis,
                                   config,
                                   [](const affair::Escalation& failed) {
                                       ADD_FAILURE() << failed.name << to_string(failed.error);
                                   });
        if (started)
            node = *std::move(started);
        else
            ADD_FAILURE() << to_string(started.error());
    }

    log::NullLog log;
    NamedTransport transport;
    std::unique_ptr<Node> node;
};

class WorkerProgram final : public simulon::Program {
public:
    WorkerProgram(const simulon::Host& host, const Cast& cast, std::size_t index)
        : transport(host.transport, cast),
          registry(host.executor,
                   [this](const affair::Escalation& failed) { failure = failed.error; }),
          links(transport, host.executor, host.rng, log, cast.names[host.id.value()]),
          driver(
              {.executor = host.executor,
               .disk = host.disk,
               .registry = registry,
               .links = links,
               .log = log},
              cast.genesis.chain,
              {},
              {.node = parse_peer_address(cast.address((host.id.value() - kNodes) / kWorkersEach))
                           .value(),
               .index = types::WorkerIndex(static_cast<std::uint16_t>(index)),
               .log_segment_bytes = std::uint64_t{4} << 20}) {
        EXPECT_TRUE(driver.start());
    }

    log::NullLog log;
    NamedTransport transport;
    std::optional<Error> failure;
    affair::Registry registry;
    pool::Pool links;
    consensus::WorkerDriver driver;
};

// `shift` is by how much the index of each worker's home differs from its place.
class Network {
public:
    explicit Network(std::uint64_t seed, std::size_t shift = 0) : cast_(seed), world(seed) {
        for (std::size_t i = 0; i < kNodes; ++i)
            world.add_node([this](const simulon::Host& host) {
                return std::make_unique<NodeProgram>(host, cast_);
            });
        for (std::size_t i = 0; i < kNodes * kWorkersEach; ++i)
            world.add_node([this, index = (i + shift) % kWorkersEach](const simulon::Host& host) {
                return std::make_unique<WorkerProgram>(host, cast_, index);
            });
        for (std::size_t i = 0; i < kNodes; ++i) connect(i);
        world.start_all();
    }

    NodeProgram& program(std::size_t i) { return static_cast<NodeProgram&>(world.program(id(i))); }

    Node& node(std::size_t i) { return *program(i).node; }

    WorkerProgram& worker(std::size_t node, std::size_t index) {
        return static_cast<WorkerProgram&>(world.program(id(Cast::worker(node, index))));
    }

    // From account `from`, by way of node `at`.
    void transfer(std::uint32_t from, std::size_t at) {
        const auto key = devnet_account(from).value();
        const types::Address self = cast_.genesis.accounts->at(from).address;
        const types::Address other =
            cast_.genesis.accounts->at((from + 1) % kDevnetAccounts).address;
        const auto transaction =
            bcs::encode(types::sign(cast_.genesis.chain,
                                    {self,
                                     types::Nonce(++nonces_[from]),
                                     types::FlkAmount::whole(1),
                                     types::TransferFlk{other, types::FlkAmount::whole(1)}},
                                    key));
        node(at).forwarder().submit(transaction, [](const auto& outcome) {
            EXPECT_TRUE(outcome) << (outcome ? "" : to_string(outcome.error()));
        });
    }

    bool all_executed() {
        for (const auto& [account, nonce] : nonces_)
            for (std::size_t i = 0; i < kNodes; ++i) {
                const auto found =
                    node(i).ledger().view()->account(cast_.genesis.accounts->at(account).address);
                if (!found || found->nonce.value() != nonce) return false;
            }
        return true;
    }

    bool are_equal() {
        const auto first = node(0).ledger().view();
        for (std::size_t i = 1; i < kNodes; ++i)
            if (node(i).ledger().view()->state_root() != first->state_root()) return false;
        return true;
    }

    bool all_linked() {
        for (std::size_t i = 0; i < kNodes; ++i)
            if (node(i).consensus().status().workers_linked != kWorkersEach) return false;
        return true;
    }

    const Cast& cast() const { return cast_; }

private:
    static PeerId id(std::size_t host) { return PeerId(static_cast<std::uint32_t>(host)); }

    void connect(std::size_t i) {
        const simulon::LinkOptions link{
            .latency = simulon::Latency::uniform(milliseconds(1), milliseconds(5))};
        for (std::size_t j = i + 1; j < kNodes; ++j) world.connect(id(i), id(j), link);
        for (std::size_t index = 0; index < kWorkersEach; ++index) {
            world.connect(id(i), id(Cast::worker(i, index)), link);
            for (std::size_t j = i + 1; j < kNodes; ++j)
                world.connect(id(Cast::worker(i, index)), id(Cast::worker(j, index)), link);
        }
    }

    Cast cast_;
    std::map<std::uint32_t, std::uint64_t> nonces_;

public:
    simulon::World world;
};

TEST(NodeWorkers, CarryWhatComesInAtNodes) {
    Network network(testing::test_seed(1));
    ASSERT_TRUE(network.world.run_until_true([&] { return network.all_linked(); }, seconds(5)));
    for (int round = 0; round < 10; ++round) {
        for (std::uint32_t i = 0; i < kNodes; ++i) network.transfer(i, i);
        ASSERT_TRUE(network.world.run_for(milliseconds(200)));
    }
    ASSERT_TRUE(network.world.run_until_true([&] { return network.all_executed(); }, seconds(20)));
    ASSERT_TRUE(network.world.run_until_true([&] { return network.are_equal(); }, seconds(20)));
    for (std::size_t i = 0; i < kNodes; ++i) {
        EXPECT_TRUE(network.node(i).rpc().health().ok) << network.node(i).rpc().health().reason;
        for (std::size_t index = 0; index < kWorkersEach; ++index) {
            const auto& worker = network.worker(i, index);
            EXPECT_EQ(worker.driver.status().role, interfaces::ConsensusRole::Member);
            EXPECT_EQ(worker.transport.listed.size(), kNodes) << "its node, and three workers";
            EXPECT_FALSE(worker.failure);
        }
    }
}

TEST(NodeWorkers, AreNoPeers) {
    // Nothing but consensus sees them; they are listed first, so that no registered node of the
    // same key leads the links elsewhere.
    Network network(testing::test_seed(2));
    ASSERT_TRUE(network.world.run_until_true([&] { return network.all_linked(); }, seconds(5)));
    for (std::size_t i = 0; i < kNodes; ++i) {
        EXPECT_EQ(network.node(i).links().connected().size(), kNodes - 1);
        EXPECT_EQ(network.node(i).links().snapshot().size(), kNodes - 1);
        const auto& listed = network.program(i).transport.listed;
        ASSERT_EQ(listed.size(), kWorkersEach + kNodes - 1);
        for (std::size_t index = 0; index < kWorkersEach; ++index)
            EXPECT_EQ(listed[index].key, network.cast().names[Cast::worker(i, index)]);
        EXPECT_FALSE(network.program(i).transport.refused);
    }
}

TEST(NodeWorkers, ALostOneIsSaidAndTheChainGoesOn) {
    Network network(testing::test_seed(3));
    ASSERT_TRUE(network.world.run_until_true([&] { return network.all_linked(); }, seconds(5)));
    const PeerId lost(static_cast<std::uint32_t>(Cast::worker(0, 1)));
    network.world.crash(lost);
    ASSERT_TRUE(network.world.run_for(seconds(1)));
    EXPECT_EQ(network.node(0).consensus().status().workers_linked, kWorkersEach - 1);
    const auto health = network.node(0).rpc().health();
    EXPECT_FALSE(health.ok);
    EXPECT_TRUE(health.reason.starts_with("1 of the node's 2 worker processes are not linked"))
        << health.reason;
    const auto height = network.node(1).ledger().view()->head().height;
    for (std::uint32_t i = 1; i < kNodes; ++i) network.transfer(i, i);
    ASSERT_TRUE(network.world.run_until_true(
        [&] { return network.node(1).ledger().view()->head().height > height; }, seconds(10)));
    network.world.start(lost);
    ASSERT_TRUE(network.world.run_until_true(
        [&] { return network.all_linked() && network.all_executed() && network.are_equal(); },
        seconds(30)));
    EXPECT_TRUE(network.node(0).rpc().health().ok) << network.node(0).rpc().health().reason;
}

TEST(NodeWorkers, OneInAnotherPlaceStopsAndSaysWhatToDo) {
    Network network(testing::test_seed(4), 1);
    ASSERT_TRUE(network.world.run_for(seconds(2)));
    for (std::size_t i = 0; i < kNodes; ++i) {
        const auto& failure = network.worker(i, 0).failure;
        ASSERT_TRUE(failure);
        EXPECT_EQ(failure->code, Errc::InvalidArgument);
        EXPECT_TRUE(failure->context.starts_with(
            "the node has this worker at place 0 of its [consensus] workers, counted from 0, and "
            "the worker was set up as index 1: "))
            << failure->context;
    }
}

}  // namespace
}  // namespace draco::node
