#pragma once
// Real nodes, as far as sessions go: TLS sockets on loopback, content in memory, lanes judged by
// real signatures. And what a client needs to meet them.

#include "draco/client/client.hpp"
#include "draco/crypto/system_rng.hpp"
#include "draco/handshake/session_server.hpp"

#include "../../../core/gateway/test/memory_source.hpp"
#include "../../../core/handshake/test/memory_acknowledgements.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace draco::client {

inline constexpr types::ChainId kChain{31337};

inline crypto::Ed25519Seed seed_number(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return crypto::Ed25519Seed(seed);
}

inline Bytes random_bytes(std::size_t size, std::uint32_t seed) {
    std::mt19937 random(seed);
    Bytes bytes(size);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bytes;
}

class TestNode {
public:
    explicit TestNode(std::uint8_t number,
                      handshake::SessionLimits limits = {},
                      std::size_t send_bytes_max = handshake::SessionServerOptions{}.send_bytes_max)
        : limits_(limits),
          send_bytes_max_(send_bytes_max),
          identity_(io::TlsIdentity::create(seed_number(number), types::session::kAlpn).value()) {
        start();
    }

    // A restart forgets what was delivered and not acknowledged.
    void restart() {
        server_.reset();
        start();
    }

    // A restart that has its content from elsewhere than `source`.
    void restart_with(interfaces::ContentSource& other) {
        source_ = &other;
        restart();
    }

    types::NodeKey key() const { return types::NodeKey(identity_.public_key().view()); }

    NodeAddress address(const LaneCredentials* lane = nullptr) const {
        return {.host = "127.0.0.1", .port = server_->port(), .key = key(), .lane = lane};
    }

    types::LaneKey open_lane(const LaneCredentials& lane,
                             std::uint64_t units_max,
                             std::uint64_t settled = 0) {
        const types::LaneKey key{
            .payer = lane.lane.payer, .node = this->key(), .index = lane.lane.lane};
        acknowledgements.with_rules([&](handshake::AckRules& rules) {
            rules.open_lane(key,
                            {.instance = lane.lane.instance,
                             .price = {},
                             .session_key = lane.key.public_key(),
                             .reserve = {},
                             .settled = settled},
                            units_max);
        });
        return key;
    }

    std::uint64_t acknowledged(const types::LaneKey& lane) {
        return acknowledgements.with_rules(
            [&](handshake::AckRules& rules) { return rules.standing(lane)->acknowledged; });
    }

    handshake::SessionServer& server() { return *server_; }

private:
    void start() {
        server_ =
            handshake::SessionServer::start(
                {.network = *network_,
                 .executor = *pool_,
                 .rng = rng_,
                 .source = *source_,
                 .acknowledgements = acknowledgements,
                 .identity = identity_},
                {.port = 0, .chain = kChain, .limits = limits_, .send_bytes_max = send_bytes_max_})
                .value();
    }

    const handshake::SessionLimits limits_;
    const std::size_t send_bytes_max_;
    std::unique_ptr<io::ThreadPool> pool_ =
        io::ThreadPool::start({.name = "node", .thread_count = 2}).value();
    std::unique_ptr<io::Network> network_ =
        io::Network::start({.name = "net", .thread_count = 1}).value();
    crypto::SystemRng rng_;
    io::TlsIdentity identity_;

public:
    gateway::MemorySource source{pool_.get()};
    handshake::MemoryAcknowledgements acknowledgements{kChain, *pool_};

private:
    interfaces::ContentSource* source_ = &source;
    std::unique_ptr<handshake::SessionServer> server_;
};

class CollectingSink final : public Sink {
public:
    Result<> begin(const types::ContentInfo& announced) override {
        EXPECT_FALSE(info);
        info = announced;
        return {};
    }

    Result<> write(std::uint64_t index, ByteView block) override {
        if (fail_at && index == *fail_at) return fail(Errc::Io, "the disk is full");
        EXPECT_EQ(index, next);
        ++next;
        append(bytes, block);
        if (after_block) after_block(index);
        return {};
    }

    std::optional<types::ContentInfo> info;
    std::uint64_t next = 0;
    Bytes bytes;
    std::optional<std::uint64_t> fail_at;
    std::function<void(std::uint64_t)> after_block;
};

// A lane of payer 1 with its own ledger.
struct TestLane {
    explicit TestLane(std::uint16_t index = 0, std::uint64_t received = 0)
        : ledger(received),
          credentials{.lane = {.payer = types::Address(payer_bytes()),
                               .lane = types::LaneIndex(index),
                               .instance = types::LaneInstance(7)},
                      .key = types::SessionSecretKey(seed_number(99)),
                      .ledger = &ledger} {}

    static std::array<std::uint8_t, 20> payer_bytes() {
        std::array<std::uint8_t, 20> bytes{};
        bytes[0] = 1;
        return bytes;
    }

    MemoryLedger ledger;
    LaneCredentials credentials;
};

inline std::unique_ptr<Client> start_client(ClientOptions options = {}) {
    options.chain = kChain;
    return Client::start(options).value();
}

}  // namespace draco::client
