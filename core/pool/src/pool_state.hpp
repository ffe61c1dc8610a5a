#pragma once
// The Pool behind its handle: sessions under one mutex, and everything that is told to others in
// one queue, delivered by one thread at a time.
//
// Locks, in this order: delivery_mutex_ (held while others are called), mutex_ (sessions), those of
// the transport.

#include "draco/pool/pool.hpp"

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <variant>
#include <vector>

namespace draco::pool {

class Pool::State final : public TransportReceiver, public std::enable_shared_from_this<State> {
public:
    State(interfaces::PeerTransport& transport,
          Executor& executor,
          log::Log& log,
          const types::NodeKey& self,
          const SessionLimits& limits,
          std::uint64_t request_first);

    const types::NodeKey& self() const { return self_; }

    void close();

    Result<> send(const types::NodeKey& to,
                  std::uint8_t protocol,
                  Channel channel,
                  ByteView message);
    void set_receiver(std::uint8_t protocol, interfaces::MessageReceiver* receiver);
    Result<interfaces::RequestId> request(const types::NodeKey& to,
                                          std::uint8_t protocol,
                                          ByteView request,
                                          const interfaces::RequestOptions& options,
                                          std::unique_ptr<interfaces::ResponseReceiver> receiver);
    void local_event(interfaces::RequestId request, const Event& event);
    void set_handler(std::uint8_t protocol, interfaces::RequestHandler* handler);
    void set_peers(std::vector<interfaces::PeerAddress> peers);
    std::vector<types::NodeKey> connected() const;
    std::vector<interfaces::LinkSnapshot> snapshot() const;

    // ---- of Responders
    Result<> write(PeerId peer, InboundStream stream, Bytes& chunk);
    void await_writable(PeerId peer,
                        InboundStream stream,
                        std::size_t bytes,
                        std::move_only_function<void()> ready);
    void finish(PeerId peer, InboundStream stream, Result<> outcome);

    // ---- TransportReceiver
    void on_message(PeerId from, Channel channel, ByteView message) override;
    void on_link_up(PeerId peer) override;
    void on_link_down(PeerId peer) override;

private:
    static constexpr std::size_t kProtocolsMax = 16;

    struct Peer {
        types::NodeKey key;
        Session session;
        interfaces::LinkSnapshot counts;
        bool is_blocked = false;  // the transport had no room
        std::optional<std::pair<Instant, TimerId>> timer{};
        std::map<InboundStream, std::move_only_function<void()>> ready{};
    };

    // ---- What waits to be told.
    struct TellLink {
        types::NodeKey key;
        bool up;
    };

    struct TellReceiver {  // that it is one, and of the links
        std::uint8_t protocol;
    };

    struct TellRequest {
        PeerId peer;
        types::NodeKey key;
        RequestArrived request;
    };

    struct TellReady {
        std::move_only_function<void()> ready;
    };

    using Told =
        std::variant<TellLink, TellReceiver, TellRequest, ChunkArrived, RequestEnded, TellReady>;

    class Delivery;  // holds delivery_mutex_

    struct OpenedRequest {
        PeerId peer;
        std::shared_ptr<interfaces::ResponseReceiver> receiver;
    };

    // With mutex_ held.
    Peer* up_peer(PeerId id);
    Result<std::pair<PeerId, Peer*>> peer_for(const types::NodeKey& key);
    void step(PeerId id, Peer& peer, const Event& event);
    void step(PeerId id, Peer& peer, const Event& event, std::optional<MessageArrived>& message);
    void take(PeerId id, Peer& peer, Effect& effect);
    void pump(PeerId id, Peer& peer);
    bool hand_over(PeerId id, Peer& peer, Channel channel, bool& taken);
    void arm(PeerId id, Peer& peer);
    void disarm(Peer& peer);
    void tell(Told told);

    // Without it.
    void timer_due(PeerId id);
    void deliver();

    // With delivery_mutex_ held.
    void deliver_all();
    void run(TellLink& told);
    void run(TellReceiver& told);
    void run(TellRequest& told);
    void run(ChunkArrived& told);
    void run(RequestEnded& told);
    void run(TellReady& told);
    void wait_for_callbacks();

    interfaces::PeerTransport& transport_;
    Executor& executor_;
    const log::Logger log_;
    const types::NodeKey self_;
    const SessionLimits limits_;

    mutable std::mutex mutex_;  // guards what follows
    bool is_closed_ = false;
    bool is_delivery_posted_ = false;
    std::uint64_t request_next_;
    std::uint64_t links_seen_ = 0;
    std::map<PeerId, Peer> peers_;
    std::map<types::NodeKey, interfaces::LinkSnapshot> past_;  // of listed peers without a link
    std::map<interfaces::RequestId, OpenedRequest> requests_;
    std::array<interfaces::MessageReceiver*, kProtocolsMax> receivers_{};  // as set
    std::array<interfaces::RequestHandler*, kProtocolsMax> handlers_{};
    std::set<types::NodeKey> listed_;
    std::deque<Told> told_;

    std::mutex delivery_mutex_;  // guards what follows
    std::atomic<std::thread::id> delivering_;
    std::array<interfaces::MessageReceiver*, kProtocolsMax> hearing_{};  // have been told of links
    std::set<types::NodeKey> links_told_;
};

}  // namespace draco::pool
