// Networks of resolvers over simulated links, with lying keepers and providers: whoever provides is
// found, whoever withdrew or vanished is not for long, and nobody can be named without its key.

#include "draco/pool/pool.hpp"
#include "draco/resolver/resolver.hpp"
#include "draco/simulon/scenario.hpp"
#include "draco/testing/seed.hpp"

#include "../../pool/test/simulated_peers.hpp"
#include "fake_ledger.hpp"

#include <gtest/gtest.h>

namespace draco::resolver {
namespace {

using namespace std::chrono_literals;
using namespace draco::simulon;
using interfaces::Protocol;
using testing::Nodes;
using testing::NodesLedger;
using types::ContentHash;
using types::NodeKey;
using types::NodeSecretKey;

constexpr types::ChainId kChain(7);

NodeSecretKey secret_number(std::uint32_t number) {
    SeededRng rng(1000 + number);
    return NodeSecretKey::generate(rng);
}

ContentHash object_number(std::uint32_t number) {
    ContentHash hash;
    store_be(hash.data(), number);
    return hash;
}

struct Found {
    std::optional<Result<std::vector<NodeKey>>> result;
};

class Node final : public Program {
public:
    Node(const Host& host,
         const std::vector<NodeKey>& keys,
         const Nodes& nodes,
         const Options& options)
        : host_(host),
          transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]),
          registry_(host.executor),
          ledger_(nodes),
          resolver_(
              Resolver::make(
                  kChain, secret_number(host.id.value()), pool_, ledger_, registry_, log_, options)
                  .value()) {}

    Resolver& resolver() { return *resolver_; }

    NodesLedger& ledger() { return ledger_; }

    std::shared_ptr<Found> find(const ContentHash& hash) {
        auto found = std::make_shared<Found>();
        resolver_->find(hash, host_.clock.now() + 10s, [found](auto providers) {
            EXPECT_FALSE(found->result) << "called twice";
            found->result.emplace(std::move(providers));
        });
        return found;
    }

private:
    Host host_;
    log::NullLog log_;
    pool::SimulatedPeers transport_;
    pool::Pool pool_;
    affair::Registry registry_;
    NodesLedger ledger_;
    std::unique_ptr<Resolver> resolver_;
};

// Names nodes that said nothing, floods with records of others, and answers with junk.
class Liar final : public Program, interfaces::RequestHandler {
public:
    Liar(const Host& host, const std::vector<NodeKey>& keys)
        : host_(host),
          keys_(keys),
          transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]) {
        pool_.set_handler(Protocol::Providers, this);
        act();
    }

private:
    types::SignedProviderRecord forged(const ContentHash& hash) {
        // Of itself it may say what it likes.
        NodeKey victim = keys_[host_.id.value()];
        while (victim == keys_[host_.id.value()]) victim = keys_[host_.rng.below(keys_.size())];
        const types::ProviderRecord record{.hash = hash,
                                           .node = victim,
                                           .expires = {host_.clock.unix_now().ms + 1000},
                                           .sequence = host_.rng.next()};
        return {record, types::sign(kChain, record, secret_number(host_.id.value())).signature};
    }

    void act() {
        for (const NodeKey& peer : pool_.connected()) {
            Announce message;
            for (std::uint32_t i = 0; i < 10; ++i)
                static_cast<void>(message.records.try_push_back(forged(object_number(i))));
            Bytes junk(host_.rng.below(100));
            host_.rng.fill(junk);
            say(peer, junk);
            say(peer, bcs::encode(message));
        }
        host_.executor.post_after(300ms, [this] { act(); });
    }

    void say(const NodeKey& to, ByteView message) {
        static_cast<void>(pool_.send(to, Protocol::Providers, Channel::Control, message));
    }

    void on_request(const NodeKey& /*from*/,
                    Bytes request,
                    std::unique_ptr<interfaces::Responder> to) override {
        if (host_.rng.below(3) == 0) return kept_.push_back(std::move(to));
        const auto lookup = decode_lookup(request).value();
        resolver::Found found;
        for (std::size_t i = 0; i < kFoundMax; ++i)
            static_cast<void>(found.records.try_push_back(forged(lookup.hash)));
        Bytes bytes = bcs::encode(found);
        if (host_.rng.below(2) == 0) bytes.resize(bytes.size() / 2);
        EXPECT_TRUE(to->write(std::move(bytes)).has_value());
        to->finish({});
    }

    Host host_;
    std::vector<NodeKey> keys_;
    log::NullLog log_;
    pool::SimulatedPeers transport_;
    pool::Pool pool_;
    std::vector<std::unique_ptr<interfaces::Responder>> kept_;
};

