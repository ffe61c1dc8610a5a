// Sessions and the transport.

#include "pool_state.hpp"

#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <tuple>

namespace draco::pool {

using interfaces::LinkSnapshot;
using interfaces::RequestId;

Pool::State::State(interfaces::PeerTransport& transport,
                   Executor& executor,
                   log::Log& log,
                   const types::NodeKey& self,
                   const SessionLimits& limits,
                   std::uint64_t request_first)
    : transport_(transport),
      executor_(executor),
      log_(log, "pool"),
      self_(self),
      limits_(limits),
      request_next_(request_first) {}

void Pool::State::close() {
    transport_.set_receiver(nullptr);
    std::map<RequestId, OpenedRequest> unheard;
    std::deque<Told> untold;
    std::map<PeerId, Peer> peers;
    {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        for (auto& [id, peer] : peers_) disarm(peer);
        unheard.swap(requests_);
        untold.swap(told_);
        peers.swap(peers_);
    }
    wait_for_callbacks();
}

// ---------------------------------------------------------------- sending

Result<std::pair<PeerId, Pool::State::Peer*>> Pool::State::peer_for(const types::NodeKey& key) {
    const auto unavailable = [&](const char* why) {
        return fail(Errc::Unavailable, "node " + to_base58(key.view()) + ": " + why);
    };
    if (is_closed_) return unavailable("the pool is closed");
    const auto id = transport_.id_of(key);
    if (!id)
        return fail(Errc::NotFound, "node " + to_base58(key.view()) + " is no peer of this node");
    Peer* const peer = up_peer(*id);
    if (peer == nullptr) return unavailable("there is no link now");
    return std::pair(*id, peer);
}

Pool::State::Peer* Pool::State::up_peer(PeerId id) {
    const auto found = peers_.find(id);
    return found == peers_.end() ? nullptr : &found->second;
}

Result<> Pool::State::send(const types::NodeKey& to,
                           std::uint8_t protocol,
                           Channel channel,
                           ByteView message) {
    if (message.size() > kLinkMessageBytesMax)
        return fail(Errc::InvalidArgument,
                    "a message of " + std::to_string(message.size()) + " bytes is longer than " +
                        std::to_string(kLinkMessageBytesMax));
    Bytes frame = encode_message(protocol, message);
    const std::lock_guard lock(mutex_);
    DRACO_TRY(found, peer_for(to));
    const auto [id, peer] = found;
    // It may overtake frames of streams that wait for this channel: they have no common order.
    DRACO_TRY_VOID(transport_.send(id, channel, std::move(frame)));
    ++peer->counts.messages_sent;
    peer->counts.bytes_sent += message.size();
    return {};
}

void Pool::State::pump(PeerId id, Peer& peer) {
    peer.is_blocked = false;
    bool taken = false;
    for (const Channel channel : {Channel::Control, Channel::Bulk})
        while (hand_over(id, peer, channel, taken)) {
        }
    if (!taken) return;
    Effects effects;
    peer.session.step(BacklogTaken{}, executor_.clock().now(), effects);
    for (Effect& effect : effects.told) take(id, peer, effect);
}

// True if the transport took a frame.
bool Pool::State::hand_over(PeerId id, Peer& peer, Channel channel, bool& taken) {
    const Bytes* const frame = peer.session.next_frame(channel);
    if (frame == nullptr) return false;
    const std::size_t bytes = frame->size();
    const auto sent = transport_.send(id, channel, *frame);
    if (!sent && sent.error().code == Errc::Exhausted) {
        peer.is_blocked = true;
        return false;
    }
    // Otherwise the link is down, and the session is about to be told.
    peer.session.pop_frame(channel);
    taken = true;
    if (sent) {
        ++peer.counts.messages_sent;
        peer.counts.bytes_sent += bytes;
    }
    return true;
}

// ---------------------------------------------------------------- sessions

void Pool::State::step(PeerId id, Peer& peer, const Event& event) {
    std::optional<MessageArrived> none;
    step(id, peer, event, none);
}

void Pool::State::step(PeerId id,
                       Peer& peer,
                       const Event& event,
                       std::optional<MessageArrived>& message) {
    Effects effects;
    peer.session.step(event, executor_.clock().now(), effects);
    peer.counts.refused += effects.refused;
    for (Effect& effect : effects.told) {
        if (const auto* arrived = std::get_if<MessageArrived>(&effect))
            message = *arrived;
        else
            take(id, peer, effect);
    }
    if (effects.violation) {
        log_.warn("peer broke the rules of the link and is refused for a while",
                  {{"peer", to_base58(peer.key.view())},
                   {"reason", *effects.violation},
                   {"refused", peer.counts.refused}});
        transport_.refuse(id, kRefusalPause);
    }
    pump(id, peer);
    arm(id, peer);
}

void Pool::State::take(PeerId id, Peer& peer, Effect& effect) {
    if (auto* request = std::get_if<RequestArrived>(&effect)) {
        tell(TellRequest{.peer = id, .key = peer.key, .request = std::move(*request)});
    } else if (auto* chunk = std::get_if<ChunkArrived>(&effect)) {
        tell(std::move(*chunk));
    } else if (auto* ended = std::get_if<RequestEnded>(&effect)) {
        tell(std::move(*ended));
    } else if (const auto* writable = std::get_if<StreamWritable>(&effect)) {
        if (auto node = peer.ready.extract(writable->stream))
            tell(TellReady{std::move(node.mapped())});
    }
}

void Pool::State::arm(PeerId id, Peer& peer) {
    auto when = peer.session.wake_at();
    const Instant now = executor_.clock().now();
    if (peer.is_blocked) when = std::min(when.value_or(now + kRetryDelay), now + kRetryDelay);
    if (peer.timer && when && peer.timer->first <= *when) return;  // early is no harm
    disarm(peer);
    if (!when) return;
    peer.timer = std::pair(*when, executor_.post_at(*when, [weak = weak_from_this(), id] {
        if (const auto state = weak.lock()) state->timer_due(id);
    }));
}

void Pool::State::disarm(Peer& peer) {
    if (peer.timer) executor_.cancel(peer.timer->second);
    peer.timer.reset();
}

void Pool::State::timer_due(PeerId id) {
    {
        const std::lock_guard lock(mutex_);
        Peer* const peer = is_closed_ ? nullptr : up_peer(id);
        if (peer == nullptr) return;
        peer->timer.reset();
        step(id, *peer, TimePassed{});
    }
    deliver();
}

Result<RequestId> Pool::State::request(const types::NodeKey& to,
                                       std::uint8_t protocol,
                                       ByteView request,
                                       const interfaces::RequestOptions& options,
                                       std::unique_ptr<interfaces::ResponseReceiver> receiver) {
    if (request.size() > interfaces::kRequestBytesMax)
        return fail(Errc::InvalidArgument,
                    "a request of " + std::to_string(request.size()) + " bytes is longer than " +
                        std::to_string(interfaces::kRequestBytesMax));
    const std::lock_guard lock(mutex_);
    DRACO_TRY(found, peer_for(to));
    const auto [peer_id, peer] = found;
    DRACO_TRY_VOID(peer->session.check_open());
    const RequestId id(request_next_++);
    requests_.emplace(id, OpenedRequest{.peer = peer_id, .receiver = std::move(receiver)});
    step(peer_id,
         *peer,
         OpenRequest{.id = id,
                     .protocol = protocol,
                     .request = request,
                     .deadline = options.deadline,
                     .credit_bytes = options.credit_bytes});
    return id;
}

void Pool::State::local_event(RequestId request, const Event& event) {
    const std::lock_guard lock(mutex_);
    const auto found = requests_.find(request);
    if (found == requests_.end()) return;
    if (Peer* const peer = up_peer(found->second.peer)) step(found->second.peer, *peer, event);
}

Result<> Pool::State::write(PeerId id, InboundStream stream, Bytes& chunk) {
    if (chunk.empty()) return {};
    if (chunk.size() > interfaces::kResponseChunkBytesMax)
        return fail(Errc::InvalidArgument,
                    "a chunk of " + std::to_string(chunk.size()) + " bytes is longer than " +
                        std::to_string(interfaces::kResponseChunkBytesMax));
    const std::lock_guard lock(mutex_);
    Peer* const peer = is_closed_ ? nullptr : up_peer(id);
    if (peer == nullptr) return fail(Errc::Unavailable, "the link is down");
    DRACO_TRY_VOID(peer->session.check_write(stream, chunk.size()));
    step(id, *peer, WriteChunk{.stream = stream, .chunk = chunk});
    chunk = {};
    return {};
}

void Pool::State::await_writable(PeerId id,
                                 InboundStream stream,
                                 std::size_t bytes,
                                 std::move_only_function<void()> ready) {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return;
    Peer* const peer = up_peer(id);
    if (peer == nullptr) return tell(TellReady{std::move(ready)});
    peer->ready.insert_or_assign(stream, std::move(ready));
    step(id, *peer, AwaitWritable{.stream = stream, .bytes = bytes});
}

void Pool::State::finish(PeerId id, InboundStream stream, Result<> outcome) {
    const std::lock_guard lock(mutex_);
    Peer* const peer = is_closed_ ? nullptr : up_peer(id);
    if (peer == nullptr) return;
    step(id, *peer, FinishStream{.stream = stream, .outcome = std::move(outcome)});
}

// ---------------------------------------------------------------- peers

void Pool::State::set_peers(std::vector<interfaces::PeerAddress> peers) {
    {
        const std::lock_guard lock(mutex_);
        if (is_closed_) return;
        listed_.clear();
        for (const auto& peer : peers)
            if (peer.key != self_) listed_.insert(peer.key);
        std::erase_if(past_, [&](const auto& entry) { return !listed_.contains(entry.first); });
    }
    transport_.set_peers(std::move(peers));
}

std::vector<types::NodeKey> Pool::State::connected() const {
    const std::lock_guard lock(mutex_);
    std::vector<types::NodeKey> keys;
    keys.reserve(peers_.size());
    for (const auto& [id, peer] : peers_) keys.push_back(peer.key);
    std::ranges::sort(keys);
    return keys;
}

std::vector<LinkSnapshot> Pool::State::snapshot() const {
    const std::lock_guard lock(mutex_);
    std::map<types::NodeKey, LinkSnapshot> all;
    for (const auto& key : listed_) all[key].key = key;
    for (const auto& [key, counts] : past_) all[key] = counts;
    for (const auto& [id, peer] : peers_) all[peer.key] = peer.counts;
    std::vector<LinkSnapshot> snapshots;
    for (auto& [key, counts] : all) {
        counts.guest = counts.up && !listed_.contains(key);
        snapshots.push_back(counts);
    }
    return snapshots;
}

}  // namespace draco::pool
