// Streams over loopback, each test once plain and once under TLS.

#include "draco/testing/seed.hpp"

#include "network_fixture.hpp"
#include "raw_socket.hpp"

#include <chrono>
#include <random>
#include <thread>
#include <utility>

namespace draco::io {
namespace {

using namespace std::chrono_literals;

class Links : public ::testing::TestWithParam<bool> {
protected:
    ListenOptions listen_options() const {
        ListenOptions options;
        if (GetParam())
            options.tls = ListenTls{identity(1), [](const TlsPublicKey&) { return true; }};
        return options;
    }

    ConnectOptions connect_options(std::uint16_t port) const {
        ConnectOptions options{.host = "127.0.0.1", .port = port};
        if (GetParam()) options.tls = ConnectTls{identity(2), identity(1).public_key()};
        return options;
    }

    std::unique_ptr<Listener> listen(const std::shared_ptr<Record>& record) {
        return network_->listen(listen_options(), accept_with(record)).value();
    }

    Stream connect(const Listener& listener, const std::shared_ptr<Record>& record) {
        return network_->connect(connect_options(listener.port()), receive_with(record)).value();
    }

    std::unique_ptr<Network> network_ = start_network();
    std::shared_ptr<Record> server_ = std::make_shared<Record>();
    std::shared_ptr<Record> client_ = std::make_shared<Record>();
};

INSTANTIATE_TEST_SUITE_P(Io, Links, ::testing::Bool(), [](const auto& param) {
    return param.param ? "Tls" : "Plain";
});

template <class Condition>
void spin_until(const Condition& condition) {
    while (!condition()) std::this_thread::yield();
}

// What one side writes and ends, the other hears, answers and ends; both close with success.
TEST_P(Links, CarryBytesBothWaysAndEnd) {
    server_->when_end = [&](const Stream& stream) {
        EXPECT_TRUE(stream.write(to_bytes(as_bytes("pong"))));
        stream.end();
    };
    const auto listener = listen(server_);
    const Stream stream = connect(*listener, client_);
    EXPECT_TRUE(stream.write(to_bytes(as_bytes("ping"))));
    stream.end();
    EXPECT_FALSE(stream.write(Bytes(1)));
    EXPECT_EQ(client_->wait_closed(), "ok") << client_->reason();
    EXPECT_EQ(server_->wait_closed(), "ok") << server_->reason();
    EXPECT_EQ(as_text(server_->seen().bytes), "ping");
    EXPECT_EQ(as_text(client_->seen().bytes), "pong");
    EXPECT_EQ(stream.write(Bytes(1)).error().code, Errc::Unavailable);
    EXPECT_EQ(stream.peer_address(), "127.0.0.1:" + std::to_string(listener->port()));
    EXPECT_EQ(stream.peer_key().has_value(), GetParam());
}

// Echoes what it hears. What it cannot write at once it leaves to be shown again.
void make_echo(Record& record, std::mt19937_64& random) {
    record.when_bytes = [&](const Stream& stream, ByteView bytes) -> std::size_t {
        const std::size_t count = 1 + random() % bytes.size();
        if (!stream.write(to_bytes(bytes.first(count)))) return 0;
        if (count < bytes.size()) stream.resume_reading();
        return count;
    };
    record.when_writable = [](const Stream& stream) { stream.resume_reading(); };
}

// Many MiB cut at random come back from an echo that consumes at random, byte for byte.
TEST_P(Links, EchoRandomChunksUnchanged) {
    std::mt19937_64 random(testing::test_seed(3));
    std::mt19937_64 echo_random(random());
    Bytes sent(testing::scaled(6) << 20);
    for (std::uint8_t& byte : sent) byte = static_cast<std::uint8_t>(random());
    make_echo(*server_, echo_random);
    const auto listener = listen(server_);
    const Stream stream = connect(*listener, client_);
    for (ByteView rest = sent; !rest.empty();) {
        const std::size_t limit = random() % 4 == 0 ? 200'000 : 2'000;
        const std::size_t count = std::min<std::size_t>(1 + random() % limit, rest.size());
        const std::size_t cut = random() % (count + 1);
        Bytes parts[] = {to_bytes(rest.first(cut)), to_bytes(rest.subspan(cut, count - cut))};
        const int writable = client_->seen_writable();
        if (stream.write(parts)) {
            EXPECT_TRUE(parts[0].empty() && parts[1].empty());
            rest = rest.subspan(count);
            continue;
        }
        EXPECT_EQ(parts[0].size() + parts[1].size(), count);
        client_->wait([&](const Record::Seen& seen) { return seen.writable > writable; });
    }
    client_->wait([&](const Record::Seen& seen) { return seen.bytes.size() == sent.size(); });
    stream.close();
    EXPECT_EQ(client_->wait_closed(), "ok") << client_->reason();
    EXPECT_EQ(server_->wait_closed(), "ok") << server_->reason();
    EXPECT_TRUE(client_->seen().bytes == sent);
}

// A receiver that consumes nothing stops the writer; both hold no more than they may. When it
// consumes again, the writer is told, and nothing is lost.
TEST_P(Links, SlowReceiversStopTheWriter) {
    constexpr std::size_t kChunk = 64 << 10;
    std::atomic<bool> consumes{false};
    server_->when_bytes = [&](const Stream&, ByteView bytes) {
        return consumes ? bytes.size() : 0;
    };
    const auto listener = listen(server_);
    const Stream stream = connect(*listener, client_);
    const Stream accepted = server_->wait_open();
    client_->wait_open();
    const StreamOptions limits;
    std::size_t total = 0;
    // Full for good when the queue is full and the receiver's side is, too.
    for (std::uint64_t sent_before = 0;;) {
        if (stream.write(Bytes(kChunk))) {
            total += kChunk;
            continue;
        }
        const std::uint64_t sent = stream.counters().bytes_sent;
        const bool is_full = accepted.counters().bytes_waiting == limits.receive_bytes_max;
        if (is_full && sent == sent_before && sent > 0) break;
        sent_before = sent;
        std::this_thread::yield();
    }
    EXPECT_LE(stream.counters().bytes_queued, limits.send_bytes_max);
    EXPECT_EQ(server_->seen().shown_max, limits.receive_bytes_max);
    EXPECT_EQ(server_->seen().bytes.size(), 0);
    EXPECT_EQ(stream.write(Bytes(limits.send_bytes_max + 1)).error().code, Errc::InvalidArgument);
    consumes = true;
    accepted.resume_reading();
    for (;;) {
        const int writable = client_->seen_writable();
        if (stream.write(Bytes(kChunk))) break;
        client_->wait([&](const Record::Seen& seen) { return seen.writable > writable; });
    }
    total += kChunk;
    server_->wait([&](const Record::Seen& seen) { return seen.bytes.size() == total; });
    EXPECT_EQ(accepted.counters().bytes_waiting, 0);
}

// abort() resets: the other side hears Unavailable, one's own Abandoned. Before on_open, too.
TEST_P(Links, AbortResets) {
    const auto listener = listen(server_);
    const Stream stream = connect(*listener, client_);
    server_->wait_open();
    stream.abort();
    EXPECT_EQ(client_->wait_closed(), "Abandoned");
    EXPECT_EQ(server_->wait_closed(), "Unavailable") << server_->reason();
    const auto early = std::make_shared<Record>();
    connect(*listener, early).abort();
    EXPECT_EQ(early->wait_closed(), "Abandoned");
}

// What is asked for inside a callback holds from its end on: nothing more is heard but on_close.
TEST_P(Links, CallbacksMayEndTheStream) {
    int shown = 0;
    server_->when_bytes = [&](const Stream& stream, ByteView) -> std::size_t {
        ++shown;
        stream.abort();
        return 1;
    };
    const auto listener = listen(server_);
    const Stream stream = connect(*listener, client_);
    EXPECT_TRUE(stream.write(Bytes(1 << 20)));
    EXPECT_EQ(server_->wait_closed(), "Abandoned");
    EXPECT_EQ(shown, 1);
    client_->wait_closed();
}

// close() sends what is queued, then waits for the other side and closes with success, though that
// side goes on sending.
TEST_P(Links, CloseDeliversWhatIsQueued) {
    server_->when_end = [](const Stream& stream) {
        EXPECT_TRUE(stream.write(Bytes(200'000)));
        stream.close();
    };
    const auto listener = listen(server_);
    const Stream stream = connect(*listener, client_);
    EXPECT_TRUE(stream.write(Bytes(1 << 20, 7)));
    client_->wait_open();
    stream.close();
    EXPECT_EQ(client_->wait_closed(), "ok") << client_->reason();
    EXPECT_EQ(server_->wait_closed(), "ok") << server_->reason();
    EXPECT_EQ(server_->seen().bytes, Bytes(1 << 20, 7));
    EXPECT_TRUE(client_->seen().bytes.empty());
}

// A stream over which nothing moves is closed at its idle deadline, and one whose peer does not
// end is closed at its close deadline.
TEST_P(Links, DeadlinesCloseIdleStreams) {
    server_->when_end = [](const Stream&) {};
    const auto listener = listen(server_);
    ConnectOptions options = connect_options(listener->port());
    options.stream.idle_deadline = 30ms;
    ASSERT_TRUE(network_->connect(options, receive_with(client_)));
    EXPECT_EQ(client_->wait_closed(), "DeadlineExceeded");
    options.stream.idle_deadline = 1h;
    options.stream.close_deadline = 30ms;
    const auto closing = std::make_shared<Record>();
    const Stream stream = network_->connect(options, receive_with(closing)).value();
    closing->wait_open();
    stream.close();
    EXPECT_EQ(closing->wait_closed(), "DeadlineExceeded");
}

// No more connections than allowed are open; the next one opens when one has ended. A null
// receiver refuses.
TEST_P(Links, ListenersBoundTheirConnections) {
    std::mutex mutex;
    std::vector<std::shared_ptr<Record>> records;
    ListenOptions options = listen_options();
    options.connections_max = 2;
    std::atomic<bool> refuses{false};
    const auto listener =
        network_
            ->listen(
                options,
                std::make_unique<RecordingAcceptor>([&](const Stream&) -> std::shared_ptr<Record> {
                    if (refuses) return nullptr;
                    const std::lock_guard lock(mutex);
                    return records.emplace_back(std::make_shared<Record>());
                }))
            .value();
    std::vector<std::shared_ptr<Record>> clients;
    std::vector<Stream> streams;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(std::make_shared<Record>());
        streams.push_back(connect(*listener, clients.back()));
    }
    for (std::size_t ended = 0; ended < 3; ++ended) {
        spin_until([&] { return listener->counters().opened == ended + 2; });
        EXPECT_EQ(listener->counters().connections, 2);
        EXPECT_EQ(listener->counters().accepted, ended + 2);
        const auto oldest = [&] {
            const std::lock_guard lock(mutex);
            return records[ended];
        }();
        oldest->wait_open().abort();
    }
    spin_until([&] { return listener->counters().opened == 5; });
    EXPECT_EQ(listener->counters().refused, 0);
    refuses = true;
    for (const Stream& stream : streams) stream.abort();
    for (const auto& client : clients) client->wait_closed();
    const auto refused = std::make_shared<Record>();
    connect(*listener, refused);
    EXPECT_EQ(refused->wait_closed(), "Unavailable") << refused->reason();
    spin_until([&] {
        return listener->counters() == ListenerCounters{.accepted = 6, .opened = 5, .refused = 1};
    });
}

// One address gets so many connections; the next one is reset, and is let in when one has ended.
TEST_P(Links, ListenersBoundConnectionsPerAddress) {
    ListenOptions options = listen_options();
    options.connections_per_address_max = 2;
    const auto listener = network_->listen(options, accept_with(server_)).value();
    std::vector<FileDescriptor> silent;
    silent.push_back(raw_connect(listener->port()));
    silent.push_back(raw_connect(listener->port()));
    spin_until([&] { return listener->counters().connections == 2; });
    EXPECT_TRUE(raw_receive_all(raw_connect(listener->port())).empty());
    EXPECT_EQ(listener->counters().accepted, 3);
    EXPECT_EQ(listener->counters().refused, 1);
    silent.clear();
    spin_until([&] { return listener->counters().connections == 0; });
    server_ = std::make_shared<Record>();
    const auto second = network_->listen(options, accept_with(server_)).value();
    connect(*second, client_);
    server_->wait_open();
}

// Hundreds of connections, reset in whatever state they are, leave nothing behind.
TEST_P(Links, ManyConnectionsResetAtAnyTimeLeaveNothing) {
    std::mt19937_64 random(testing::test_seed(5));
    const auto listener =
        network_
            ->listen(listen_options(), std::make_unique<RecordingAcceptor>([](const Stream&) {
                         return std::make_shared<Record>();
                     }))
            .value();
    for (std::uint64_t i = 0; i < testing::scaled(15); ++i) {
        std::vector<std::pair<std::shared_ptr<Record>, Stream>> clients;
        for (int j = 0; j < 20; ++j) {
            const auto record = std::make_shared<Record>();
            const int act = static_cast<int>(random() % 5);
            record->when_open = [act](const Stream& stream) {
                if (act == 0) stream.abort();
                if (act == 1) stream.close();
            };
            const Stream stream = connect(*listener, record);
            // Fails where the stream is closed already.
            static_cast<void>(stream.write(Bytes(random() % 30'000)));
            if (act == 2) stream.close();
            clients.emplace_back(record, stream);
        }
        for (const auto& [record, stream] : clients)
            if (random() % 2 == 0) stream.abort();
        for (const auto& [record, stream] : clients) stream.close();
        for (const auto& [record, stream] : clients) record->wait_closed();
    }
    spin_until([&] { return listener->counters().connections == 0; });
    spin_until([&] { return network_->counters().connections == 0; });
    EXPECT_EQ(listener->counters().accepted,
              listener->counters().opened + listener->counters().refused);
}

// Stopping ends every stream, open or not, and every receiver; handles stay harmless.
TEST_P(Links, StopEndsEveryStream) {
    const RawListener silent;  // completes no handshake
    const auto listener = listen(server_);
    const Stream stream = connect(*listener, client_);
    server_->wait_open();
    client_->wait_open();
    const auto stalled = std::make_shared<Record>();
    const Stream half_open =
        network_->connect(connect_options(silent.port()), receive_with(stalled)).value();
    const auto stranger = raw_connect(listener->port());
    network_->stop();
    // Unavailable where the other end was reset first.
    EXPECT_NE(client_->wait_closed(), "ok");
    EXPECT_NE(server_->wait_closed(), "ok");
    EXPECT_EQ(stalled->wait_closed(), "Abandoned");
    EXPECT_EQ(stream.write(Bytes(1)).error().code, Errc::Unavailable);
    stream.close();
    half_open.abort();
    EXPECT_EQ(network_->connect(connect_options(1), receive_with(client_)).error().code,
              Errc::Unavailable);
    EXPECT_EQ(network_->listen(listen_options(), accept_with(server_)).error().code,
              Errc::Unavailable);
    EXPECT_EQ(network_->counters().connections, 0);
    network_.reset();
    stream.abort();
}

// A closed listener accepts no more; what is open stays.
TEST_P(Links, ClosedListenersKeepTheirStreams) {
    auto listener = listen(server_);
    const Stream stream = connect(*listener, client_);
    server_->wait_open();
    const std::uint16_t port = listener->port();
    listener.reset();
    // The port is closed when a connection to it is refused.
    for (bool refused = false; !refused;) {
        const auto record = std::make_shared<Record>();
        ASSERT_TRUE(network_->connect(connect_options(port), receive_with(record)));
        refused = record->wait_closed() == "Unavailable";
    }
    EXPECT_TRUE(stream.write(to_bytes(as_bytes("still"))));
    stream.close();
    EXPECT_EQ(client_->wait_closed(), "ok") << client_->reason();
    server_->wait_closed();
    EXPECT_EQ(as_text(server_->seen().bytes), "still");
}

// What a connection had not passed on when it was cut off can be told afterwards: on a plain one it
// is all but what the system took.
TEST_P(Links, WhatWasNeverPassedOnIsCounted) {
    server_->when_bytes = [](const Stream&, ByteView) { return std::size_t{0}; };
    const auto listener = listen(server_);
    const Stream stream = connect(*listener, client_);
    client_->wait_open();
    constexpr std::size_t kChunk = 64 << 10;
    std::size_t total = 0;
    // Until the systems of both sides have long taken nothing more.
    constexpr auto kLong = std::chrono::milliseconds(200);
    auto last_taken = std::chrono::steady_clock::now();
    for (std::uint64_t sent_before = 0;;) {
        if (stream.write(Bytes(kChunk))) total += kChunk;
        const std::uint64_t sent = stream.counters().bytes_sent;
        const auto now = std::chrono::steady_clock::now();
        if (std::exchange(sent_before, sent) != sent) last_taken = now;
        if (sent > 0 && now - last_taken > kLong) break;
        std::this_thread::yield();
    }
    stream.abort();
    client_->wait_closed();
    const StreamCounters counters = stream.counters();
    EXPECT_GT(counters.bytes_queued, 0);
    if (!GetParam()) EXPECT_EQ(counters.bytes_queued + counters.bytes_sent, total);
    EXPECT_FALSE(stream.write(Bytes(1)));
    EXPECT_EQ(stream.counters().bytes_queued, counters.bytes_queued);
}

// The counters add up on both sides.
TEST_P(Links, CountersCountBytes) {
    const auto listener = listen(server_);
    const Stream stream = connect(*listener, client_);
    EXPECT_TRUE(stream.write(Bytes(100'000)));
    client_->wait_open();
    stream.close();
    client_->wait_closed();
    server_->wait_closed();
    const StreamCounters client = stream.counters();
    const StreamCounters server = server_->seen().stream->counters();
    EXPECT_EQ(client.bytes_sent, server.bytes_received);
    EXPECT_EQ(server.bytes_sent, client.bytes_received);
    EXPECT_EQ(client.bytes_queued, 0);
    if (!GetParam()) EXPECT_EQ(client.bytes_sent, 100'000);
    EXPECT_EQ(network_->counters(),
              (NetworkCounters{.bytes_received = client.bytes_received + server.bytes_received,
                               .bytes_sent = client.bytes_sent + server.bytes_sent}));
}

// Names resolve; where nobody listens, the receiver hears so.
TEST(Network, ConnectsByNameAndReportsRefusal) {
    const auto network = start_network(1);
    const auto server = std::make_shared<Record>();
    auto listener = network->listen({}, accept_with(server)).value();
    const auto client = std::make_shared<Record>();
    const Stream stream =
        network->connect({.host = "localhost", .port = listener->port()}, receive_with(client))
            .value();
    client->wait_open();
    stream.close();
    EXPECT_EQ(client->wait_closed(), "ok");
    std::uint16_t closed_port = 0;
    {
        const RawListener gone;
        closed_port = gone.port();
    }
    const auto refused = std::make_shared<Record>();
    ASSERT_TRUE(
        network->connect({.host = "127.0.0.1", .port = closed_port}, receive_with(refused)));
    EXPECT_EQ(refused->wait_closed(), "Unavailable");
    EXPECT_NE(refused->reason().find("127.0.0.1:" + std::to_string(closed_port)),
              std::string::npos);
}

// Each reason not to listen has its error.
TEST(Network, ListenErrorsTellWhatToDo) {
    const auto network = start_network(1);
    const RawListener taken;
    const auto code = [&](const ListenOptions& options) {
        return network->listen(options, accept_with(nullptr)).error().code;
    };
    EXPECT_EQ(code({.port = taken.port()}), Errc::AlreadyExists);
    EXPECT_EQ(code({.address = "not an address"}), Errc::InvalidArgument);
    EXPECT_EQ(code({.address = "192.0.2.1"}), Errc::InvalidArgument);
    EXPECT_EQ(Network::start({.thread_count = 0}).error().code, Errc::InvalidArgument);
}

// Out of descriptors, a listener waits between its tries, and goes on when there are some.
TEST(Network, ListenersSurviveWithoutFileDescriptors) {
#if __has_feature(address_sanitizer)
    GTEST_SKIP() << "UBSan needs descriptors of its own to look at memory";
#endif
    const auto network = start_network(1);
    const auto listener = network->listen({}, accept_with(std::make_shared<Record>())).value();
    std::uint64_t pauses = 0;
    const FileDescriptor client = raw_socket();
    {
        const NoNewDescriptors limit;
        raw_connect(client, listener->port());
        spin_until([&] { return (pauses = listener->counters().accept_pauses) >= 2; });
        EXPECT_EQ(listener->counters().accepted, 0);
    }
    spin_until([&] { return listener->counters().opened == 1; });
    // One pause for each 100 ms, not one for each try that the processor could make.
    EXPECT_LT(listener->counters().accept_pauses, 1000);
}

}  // namespace
}  // namespace draco::io
