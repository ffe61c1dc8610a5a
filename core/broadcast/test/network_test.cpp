// Networks of 4, 20 and 100 gossiping nodes under loss, partitions, crashes and liars: whatever an
// honest node publishes reaches every honest node once all is well again, and few copies are sent.
// The model is the set of what was published.

#include "draco/broadcast/gossip.hpp"
#include "draco/pool/pool.hpp"
#include "draco/simulon/scenario.hpp"
#include "draco/testing/seed.hpp"

#include "../../pool/test/simulated_peers.hpp"

#include <gtest/gtest.h>

#include <iostream>

namespace draco::broadcast {
namespace {

using namespace std::chrono_literals;
using namespace draco::simulon;
using interfaces::GossipVerdict;
using interfaces::Topic;

types::NodeKey key_number(std::uint32_t number) {
    types::NodeKey key;
    store_be(key.data(), number + 1);
    return key;
}

struct Journal {
    std::set<Bytes> published;
    std::vector<std::set<Bytes>> has;  // by node; lost in a crash
    std::uint64_t copies = 0;          // payloads that came to nodes, news or not
    std::uint64_t arrivals = 0;        // news
};

class Node final : public Program, interfaces::GossipSubscriber {
public:
    Node(const Host& host, const std::vector<types::NodeKey>& keys, Journal& journal)
        : host_(host),
          journal_(journal),
          transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]),
          registry_(host.executor),
          gossip_(Gossip::make(pool_, registry_, log_, {.limits = {}, .seed = host.rng.next()})
                      .value()) {
        journal_.has[host.id.value()].clear();
        gossip_->set_subscriber(Topic::BlockCertificates, this);
    }

    ~Node() override {
        const auto counts = gossip_->counts();
        journal_.copies += counts.duplicates;
    }

    void publish(Bytes payload) {
        journal_.published.insert(payload);
        journal_.has[host_.id.value()].insert(payload);
        EXPECT_TRUE(gossip_->publish(Topic::BlockCertificates, std::move(payload)).has_value());
    }

private:
    GossipVerdict on_gossip(const types::NodeKey& /*from*/, ByteView payload) override {
        if (payload.empty() || payload[0] != 'v') return GossipVerdict::Reject;
        ++journal_.arrivals;
        journal_.has[host_.id.value()].insert(to_bytes(payload));
        return GossipVerdict::Accept;
    }

    Host host_;
    Journal& journal_;
    log::NullLog log_;
    pool::SimulatedPeers transport_;
    pool::Pool pool_;
    affair::Registry registry_;
    std::unique_ptr<Gossip> gossip_;
};

// Advertises what it never delivers, delivers what nobody asked for, and floods.
class Liar final : public Program, interfaces::MessageReceiver {
public:
    Liar(const Host& host, const std::vector<types::NodeKey>& keys)
        : host_(host),
          transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]) {
        pool_.set_receiver(interfaces::Protocol::Gossip, this);
        act();
    }

private:
    void act() {
        for (const auto& peer : pool_.connected()) {
            for (std::uint64_t i = 0; i < 20; ++i) {
                Bytes junk(host_.rng.below(60));
                host_.rng.fill(junk);
                say(peer, junk);
            }
            Bytes invalid(40);
            host_.rng.fill(invalid);
            invalid[0] = 'x';
            say(peer,
                bcs::encode(
                    Message(Push{1, bcs::Bounded<Bytes, kPushBytesMax>::make(invalid).value()})));
        }
        host_.executor.post_after(100ms, [this] { act(); });
    }

    void say(const types::NodeKey& to, ByteView message) {
        static_cast<void>(pool_.send(to, interfaces::Protocol::Gossip, Channel::Control, message));
    }

    // Claims to everybody that it has what it hears of, and answers pulls with something else.
    void on_message(const types::NodeKey& from, ByteView bytes) override {
        auto message = decode_message(bytes);
        if (!message) return;
        if (std::holds_alternative<Advertise>(*message)) {
            if (!told_.insert(to_bytes(bytes)).second) return;  // liars do not feed on each other
            for (const auto& peer : pool_.connected()) say(peer, bytes);
        } else if (std::holds_alternative<Pull>(*message) && host_.rng.below(2) == 0) {
            say(from,
                bcs::encode(Message(
                    Deliver{1,
                            bcs::Bounded<Bytes, interfaces::kGossipBytesMax>::make(Bytes(2000, 'v'))
                                .value()})));
        }
    }

    void on_link_up(const types::NodeKey& /*peer*/) override {}

    void on_link_down(const types::NodeKey& /*peer*/) override {}

    Host host_;
    log::NullLog log_;
    pool::SimulatedPeers transport_;
    pool::Pool pool_;
    std::set<Bytes> told_;
};

struct Shape {
    std::uint32_t nodes = 4;
    std::uint32_t liars = 0;
    std::uint32_t links_per_node = 0;  // 0: all
    double loss = 0;
    bool faults = true;
    std::uint32_t payloads = 12;
};