struct Network {
    World& world;
    std::vector<NodeKey> keys;
    Nodes active;

    Network(World& in, std::uint32_t honest, std::uint32_t liars, const Options& options = {})
        : world(in) {
        const std::uint32_t count = honest + liars;
        for (std::uint32_t i = 0; i < count; ++i) {
            keys.push_back(secret_number(i).public_key());
            types::NodeRecord record;
            record.participation = types::Participation::Active;
            active.emplace(keys.back(), record);
        }
        for (std::uint32_t i = 0; i < count; ++i)
            world.add_node(
                [this, i, honest, options](const Host& host) -> std::unique_ptr<Program> {
                    if (i >= honest) return std::make_unique<Liar>(host, keys);
                    return std::make_unique<Node>(host, keys, active, options);
                });
        world.connect_all({.latency = Latency::uniform(5ms, 60ms)});
        world.start_all();
    }

    Node& node(std::uint32_t number) const {
        return static_cast<Node&>(world.program(PeerId(number)));
    }

    // Whom node `who` finds, ascending; nobody if NotFound.
    Result<std::set<std::uint32_t>> find(std::uint32_t who, const ContentHash& hash) const {
        const auto found = node(who).find(hash);
        DRACO_TRY_VOID(world.run_until_true([&] { return found->result.has_value(); }, 20s));
        std::set<std::uint32_t> numbers;
        if (!*found->result) {
            if (found->result->error().code != Errc::NotFound)
                return std::unexpected(found->result->error());
            return numbers;
        }
        for (const NodeKey& key : **found->result)
            numbers.insert(static_cast<std::uint32_t>(std::ranges::find(keys, key) - keys.begin()));
        return numbers;
    }

    Result<> expect(std::uint32_t who,
                    const ContentHash& hash,
                    const std::set<std::uint32_t>& providers) const {
        DRACO_TRY(found, find(who, hash));
        if (found == providers) return {};
        std::string text = "node " + std::to_string(who) + " found";
        for (const std::uint32_t number : found) text += " " + std::to_string(number);
        text += ", not";
        for (const std::uint32_t number : providers) text += " " + std::to_string(number);
        return fail(Errc::Corrupt, text);
    }
};

void run(const Scenario& scenario, std::uint64_t seeds = 2) {
    const auto report =
        run_seeds(scenario, draco::testing::test_seed(1), draco::testing::scaled(seeds));
    EXPECT_TRUE(report.verdict.has_value()) << to_string(report);
}

TEST(ResolverNetwork, WhoProvidesIsFoundAndWhoWithdrewIsNot) {
    run([](World& world) -> Result<> {
        Network network(world, 20, 0);
        DRACO_TRY_VOID(world.run_for(1s));
        for (std::uint32_t i = 0; i < 5; ++i)
            DRACO_TRY_VOID(network.node(i).resolver().provide(object_number(1)));
        DRACO_TRY_VOID(world.run_for(1s));
        DRACO_TRY_VOID(network.expect(9, object_number(1), {0, 1, 2, 3, 4}));
        DRACO_TRY_VOID(network.expect(2, object_number(1), {0, 1, 3, 4}));
        DRACO_TRY_VOID(network.expect(9, object_number(2), {}));
        network.node(3).resolver().withdraw(object_number(1));
        DRACO_TRY_VOID(world.run_for(1s));
        return network.expect(9, object_number(1), {0, 1, 2, 4});
    });
}

TEST(ResolverNetwork, NobodyIsNamedWithoutItsKey) {
    run(
        [](World& world) -> Result<> {
            Network network(world, 7, 5);
            DRACO_TRY_VOID(network.node(0).resolver().provide(object_number(3)));
            DRACO_TRY_VOID(world.run_for(5s));
            for (std::uint32_t i = 1; i < 7; ++i)
                DRACO_TRY_VOID(network.expect(i, object_number(3), {0}));
            DRACO_TRY_VOID(network.expect(1, object_number(4), {}));
            if (network.node(1).resolver().status().refused_records == 0)
                return fail(Errc::Corrupt, "no lie was seen");
            return {};
        },
        3);
}

