// The links of a TlsTransport: who is dialled when, what comes up and goes down.

#include "draco/base/text_encoding.hpp"

#include "tls_state.hpp"

#include <algorithm>

namespace draco::pool {
namespace {

constexpr unsigned kSilentTicksMax = 3;
constexpr unsigned kBackoffDoublingsMax = 20;

}  // namespace

// ---------------------------------------------------------------- peers

LinkPeer* TlsTransport::State::find(const types::NodeKey& key) {
    const auto found = peers_.find(key);
    return found == peers_.end() ? nullptr : &found->second;
}

LinkPeer& TlsTransport::State::peer_of(const types::NodeKey& key) {
    if (LinkPeer* const known = find(key)) return *known;
    const PeerId id(++id_last_);
    keys_.emplace(id, key);
    return peers_.emplace(key, LinkPeer{.key = key, .id = id, .host = {}}).first->second;
}

void TlsTransport::State::forget_if_gone(const types::NodeKey& key) {
    const auto found = peers_.find(key);
    if (found == peers_.end()) return;
    const LinkPeer& peer = found->second;
    if (peer.is_listed || peer.link || peer.dialing || peer.inbound) return;
    keys_.erase(peer.id);
    peers_.erase(found);
}

std::size_t TlsTransport::State::guest_count() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(peers_, [](const auto& entry) { return !entry.second.is_listed; }));
}

// The guest that was silent for the longest time, if that was long enough.
LinkPeer* TlsTransport::State::idlest_guest() {
    const Instant now = executor_.clock().now();
    LinkPeer* idlest = nullptr;
    const auto active_at = [](const LinkPeer& peer) {
        return Instant{Duration(peer.link->active_at.load())};
    };
    for (auto& [key, peer] : peers_) {
        if (peer.is_listed || !peer.has_live_link()) continue;
        if (now - active_at(peer) < options_.guest_idle_min) continue;
        if (idlest == nullptr || active_at(peer) < active_at(*idlest)) idlest = &peer;
    }
    return idlest;
}

bool TlsTransport::State::is_refused(const types::NodeKey& key) {
    const auto found = refused_.find(key);
    if (found == refused_.end()) return false;
    if (executor_.clock().now() < found->second) return true;
    refused_.erase(found);
    return false;
}

// ---------------------------------------------------------------- links

void TlsTransport::State::kill(const std::shared_ptr<Link>& link, std::string reason) {
    if (!link || link->phase == Link::Phase::Dead) return;
    link->phase = Link::Phase::Dead;
    link->reason = std::move(reason);
    if (link->deadline) executor_.cancel(*link->deadline);
    link->deadline.reset();
    for (const auto& stream : link->streams)
        if (stream) stream->abort();
}

// Of a link that never was up: nobody is told.
void TlsTransport::State::kill_setup(std::shared_ptr<Link>& link, std::string reason) {
    if (const auto ended = std::exchange(link, nullptr)) kill(ended, std::move(reason));
}

void TlsTransport::State::arm_setup_deadline(const std::shared_ptr<Link>& link) {
    link->deadline = executor_.post_after(
        options_.link_deadline, [weak = weak_from_this(), link = std::weak_ptr<Link>(link)] {
            const auto state = weak.lock();
            const auto late = link.lock();
            if (!state || !late) return;
            const std::lock_guard lock(state->mutex_);
            late->deadline.reset();
            if (!state->is_closed_ && late->phase == Link::Phase::Setup)
                state->kill(late, "it took too long to set up");
        });
}

void TlsTransport::State::came_up(LinkPeer& peer, std::shared_ptr<Link> link, Changes& changes) {
    if (peer.dialing != link) kill_setup(peer.dialing, "the peer's own link was first");
    if (peer.inbound != link) kill_setup(peer.inbound, "a link that was dialled was first");
    peer.dialing.reset();
    peer.inbound.reset();
    if (const auto before = std::exchange(peer.link, nullptr)) {
        kill(before, "the peer began anew");
        changes.push_back({.link = before, .up = false});
    }
    if (peer.dial_timer) executor_.cancel(*peer.dial_timer);
    peer.dial_timer.reset();
    if (link->deadline) executor_.cancel(*link->deadline);
    link->deadline.reset();
    const Instant now = executor_.clock().now();
    link->up_since = now;
    link->active_at = now.since_origin.count();
    link->phase = Link::Phase::Up;
    log_.info("link up",
              {{"peer", to_base58(peer.key.view())},
               {"address", link->streams[0]->peer_address()},
               {"dialed", link->dialed},
               {"guest", !peer.is_listed}});
    changes.push_back({.link = link, .up = true});
    peer.link = std::move(link);
}

void TlsTransport::State::went_down(LinkPeer& peer, const Result<>& why, Changes& changes) {
    const auto link = std::exchange(peer.link, nullptr);
    const Duration lived = executor_.clock().now() - link->up_since;
    log_.info("link down",
              {{"peer", to_base58(peer.key.view())},
               {"reason", link->reason.empty() && !why ? why.error().context : link->reason},
               {"up_ms", std::chrono::duration_cast<std::chrono::milliseconds>(lived).count()}});
    changes.push_back({.link = link, .up = false});
    if (lived >= options_.link_stable) peer.failures = 0;
}

