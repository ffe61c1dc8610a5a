// Peers that say hello wrongly, or nothing, or too much: they lose their connection, and leave
// nothing behind.

#include "draco/testing/seed.hpp"

#include "../src/hello.hpp"
#include "transport_fixture.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <thread>

namespace draco::pool {
namespace {

using namespace std::chrono_literals;

// A dialer that says what it is told to say, and waits for the end.
class Stranger {
public:
    Stranger(io::Network& network, std::uint8_t number, const TestNode& to, std::vector<Bytes> says)
        : heard_(std::make_shared<Heard>()) {
        auto stream =
            network.connect({.host = "127.0.0.1",
                             .port = to.transport->listen_port(),
                             .tls = io::ConnectTls{.identity = identity_number(number),
                                                   .expected = io::TlsPublicKey(to.key.view())}},
                            std::make_unique<Receiver>(heard_));
        stream_.emplace(*std::move(stream));
        for (Bytes& bytes : says) static_cast<void>(stream_->write(std::move(bytes)));
    }

    ~Stranger() { stream_->abort(); }

    Stranger(const Stranger&) = delete;
    Stranger& operator=(const Stranger&) = delete;

    Bytes wait_heard(std::size_t size) {
        std::unique_lock lock(heard_->mutex);
        heard_->changed.wait(lock, [&] { return heard_->bytes.size() >= size; });
        return heard_->bytes;
    }

    void wait_closed() {
        std::unique_lock lock(heard_->mutex);
        heard_->changed.wait(lock, [&] { return heard_->is_closed; });
    }

    void say(Bytes bytes) { static_cast<void>(stream_->write(std::move(bytes))); }

private:
    struct Heard {
        std::mutex mutex;
        std::condition_variable changed;
        Bytes bytes;
        bool is_closed = false;
    };

    struct Receiver final : io::StreamReceiver {
        explicit Receiver(std::shared_ptr<Heard> h) : heard(std::move(h)) {}

        void on_open(const io::Stream& opened) override { stream = opened; }

        std::size_t on_bytes(ByteView bytes) override {
            const std::lock_guard lock(heard->mutex);
            append(heard->bytes, bytes);
            heard->changed.notify_all();
            return bytes.size();
        }

        void on_end() override { stream->close(); }

        void on_writable() override {}

        void on_close(const Result<>& /*why*/) override {
            const std::lock_guard lock(heard->mutex);
            heard->is_closed = true;
            heard->changed.notify_all();
        }

        std::shared_ptr<Heard> heard;
        std::optional<io::Stream> stream;
    };

    std::shared_ptr<Heard> heard_;
    std::optional<io::Stream> stream_;
};

class HostilePeers : public ::testing::Test {
protected:
    static Bytes hello(std::uint8_t channel, std::uint64_t attempt = 1) {
        return encode_frame(Hello{.version = kLinkVersion,
                                  .chain = types::ChainId(7),
                                  .genesis = {},
                                  .channel = channel,
                                  .attempt = attempt,
                                  .listen_port = 0});
    }

    void expect_nothing_left(TestNode& node) {
        while (machine.network->counters().connections != 0) std::this_thread::yield();
        while (node.transport->counters().connections_unidentified != 0) std::this_thread::yield();
        EXPECT_EQ(node.transport->counters().links_up, 0U);
        EXPECT_TRUE(node.receiver.seen().up.empty());
    }

