// What the transport brings, and what is told to receivers, handlers and streams.

#include "pool_state.hpp"
#include "responder.hpp"

#include <utility>

namespace draco::pool {
namespace {

// Serials of inbound streams never repeat, also across links.
constexpr unsigned kStreamsPerLinkBits = 40;

}  // namespace

// One thread at a time calls others. Inside it the same thread may deliver again only by returning.
class Pool::State::Delivery {
public:
    explicit Delivery(State& state) : state_(state), lock_(state.delivery_mutex_) {
        state_.delivering_ = std::this_thread::get_id();
    }

    ~Delivery() { state_.delivering_ = std::thread::id(); }

    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;

private:
    State& state_;
    const std::lock_guard<std::mutex> lock_;
};

// ---------------------------------------------------------------- from the transport

void Pool::State::on_message(PeerId from, Channel channel, ByteView frame) {
    const auto kept = shared_from_this();
    const Delivery delivery(*this);
    std::optional<MessageArrived> message;
    types::NodeKey key;
    {
        const std::lock_guard lock(mutex_);
        Peer* const peer = is_closed_ ? nullptr : up_peer(from);
        if (peer == nullptr) return;
        key = peer->key;
        ++peer->counts.messages_received;
        peer->counts.bytes_received += frame.size();
        step(from, *peer, FrameReceived{.channel = channel, .frame = frame}, message);
        if (message && message->protocol >= kProtocolsMax) ++peer->counts.refused;
    }
    deliver_all();
    if (!message || message->protocol >= kProtocolsMax) return;
    if (auto* const receiver = hearing_[message->protocol])
        receiver->on_message(key, message->message);
}

void Pool::State::on_link_up(PeerId id) {
    const auto kept = shared_from_this();
    const Delivery delivery(*this);
    const auto key = transport_.key_of(id);
    {
        const std::lock_guard lock(mutex_);
        if (is_closed_ || !key) return;
        if (Peer* const known = up_peer(id)) {
            step(id, *known, LinkDown{});
            tell(TellLink{.key = *key, .up = false});
            peers_.erase(id);
        }
        Peer peer{.key = *key,
                  .session = Session(limits_, links_seen_++ << kStreamsPerLinkBits),
                  .counts = {}};
        if (auto past = past_.extract(*key)) peer.counts = past.mapped();
        peer.counts.key = *key;
        peer.counts.up = true;
        Peer& added = peers_.insert_or_assign(id, std::move(peer)).first->second;
        tell(TellLink{.key = *key, .up = true});
        step(id, added, LinkUp{});
    }
    deliver_all();
}

void Pool::State::on_link_down(PeerId id) {
    const auto kept = shared_from_this();
    const Delivery delivery(*this);
    {
        const std::lock_guard lock(mutex_);
        Peer* const peer = is_closed_ ? nullptr : up_peer(id);
        if (peer == nullptr) return;
        step(id, *peer, LinkDown{});
        disarm(*peer);
        tell(TellLink{.key = peer->key, .up = false});
        peer->counts.up = false;
        if (listed_.contains(peer->key)) past_[peer->key] = peer->counts;
        peers_.erase(id);
    }
    deliver_all();
}

// ---------------------------------------------------------------- telling

// With mutex_ held. Whoever delivers next tells it; a task does if nobody else is about to.
void Pool::State::tell(Told told) {
    told_.push_back(std::move(told));
    if (std::exchange(is_delivery_posted_, true)) return;
    executor_.post([weak = weak_from_this()] {
        const auto state = weak.lock();
        if (!state) return;
        {
            const std::lock_guard lock(state->mutex_);
            state->is_delivery_posted_ = false;
        }
        state->deliver();
    });
}

void Pool::State::deliver() {
    const auto kept = shared_from_this();
    const Delivery delivery(*this);
    deliver_all();
}

void Pool::State::deliver_all() {
    for (;;) {
        std::optional<Told> next;
        {
            const std::lock_guard lock(mutex_);
            if (told_.empty()) return;
            next.emplace(std::move(told_.front()));
            told_.pop_front();
        }
        std::visit([this](auto& told) { run(told); }, *next);
    }
}

void Pool::State::run(TellLink& told) {
    if (told.up)
        links_told_.insert(told.key);
    else
        links_told_.erase(told.key);
    for (std::size_t protocol = 0; protocol < hearing_.size(); ++protocol) {
        auto* const receiver = hearing_[protocol];  // a call may end any of them
        if (receiver == nullptr) continue;
        if (told.up)
            receiver->on_link_up(told.key);
        else
            receiver->on_link_down(told.key);
    }
}

void Pool::State::run(TellReceiver& told) {
    interfaces::MessageReceiver* receiver = nullptr;
    {
        const std::lock_guard lock(mutex_);
        receiver = receivers_[told.protocol];
    }
    if (receiver == nullptr || hearing_[told.protocol] == receiver) return;
    hearing_[told.protocol] = receiver;
    const auto links = links_told_;
    for (const types::NodeKey& key : links)
        if (hearing_[told.protocol] == receiver) receiver->on_link_up(key);
}

void Pool::State::run(TellRequest& told) {
    auto responder =
        std::make_unique<StreamResponder>(shared_from_this(), told.peer, told.request.stream);
    interfaces::RequestHandler* handler = nullptr;
    if (told.request.protocol < kProtocolsMax) {
        const std::lock_guard lock(mutex_);
        handler = handlers_[told.request.protocol];
    }
    if (handler == nullptr)
        return responder->finish(
            fail(Errc::Unavailable, "the peer does not answer requests of this protocol now"));
    handler->on_request(told.key, std::move(told.request.request), std::move(responder));
}

void Pool::State::run(ChunkArrived& told) {
    std::shared_ptr<interfaces::ResponseReceiver> receiver;
    {
        const std::lock_guard lock(mutex_);
        const auto found = requests_.find(told.id);
        if (found == requests_.end()) return;
        receiver = found->second.receiver;
    }
    receiver->on_chunk(std::move(told.chunk));
}

void Pool::State::run(RequestEnded& told) {
    std::shared_ptr<interfaces::ResponseReceiver> receiver;
    {
        const std::lock_guard lock(mutex_);
        auto node = requests_.extract(told.id);
        if (!node) return;
        receiver = std::move(node.mapped().receiver);
    }
    receiver->on_end(std::move(told.outcome));
}

void Pool::State::run(TellReady& told) {
    told.ready();
}

// ---------------------------------------------------------------- who is told

void Pool::State::wait_for_callbacks() {
    if (delivering_ != std::this_thread::get_id()) const Delivery waited(*this);
}

void Pool::State::set_receiver(std::uint8_t protocol, interfaces::MessageReceiver* receiver) {
    {
        const std::lock_guard lock(mutex_);
        receivers_[protocol] = receiver;
        if (receiver != nullptr) {
            if (!is_closed_) tell(TellReceiver{protocol});
            return;
        }
    }
    if (delivering_ == std::this_thread::get_id()) {
        hearing_[protocol] = nullptr;
        return;
    }
    const Delivery delivery(*this);
    hearing_[protocol] = nullptr;
}

void Pool::State::set_handler(std::uint8_t protocol, interfaces::RequestHandler* handler) {
    {
        const std::lock_guard lock(mutex_);
        handlers_[protocol] = handler;
    }
    if (handler == nullptr) wait_for_callbacks();
}

}  // namespace draco::pool
