// The transports of a session as strangers use them: WebSocket by RFC 6455 over raw TLS and by
// node's own client, and bytes that are neither.

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/sha2.hpp"

#include "node_fixture.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace draco::client {
namespace {

namespace wire = types::session;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What came over a connection, and waiting for it.
class RawLog {
public:
    void add(ByteView bytes) {
        const std::lock_guard lock(mutex_);
        append(bytes_, bytes);
        changed_.notify_all();
    }

    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        changed_.notify_all();
    }

    // All that has come, when there are so many bytes or nothing follows.
    Bytes wait(std::size_t size) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return closed_ || bytes_.size() >= size; });
        return bytes_;
    }

    Bytes wait_closed() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return closed_; });
        return bytes_;
    }

    bool closed() {
        const std::lock_guard lock(mutex_);
        return closed_;
    }

    // Whether bytes that come are taken.
    std::atomic<bool> takes = true;

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    Bytes bytes_;
    bool closed_ = false;
};

class RawReceiver final : public io::StreamReceiver {
public:
    explicit RawReceiver(std::shared_ptr<RawLog> log) : log_(std::move(log)) {}

    void on_open(const io::Stream& stream) override { stream_ = stream; }

    std::size_t on_bytes(ByteView bytes) override {
        if (!log_->takes) return 0;
        log_->add(bytes);
        return bytes.size();
    }

    void on_end() override { stream_->close(); }

    void on_writable() override {}

    void on_close(const Result<>& /*why*/) override { log_->close(); }

private:
    std::shared_ptr<RawLog> log_;
    std::optional<io::Stream> stream_;
};

// A TLS connection to a node, on which anything may be said.
class RawClient {
public:
    explicit RawClient(TestNode& node)
        : stream_(network_
                      ->connect(
                          {.host = "127.0.0.1",
                           .port = node.server().port(),
                           .tls = io::ConnectTls{.identity = identity_, .expected = std::nullopt}},
                          std::make_unique<RawReceiver>(log_))
                      .value()) {}

    ~RawClient() { network_->stop(); }

    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void say(ByteView bytes) { EXPECT_TRUE(stream_.write(to_bytes(bytes))); }

    RawLog& heard() { return *log_; }

    void say(const wire::ClientMessage& message) { EXPECT_TRUE(say_now(message)); }

    // False if the connection takes no more now, or is closed.
    bool say_now(const wire::ClientMessage& message) {
        const Bytes body = bcs::encode(message);
        Bytes frame(4);
        store_le(frame.data(), static_cast<std::uint32_t>(body.size()));
        append(frame, body);
        return stream_.write(std::move(frame)).has_value();
    }

    // The next message of the node.
    template <class Message>
    Message next() {
        const auto size = load_le<std::uint32_t>(log_->wait(heard_ + 4).data() +
                                                 static_cast<std::ptrdiff_t>(heard_));
        const Bytes all = log_->wait(heard_ + 4 + size);
        const auto message = wire::decode_node_message(ByteView(all).subspan(heard_ + 4, size));
        heard_ += 4 + size;
        return std::get<Message>(message.value());
    }

    // Proves the lane, or none.
    void enter(const types::NodeKey& node, const LaneCredentials* lane) {
        wire::Hello hello{.chain = kChain, .lane = {}};
        if (lane != nullptr) hello.lane = lane->lane;
        say(hello);
        const auto challenge = next<wire::Challenge>();
        if (lane != nullptr)
            say(wire::Proof{.signature = wire::prove(
                                kChain,
                                {.lane = lane->lane, .node = node, .nonce = challenge.nonce},
                                lane->key)});
        static_cast<void>(next<wire::Welcome>());
    }

    void hang_up() { stream_.abort(); }

private:
    io::TlsIdentity identity_ = io::TlsIdentity::create(seed_number(50), wire::kAlpn).value();
    std::shared_ptr<RawLog> log_ = std::make_shared<RawLog>();
    std::unique_ptr<io::Network> network_ =
        io::Network::start({.name = "raw", .thread_count = 1}).value();
    io::Stream stream_;
    std::size_t heard_ = 0;
};

