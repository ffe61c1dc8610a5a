#include "draco/pool/tls_transport.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"

#include "tls_state.hpp"

#include <algorithm>
#include <set>

namespace draco::pool {

using interfaces::PeerAddress;

// ---------------------------------------------------------------- start and end

class TlsTransport::State::Door final : public io::Acceptor {
public:
    explicit Door(std::shared_ptr<State> state) : state_(std::move(state)) {}

    std::unique_ptr<io::StreamReceiver> accept(const io::Stream& stream) override {
        auto connection = std::make_unique<Connection>(state_, nullptr, 0);
        if (!state_->accepted(*connection, stream)) return nullptr;
        return connection;
    }

private:
    std::shared_ptr<State> state_;
};

TlsTransport::State::State(io::Network& network,
                           Executor& executor,
                           Rng& rng,
                           log::Log& log,
                           const io::TlsIdentity& identity,
                           const TlsTransportOptions& options)
    : network_(network),
      executor_(executor),
      rng_(rng),
      log_(log, "pool"),
      identity_(identity),
      options_(options),
      self_(identity.public_key().view()) {}

Result<> TlsTransport::State::start() {
    if (options_.listen_address) {
        const io::ListenOptions listen{
            .address = *options_.listen_address,
            .port = options_.listen_port,
            .connections_max = options_.connections_max,
            .connections_per_address_max = options_.connections_per_address_max,
            .handshake_deadline = options_.handshake_deadline,
            .tls = io::ListenTls{.identity = identity_,
                                 .admit =
                                     [self = shared_from_this()](const io::TlsPublicKey& key) {
                                         return self->admit(types::NodeKey(key.view()));
                                     }},
            .stream = {.receive_bytes_max = kMessageBytesMax + kFrameHeaderBytes,
                       .send_bytes_max = std::ranges::max(options_.send_bytes_max),
                       .idle_deadline = 3 * options_.ping_interval}};
        DRACO_TRY(listener, network_.listen(listen, std::make_unique<Door>(shared_from_this())));
        const std::lock_guard lock(mutex_);
        listener_ = std::move(listener);
    }
    const std::lock_guard lock(mutex_);
    arm_tick();
    return {};
}

void TlsTransport::State::close() {
    std::unique_ptr<io::Listener> listener;
    {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        listener = std::move(listener_);
        if (tick_timer_) executor_.cancel(*tick_timer_);
        for (auto& [number, connection] : unidentified_) {
            executor_.cancel(connection.deadline);
            connection.stream.abort();
        }
        unidentified_.clear();
        for (auto& [key, peer] : peers_) {
            if (peer.dial_timer) executor_.cancel(*peer.dial_timer);
            for (const auto& link : {peer.link, peer.dialing, peer.inbound})
                kill(link, "the transport was closed");
        }
        peers_.clear();
        keys_.clear();
    }
    listener.reset();
    set_receiver(nullptr);
}

// ---------------------------------------------------------------- calls

Result<> TlsTransport::State::send(PeerId to, Channel channel, Bytes message) {
    const auto index = static_cast<std::size_t>(channel);
    if (message.size() > kMessageBytesMax)
        return fail(Errc::InvalidArgument,
                    "a message of " + std::to_string(message.size()) + " bytes is longer than " +
                        std::to_string(kMessageBytesMax));
    const std::lock_guard lock(mutex_);
    const auto key = keys_.find(to);
    if (key == keys_.end())
        return fail(Errc::NotFound, "there is no peer " + std::to_string(to.value()));
    const auto& link = peers_.at(key->second).link;
    if (!link || link->phase != Link::Phase::Up || !link->streams[index])
        return fail(Errc::Unavailable, "there is no link now to " + to_base58(key->second.view()));
    if (message.size() > link->message_bytes_max)
        return fail(Errc::InvalidArgument,
                    "the peer takes messages of at most " +
                        std::to_string(link->message_bytes_max) + " bytes from this node");
    if (message.empty()) return fail(Errc::InvalidArgument, "an empty message is none");
    const io::Stream& stream = *link->streams[index];
    const std::size_t size = kFrameHeaderBytes + message.size();
    if (stream.counters().bytes_queued + size > options_.send_bytes_max[index])
        return fail(Errc::Exhausted,
                    "too much waits to be sent to " + to_base58(key->second.view()) + ": back off");
    std::array<Bytes, 2> parts{frame_header(message.size()), std::move(message)};
    DRACO_TRY_VOID(stream.write(parts));
    link->has_sent[index] = true;
    return {};
}

void TlsTransport::State::set_receiver(TransportReceiver* receiver) {
    const auto set = [&] {
        receiver_ = receiver;
        const std::lock_guard lock(mutex_);
        if (is_closed_) return;
        for (auto& [key, peer] : peers_)
            if (peer.link) peer.link->is_told = false;
        if (receiver != nullptr) executor_.post(task(&State::tell_links));
    };
    if (delivering_ == std::this_thread::get_id()) return set();
    const Delivery delivery(*this);
    set();
}

std::optional<PeerId> TlsTransport::State::id_of(const types::NodeKey& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = peers_.find(key);
    if (found == peers_.end()) return std::nullopt;
    return found->second.id;
}

std::optional<types::NodeKey> TlsTransport::State::key_of(PeerId id) const {
    const std::lock_guard lock(mutex_);
    const auto found = keys_.find(id);
    if (found == keys_.end()) return std::nullopt;
    return found->second;
}

void TlsTransport::State::set_peers(std::vector<PeerAddress> peers) {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return;
    if (peers.size() > kPeersMax) {
        log_.error("peer list is too long and was cut", {{"peers", peers.size()}});
        peers.resize(kPeersMax);
    }
    std::set<types::NodeKey> listed;
    for (PeerAddress& address : peers) {
        if (address.key == self_ || !listed.insert(address.key).second) continue;
        LinkPeer& peer = peer_of(address.key);
        const bool is_same =
            peer.is_listed && peer.host == address.host && peer.port == address.port;
        if (is_same) continue;
        peer.is_listed = true;
        peer.host = std::move(address.host);
        peer.port = address.port;
        peer.failures = 0;
        if (peer.link) peer.link->receive_bytes_max = kMessageBytesMax;
        if (!peer.link && !peer.dialing) schedule_dial(peer, Duration{0});
    }
    std::vector<types::NodeKey> removed;
    for (const auto& [key, peer] : peers_)
        if (peer.is_listed && !listed.contains(key)) removed.push_back(key);
    for (const types::NodeKey& key : removed) {
        LinkPeer& peer = peers_.at(key);
        peer.is_listed = false;
        if (peer.dial_timer) executor_.cancel(*peer.dial_timer);
        peer.dial_timer.reset();
        kill_setup(peer.dialing, "the peer was taken off the list");
        kill_setup(peer.inbound, "the peer was taken off the list");
        kill(peer.link, "the peer was taken off the list");
        forget_if_gone(key);
    }
}

void TlsTransport::State::refuse(PeerId id, Duration pause) {
    const std::lock_guard lock(mutex_);
    const auto key = keys_.find(id);
    if (is_closed_ || key == keys_.end()) return;
    const Instant now = executor_.clock().now();
    std::erase_if(refused_, [&](const auto& entry) { return entry.second <= now; });
    if (refused_.size() >= kRefusedKeysMax)
        refused_.erase(
            std::ranges::min_element(refused_, {}, [](const auto& entry) { return entry.second; }));
    refused_.insert_or_assign(key->second, now + pause);
    LinkPeer& peer = peers_.at(key->second);
    kill_setup(peer.dialing, "the peer is refused for a while");
    kill_setup(peer.inbound, "the peer is refused for a while");
    kill(peer.link, "the peer is refused for a while");
    if (!peer.link && peer.is_listed) schedule_dial(peer, pause);
}

std::uint16_t TlsTransport::State::listen_port() const {
    const std::lock_guard lock(mutex_);
    return listener_ ? listener_->port() : std::uint16_t{0};
}

TlsTransportCounters TlsTransport::State::counters() const {
    const std::lock_guard lock(mutex_);
    TlsTransportCounters counters{.connections_unidentified = unidentified_.size(),
                                  .dials = dials_,
                                  .hellos_refused = hellos_refused_,
                                  .frames_refused = frames_refused_};
    for (const auto& [key, peer] : peers_) {
        if (!peer.has_live_link()) continue;
        ++counters.links_up;
        if (!peer.is_listed) ++counters.guests;
    }
    return counters;
}

// ---------------------------------------------------------------- the handle

Result<std::unique_ptr<TlsTransport>> TlsTransport::start(io::Network& network,
                                                          Executor& executor,
                                                          Rng& rng,
                                                          log::Log& log,
                                                          const io::TlsIdentity& identity,
                                                          const TlsTransportOptions& options) {
    for (const std::size_t bytes : options.send_bytes_max)
        if (bytes < kMessageBytesMax + kFrameHeaderBytes)
            return fail(Errc::InvalidArgument, "a send queue must hold a longest message");
    auto state = std::make_shared<State>(network, executor, rng, log, identity, options);
    DRACO_TRY_VOID(state->start());
    return std::unique_ptr<TlsTransport>(new TlsTransport(std::move(state)));
}

TlsTransport::~TlsTransport() {
    state_->close();
}

Result<> TlsTransport::send(PeerId to, Channel channel, Bytes message) {
    return state_->send(to, channel, std::move(message));
}

void TlsTransport::set_receiver(TransportReceiver* receiver) {
    state_->set_receiver(receiver);
}

std::optional<PeerId> TlsTransport::id_of(const types::NodeKey& key) const {
    return state_->id_of(key);
}

std::optional<types::NodeKey> TlsTransport::key_of(PeerId id) const {
    return state_->key_of(id);
}

void TlsTransport::set_peers(std::vector<PeerAddress> peers) {
    state_->set_peers(std::move(peers));
}

void TlsTransport::refuse(PeerId peer, Duration pause) {
    state_->refuse(peer, pause);
}

std::uint16_t TlsTransport::listen_port() const {
    return state_->listen_port();
}

TlsTransportCounters TlsTransport::counters() const {
    return state_->counters();
}

}  // namespace draco::pool
