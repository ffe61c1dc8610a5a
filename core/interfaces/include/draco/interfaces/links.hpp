#pragma once
// What one node says to another, by node key: messages, and requests with streamed answers.
// Everything that nodes exchange goes this way. Each link is mutually authenticated; `from` is the
// key that the peer has proved to hold.
//
// All calls are thread-safe and none of them calls back before it returns. Receivers and handlers
// are called one at a time; they must be quick (hand on to the own mailbox) and must not throw.

#include "draco/base/bytes.hpp"
#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/base/strong_id.hpp"
#include "draco/base/transport.hpp"
#include "draco/types/keys.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace draco::interfaces {

// Which component a message is for. Values are on the wire: never renumber.
enum class Protocol : std::uint8_t {
    Consensus = 1,     // the committee's DAG
    Gossip = 2,        // core/broadcast
    Blocks = 3,        // certified blocks, for those who follow
    Transactions = 4,  // to a member of the committee
    Content = 5,       // objects, by address
    Providers = 6,     // who has which object
    Worker = 7,        // between a node and its worker processes, and where these are
};

inline constexpr std::size_t kRequestBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kResponseChunkBytesMax = std::size_t{256} << 10;

// --- messages ---

class MessageReceiver {
public:
    virtual ~MessageReceiver() = default;
    // In the order sent, of one peer and channel. The view lives until the call returns.
    virtual void on_message(const types::NodeKey& from, ByteView message) = 0;
    // Whatever was in flight before is lost.
    virtual void on_link_up(const types::NodeKey& peer) = 0;
    virtual void on_link_down(const types::NodeKey& peer) = 0;
};

// --- requests ---

struct RequestIdTag;
using RequestId = StrongId<RequestIdTag, std::uint64_t>;

struct RequestOptions {
    Instant deadline;  // for the whole answer
    // Bytes of the answer that may be under way or unprocessed: the initial credit.
    std::size_t credit_bytes = std::size_t{1} << 20;
};

// Takes the answer of one request. Destroyed after on_end.
class ResponseReceiver {
public:
    virtual ~ResponseReceiver() = default;
    // In order, each at most kResponseChunkBytesMax. What arrives uses up credit until it is
    // granted again.
    virtual void on_chunk(Bytes chunk) = 0;
    // Exactly once, last. Success: the answer is complete. The handler's error; DeadlineExceeded;
    // Unavailable (the link broke); Abandoned (cancelled here, or the handler dropped it);
    // Exhausted (the peer is busy); Corrupt (the peer broke the rules).
    virtual void on_end(Result<> outcome) = 0;
};

// The answering side. Any thread may use it. Destroyed without finish(): Abandoned there.
class Responder {
public:
    virtual ~Responder() = default;
    // At most kResponseChunkBytesMax. Exhausted: no credit now, `chunk` is untouched, see
    // on_writable. Unavailable: the requester is gone, has cancelled, or its deadline is over.
    [[nodiscard]] virtual Result<> write(Bytes&& chunk) = 0;
    // Calls back once when write() may succeed again or the request has ended; at once (as a task)
    // if that is so now.
    virtual void on_writable(std::move_only_function<void()> ready) = 0;
    // Ends the answer. Nothing can be written after it.
    virtual void finish(Result<> outcome) = 0;
};

class RequestHandler {
public:
    virtual ~RequestHandler() = default;
    virtual void on_request(const types::NodeKey& from,
                            Bytes request,
                            std::unique_ptr<Responder> responder) = 0;
};

// --- links ---

struct PeerAddress {
    types::NodeKey key;
    std::string host;
    std::uint16_t port = 0;

    bool operator==(const PeerAddress&) const = default;
};

// A Transport whose peers have names. In a node it is the TLS links of core/pool, in a simulation
// the simulated network.
class PeerTransport : public Transport {
public:
    virtual std::optional<PeerId> id_of(const types::NodeKey& key) const = 0;
    virtual std::optional<types::NodeKey> key_of(PeerId id) const = 0;
    // Those to be linked with from now on. Links to others end, except guests' (peers that dialled
    // in, and are not in the list), of which a bounded number is let in.
    virtual void set_peers(std::vector<PeerAddress> peers) = 0;
    // The peer broke the rules: ends its link, and has none with it for `pause`. No effect on an
    // unknown peer.
    virtual void refuse(PeerId peer, Duration pause) = 0;
};

struct LinkSnapshot {
    types::NodeKey key;
    bool up = false;
    bool guest = false;
    std::uint64_t messages_received = 0;
    std::uint64_t messages_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t refused = 0;  // malformed, out of turn, or beyond a bound
};

class Links {
public:
    virtual ~Links() = default;

    virtual const types::NodeKey& self() const = 0;

    // Queues the message. Exhausted when the peer's queue for the channel is full, InvalidArgument
    // when it is too long, NotFound for an unknown peer, Unavailable when the link is down.
    virtual Result<> send(const types::NodeKey& to,
                          Protocol protocol,
                          Channel channel,
                          ByteView message) = 0;
    // Null stops delivery, and returns when no call is running. A new receiver is told of every
    // link that is up.
    virtual void set_receiver(Protocol protocol, MessageReceiver* receiver) = 0;

    // The outcome is told to `receiver`. InvalidArgument, NotFound, Unavailable as send(); then
    // `receiver` is destroyed unheard. Exhausted when too many requests to this peer are open.
    virtual Result<RequestId> request(const types::NodeKey& to,
                                      Protocol protocol,
                                      Bytes request,
                                      const RequestOptions& options,
                                      std::unique_ptr<ResponseReceiver> receiver) = 0;
    // So many bytes of the answer have been processed.
    virtual void grant(RequestId request, std::size_t bytes) = 0;
    virtual void cancel(RequestId request) = 0;
    // Null: requests are answered with Unavailable.
    virtual void set_handler(Protocol protocol, RequestHandler* handler) = 0;

    virtual void set_peers(std::vector<PeerAddress> peers) = 0;
    virtual std::vector<types::NodeKey> connected() const = 0;  // ascending
    virtual std::vector<LinkSnapshot> snapshot() const = 0;     // ascending
};

}  // namespace draco::interfaces