constexpr std::string_view kUpgrade =
    "GET / HTTP/1.1\r\nHost: node\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Origin: https://anywhere.example\r\n\r\n";

Bytes frame(std::uint8_t first, ByteView payload) {
    Bytes bytes{first, static_cast<std::uint8_t>(0x80U | payload.size()), 1, 2, 3, 4};
    for (std::size_t i = 0; i < payload.size(); ++i)
        bytes.push_back(static_cast<std::uint8_t>(payload[i] ^ (1 + i % 4)));
    return bytes;
}

// An upgrade in pieces, a ping, a hello in two fragments: the challenge and the welcome come in
// binary frames, the ping comes back, and a close is answered.
TEST(WebSocketSession, ByTheRfc) {
    TestNode node(1);
    RawClient client(node);
    for (const char letter : kUpgrade.substr(0, 7)) client.say(as_bytes({&letter, 1}));
    client.say(as_bytes(kUpgrade.substr(7)));
    client.say(frame(0x89, as_bytes("anybody?")));
    const Bytes hello =
        bcs::encode(wire::ClientMessage(wire::Hello{.chain = kChain, .lane = std::nullopt}));
    client.say(frame(0x02, ByteView(hello).first(4)));
    client.say(frame(0x80, ByteView(hello).subspan(4)));
    client.say(frame(0x88, from_hex("03e8").value()));
    const Bytes all = client.heard().wait_closed();
    const std::string text(as_text(all));
    EXPECT_THAT(text, StartsWith("HTTP/1.1 101 "));
    EXPECT_THAT(text, HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    const std::string frames = text.substr(text.find("\r\n\r\n") + 4);
    EXPECT_THAT(frames,
                StartsWith("\x8A\x08"
                           "anybody?"));
    const ByteView challenge = as_bytes(frames).subspan(10);
    ASSERT_EQ(to_hex(challenge.first(2)), "824b");
    const auto first = wire::decode_node_message(challenge.subspan(2, 0x4B));
    ASSERT_TRUE(first);
    EXPECT_EQ(std::get<wire::Challenge>(*first).node, node.key());
    EXPECT_EQ(to_hex(challenge.subspan(2 + 0x4B)), "82020100880203e8");
}

// Independent code on the other side gets a file whole.
TEST(WebSocketSession, NodesOwnClient) {
    if (std::system("node --experimental-websocket -e "
                    "'process.exit(typeof WebSocket === \"function\" ? 0 : 1)' 2> /dev/null") != 0)
        GTEST_SKIP() << "there is no node with a WebSocket client on this machine";
    TestNode node(1);
    const Bytes bytes = random_bytes(5 * blake3_tree::kBlockBytes + 123, 4);
    const auto hash = node.source.add_file(bytes);
    const std::string command =
        "NODE_NO_WARNINGS=1 NODE_TLS_REJECT_UNAUTHORIZED=0 node "
        "--experimental-websocket " DRACO_MODULE_DIR "/test/websocket_client.mjs " +
        std::to_string(node.server().port()) + " " + std::to_string(kChain.value()) + " " +
        to_hex(hash.view()) + " 2>&1";
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string output;
    std::array<char, 256> piece{};
    while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), pipe))
        output.append(piece.data(), count);
    EXPECT_EQ(::pclose(pipe), 0) << output;
    EXPECT_EQ(output,
              to_hex(crypto::sha256(bytes).view()) + " " + std::to_string(bytes.size()) + "\n");
}

