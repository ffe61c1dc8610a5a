// Links between nodes over loopback: they come up, carry messages, come back, and let in nobody
// whom they should not.

#include "draco/testing/seed.hpp"

#include "transport_fixture.hpp"

#include <future>
#include <random>
#include <thread>

namespace draco::pool {
namespace {

using namespace std::chrono_literals;

class Links : public ::testing::Test {
protected:
    // Everybody lists everybody.
    void mesh(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            nodes.push_back(std::make_unique<TestNode>(machine, static_cast<std::uint8_t>(i + 1)));
        for (const auto& node : nodes) node->transport->set_peers(addresses());
        for (const auto& node : nodes) node->receiver.wait_links(count - 1);
    }

    std::vector<interfaces::PeerAddress> addresses() const {
        std::vector<interfaces::PeerAddress> all;
        for (const auto& node : nodes) all.push_back(node->address());
        return all;
    }

    Machine machine;
    std::vector<std::unique_ptr<TestNode>> nodes;
};

// Four nodes link each pair once, and messages of each channel arrive in order and unchanged.
TEST_F(Links, FourNodesMesh) {
    mesh(4);
    for (const auto& from : nodes) {
        for (const auto& to : nodes) {
            if (from == to) continue;
            for (std::size_t i = 0; i < 50; ++i)
                for (const Channel channel : {Channel::Consensus, Channel::Control, Channel::Bulk})
                    ASSERT_TRUE(
                        from->transport->send(from->id_of(*to),
                                              channel,
                                              Bytes(1 + i * 997, static_cast<std::uint8_t>(i))));
        }
    }
    for (const auto& node : nodes) {
        node->receiver.wait([](const auto& seen) { return seen.messages_count == 3 * 150; });
        for (const auto& [from, messages] : node->receiver.seen().messages)
            for (std::size_t i = 0; i < 50; ++i)
                ASSERT_EQ(messages[i], Bytes(1 + i * 997, static_cast<std::uint8_t>(i)));
        EXPECT_EQ(node->transport->counters().links_up, 3U);
        EXPECT_EQ(node->transport->counters().guests, 0U);
    }
}

// The longest message crosses; a longer one is the sender's error.
TEST_F(Links, MessagesHaveABound) {
    mesh(2);
    const PeerId to = nodes[0]->id_of(*nodes[1]);
    Bytes longest(kMessageBytesMax, 9);
    ASSERT_TRUE(nodes[0]->transport->send(to, Channel::Bulk, longest));
    nodes[1]->receiver.wait([](const auto& seen) { return seen.messages_count == 1; });
    EXPECT_EQ(nodes[1]->receiver.seen().messages.begin()->second[0], longest);
    longest.push_back(9);
    EXPECT_EQ(nodes[0]->transport->send(to, Channel::Bulk, longest).error().code,
              Errc::InvalidArgument);
    EXPECT_EQ(nodes[0]->transport->send(PeerId(999), Channel::Bulk, {1}).error().code,
              Errc::NotFound);
}

// A node that ends is noticed by all; when it runs again, on another port, its links come back.
TEST_F(Links, ComeBackAfterARestart) {
    mesh(4);
    for (std::size_t victim : {0U, 3U, 2U}) {
        nodes[victim].reset();
        for (const auto& node : nodes)
            if (node) node->receiver.wait_links(2);
        nodes[victim] = std::make_unique<TestNode>(machine, static_cast<std::uint8_t>(victim + 1));
        for (const auto& node : nodes) node->transport->set_peers(addresses());
        for (const auto& node : nodes) node->receiver.wait_links(3);
    }
}

// Changes of the list end removed links and leave the others alone.
TEST_F(Links, ListsChangeLive) {
    mesh(4);
    auto fewer = addresses();
    fewer.pop_back();
    const types::NodeKey removed = nodes[3]->key;
    for (std::size_t i = 0; i < 3; ++i) nodes[i]->transport->set_peers(fewer);
    nodes[3]->transport->set_peers({});
    for (std::size_t i = 0; i < 3; ++i) nodes[i]->receiver.wait_links(2);
    nodes[3]->receiver.wait_links(0);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_FALSE(nodes[i]->transport->id_of(removed));
        for (const auto& [peer, ups] : nodes[i]->receiver.seen().ups) EXPECT_EQ(ups, 1);
    }
}

// When both sides dial at the same time, one link remains.
TEST_F(Links, SimultaneousDialsLeaveOneLink) {
    auto options = quick_options();
    options.larger_key_grace = 0ms;
    for (int round = 0; round < 10; ++round) {
        TestNode a(machine, 1, options);
        TestNode b(machine, 2, options);
        a.transport->set_peers({b.address()});
        b.transport->set_peers({a.address()});
        a.receiver.wait_links(1);
        b.receiver.wait_links(1);
        ASSERT_TRUE(a.receiver.seen().up.size() == 1);
        // A message of either side arrives: both mean the same link, perhaps after another try.
        for (TestNode* from : {&a, &b}) {
            TestNode& to = from == &a ? b : a;
            while (to.receiver.seen().messages_count == 0) {
                static_cast<void>(from->transport->send(from->id_of(to), Channel::Consensus, {1}));
                std::this_thread::yield();
            }
        }
    }
}

// Only the side that lists dials; the other side sees a guest, and both can speak.
TEST_F(Links, GuestsComeAndGo) {
    TestNode host(machine, 1);
    {
        TestNode guest(machine, 2);
        guest.transport->set_peers({host.address()});
        host.receiver.wait_links(1);
        guest.receiver.wait_links(1);
        EXPECT_EQ(host.transport->counters().guests, 1U);
        ASSERT_TRUE(host.transport->send(host.id_of(guest), Channel::Control, {1, 2}));
        ASSERT_TRUE(guest.transport->send(guest.id_of(host), Channel::Control, {3}));
        host.receiver.wait([](const auto& seen) { return seen.messages_count == 1; });
        guest.receiver.wait([](const auto& seen) { return seen.messages_count == 1; });
        EXPECT_EQ(guest.transport
                      ->send(guest.id_of(host), Channel::Bulk, Bytes(kGuestMessageBytesMax + 1))
                      .error()
                      .code,
                  Errc::InvalidArgument);
    }
    host.receiver.wait_links(0);
    EXPECT_FALSE(host.transport->id_of(key_of(identity_number(2))));
}

// Beyond the bound a guest is refused while the others are busy, and replaces one that is idle.
TEST_F(Links, GuestsAreBounded) {
    auto options = quick_options();
    options.guests_max = 2;
    TestNode busy(machine, 1, options);
    options.guest_idle_min = 0ms;
    TestNode idle(machine, 2, options);
    std::vector<std::unique_ptr<TestNode>> guests;
    for (std::uint8_t i = 0; i < 2; ++i) {
        guests.push_back(std::make_unique<TestNode>(machine, static_cast<std::uint8_t>(10 + i)));
        guests.back()->transport->set_peers({busy.address(), idle.address()});
        guests.back()->receiver.wait_links(2);
    }
    busy.receiver.wait_links(2);
    idle.receiver.wait_links(2);
    TestNode third(machine, 20);
    third.transport->set_peers({busy.address(), idle.address()});
    third.receiver.wait([&](const auto& seen) {
        return seen.ups.contains(third.transport->id_of(idle.key).value());
    });
    EXPECT_EQ(busy.receiver.seen().up.size(), 2U);
    EXPECT_FALSE(busy.transport->id_of(third.key));
}

// A node of another chain, or another genesis, is refused, and both logs say why.
TEST_F(Links, OtherChainsAreRefused) {
    TestNode here(machine, 1);
    auto options = quick_options();
    options.chain = types::ChainId(8);
    TestNode other_chain(machine, 2, options);
    options = quick_options();
    options.genesis.bytes[0] = 1;
    TestNode other_genesis(machine, 3, options);
    for (TestNode* node : {&other_chain, &other_genesis})
        node->transport->set_peers({here.address()});
    other_chain.log.wait_for("a node of chain 7, where this is chain 8");
    here.log.wait_for("a node of chain 8, where this is chain 7");
    other_genesis.log.wait_for("another genesis");
    here.log.wait_for("another genesis");
    EXPECT_TRUE(here.receiver.seen().ups.empty());
    EXPECT_TRUE(other_chain.receiver.seen().ups.empty());
}

// Who holds another key than the one expected at an address is not spoken to.
TEST_F(Links, UnexpectedKeysAreRefused) {
    TestNode here(machine, 1);
    TestNode there(machine, 2);
    auto wrong = there.address();
    wrong.key = key_of(identity_number(99));
    here.transport->set_peers({wrong});
    while (here.transport->counters().dials < 3) std::this_thread::yield();
    EXPECT_TRUE(here.receiver.seen().ups.empty());
    EXPECT_TRUE(there.receiver.seen().ups.empty());
}

// A refused peer loses its link and gets none until the pause is over.
TEST_F(Links, RefusedPeersWait) {
    mesh(2);
    const PeerId id = nodes[0]->id_of(*nodes[1]);
    nodes[0]->transport->refuse(id, 300ms);
    EXPECT_EQ(nodes[0]->transport->send(id, Channel::Control, {1}).error().code, Errc::Unavailable);
    for (const auto& node : nodes)
        node->receiver.wait([](const auto& seen) { return seen.ups.begin()->second == 2; });
}

// A peer that does not read fills the queue for it, which is told; when it reads on, all that was
// accepted arrives.
TEST_F(Links, StalledReadersExhaustAndRecover) {
    std::mutex gate;
    TestNode reader(machine, 1);
    TestNode writer(machine, 2);
    reader.receiver.when_message = [&] { const std::lock_guard wait(gate); };
    reader.transport->set_peers({writer.address()});
    writer.transport->set_peers({reader.address()});
    writer.receiver.wait_links(1);
    std::size_t accepted = 0;
    {
        const std::lock_guard closed(gate);
        for (;; ++accepted) {
            const auto sent =
                writer.transport->send(writer.id_of(reader), Channel::Bulk, Bytes(256 << 10, 1));
            if (sent) continue;
            EXPECT_EQ(sent.error().code, Errc::Exhausted);
            break;
        }
        EXPECT_GE(accepted, 32U);
        // Another channel has its own queue.
        EXPECT_TRUE(writer.transport->send(writer.id_of(reader), Channel::Consensus, {1}));
    }
    reader.receiver.wait([&](const auto& seen) { return seen.messages_count == accepted + 1; });
    EXPECT_TRUE(writer.transport->send(writer.id_of(reader), Channel::Bulk, {1}));
    EXPECT_EQ(writer.receiver.seen().ups.begin()->second, 1);
}

// Silence ends nothing while both sides live, and is not filled with traffic.
TEST_F(Links, IdleLinksStayUp) {
    auto options = quick_options();
    options.ping_interval = 50ms;
    TestNode a(machine, 1, options);
    TestNode b(machine, 2, options);
    a.transport->set_peers({b.address()});
    b.transport->set_peers({a.address()});
    a.receiver.wait_links(1);
    b.receiver.wait_links(1);
    const auto before = machine.network->counters().bytes_received;
    // Longer than the silence that would end the link.
    std::promise<void> passed;
    machine.executor->post_after(20 * options.ping_interval, [&] { passed.set_value(); });
    passed.get_future().wait();
    EXPECT_GT(machine.network->counters().bytes_received, before);
    EXPECT_EQ(a.receiver.seen().ups.begin()->second, 1);
    EXPECT_EQ(b.receiver.seen().ups.begin()->second, 1);
    EXPECT_EQ(a.receiver.seen().messages_count, 0U);
}

}  // namespace
}  // namespace draco::pool