TEST(ResolverNetwork, KeepersThatRestartAreToldAgain) {
    run([](World& world) -> Result<> {
        Network network(world, 6, 0);
        for (std::uint32_t i = 0; i < 200; ++i)
            DRACO_TRY_VOID(network.node(0).resolver().provide(object_number(i)));
        DRACO_TRY_VOID(world.run_for(3s));
        for (std::uint32_t i = 1; i < 6; ++i) {
            world.crash(PeerId(i));
            DRACO_TRY_VOID(world.run_for(100ms));
            world.start(PeerId(i));
        }
        DRACO_TRY_VOID(world.run_for(3s));
        for (std::uint32_t i = 0; i < 200; i += 7)
            DRACO_TRY_VOID(network.expect(5, object_number(i), {0}));
        if (network.node(3).resolver().status().kept_records != 200)
            return fail(Errc::Corrupt, "records are missing");
        return {};
    });
}

TEST(ResolverNetwork, RecordsAreRenewedWhileTheirNodeLivesAndThenExpire) {
    run([](World& world) -> Result<> {
        Options options;
        options.limits.lifetime = 60s;
        Network network(world, 6, 0, options);
        DRACO_TRY_VOID(network.node(0).resolver().provide(object_number(1)));
        DRACO_TRY_VOID(network.node(1).resolver().provide(object_number(1)));
        DRACO_TRY_VOID(world.run_for(600s));
        DRACO_TRY_VOID(network.expect(4, object_number(1), {0, 1}));
        world.crash(PeerId(0));
        DRACO_TRY_VOID(world.run_for(61s));
        DRACO_TRY_VOID(network.expect(4, object_number(1), {1}));
        network.node(1).resolver().withdraw(object_number(1));
        DRACO_TRY_VOID(world.run_for(200s));
        if (network.node(4).resolver().status().kept_records != 0)
            return fail(Errc::Corrupt, "records never end");
        return {};
    });
}

TEST(ResolverNetwork, NodesThatJoinBecomeKeepersAndThoseThatLeaveDoNotMatter) {
    run([](World& world) -> Result<> {
        Network network(world, 24, 0);
        const Nodes all = network.active;
        // Half of them at first.
        for (std::uint32_t i = 12; i < 24; ++i) network.active.erase(network.keys[i]);
        for (std::uint32_t i = 0; i < 24; ++i) network.node(i).ledger().tell();
        DRACO_TRY_VOID(world.run_for(1s));
        for (std::uint32_t i = 0; i < 40; ++i)
            DRACO_TRY_VOID(network.node(i % 3).resolver().provide(object_number(i)));
        DRACO_TRY_VOID(world.run_for(1s));
        // The other half takes over, except for those that provide.
        network.active = all;
        for (std::uint32_t i = 3; i < 12; ++i) network.active.erase(network.keys[i]);
        for (std::uint32_t i = 0; i < 24; ++i) network.node(i).ledger().tell();
        DRACO_TRY_VOID(world.run_for(2s));
        for (std::uint32_t i = 3; i < 12; ++i) world.crash(PeerId(i));
        for (std::uint32_t i = 0; i < 40; ++i)
            DRACO_TRY_VOID(network.expect(15, object_number(i), {i % 3}));
        return {};
    });
}

// Without stake a node could fill the keepers with records under as many keys as it likes.
TEST(ResolverNetwork, ANodeThatDoesNotTakePartIsNotNamed) {
    run([](World& world) -> Result<> {
        Network network(world, 12, 0);
        network.active.erase(network.keys[11]);
        for (std::uint32_t i = 0; i < 12; ++i) network.node(i).ledger().tell();
        DRACO_TRY_VOID(world.run_for(1s));
        DRACO_TRY_VOID(network.node(11).resolver().provide(object_number(1)));
        DRACO_TRY_VOID(network.node(10).resolver().provide(object_number(2)));
        DRACO_TRY_VOID(world.run_for(1s));
        DRACO_TRY_VOID(network.expect(0, object_number(1), {}));
        return network.expect(0, object_number(2), {10});
    });
}

TEST(ResolverNetwork, WithoutAnyKeeperReachableTheAnswerIsNotThatNobodyHasIt) {
    run([](World& world) -> Result<> {
        Network network(world, 12, 0);
        DRACO_TRY_VOID(world.run_for(1s));
        for (std::uint32_t i = 1; i < 12; ++i) world.crash(PeerId(i));
        // An object that node 0 keeps no records of.
        std::vector<NodeKey> nodes;
        for (const auto& [key, record] : network.active) nodes.push_back(key);
        std::uint32_t number = 0;
        while (is_among_best(object_number(number), network.keys[0], nodes, kKeepers)) ++number;
        const auto found = network.find(0, object_number(number));
        return !found && found.error().code == Errc::Unavailable
                   ? Result<>()
                   : fail(Errc::Corrupt, "it knows what it cannot know");
    });
}

}  // namespace
}  // namespace draco::resolver