// A page that is asked for is told where it is not; an announced length beyond the bound ends the
// session before a byte of it is awaited; so does a broken frame.
TEST(Transports, StrangersAreTurnedAway) {
    TestNode node(1);
    {
        RawClient browser(node);
        browser.say(as_bytes("GET / HTTP/1.1\r\nHost: node\r\n\r\n"));
        EXPECT_THAT(std::string(as_text(browser.heard().wait_closed())),
                    StartsWith("HTTP/1.1 426 "));
    }
    {
        RawClient giant(node);
        giant.say(from_hex("ffffff7f").value());
        const Bytes told = giant.heard().wait_closed();
        ASSERT_GT(told.size(), 4);
        const auto end = wire::decode_node_message(ByteView(told).subspan(4));
        ASSERT_TRUE(end);
        EXPECT_EQ(std::get<wire::End>(*end).id, 0);
    }
    {
        RawClient broken(node);
        broken.say(as_bytes(kUpgrade));
        broken.say(from_hex("8205aabb").value());
        const Bytes all = broken.heard().wait_closed();
        EXPECT_THAT(std::string(as_text(all)), HasSubstr("\x88\x02\x03\xEA"));
    }
}

// A window that is still in the node's transport when the connection breaks is not held against the
// client: it comes back and gets its file, though nothing is ever written off here. The window is
// far more than what the system takes, and all of it fits into the transport.
TEST(Transports, WhatNeverLeftTheNodeIsNotCounted) {
    constexpr std::uint64_t kBlocks = 64;
    handshake::SessionLimits limits;
    limits.lanes.window_bytes_min = kBlocks * blake3_tree::kBlockBytes;
    limits.lanes.window_bytes_max = limits.lanes.window_bytes_min;
    limits.lanes.lost_forgiven_per_s = 0;
    TestNode node(1, limits, 2 * limits.lanes.window_bytes_max);
    const Bytes bytes = random_bytes(kBlocks * blake3_tree::kBlockBytes, 4);
    const auto hash = node.source.add_file(bytes);
    TestLane lane;
    node.open_lane(lane.credentials, 1U << 30U);
    RawClient broken(node);
    broken.enter(node.key(), &lane.credentials);
    broken.heard().takes = false;
    broken.say(wire::Open{.id = 1, .hash = hash});
    broken.say(wire::Blocks{.id = 1, .first = 0, .count = kBlocks});
    while (node.server().counters().paid_bytes < bytes.size()) std::this_thread::yield();
    broken.hang_up();
    while (node.server().counters().sessions > 0) std::this_thread::yield();
    ClientOptions options;
    options.answer_deadline = std::chrono::seconds(10);
    const auto client = start_client(options);
    CollectingSink sink;
    const auto got = client->connect(node.address(&lane.credentials)).value()->get(hash, sink);
    ASSERT_TRUE(got) << to_string(got.error());
    EXPECT_EQ(sink.bytes, bytes);
}

// A client that takes nothing and goes on asking is cut off, long before the node's deadlines for
// idle sessions and full queues.
TEST(Transports, AClientThatOnlyAsksIsCutOff) {
    handshake::SessionLimits limits;
    limits.free.burst_bytes = std::uint64_t{1} << 30U;
    TestNode node(1, limits);
    const auto hash = node.source.add_file(random_bytes(64 * blake3_tree::kBlockBytes, 4));
    RawClient client(node);
    client.enter(node.key(), nullptr);
    client.heard().takes = false;
    std::uint64_t id = 1;
    client.say(wire::Open{.id = id, .hash = hash});
    client.say(wire::Blocks{.id = id, .first = 0, .count = 64});
    constexpr std::uint64_t kAsksMax = 1U << 19U;  // far more than may wait
    while (node.server().counters().sessions > 0 && id < kAsksMax) {
        ++id;
        const auto say = [&](const wire::ClientMessage& message) {
            while (!client.say_now(message) && node.server().counters().sessions > 0)
                std::this_thread::yield();
        };
        say(wire::Open{.id = id, .hash = {}});
        say(wire::Cancel{.id = id});
    }
    EXPECT_LT(id, kAsksMax);
    EXPECT_EQ(node.server().counters().violations, 0);
}

