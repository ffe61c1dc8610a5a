#pragma once
// Transports on loopback, what their receivers hear, and waiting for it without sleeping.

#include "draco/crypto/system_rng.hpp"
#include "draco/io/thread_pool.hpp"
#include "draco/pool/tls_transport.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace draco::pool {

inline io::TlsIdentity identity_number(std::uint8_t number,
                                       std::string_view protocol = kLinkProtocolName) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return io::TlsIdentity::create(crypto::Ed25519Seed(seed), protocol).value();
}

inline types::NodeKey key_of(const io::TlsIdentity& identity) {
    return types::NodeKey(identity.public_key().view());
}

// What was logged, as "message reason".
class RecordingLog final : public log::Log {
public:
    bool enabled(log::Level /*level*/) const override { return true; }

    void write(log::Level /*level*/,
               std::string_view /*component*/,
               std::string_view message,
               std::span<const log::Field> fields) override {
        std::string line(message);
        for (const auto& field : fields)
            if (const auto* text = std::get_if<std::string>(&field.value)) line += " " + *text;
        const std::lock_guard lock(mutex_);
        lines_.push_back(std::move(line));
        changed_.notify_all();
    }

    void wait_for(const std::string& part) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] {
            return std::ranges::any_of(
                lines_, [&](const auto& line) { return line.find(part) != std::string::npos; });
        });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_;
};

class RecordingTransportReceiver final : public TransportReceiver {
public:
    struct Seen {
        std::set<PeerId> up;
        std::map<PeerId, int> ups;
        std::map<std::pair<PeerId, Channel>, std::vector<Bytes>> messages;
        std::size_t messages_count = 0;
    };

    // Called for each message, before it is recorded.
    std::function<void()> when_message = [] {};

    void on_message(PeerId from, Channel channel, ByteView message) override {
        when_message();
        update([&](Seen& seen) {
            EXPECT_TRUE(seen.up.contains(from));
            seen.messages[{from, channel}].push_back(to_bytes(message));
            ++seen.messages_count;
        });
    }

    void on_link_up(PeerId peer) override {
        update([&](Seen& seen) {
            EXPECT_TRUE(seen.up.insert(peer).second);
            ++seen.ups[peer];
        });
    }

    void on_link_down(PeerId peer) override {
        update([&](Seen& seen) { EXPECT_EQ(seen.up.erase(peer), 1U); });
    }

    void wait(const std::function<bool(const Seen&)>& done) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return done(seen_); });
    }

    void wait_links(std::size_t count) {
        wait([&](const Seen& seen) { return seen.up.size() == count; });
    }

    Seen seen() {
        const std::lock_guard lock(mutex_);
        return seen_;
    }

private:
    void update(const std::function<void(Seen&)>& change) {
        {
            const std::lock_guard lock(mutex_);
            change(seen_);
        }
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    Seen seen_;
};

inline TlsTransportOptions quick_options() {
    return {.chain = types::ChainId(7),
            .backoff_first = std::chrono::milliseconds(10),
            .backoff_max = std::chrono::milliseconds(200),
            .larger_key_grace = std::chrono::milliseconds(300)};
}

// The machine under a node.
struct Machine {
    std::unique_ptr<io::Network> network =
        io::Network::start({.name = "net", .thread_count = 2}).value();
    std::unique_ptr<io::ThreadPool> executor =
        io::ThreadPool::start({.name = "pool", .thread_count = 2}).value();
    crypto::SystemRng rng;
};

// One node's transport.
struct TestNode {
    TestNode(Machine& on, std::uint8_t number, const TlsTransportOptions& options = quick_options())
        : identity(identity_number(number)), key(key_of(identity)) {
        transport =
            TlsTransport::start(*on.network, *on.executor, on.rng, log, identity, options).value();
        transport->set_receiver(&receiver);
    }

    interfaces::PeerAddress address() const {
        return {.key = key, .host = "127.0.0.1", .port = transport->listen_port()};
    }

    PeerId id_of(const TestNode& other) const { return transport->id_of(other.key).value(); }

    io::TlsIdentity identity;
    types::NodeKey key;
    RecordingLog log;
    RecordingTransportReceiver receiver;
    std::unique_ptr<TlsTransport> transport;
};

}  // namespace draco::pool
