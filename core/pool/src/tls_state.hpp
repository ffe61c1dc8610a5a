#pragma once
// The TlsTransport behind its handle.
//
// Locks, in this order: delivery_mutex_ (held while the receiver is called, by every event of the
// network), mutex_ (links), those of lib/io. Calls of the transport take mutex_ alone; what they
// end is told when the network reports it.
//
// A Link is in one place of its Peer: `dialing` or `inbound` until all of its connections have said
// hello, then `link`, until the network reports the first of them closed.

#include "draco/pool/tls_transport.hpp"

#include "hello.hpp"

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

namespace draco::pool {

struct Link {
    enum class Phase : std::uint8_t { Setup, Up, Dead };

    types::NodeKey key;
    PeerId id;
    bool dialed = false;
    std::uint64_t attempt = 0;
    std::size_t message_bytes_max = kMessageBytesMax;  // that the peer takes

    // Guarded by State::mutex_.
    std::array<std::optional<io::Stream>, kChannelCount> streams{};
    std::array<bool, kChannelCount> is_open{};   // through TLS
    std::array<bool, kChannelCount> is_ready{};  // through hello
    std::array<bool, kChannelCount> has_sent{};  // since the last tick
    std::array<unsigned, kChannelCount> ticks_silent{};
    std::optional<TimerId> deadline{};  // of the setup
    Instant up_since{};
    std::string reason;  // why this side ended it

    // Written under State::mutex_, read without it inside a delivery.
    std::atomic<Phase> phase = Phase::Setup;
    std::atomic<std::size_t> receive_bytes_max = kMessageBytesMax;
    std::array<std::atomic<bool>, kChannelCount> was_heard{};
    std::atomic<Duration::rep> active_at{0};  // of the last message

    bool is_told = false;  // the receiver knows that it is up; inside a delivery only
};

struct LinkPeer {
    types::NodeKey key;
    PeerId id;
    bool is_listed = false;
    std::string host;
    std::uint16_t port = 0;
    std::shared_ptr<Link> link{};  // up, or ended and not reported yet
    std::shared_ptr<Link> dialing{};
    std::shared_ptr<Link> inbound{};
    unsigned failures = 0;
    std::optional<TimerId> dial_timer{};

    bool has_live_link() const { return link && link->phase == Link::Phase::Up; }
};

class TlsTransport::State final : public std::enable_shared_from_this<State> {
public:
    class Connection;
    class Door;  // the Acceptor

    State(io::Network& network,
          Executor& executor,
          Rng& rng,
          log::Log& log,
          const io::TlsIdentity& identity,
          const TlsTransportOptions& options);

    Result<> start();
    void close();

    Result<> send(PeerId to, Channel channel, Bytes message);
    void set_receiver(TransportReceiver* receiver);
    std::optional<PeerId> id_of(const types::NodeKey& key) const;
    std::optional<types::NodeKey> key_of(PeerId id) const;
    void set_peers(std::vector<interfaces::PeerAddress> peers);
    void refuse(PeerId peer, Duration pause);
    std::uint16_t listen_port() const;
    TlsTransportCounters counters() const;

private:
    struct Change {  // of a link, to be told
        std::shared_ptr<Link> link;
        bool up;
    };

    using Changes = std::vector<Change>;

    class Delivery;

    // ---- Of the network, on its threads (tls_connection.cpp).
    bool admit(const types::NodeKey& key);
    bool accepted(Connection& connection, const io::Stream& stream);
    void opened(Connection& connection, const io::Stream& stream);
    std::size_t received(Connection& connection, ByteView bytes);
    void closed(Connection& connection, const Result<>& why);
    bool take_frame(Connection& connection, ByteView frame);
    void take_hello(Connection& connection, ByteView frame, Changes& changes);
    void take_answer(Connection& connection, ByteView frame, Changes& changes);
    std::optional<std::string> incompatible(std::uint16_t version,
                                            types::ChainId chain,
                                            const types::GenesisDigest& genesis) const;
    HelloAnswer answer_of(HelloVerdict verdict, std::string text, std::size_t bytes_max) const;
    void refuse_hello(Connection& connection, HelloVerdict verdict, const std::string& why);
    std::optional<std::string> join(Connection& connection, const Hello& hello);
    std::optional<std::string> make_way(LinkPeer& peer);
    std::optional<std::string> room_for_guest();
    void dismiss(LinkPeer& peer, const std::string& why);
    void bad_frame(Connection& connection, const std::string& why);

