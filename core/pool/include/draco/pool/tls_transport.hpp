#pragma once
// The links of a node: an interfaces::PeerTransport over TLS 1.3 between node keys.
//
// A link is three TCP connections, one per Channel, so that bulk never delays a vote. It is up when
// all three have said hello (docs/formats/links.md), and down as soon as one of them ends; then the
// others are reset, so nothing in flight survives. Peers of another chain, genesis or version are
// refused, with the reason in both logs.
//
// Who dials: of two nodes that list each other the one with the smaller key; the other one waits
// larger_key_grace for it, and then dials too (perhaps only it knows an address that works). When
// both dial at once, the link of the smaller key stays. Failed dials are repeated with exponential
// backoff and jitter, forever, one timer per peer.
//
// Who is let in: listed peers, and up to guests_max others. For one more guest, the one that was
// silent for the longest time gives way, if it was for guest_idle_min. Refused keys (refuse())
// wait.
//
// Silence: each connection carries an empty frame every ping_interval in which nothing else was
// sent; no byte for three intervals, or sent bytes unacknowledged for as long, end it. Between
// pings an idle transport does nothing.
//
// Threads: thread-safe. The receiver is called on threads of the Network, and on one of the
// executor to hear of links that were up before it, one call at a time, never inside a call of the
// transport.

#include "draco/base/executor.hpp"
#include "draco/base/rng.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/io/network.hpp"
#include "draco/log/log.hpp"
#include "draco/types/genesis.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace draco::pool {

// The ALPN name: the first thing that both sides must agree on.
inline constexpr std::string_view kLinkProtocolName = "draco-link/1";
inline constexpr std::uint16_t kLinkVersion = 1;
// Guests say less: no batches, no certificates by the thousand.
inline constexpr std::size_t kGuestMessageBytesMax = (std::size_t{1} << 20) + 1024;
inline constexpr std::size_t kPeersMax = 4096;        // of set_peers; the rest is ignored
inline constexpr std::size_t kRefusedKeysMax = 1024;  // remembered at a time

struct TlsTransportOptions {
    types::ChainId chain{};
    types::GenesisDigest genesis{};
    // Absent: nobody can dial in. "0.0.0.0" and "::" are all addresses; port 0: any.
    std::optional<std::string> listen_address = "127.0.0.1";
    std::uint16_t listen_port = 0;
    std::size_t guests_max = 64;
    std::size_t connections_max = 1024;             // accepted ones
    std::size_t connections_per_address_max = 256;  // accepted ones of one IP address
    // Bytes that wait to be sent, per peer, by Channel. At least a longest message.
    std::array<std::size_t, kChannelCount> send_bytes_max = {
        std::size_t{16} << 20, std::size_t{8} << 20, std::size_t{16} << 20};
    Duration handshake_deadline = std::chrono::seconds(5);
    Duration link_deadline = std::chrono::seconds(10);  // from the first connection to all three
    Duration backoff_first = std::chrono::milliseconds(200);
    Duration backoff_max = std::chrono::seconds(15);
    Duration larger_key_grace = std::chrono::seconds(2);
    Duration link_stable =
        std::chrono::seconds(10);  // a link that lived so long resets the backoff
    Duration guest_idle_min = std::chrono::seconds(30);
    Duration ping_interval = std::chrono::seconds(20);
};

struct TlsTransportCounters {
    std::size_t links_up = 0;
    std::size_t guests = 0;                    // of these
    std::size_t connections_unidentified = 0;  // accepted, and no hello yet
    std::uint64_t dials = 0;
    std::uint64_t hellos_refused = 0;
    std::uint64_t frames_refused = 0;

    bool operator==(const TlsTransportCounters&) const = default;
};

class TlsTransport final : public interfaces::PeerTransport {
public:
    // `rng` is used by one thread at a time, and by no one else while the transport lives, unless
    // it is thread-safe. What is passed by reference outlives the transport; the Network may be
    // stopped before or after. Errors: of io::Network::listen and io::TlsIdentity.
    static Result<std::unique_ptr<TlsTransport>> start(io::Network& network,
                                                       Executor& executor,
                                                       Rng& rng,
                                                       log::Log& log,
                                                       const io::TlsIdentity& identity,
                                                       const TlsTransportOptions& options);
    // Resets all links. Returns when no call of the receiver runs.
    ~TlsTransport() override;
    TlsTransport(const TlsTransport&) = delete;
    TlsTransport& operator=(const TlsTransport&) = delete;

    PeerId self() const override { return PeerId(0); }

    Result<> send(PeerId to, Channel channel, Bytes message) override;
    void set_receiver(TransportReceiver* receiver) override;
    std::optional<PeerId> id_of(const types::NodeKey& key) const override;
    std::optional<types::NodeKey> key_of(PeerId id) const override;
    void set_peers(std::vector<interfaces::PeerAddress> peers) override;
    void refuse(PeerId peer, Duration pause) override;

    // 0 if it does not listen.
    std::uint16_t listen_port() const;
    TlsTransportCounters counters() const;

    class State;

private:
    explicit TlsTransport(std::shared_ptr<State> state) : state_(std::move(state)) {}

    std::shared_ptr<State> state_;
};

}  // namespace draco::pool
