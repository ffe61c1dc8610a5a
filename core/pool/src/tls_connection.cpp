// What the connections of a TlsTransport bring: hellos, answers, messages, ends.

#include "draco/base/text_encoding.hpp"

#include "tls_state.hpp"

#include <algorithm>

namespace draco::pool {
namespace {

// Guests whose links are being set up, beyond those that are up.
constexpr std::size_t kGuestsInSetupMax = 16;

types::NodeKey node_key(const io::TlsPublicKey& key) {
    return types::NodeKey(key.view());
}

}  // namespace

// ---------------------------------------------------------------- opening

// Inside the TLS handshake: who cannot become a link is not let in at all.
bool TlsTransport::State::admit(const types::NodeKey& key) {
    const std::lock_guard lock(mutex_);
    if (is_closed_ || key == self_ || is_refused(key)) return false;
    const LinkPeer* const known = find(key);
    if (known != nullptr) return true;
    if (options_.guests_max == 0) return false;
    return guest_count() < options_.guests_max || idlest_guest() != nullptr;
}

bool TlsTransport::State::accepted(Connection& connection, const io::Stream& stream) {
    const std::lock_guard lock(mutex_);
    const auto key = stream.peer_key();
    if (is_closed_ || !key) return false;
    connection.key_ = node_key(*key);
    connection.stream_ = stream;
    connection.number_ = ++connection_last_;
    const TimerId deadline =
        executor_.post_after(options_.link_deadline, [stream] { stream.abort(); });
    unidentified_.emplace(connection.number_, Unidentified{.stream = stream, .deadline = deadline});
    return true;
}

void TlsTransport::State::opened(Connection& connection, const io::Stream& stream) {
    const std::lock_guard lock(mutex_);
    connection.stream_ = stream;
    const auto& link = connection.link_;
    if (!link) return;  // the dialer speaks first
    if (is_closed_ || link->phase == Link::Phase::Dead) return stream.abort();
    link->is_open[connection.channel_] = true;
    static_cast<void>(stream.write(
        encode_frame(Hello{.version = kLinkVersion,
                           .chain = options_.chain,
                           .genesis = options_.genesis,
                           .channel = static_cast<std::uint8_t>(connection.channel_),
                           .attempt = link->attempt,
                           .listen_port = listener_ ? listener_->port() : std::uint16_t{0}})));
}

// ---------------------------------------------------------------- frames

std::size_t TlsTransport::State::received(Connection& connection, ByteView bytes) {
    const Delivery delivery(*this);
    ByteView rest = bytes;
    for (;;) {
        const auto& link = connection.link_;
        if (connection.is_refused_ || (link && link->phase == Link::Phase::Dead))
            return bytes.size();
        if (link) link->was_heard[connection.channel_] = true;
        const bool is_early = link && connection.has_hello_ && link->phase == Link::Phase::Setup;
        if (is_early) break;  // shown again when all three are ready
        const std::size_t bytes_max =
            connection.has_hello_ ? link->receive_bytes_max.load() : kHelloBytesMax;
        const auto frame = next_frame(rest, bytes_max);
        if (!frame) {
            bad_frame(connection, frame.error().context);
            return bytes.size();
        }
        if (!*frame) break;
        rest = rest.subspan(kFrameHeaderBytes + (*frame)->size());
        if (!take_frame(connection, **frame)) return bytes.size();
    }
    return bytes.size() - rest.size();
}

// False if the connection is over.
bool TlsTransport::State::take_frame(Connection& connection, ByteView frame) {
    if (connection.has_hello_) {
        Link& link = *connection.link_;
        if (frame.empty()) return true;  // a ping
        link.active_at = executor_.clock().now().since_origin.count();
        if (receiver_ == nullptr) return true;
        tell_up(link);
        receiver_->on_message(link.id, static_cast<Channel>(connection.channel_), frame);
        return true;
    }
    connection.has_hello_ = true;
    Changes changes;
    {
        const std::lock_guard lock(mutex_);
        if (is_closed_) return false;
        if (connection.link_)
            take_answer(connection, frame, changes);
        else
            take_hello(connection, frame, changes);
    }
    tell(changes);
    return !connection.is_refused_;
}

void TlsTransport::State::bad_frame(Connection& connection, const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return;
    ++frames_refused_;
    connection.is_refused_ = true;
    log_.warn("connection ended: malformed frame",
              {{"peer", to_base58(connection.key_.view())},
               {"address", connection.stream_->peer_address()},
               {"reason", why}});
    if (connection.link_) kill(connection.link_, "the peer sent " + why);
    connection.stream_->abort();
}

// ---------------------------------------------------------------- hello

std::optional<std::string> TlsTransport::State::incompatible(
    std::uint16_t version, types::ChainId chain, const types::GenesisDigest& genesis) const {
    if (version != kLinkVersion)
        return "version " + std::to_string(version) + " of the link protocol, where version " +
               std::to_string(kLinkVersion) + " is spoken here: update the older node";
    if (chain != options_.chain)
        return "a node of chain " + std::to_string(chain.value()) + ", where this is chain " +
               std::to_string(options_.chain.value());
    if (genesis != options_.genesis)
        return "another genesis of the same chain number: compare the genesis files";
    return std::nullopt;
}

HelloAnswer TlsTransport::State::answer_of(HelloVerdict verdict,
                                           std::string text,
                                           std::size_t bytes_max) const {
    return {.version = kLinkVersion,
            .chain = options_.chain,
            .genesis = options_.genesis,
            .verdict = verdict,
            .message_bytes_max = static_cast<std::uint32_t>(bytes_max),
            .text = hello_text(std::move(text))};
}

void TlsTransport::State::refuse_hello(Connection& connection,
                                       HelloVerdict verdict,
                                       const std::string& why) {
    ++hellos_refused_;
    connection.is_refused_ = true;
    static_cast<void>(connection.stream_->write(encode_frame(answer_of(verdict, why, 0))));
    connection.stream_->close();
    // The other two connections of the link say the same.
    if (verdict == HelloVerdict::Busy || connection.channel_ != 0)
        log_.debug("link refused", {{"peer", to_base58(connection.key_.view())}, {"reason", why}});
    else
        log_.warn("link refused",
                  {{"peer", to_base58(connection.key_.view())},
                   {"address", connection.stream_->peer_address()},
                   {"reason", why}});
}

void TlsTransport::State::take_hello(Connection& connection, ByteView frame, Changes& changes) {
    if (const auto node = unidentified_.extract(connection.number_))
        executor_.cancel(node.mapped().deadline);
    const auto hello = decode_hello(frame);
    if (!hello) {
        ++hellos_refused_;
        connection.is_refused_ = true;
        return connection.stream_->abort();
    }
    connection.channel_ = hello->channel;
    if (const auto why = incompatible(hello->version, hello->chain, hello->genesis))
        return refuse_hello(connection, HelloVerdict::Incompatible, "the dialer is " + *why);
    if (const auto why = join(connection, *hello))
        return refuse_hello(connection, HelloVerdict::Busy, *why);
    const auto link = connection.link_;
    if (!std::ranges::all_of(link->is_ready, std::identity())) return;
    LinkPeer& peer = peer_of(connection.key_);
    if (!peer.is_listed && !peer.has_live_link()) {
        if (const auto why = room_for_guest()) return dismiss(peer, *why);
    }
    if (!peer.is_listed) link->receive_bytes_max = kGuestMessageBytesMax;
    for (const auto& stream : link->streams)
        static_cast<void>(stream->write(
            encode_frame(answer_of(HelloVerdict::Accepted, "", link->receive_bytes_max.load()))));
    came_up(peer, link, changes);
    for (const auto& stream : link->streams) stream->resume_reading();
}

// A link whose dialer is to read why it does not come up.
void TlsTransport::State::dismiss(LinkPeer& peer, const std::string& why) {
    ++hellos_refused_;
    const auto link = std::exchange(peer.inbound, nullptr);
    for (const auto& stream : link->streams) {
        static_cast<void>(stream->write(encode_frame(answer_of(HelloVerdict::Busy, why, 0))));
        stream->close();
    }
    link->phase = Link::Phase::Dead;
    if (link->deadline) executor_.cancel(*link->deadline);
    link->deadline.reset();
    log_.info("guest refused", {{"peer", to_base58(peer.key.view())}, {"reason", why}});
}

// Makes the connection a part of its link, or says why not.
std::optional<std::string> TlsTransport::State::join(Connection& connection, const Hello& hello) {
    if (hello.channel >= kChannelCount) return "there is no such channel";
    if (is_refused(connection.key_)) return "this node waits after a violation";
    if (find(connection.key_) == nullptr &&
        guest_count() >= options_.guests_max + kGuestsInSetupMax)
        return "too many guests are about to be let in";
    LinkPeer& peer = peer_of(connection.key_);
    if (!peer.inbound || peer.inbound->attempt != hello.attempt) {
        if (auto why = make_way(peer)) {
            forget_if_gone(connection.key_);
            return why;
        }
        peer.inbound = std::make_shared<Link>();
        peer.inbound->key = peer.key;
        peer.inbound->id = peer.id;
        peer.inbound->attempt = hello.attempt;
        arm_setup_deadline(peer.inbound);
    }
    Link& link = *peer.inbound;
    if (link.streams[hello.channel]) return "this channel of the link is there already";
    connection.link_ = peer.inbound;
    connection.channel_ = hello.channel;
    link.streams[hello.channel] = connection.stream_;
    link.is_open[hello.channel] = true;
    link.is_ready[hello.channel] = true;
    return std::nullopt;
}

// Of two links that both sides begin at once, that of the smaller key stays. A dialer that has a
// link does not dial: one that dials again has lost it, and this side will soon see that.
std::optional<std::string> TlsTransport::State::make_way(LinkPeer& peer) {
    const bool own_goes_first = self_ < peer.key;
    if (peer.dialing) {
        const bool is_answered = std::ranges::any_of(peer.dialing->is_open, std::identity());
        if (own_goes_first && is_answered) return "this node is dialling already";
        kill_setup(peer.dialing, "the peer dialled at the same time");
    }
    if (peer.has_live_link() && peer.link->dialed && own_goes_first &&
        executor_.clock().now() - peer.link->up_since < options_.link_deadline)
        return "there is a link already";
    kill_setup(peer.inbound, "the peer began anew");
    return std::nullopt;
}

std::optional<std::string> TlsTransport::State::room_for_guest() {
    std::size_t up = 0;
    for (const auto& [key, peer] : peers_)
        if (!peer.is_listed && peer.has_live_link()) ++up;
    if (up < options_.guests_max) return std::nullopt;
    LinkPeer* const idle = idlest_guest();
    if (idle == nullptr) return "there is no room for more guests";
    kill(idle->link, "an idle guest gave way to another");
    return std::nullopt;
}

void TlsTransport::State::take_answer(Connection& connection, ByteView frame, Changes& changes) {
    const auto link = connection.link_;
    const auto end = [&](const std::string& why) {
        ++hellos_refused_;
        connection.is_refused_ = true;
        kill(link, why);
    };
    const auto answer = decode_answer(frame);
    if (!answer) return end("the peer answered with " + answer.error().context);
    auto why = incompatible(answer->version, answer->chain, answer->genesis);
    if (!why && answer->verdict == HelloVerdict::Incompatible) why = *answer->text;
    if (why) {
        log_.warn("peer is not compatible",
                  {{"peer", to_base58(link->key.view())},
                   {"address", connection.stream_->peer_address()},
                   {"reason", "it is " + *why}});
        return end("it is " + *why);
    }
    if (answer->verdict != HelloVerdict::Accepted) return end("the peer is busy: " + *answer->text);
    LinkPeer* const peer = find(link->key);
    if (peer == nullptr || peer->dialing != link) return end("the peer is not wanted any more");
    link->message_bytes_max = std::min<std::size_t>(answer->message_bytes_max, kMessageBytesMax);
    link->is_ready[connection.channel_] = true;
    if (!std::ranges::all_of(link->is_ready, std::identity())) return;
    came_up(*peer, link, changes);
    for (const auto& stream : link->streams) stream->resume_reading();
}

// ---------------------------------------------------------------- the end

void TlsTransport::State::closed(Connection& connection, const Result<>& why) {
    const Delivery delivery(*this);
    Changes changes;
    {
        const std::lock_guard lock(mutex_);
        if (const auto node = unidentified_.extract(connection.number_); node && !is_closed_)
            executor_.cancel(node.mapped().deadline);
        const auto link = std::exchange(connection.link_, nullptr);
        if (!link) return;
        link->streams[connection.channel_].reset();
        if (is_closed_) return;
        if (link->phase != Link::Phase::Dead)
            kill(link, why ? "the peer closed it" : why.error().context);
        LinkPeer* const peer = find(link->key);
        if (peer == nullptr) return;
        if (peer->inbound == link) peer->inbound.reset();
        if (peer->dialing == link) peer->dialing.reset();
        if (peer->link == link) went_down(*peer, why, changes);
        if (!peer->link && !peer->dialing && !peer->inbound && !peer->dial_timer)
            dial_failed(*peer);
        forget_if_gone(link->key);
    }
    tell(changes);
}

}  // namespace draco::pool