// Opens nothing until it is told to, and remembers what is taken back.
class WaitingSource final : public interfaces::ContentSource {
public:
    void open(const types::ContentHash& hash, Instant deadline, OpenCallback callback) override {
        static_cast<void>(open_for({}, hash, deadline, std::move(callback)));
    }

    // Returns when it may.
    interfaces::OpenId open_for(const interfaces::Asker& /*asker*/,
                                const types::ContentHash& /*hash*/,
                                Instant /*deadline*/,
                                OpenCallback callback) override {
        std::unique_lock lock(mutex_);
        const interfaces::OpenId id(++last_);
        callbacks_.push_back(std::move(callback));
        changed_.notify_all();
        changed_.wait(lock, [this] { return may_return_; });
        return id;
    }

    void cancel(interfaces::OpenId call) override {
        const std::lock_guard lock(mutex_);
        cancelled_.insert(call.value());
        changed_.notify_all();
    }

    void let_return(bool may) {
        const std::lock_guard lock(mutex_);
        may_return_ = may;
        changed_.notify_all();
    }

    void wait_opens(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return callbacks_.size() >= count; });
    }

    std::set<std::uint64_t> wait_cancelled(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return cancelled_.size() >= count; });
        return cancelled_;
    }

    // What was taken back is answered all the same.
    void abandon_all() {
        std::vector<OpenCallback> callbacks;
        {
            const std::lock_guard lock(mutex_);
            callbacks.swap(callbacks_);
        }
        for (OpenCallback& callback : callbacks) callback(fail(Errc::Abandoned, "taken back"));
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<OpenCallback> callbacks_;
    std::set<std::uint64_t> cancelled_;
    std::uint64_t last_ = 0;
    bool may_return_ = true;
};

// A request that its client ends, or whose client is gone, keeps no place at the source of the
// content: not when it waits there, nor when it is just being told of.
TEST(Transports, WhatNobodyWaitsForIsTakenBack) {
    WaitingSource source;
    TestNode node(1);
    node.restart_with(source);
    RawClient stays(node);
    stays.enter(node.key(), nullptr);
    stays.say(wire::Open{.id = 1, .hash = {}});
    source.wait_opens(1);
    RawClient gone(node);
    gone.enter(node.key(), nullptr);
    gone.say(wire::Open{.id = 1, .hash = {}});
    gone.say(wire::Open{.id = 2, .hash = {}});
    source.wait_opens(3);
    gone.hang_up();
    EXPECT_EQ(source.wait_cancelled(2), (std::set<std::uint64_t>{2, 3}));
    source.let_return(false);
    stays.say(wire::Open{.id = 2, .hash = {}});
    source.wait_opens(4);
    stays.say(wire::Cancel{.id = 2});
    EXPECT_EQ(stays.next<wire::End>().id, 2);
    source.let_return(true);
    EXPECT_EQ(source.wait_cancelled(3), (std::set<std::uint64_t>{2, 3, 4}));
    source.abandon_all();
    const auto end = stays.next<wire::End>();
    EXPECT_EQ(end.id, 1);
    EXPECT_EQ(end.code, wire::to_code(Errc::Abandoned));
}

// Connections that open and say nothing, or half of something, leave the node able to serve; when
// they are gone, no session is left.
TEST(Transports, HalfOpenConnectionsCostNobodyElse) {
    TestNode node(1);
    const auto hash = node.source.add_file(random_bytes(1000, 1));
    std::vector<std::unique_ptr<RawClient>> silent;
    for (int i = 0; i < 8; ++i) {
        silent.push_back(std::make_unique<RawClient>(node));
        if (i % 2 == 0) silent.back()->say(from_hex("0c0000").value());
    }
    const auto client = start_client();
    {
        CollectingSink sink;
        ASSERT_TRUE(client->connect(node.address()).value()->get(hash, sink));
    }
    for (const auto& one : silent) {
        one->hang_up();
        one->heard().wait_closed();
    }
}

}  // namespace
}  // namespace draco::client
