// What TLS links refuse, and that the refused neither hear nor say anything. The strangers are
// OpenSSL itself with other settings, and bytes that are no TLS.

#include "draco/base/text_encoding.hpp"
#include "draco/testing/seed.hpp"

#include "network_fixture.hpp"
#include "raw_socket.hpp"
#include "raw_tls.hpp"

#include <random>
#include <thread>

namespace draco::io {
namespace {

using namespace std::chrono_literals;

class TlsLinks : public ::testing::Test {
protected:
    std::unique_ptr<Listener> listen(TlsAdmit admit, Duration handshake_deadline = 1h) {
        return network_
            ->listen({.handshake_deadline = handshake_deadline,
                      .tls = ListenTls{identity(1), std::move(admit)}},
                     std::make_unique<RecordingAcceptor>([this](const Stream& stream) {
                         admitted_ = stream.peer_key();
                         return server_;
                     }))
            .value();
    }

    std::unique_ptr<Listener> listen() {
        return listen([](const TlsPublicKey&) { return true; });
    }

    Stream connect(std::uint16_t port, const TlsIdentity& own, const TlsPublicKey& expected) {
        const Stream stream =
            network_
                ->connect({.host = "127.0.0.1", .port = port, .tls = ConnectTls{own, expected}},
                          receive_with(client_))
                .value();
        // Fails where the handshake has failed already.
        static_cast<void>(stream.write(to_bytes(as_bytes("secret"))));
        return stream;
    }

    // Waits until the listener has refused `count` connections and opened none.
    void wait_refused(const Listener& listener, std::uint64_t count) {
        while (listener.counters().refused < count) std::this_thread::yield();
        EXPECT_EQ(listener.counters().opened, 0);
        EXPECT_EQ(listener.counters().connections, 0);
        EXPECT_FALSE(server_->seen().stream);
    }

    // What the listener's TLS answers to a stranger's handshake: 1 if it lets it in.
    static bool is_let_in(std::uint16_t port, const RawTls& stranger) {
        const FileDescriptor socket = raw_connect(port);
        return stranger.connect_and_read(socket);
    }