// ---------------------------------------------------------------- dialling

Duration TlsTransport::State::next_delay(const LinkPeer& peer) {
    Duration delay = options_.backoff_first;
    for (unsigned i = 1; i < std::min(peer.failures, kBackoffDoublingsMax); ++i)
        delay = std::min(delay * 2, options_.backoff_max);
    const auto half = static_cast<std::uint64_t>(delay.count()) / 2;
    delay = Duration(static_cast<Duration::rep>(half + rng_.below(half + 1)));
    return delay;
}

void TlsTransport::State::dial_failed(LinkPeer& peer) {
    if (!peer.is_listed || peer.has_live_link()) return;
    if (peer.failures < kBackoffDoublingsMax) ++peer.failures;
    schedule_dial(peer, next_delay(peer));
}

void TlsTransport::State::schedule_dial(LinkPeer& peer, Duration delay) {
    if (peer.dial_timer) executor_.cancel(*peer.dial_timer);
    peer.dial_timer.reset();
    if (peer.host.empty() || peer.port == 0) return;
    if (defers_to(peer)) delay += options_.larger_key_grace;
    peer.dial_timer = executor_.post_after(delay, task(&State::dial_due, peer.key));
}

void TlsTransport::State::dial_due(const types::NodeKey& key) {
    const std::lock_guard lock(mutex_);
    LinkPeer* const peer = is_closed_ ? nullptr : find(key);
    if (peer == nullptr || !peer->is_listed) return;
    peer->dial_timer.reset();
    if (peer->link || peer->dialing) return;  // its end schedules the next one
    if (peer->inbound) return schedule_dial(*peer, options_.link_deadline);
    if (is_refused(key)) return schedule_dial(*peer, refused_.at(key) - executor_.clock().now());
    dial(*peer);
}

void TlsTransport::State::dial(LinkPeer& peer) {
    ++dials_;
    const auto link = std::make_shared<Link>();
    link->key = peer.key;
    link->id = peer.id;
    link->dialed = true;
    link->attempt = rng_.next();
    peer.dialing = link;
    arm_setup_deadline(link);
    for (std::size_t channel = 0; channel < kChannelCount; ++channel) {
        if (connect(peer, link, channel)) continue;
        kill_setup(peer.dialing, "the network is stopped");
        return dial_failed(peer);
    }
}

bool TlsTransport::State::connect(LinkPeer& peer,
                                  const std::shared_ptr<Link>& link,
                                  std::size_t channel) {
    auto connection = std::make_unique<Connection>(shared_from_this(), link, channel);
    connection->key_ = peer.key;
    auto stream =
        network_.connect({.host = peer.host,
                          .port = peer.port,
                          .deadline = options_.link_deadline,
                          .tls = io::ConnectTls{.identity = identity_,
                                                .expected = io::TlsPublicKey(peer.key.view())},
                          .stream = {.receive_bytes_max = kMessageBytesMax + kFrameHeaderBytes,
                                     .send_bytes_max = options_.send_bytes_max[channel],
                                     .idle_deadline = kSilentTicksMax * options_.ping_interval}},
                         std::move(connection));
    if (!stream) return false;
    link->streams[channel] = *std::move(stream);
    return true;
}

// ---------------------------------------------------------------- time

void TlsTransport::State::arm_tick() {
    tick_timer_ = executor_.post_after(options_.ping_interval, task(&State::tick));
}

void TlsTransport::State::tick() {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return;
    for (auto& [key, peer] : peers_) {
        if (!peer.has_live_link()) continue;
        const auto link = peer.link;
        for (std::size_t channel = 0; channel < kChannelCount; ++channel) {
            unsigned& silent = link->ticks_silent[channel];
            silent = link->was_heard[channel].exchange(false) ? 0 : silent + 1;
            if (silent >= kSilentTicksMax) kill(link, "the peer fell silent");
            ping(*link, channel);
        }
    }
    arm_tick();
}

void TlsTransport::State::ping(Link& link, std::size_t channel) {
    const bool has_sent = std::exchange(link.has_sent[channel], false);
    if (has_sent || link.phase != Link::Phase::Up || !link.streams[channel]) return;
    static_cast<void>(link.streams[channel]->write(frame_header(0)));
}

// ---------------------------------------------------------------- telling

void TlsTransport::State::tell_up(Link& link) {
    if (link.is_told || receiver_ == nullptr || link.phase != Link::Phase::Up) return;
    link.is_told = true;
    receiver_->on_link_up(link.id);
}

void TlsTransport::State::tell(const Changes& changes) {
    for (const Change& change : changes) {
        if (change.up) {
            tell_up(*change.link);
        } else if (std::exchange(change.link->is_told, false) && receiver_ != nullptr) {
            receiver_->on_link_down(change.link->id);
        }
    }
}

// To a receiver that came when links were up.
void TlsTransport::State::tell_links() {
    const Delivery delivery(*this);
    std::vector<std::shared_ptr<Link>> links;
    {
        const std::lock_guard lock(mutex_);
        if (is_closed_) return;
        for (const auto& [key, peer] : peers_)
            if (peer.has_live_link()) links.push_back(peer.link);
    }
    for (const auto& link : links) tell_up(*link);
}

}  // namespace draco::pool