    // ---- Links, with mutex_ held (tls_links.cpp).
    LinkPeer& peer_of(const types::NodeKey& key);
    LinkPeer* find(const types::NodeKey& key);
    void forget_if_gone(const types::NodeKey& key);
    std::size_t guest_count() const;
    LinkPeer* idlest_guest();
    bool is_refused(const types::NodeKey& key);
    void kill(const std::shared_ptr<Link>& link, std::string reason);
    void kill_setup(std::shared_ptr<Link>& link, std::string reason);
    void came_up(LinkPeer& peer, std::shared_ptr<Link> link, Changes& changes);
    void went_down(LinkPeer& peer, const Result<>& why, Changes& changes);
    void arm_setup_deadline(const std::shared_ptr<Link>& link);
    void schedule_dial(LinkPeer& peer, Duration delay);
    void dial_failed(LinkPeer& peer);
    Duration next_delay(const LinkPeer& peer);
    void dial(LinkPeer& peer);
    bool connect(LinkPeer& peer, const std::shared_ptr<Link>& link, std::size_t channel);

    bool defers_to(const LinkPeer& peer) const { return peer.key < self_; }

    void ping(Link& link, std::size_t channel);
    void arm_tick();

    // ---- Tasks of the executor.
    void dial_due(const types::NodeKey& key);
    void tick();
    void tell_links();
    template <class Method, class... Args>
    Executor::Task task(Method method, Args... args);

    // ---- Inside a delivery, without mutex_.
    void tell(const Changes& changes);
    void tell_up(Link& link);

    io::Network& network_;
    Executor& executor_;
    Rng& rng_;
    const log::Logger log_;
    const io::TlsIdentity identity_;
    const TlsTransportOptions options_;
    const types::NodeKey self_;
    std::unique_ptr<io::Listener> listener_;  // from start to close

    mutable std::mutex mutex_;  // guards what follows
    bool is_closed_ = false;
    std::uint32_t id_last_ = 0;
    std::map<types::NodeKey, LinkPeer> peers_;
    std::map<PeerId, types::NodeKey> keys_;
    std::map<types::NodeKey, Instant> refused_;

    struct Unidentified {
        io::Stream stream;
        TimerId deadline;
    };

    std::uint64_t connection_last_ = 0;
    std::map<std::uint64_t, Unidentified> unidentified_;  // accepted, no hello yet
    std::optional<TimerId> tick_timer_;
    std::uint64_t dials_ = 0;
    std::uint64_t hellos_refused_ = 0;
    std::uint64_t frames_refused_ = 0;

    std::mutex delivery_mutex_;  // guards what follows
    std::atomic<std::thread::id> delivering_;
    TransportReceiver* receiver_ = nullptr;
};

// One TCP connection of a link.
class TlsTransport::State::Connection final : public io::StreamReceiver {
public:
    Connection(std::shared_ptr<State> of, std::shared_ptr<Link> link, std::size_t channel)
        : state_(std::move(of)), link_(std::move(link)), channel_(channel) {}

    void on_open(const io::Stream& stream) override { state_->opened(*this, stream); }

    std::size_t on_bytes(ByteView bytes) override { return state_->received(*this, bytes); }

    void on_end() override { stream_->abort(); }

    void on_writable() override {}

    void on_close(const Result<>& why) override { state_->closed(*this, why); }

private:
    friend class State;

    const std::shared_ptr<State> state_;
    std::shared_ptr<Link> link_;  // null: accepted, and no hello yet
    std::size_t channel_;
    std::uint64_t number_ = 0;  // in unidentified_
    std::optional<io::Stream> stream_;
    types::NodeKey key_;
    bool has_hello_ = false;   // the first frame has come
    bool is_refused_ = false;  // whatever comes is dropped
};

class TlsTransport::State::Delivery {
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

template <class Method, class... Args>
Executor::Task TlsTransport::State::task(Method method, Args... args) {
    return [weak = weak_from_this(), method, ... args = std::move(args)] {
        if (const auto state = weak.lock()) ((*state).*method)(args...);
    };
}

}  // namespace draco::pool