void connect(World& world, const Shape& shape, SeededRng& rng) {
    const LinkOptions link{.latency = Latency::uniform(5ms, 60ms), .loss = shape.loss};
    if (shape.links_per_node == 0) return world.connect_all(link);
    std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
    const auto add = [&](std::uint32_t a, std::uint32_t b) {
        if (a != b) pairs.emplace(std::min(a, b), std::max(a, b));
    };
    for (std::uint32_t a = 0; a < shape.nodes; ++a) {
        add(a, (a + 1) % shape.nodes);  // a ring, so that honest nodes are connected
        for (std::uint32_t i = 1; i < shape.links_per_node / 2; ++i)
            add(a, static_cast<std::uint32_t>(rng.below(shape.nodes)));
    }
    for (const auto& [a, b] : pairs) world.connect(PeerId(a), PeerId(b), link);
}

Result<> scenario(World& world, const Shape& shape, Journal& journal) {
    SeededRng rng = world.rng("gossip");
    const std::uint32_t honest = shape.nodes - shape.liars;
    std::vector<types::NodeKey> keys;
    for (std::uint32_t i = 0; i < shape.nodes; ++i) keys.push_back(key_number(i));
    journal = {};
    journal.has.resize(shape.nodes);
    for (std::uint32_t i = 0; i < shape.nodes; ++i)
        world.add_node([&, i](const Host& host) -> std::unique_ptr<Program> {
            if (i >= honest) return std::make_unique<Liar>(host, keys);
            return std::make_unique<Node>(host, keys, journal);
        });
    connect(world, shape, rng);
    world.start_all();
    DRACO_TRY_VOID(world.run_for(1s));
    for (std::uint32_t i = 0; i < shape.payloads; ++i) {
        const auto who = static_cast<std::uint32_t>(rng.below(honest));
        const PeerId id(who);
        if (shape.faults && i % 4 == 1) {
            std::vector<PeerId> half;
            for (std::uint32_t n = 0; n < shape.nodes; n += 2) half.emplace_back(n);
            const std::vector<std::vector<PeerId>> groups{half};
            world.partition(groups, World::Partition::Noticed);
        }
        if (shape.faults && i % 4 == 3) world.heal();
        if (world.running(id)) {
            Bytes payload(1 + rng.below(i % 3 == 0 ? 20'000 : 900));
            rng.fill(payload);
            payload[0] = 'v';
            static_cast<Node&>(world.program(id)).publish(std::move(payload));
        }
        // Another node crashes; what only it had may be lost, so the publisher stays.
        const PeerId victim((who + 1) % honest);
        if (shape.faults && rng.below(3) == 0 && world.running(victim)) {
            DRACO_TRY_VOID(world.run_for(400ms));
            const auto& has = journal.has[victim.value()];
            const bool is_shared = std::ranges::all_of(has, [&](const Bytes& payload) {
                return std::ranges::count_if(journal.has, [&](const auto& other) {
                           return other.contains(payload);
                       }) > 1;
            });
            if (is_shared) {
                world.crash(victim);
                journal.has[victim.value()].clear();
                DRACO_TRY_VOID(world.run_for(200ms));
                world.start(victim);
            }
        }
        DRACO_TRY_VOID(world.run_for(Duration(std::chrono::milliseconds(rng.below(800)))));
    }
    world.heal();
    const auto all_have_all = [&] {
        for (std::uint32_t n = 0; n < honest; ++n)
            if (journal.has[n] != journal.published) return false;
        return true;
    };
    const auto spread = world.run_until_true(all_have_all, 60s);
    if (!spread) {
        std::size_t missing = 0;
        for (std::uint32_t n = 0; n < honest; ++n)
            missing += journal.published.size() - journal.has[n].size();
        return fail(Errc::Corrupt,
                    std::to_string(missing) + " copies are missing after the healing");
    }
    DRACO_TRY_VOID(world.run_for(10s));  // each node adds its duplicates when it ends
    return {};
}

void run_shape(const Shape& shape, std::uint64_t seeds, double copies_max) {
    Journal journal;
    const auto report = run_seeds([&](World& world) { return scenario(world, shape, journal); },
                                  testing::test_seed(1),
                                  testing::scaled(seeds));
    EXPECT_TRUE(report.verdict.has_value()) << to_string(report);
    if (!report.verdict || journal.arrivals == 0) return;
    const double copies = static_cast<double>(journal.arrivals + journal.copies) /
                          static_cast<double>(journal.arrivals);
    std::cout << shape.nodes << " nodes: " << copies << " copies per node and payload\n";
    EXPECT_LT(copies, copies_max);
}

TEST(GossipNetwork, FourNodes) {
    run_shape({.nodes = 4, .loss = 0.1}, 10, 6);
}

TEST(GossipNetwork, TwentyNodes) {
    run_shape({.nodes = 20, .loss = 0.1}, 3, 8);
}

TEST(GossipNetwork, AHundredNodesOfTwelveLinks) {
    run_shape({.nodes = 100, .links_per_node = 12, .loss = 0.02, .payloads = 8}, 1, 8);
}

TEST(GossipNetwork, LiarsAndFloodsDoNotStopIt) {
    run_shape({.nodes = 9, .liars = 3, .loss = 0.05, .faults = false}, 3, 8);
}

TEST(GossipNetwork, WithoutFaultsAllHearInTime) {
    run_shape({.nodes = 20, .faults = false}, 1, 7);
}

}  // namespace
}  // namespace draco::broadcast