    std::optional<TlsPublicKey> admitted_;
    std::shared_ptr<Record> server_ = std::make_shared<Record>();
    std::shared_ptr<Record> client_ = std::make_shared<Record>();
    std::unique_ptr<Network> network_ = start_network();
};

// Each side learns the other's key; the identity's key is that of its seed (RFC 8032 test 1).
TEST_F(TlsLinks, TellEachSideTheOthersKey) {
    const auto seed = fixed_from_hex<FixedBytes<struct SeedTag, 32>>(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    const auto own =
        TlsIdentity::create(crypto::Ed25519Seed(seed.value().view()), "test/1").value();
    EXPECT_EQ(to_hex(own.public_key().view()),
              "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    const auto listener = listen();
    const Stream stream = connect(listener->port(), own, identity(1).public_key());
    server_->wait([](const Record::Seen& seen) { return seen.bytes.size() == 6; });
    EXPECT_EQ(admitted_, own.public_key());
    EXPECT_EQ(stream.peer_key(), identity(1).public_key());
    EXPECT_EQ(TlsIdentity::create(crypto::Ed25519Seed(seed.value().view()), "").error().code,
              Errc::InvalidArgument);
    EXPECT_EQ(TlsIdentity::create(crypto::Ed25519Seed(seed.value().view()), std::string(256, 'x'))
                  .error()
                  .code,
              Errc::InvalidArgument);
}

// A listener that is open to anybody asks for no key and judges none; a dialer that expects no key
// learns the one it found.
TEST_F(TlsLinks, ListenersMayBeOpenToAnybody) {
    const auto listener =
        network_
            ->listen({.tls = ListenTls{.identity = identity(1), .admit = {}, .anonymous = true}},
                     std::make_unique<RecordingAcceptor>([this](const Stream& stream) {
                         admitted_ = stream.peer_key();
                         return server_;
                     }))
            .value();
    const Stream stream =
        network_
            ->connect({.host = "127.0.0.1",
                       .port = listener->port(),
                       .tls = ConnectTls{.identity = identity(2), .expected = std::nullopt}},
                      receive_with(client_))
            .value();
    static_cast<void>(stream.write(to_bytes(as_bytes("secret"))));
    server_->wait([](const Record::Seen& seen) { return seen.bytes.size() == 6; });
    EXPECT_EQ(admitted_, std::nullopt);
    EXPECT_EQ(stream.peer_key(), identity(1).public_key());
}

// A dialer that expects another key says nothing to the one it finds.
TEST_F(TlsLinks, DialersRefuseAnUnexpectedKey) {
    const auto listener = listen();
    connect(listener->port(), identity(2), identity(3).public_key());
    EXPECT_EQ(client_->wait_closed(), "Unauthenticated");
    EXPECT_NE(client_->reason().find(to_base58(identity(1).public_key().view())),
              std::string::npos);
    EXPECT_FALSE(client_->seen().stream);
    wait_refused(*listener, 1);
}

// A key that the listener does not admit gets no receiver; its dialer is told why.
TEST_F(TlsLinks, ListenersRefuseKeysThatAreNotAdmitted) {
    std::optional<TlsPublicKey> judged;
    const auto listener = listen([&](const TlsPublicKey& key) {
        judged = key;
        return false;
    });
    connect(listener->port(), identity(2), identity(1).public_key());
    EXPECT_EQ(client_->wait_closed(), "Unauthenticated") << client_->reason();
    wait_refused(*listener, 1);
    EXPECT_EQ(judged, identity(2).public_key());
}

// Both sides must name the same protocol.
TEST_F(TlsLinks, RefuseAnotherProtocol) {
    const auto listener = listen();
    connect(listener->port(), identity(2, "test/2"), identity(1).public_key());
    EXPECT_EQ(client_->wait_closed(), "Corrupt") << client_->reason();
    wait_refused(*listener, 1);
}

// OpenSSL with the right settings is let in, so that each of its refusals below has one reason.
TEST_F(TlsLinks, ListenersRefuseStrangers) {
    const auto listener = listen();
    const std::uint16_t port = listener->port();
    EXPECT_FALSE(is_let_in(port, RawTls({.version_max = TLS1_2_VERSION})));
    EXPECT_FALSE(is_let_in(port, RawTls({.protocol = ""})));
    EXPECT_FALSE(is_let_in(port, RawTls({.protocol = "test/2"})));
    EXPECT_FALSE(is_let_in(port, RawTls({.certificate = RawCertificate::None})));
    EXPECT_FALSE(is_let_in(port, RawTls({.certificate = RawCertificate::EllipticCurve})));
    EXPECT_FALSE(is_let_in(port, RawTls({.certificate = RawCertificate::SignedByAnother})));
    EXPECT_FALSE(is_let_in(port, RawTls({.certificate = RawCertificate::WithIssuerInChain})));
    EXPECT_FALSE(is_let_in(port, RawTls({.certificate = RawCertificate::Huge})));
    wait_refused(*listener, 8);
    server_->when_open = [](const Stream& stream) {
        EXPECT_TRUE(stream.write(to_bytes(as_bytes("welcome"))));
    };
    EXPECT_TRUE(is_let_in(port, RawTls({})));
    EXPECT_EQ(server_->wait_closed(), "Unavailable") << "cut off without close_notify";
}

// The dialer holds a listener to the same rules.
TEST_F(TlsLinks, DialersRefuseStrangers) {
    const auto closes_with = [&](const RawTlsOptions& options) {
        client_ = std::make_shared<Record>();
        const RawListener raw;
        const RawTls stranger(options);
        const Stream stream = connect(raw.port(), identity(2), stranger.public_key());
        stranger.accept_and_read(raw.accept());
        const std::string code = client_->wait_closed();
        EXPECT_EQ(client_->seen().stream.has_value(), code == "Unavailable") << client_->reason();
        return code;
    };
    EXPECT_EQ(closes_with({.version_max = TLS1_2_VERSION}), "Corrupt");
    EXPECT_EQ(closes_with({.protocol = ""}), "Corrupt");
    EXPECT_EQ(closes_with({.certificate = RawCertificate::EllipticCurve}), "Corrupt");
    EXPECT_EQ(closes_with({.certificate = RawCertificate::SignedByAnother}), "Unauthenticated");
    EXPECT_EQ(closes_with({.certificate = RawCertificate::WithIssuerInChain}), "Unauthenticated");
    EXPECT_EQ(closes_with({}), "Unavailable") << "let in, then cut off without close_notify";
}

// A peer that stops in the middle of the handshake is dropped at the deadline, on either side.
TEST_F(TlsLinks, HandshakesHaveADeadline) {
    const auto listener = listen([](const TlsPublicKey&) { return true; }, 30ms);
    const FileDescriptor silent = raw_connect(listener->port());
    const FileDescriptor slow = raw_connect(listener->port());
    raw_send(slow, ByteView(RawTls({}).client_hello()).first(100));
    EXPECT_TRUE(raw_receive_all(silent).empty());
    EXPECT_TRUE(raw_receive_all(slow).empty());
    wait_refused(*listener, 2);
    const RawListener raw;
    ASSERT_TRUE(network_->connect({.host = "127.0.0.1",
                                   .port = raw.port(),
                                   .deadline = 30ms,
                                   .tls = ConnectTls{identity(2), identity(1).public_key()}},
                                  receive_with(client_)));
    EXPECT_EQ(client_->wait_closed(), "DeadlineExceeded");
}

// Every beginning of a client hello, followed by the end of the connection, is refused.
TEST_F(TlsLinks, TruncatedHandshakesAreRefused) {
    const auto listener = listen();
    const Bytes hello = RawTls({}).client_hello();
    ASSERT_GT(hello.size(), 100);
    for (std::size_t size = 0; size < hello.size(); ++size) {
        const FileDescriptor socket = raw_connect(listener->port());
        raw_send(socket, ByteView(hello).first(size));
        ::shutdown(socket.get(), SHUT_WR);
        raw_receive_all(socket);
    }
    wait_refused(*listener, hello.size());
}

// Hellos with any byte changed, random bytes, and records that claim too much are refused; the
// listener goes on.
TEST_F(TlsLinks, GarbageIsRefused) {
    std::mt19937_64 random(testing::test_seed(7));
    const auto listener = listen();
    const Bytes hello = RawTls({}).client_hello();
    std::vector<Bytes> garbage = {{0x16, 0x03, 0x01, 0xff, 0xff},
                                  {0x17, 0x03, 0x03, 0xff, 0xff},
                                  {0x16, 0x03, 0x03, 0x40, 0x00, 0x01, 0xff, 0xff, 0xff},
                                  to_bytes(as_bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))};
    for (std::size_t i = 0; i < hello.size(); ++i) {
        Bytes changed = hello;
        changed[i] ^= static_cast<std::uint8_t>(1U << (random() % 8));
        garbage.push_back(std::move(changed));
    }
    for (std::uint64_t i = 0; i < testing::scaled(50); ++i) {
        Bytes noise(random() % 20'000);
        for (std::uint8_t& byte : noise) byte = static_cast<std::uint8_t>(random());
        if (i % 2 == 0 && noise.size() > 3) noise[0] = 0x16, noise[1] = 0x03, noise[2] = 0x01;
        garbage.push_back(std::move(noise));
    }
    for (const Bytes& bytes : garbage) {
        const FileDescriptor socket = raw_connect(listener->port());
        raw_send(socket, bytes);
        ::shutdown(socket.get(), SHUT_WR);
        raw_receive_all(socket);
    }
    wait_refused(*listener, garbage.size());
    EXPECT_EQ(network_->counters().connections, 0);
}

// Once open, bytes that do not authenticate end the stream, and none of them is shown.
TEST_F(TlsLinks, ForgedRecordsEndTheStream) {
    const auto listener = listen();
    const FileDescriptor socket = raw_connect(listener->port());
    server_->when_open = [](const Stream& stream) { EXPECT_TRUE(stream.write(Bytes(1))); };
    RawTls({}).connect_and_read(socket, [&] {
        Bytes record{0x17, 0x03, 0x03, 0x00, 0x40};
        record.resize(5 + 0x40);
        raw_send(socket, record);
    });
    EXPECT_EQ(server_->wait_closed(), "Corrupt") << server_->reason();
    EXPECT_TRUE(server_->seen().bytes.empty());
}

// Output that waits for a slow reader is bounded by what this side encrypts at once, so a peer that
// sends meanwhile is not taken for one that makes TLS answer. The sizes fill that bound to the
// byte.
TEST_F(TlsLinks, SlowReadersMaySend) {
    network_ = start_network(1);  // a turn of its thread serves both sides
    server_->when_bytes = [](const Stream&, ByteView) { return std::size_t{0}; };
    const StreamOptions options{.send_bytes_max = std::size_t{8} << 20};
    const auto listener =
        network_
            ->listen({.tls = ListenTls{identity(1), [](const TlsPublicKey&) { return true; }}},
                     accept_with(server_))
            .value();
    const Stream writer = network_
                              ->connect({.host = "127.0.0.1",
                                         .port = listener->port(),
                                         .tls = ConnectTls{identity(2), identity(1).public_key()},
                                         .stream = options},
                                        receive_with(client_))
                              .value();
    const Stream reader = server_->wait_open();
    client_->wait_open();
    const auto write_pattern = [&] {
        std::vector<Bytes> buffers;
        buffers.emplace_back((std::size_t{64} << 10) - 1);
        for (int i = 0; i < 16; ++i) buffers.emplace_back(1024);
        return writer.write(buffers).has_value();
    };
    // Full for good when the system takes no more and the queue is full.
    for (std::uint64_t sent_before = 0;;) {
        if (write_pattern()) continue;
        const std::uint64_t sent = writer.counters().bytes_sent;
        const bool is_full = reader.counters().bytes_waiting == StreamOptions().receive_bytes_max;
        if (is_full && sent == sent_before && sent > 0) break;
        sent_before = sent;
        if (sent > 0) server_->wait_turn(reader);
    }
    ASSERT_TRUE(reader.write(Bytes(100)));
    client_->wait([](const Record::Seen& seen) { return seen.bytes.size() == 100 || seen.closed; });
    EXPECT_FALSE(client_->seen().closed) << client_->reason();
    writer.abort();
    server_->wait_closed();
}

}  // namespace
}  // namespace draco::io