    Machine machine;
};

// Instead of a hello: a frame that is too long, one that does not decode, an empty one, a channel
// that does not exist, another version.
TEST_F(HostilePeers, WrongHellosEndTheConnection) {
    TestNode node(machine, 1);
    Bytes newer = hello(0);
    newer[kFrameHeaderBytes] = 9;
    for (const Bytes& said : {frame_header(kHelloBytesMax + 1),
                              Bytes(20, 0xff),
                              frame_header(0),
                              Bytes{4, 0, 0, 0, 1, 0, 3, 3},
                              hello(3),
                              newer}) {
        Stranger stranger(*machine.network, 9, node, {said});
        stranger.wait_closed();
    }
    expect_nothing_left(node);
    EXPECT_EQ(node.transport->counters().hellos_refused, 4U);
    EXPECT_EQ(node.transport->counters().frames_refused, 2U);
}

// One of three connections, or one of them twice, is no link, and ends at the deadline.
TEST_F(HostilePeers, UnfinishedLinksEndAtTheDeadline) {
    auto options = quick_options();
    options.link_deadline = 200ms;
    TestNode node(machine, 1, options);
    Stranger silent(*machine.network, 8, node, {});
    Stranger first(*machine.network, 9, node, {hello(0)});
    Stranger second(*machine.network, 9, node, {hello(1)});
    Stranger again(*machine.network, 9, node, {hello(1)});
    for (Stranger* each : {&silent, &first, &second, &again}) each->wait_closed();
    expect_nothing_left(node);
    EXPECT_FALSE(node.transport->id_of(key_of(identity_number(9))));
}

// A link that is up ends with the first frame that is longer than allowed, all three connections.
TEST_F(HostilePeers, OversizedFramesEndTheLink) {
    TestNode node(machine, 1);
    std::vector<std::unique_ptr<Stranger>> link;
    for (std::uint8_t channel = 0; channel < kChannelCount; ++channel)
        link.push_back(std::make_unique<Stranger>(
            *machine.network, 9, node, std::vector<Bytes>{hello(channel)}));
    node.receiver.wait_links(1);
    link[1]->wait_heard(1);
    link[1]->say(frame_header(kGuestMessageBytesMax + 1));
    for (const auto& each : link) each->wait_closed();
    node.receiver.wait_links(0);
    EXPECT_EQ(node.transport->counters().frames_refused, 1U);
    link.clear();
    expect_nothing_left(node);
}

// A new link of a peer that has one replaces it: the old one was lost where the new one came from.
TEST_F(HostilePeers, NewLinksReplaceOldOnes) {
    TestNode node(machine, 1);
    std::vector<std::unique_ptr<Stranger>> links;
    for (const std::uint64_t attempt : {1U, 2U}) {
        for (std::uint8_t channel = 0; channel < kChannelCount; ++channel)
            links.push_back(std::make_unique<Stranger>(
                *machine.network, 9, node, std::vector<Bytes>{hello(channel, attempt)}));
        node.receiver.wait([&](const auto& seen) {
            return !seen.ups.empty() && seen.ups.begin()->second == static_cast<int>(attempt);
        });
    }
    for (std::size_t i = 0; i < kChannelCount; ++i) links[i]->wait_closed();
    node.receiver.wait_links(1);
    links.clear();
    node.receiver.wait_links(0);
    expect_nothing_left(node);
}

int raw_connect(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    return socket;
}

// Bytes that are no TLS end each connection, and links between others are not disturbed.
TEST_F(HostilePeers, RandomBytesOnThePort) {
    TestNode node(machine, 1);
    TestNode friendly(machine, 2);
    friendly.transport->set_peers({node.address()});
    node.receiver.wait_links(1);
    friendly.receiver.wait_links(1);
    std::mt19937_64 rng(testing::test_seed(1));
    for (int i = 0; i < 50; ++i) {
        const int socket = raw_connect(node.transport->listen_port());
        Bytes garbage(1 + rng() % 3000);
        for (auto& byte : garbage) byte = static_cast<std::uint8_t>(rng());
        ::send(socket, garbage.data(), garbage.size(), MSG_NOSIGNAL);
        ::close(socket);
    }
    ASSERT_TRUE(friendly.transport->send(friendly.id_of(node), Channel::Control, {1}));
    node.receiver.wait([](const auto& seen) { return seen.messages_count == 1; });
    while (machine.network->counters().connections != 2 * kChannelCount) std::this_thread::yield();
    EXPECT_EQ(node.receiver.seen().ups.begin()->second, 1);
}

// Hundreds of connections that say nothing: beyond the bound of their address they are reset, the
// others end at the deadline, and then a peer gets in.
TEST_F(HostilePeers, HalfOpenConnectionsEnd) {
    auto options = quick_options();
    options.handshake_deadline = 300ms;
    options.connections_per_address_max = 100;
    TestNode node(machine, 1, options);
    std::vector<int> sockets;
    for (int i = 0; i < 500; ++i) sockets.push_back(raw_connect(node.transport->listen_port()));
    TestNode friendly(machine, 2);
    friendly.transport->set_peers({node.address()});
    node.receiver.wait_links(1);
    while (machine.network->counters().connections != 2 * kChannelCount) std::this_thread::yield();
    EXPECT_EQ(node.transport->counters().connections_unidentified, 0U);
    for (const int socket : sockets) ::close(socket);
}

}  // namespace
}  // namespace draco::pool
