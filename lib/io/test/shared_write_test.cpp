// One buffer sent by several streams over loopback, each test once plain and once under TLS.

#include "draco/testing/seed.hpp"

#include "network_fixture.hpp"

#include <random>
#include <thread>

namespace draco::io {
namespace {

class SharedWrites : public ::testing::TestWithParam<bool> {
protected:
    static constexpr std::size_t kPeers = 3;

    SharedWrites() {
        ListenOptions options;
        if (GetParam())
            options.tls = ListenTls{identity(1), [](const TlsPublicKey&) { return true; }};
        listener_ = network_
                        ->listen(options, std::make_unique<RecordingAcceptor>([&](auto&) {
                                     const std::lock_guard lock(mutex_);
                                     servers_.push_back(std::make_shared<Record>());
                                     servers_.back()->when_bytes = when_bytes_;
                                     return servers_.back();
                                 }))
                        .value();
    }

    Stream connect() {
        ConnectOptions options{.host = "127.0.0.1", .port = listener_->port()};
        if (GetParam()) options.tls = ConnectTls{identity(2), identity(1).public_key()};
        options.stream.send_bytes_max = std::size_t{16} << 20;
        const auto record = std::make_shared<Record>();
        Stream stream = network_->connect(options, receive_with(record)).value();
        record->wait_open();
        clients_.push_back(record);
        return stream;
    }

    std::unique_ptr<Network> network_ = start_network();
    std::function<std::size_t(const Stream&, ByteView)> when_bytes_ =
        [](const Stream&, ByteView bytes) { return bytes.size(); };
    std::mutex mutex_;
    std::vector<std::shared_ptr<Record>> servers_;
    std::vector<std::shared_ptr<Record>> clients_;
    std::unique_ptr<Listener> listener_;
};

INSTANTIATE_TEST_SUITE_P(Io, SharedWrites, ::testing::Bool(), [](const auto& param) {
    return param.param ? "Tls" : "Plain";
});

// Heads of its own and bodies that all send, of any size, from a thread per stream, arrive on each
// as they were queued, between plain writes; sent buffers are held by nobody.
TEST_P(SharedWrites, ArriveOnEveryStream) {
    std::mt19937_64 random(testing::test_seed(5));
    std::vector<std::shared_ptr<const Bytes>> bodies;
    for (int i = 0; i < 60; ++i) {
        Bytes body(random() % (i % 3 == 0 ? 300'000 : 3'000));
        for (std::uint8_t& byte : body) byte = static_cast<std::uint8_t>(random());
        bodies.push_back(std::make_shared<const Bytes>(std::move(body)));
    }
    bodies.push_back(std::make_shared<const Bytes>());
    std::vector<Stream> streams;
    for (std::size_t i = 0; i < kPeers; ++i) streams.push_back(connect());
    std::vector<std::thread> threads;
    std::vector<Bytes> expected(kPeers);
    for (std::size_t i = 0; i < kPeers; ++i)
        threads.emplace_back([&, i] {
            for (std::size_t n = 0; n < bodies.size(); ++n) {
                const Bytes head(n % 9, static_cast<std::uint8_t>(i));
                EXPECT_TRUE(streams[i].write_shared(Bytes(head), bodies[n], SIZE_MAX));
                EXPECT_TRUE(streams[i].write(Bytes{1, 2}));
                append(expected[i], head);
                append(expected[i], *bodies[n]);
                append(expected[i], Bytes{1, 2});
            }
            streams[i].end();
        });
    for (auto& thread : threads) thread.join();
    std::vector<Bytes> arrived;
    for (const auto& client : clients_) EXPECT_EQ(client->wait_closed(), "ok");
    for (const auto& server : servers_) {
        EXPECT_EQ(server->wait_closed(), "ok");
        arrived.push_back(server->seen().bytes);
    }
    std::ranges::sort(arrived);
    std::ranges::sort(expected);
    EXPECT_TRUE(arrived == expected);
    for (const auto& body : bodies) EXPECT_EQ(body.use_count(), 1);
}

// A stream whose peer does not read counts all bytes of what it shares, takes no more than its
// caller's bound, and lets go of them when it is aborted.
TEST_P(SharedWrites, CountForEachStream) {
    constexpr std::size_t kBytesMax = std::size_t{6} << 20;
    when_bytes_ = [](const Stream&, ByteView) -> std::size_t { return 0; };
    const Stream stalled = connect();
    const auto body = std::make_shared<const Bytes>(256 << 10, std::uint8_t{3});
    const Bytes head(8, 9);
    // Full for good when the system takes no more.
    for (std::uint64_t sent_before = 0;;) {
        Bytes mine = head;
        const auto queued = stalled.write_shared(std::move(mine), body, kBytesMax);
        ASSERT_LE(stalled.counters().bytes_queued, kBytesMax);
        if (queued) continue;
        EXPECT_EQ(queued.error().code, Errc::Exhausted);
        EXPECT_EQ(mine, head);  // NOLINT(bugprone-use-after-move): untouched on failure
        const std::uint64_t sent = stalled.counters().bytes_sent;
        if (sent == sent_before && sent > 0) break;
        sent_before = sent;
        std::this_thread::yield();
    }
    EXPECT_GT(stalled.counters().bytes_queued + head.size() + body->size(), kBytesMax);
    EXPECT_GT(body.use_count(), 8);
    EXPECT_EQ(clients_[0]->seen().writable, 0);
    EXPECT_TRUE(stalled.write(Bytes(1)));  // its own bound is larger
    stalled.abort();
    EXPECT_EQ(clients_[0]->wait_closed(), "Abandoned");
    EXPECT_EQ(body.use_count(), 1);
    EXPECT_EQ(stalled.write_shared(Bytes(1), body, kBytesMax).error().code, Errc::Unavailable);
}

}  // namespace
}  // namespace draco::io
