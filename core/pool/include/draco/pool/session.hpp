#pragma once
// What two nodes say over one link: messages, and requests with streamed answers, as frames
// (docs/formats/links.md). A Session is one peer's state; it outlives links.
//
// A core: deterministic, without clock, lock or capability. step() takes one event and appends what
// is to be done to `effects`; frames to be sent wait in the session until its owner takes them.
//
// Rules of a stream. The requester chooses an id that it never uses again. What the requester says
// (open, credit, cancel) goes on Channel::Control, what the responder says (chunk, end) on
// Channel::Bulk, so each is in order. Chunks carry their offset and credit is an absolute limit: a
// lost frame is noticed or repaired, never misread. Every open stream has exactly one end on either
// side; a link that goes down ends all.
//
// Bounds: SessionLimits; credit per stream; the length of every frame (kMessageBytesMax) and of
// what is in it. A peer that exceeds one, or whose frame does not decode, is refused:
// Effects::violation. What a lossy link can cause is only counted.

#include "draco/base/bytes.hpp"
#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/base/transport.hpp"
#include "draco/interfaces/links.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace draco::pool {

inline constexpr std::size_t kFrameOverheadBytesMax = 64;
// Of Links::send.
inline constexpr std::size_t kLinkMessageBytesMax = kMessageBytesMax - kFrameOverheadBytesMax;
inline constexpr std::size_t kErrorTextBytesMax = 512;
// Initial credit is brought into these bounds. With less than two chunks a stream could stand
// still: credit is granted on in portions of a quarter.
inline constexpr std::size_t kCreditBytesMin = 2 * interfaces::kResponseChunkBytesMax;
inline constexpr std::size_t kCreditBytesMax = std::size_t{16} << 20;
inline constexpr Duration kRequestDeadlineMax = std::chrono::hours(1);

struct SessionLimits {
    std::size_t requests_max = 64;  // open at a time, each way
    // Frames that wait to be sent. Beyond it nothing new is opened or written; ends, credits and
    // cancels have as much again, and are dropped after that (the peer's deadline ends the stream).
    std::size_t backlog_bytes_max = std::size_t{4} << 20;
};

// A stream that the peer has opened: its id on the wire and this side's count of such streams, so
// that a peer that uses an id again gets no one else's answer.
struct InboundStream {
    std::uint64_t wire = 0;
    std::uint64_t serial = 0;

    constexpr auto operator<=>(const InboundStream&) const = default;
};

// ---- Events

struct LinkUp {};

struct LinkDown {};

struct FrameReceived {
    Channel channel;
    ByteView frame;
};

// Deadlines may have passed: see Session::wake_at.
struct TimePassed {};

// Preconditions: check_open, and an id that was never opened.
struct OpenRequest {
    interfaces::RequestId id;
    std::uint8_t protocol;
    ByteView request;
    Instant deadline;
    std::size_t credit_bytes;
};

// The following two: no effect if the request is over.
struct GrantCredit {
    interfaces::RequestId id;
    std::size_t bytes;
};

struct CancelRequest {
    interfaces::RequestId id;
};

// Precondition: check_write, and the chunk is not empty.
struct WriteChunk {
    InboundStream stream;
    ByteView chunk;
};

// Tell when so many bytes can be written, or the stream is over (StreamWritable).
struct AwaitWritable {
    InboundStream stream;
    std::size_t bytes;
};

// No effect if the stream is over.
struct FinishStream {
    InboundStream stream;
    Result<> outcome;
};

// What the owner has taken from the backlog is on its way: there is room.
struct BacklogTaken {};

using Event = std::variant<LinkUp,
                           LinkDown,
                           FrameReceived,
                           TimePassed,
                           OpenRequest,
                           GrantCredit,
                           CancelRequest,
                           WriteChunk,
                           AwaitWritable,
                           FinishStream,
                           BacklogTaken>;

// ---- Effects

struct MessageArrived {
    std::uint8_t protocol;
    ByteView message;  // into the frame
};

struct RequestArrived {
    InboundStream stream;
    std::uint8_t protocol;
    Bytes request;
};

struct ChunkArrived {
    interfaces::RequestId id;
    Bytes chunk;
};

struct RequestEnded {
    interfaces::RequestId id;
    Result<> outcome;
};

struct StreamWritable {
    InboundStream stream;
};

using Effect =
    std::variant<MessageArrived, RequestArrived, ChunkArrived, RequestEnded, StreamWritable>;

struct Effects {
    std::vector<Effect> told;  // in order
    std::uint64_t refused = 0;
    // The peer broke the rules: the link is to be reset. The session has ended all its streams.
    std::optional<std::string> violation;
};

// Encodes a message of kLinkMessageBytesMax at most.
Bytes encode_message(std::uint8_t protocol, ByteView message);

struct MessageFrame;
struct OpenFrame;
struct CreditFrame;
struct CancelFrame;
struct ChunkFrame;
struct EndFrame;

class Session {
public:
    // `serial_last`: the serials of inbound streams begin behind it.
    explicit Session(const SessionLimits& limits = {}, std::uint64_t serial_last = 0)
        : limits_(limits), serial_last_(serial_last) {}

    void step(const Event& event, Instant now, Effects& effects);

    // Exhausted: too many are open, or too much waits to be sent. Unavailable: no link.
    Result<> check_open() const;
    // Exhausted: no credit, or too much waits to be sent. Unavailable: the stream is over.
    Result<> check_write(InboundStream stream, std::size_t bytes) const;

    // When TimePassed is due.
    std::optional<Instant> wake_at() const;

    // Frames to be sent, in order, for Control and Bulk each. An owner that has taken some says so
    // with BacklogTaken.
    const Bytes* next_frame(Channel channel) const;
    void pop_frame(Channel channel);

    std::size_t backlog_bytes() const { return backlog_bytes_; }

    std::size_t requests_open() const { return outbound_.size(); }

    std::size_t streams_open() const { return inbound_.size(); }

private:
    struct Outbound {
        Instant deadline;
        std::size_t window;     // initial credit
        std::uint64_t limit;    // announced to the peer
        std::uint64_t granted;  // limit, and what is not announced yet
        std::uint64_t received = 0;
    };

    struct Inbound {
        std::uint64_t serial;
        Instant deadline;
        std::uint64_t limit;
        std::uint64_t sent = 0;
        std::optional<std::size_t> awaited{};  // bytes
    };

    enum class Side : std::uint8_t { Requester, Responder };
    using Deadline = std::tuple<Instant, Side, std::uint64_t>;

    void on(const LinkUp&, Instant now, Effects& effects);
    void on(const LinkDown&, Instant now, Effects& effects);
    void on(const FrameReceived& event, Instant now, Effects& effects);
    void on(const TimePassed&, Instant now, Effects& effects);
    void on(const OpenRequest& event, Instant now, Effects& effects);
    void on(const GrantCredit& event, Instant now, Effects& effects);
    void on(const CancelRequest& event, Instant now, Effects& effects);
    void on(const WriteChunk& event, Instant now, Effects& effects);
    void on(const AwaitWritable& event, Instant now, Effects& effects);
    void on(const FinishStream& event, Instant now, Effects& effects);
    void on(const BacklogTaken&, Instant now, Effects& effects);

    void receive(const MessageFrame& frame, Instant now, Effects& effects);
    void receive(const OpenFrame& frame, Instant now, Effects& effects);
    void receive(const CreditFrame& frame, Instant now, Effects& effects);
    void receive(const CancelFrame& frame, Instant now, Effects& effects);
    void receive(const ChunkFrame& frame, Instant now, Effects& effects);
    void receive(const EndFrame& frame, Instant now, Effects& effects);

    void end_all(Errc code, const std::string& why, Effects& effects);
    void violated(std::string how, Effects& effects);
    void end_outbound(std::uint64_t id, Result<> outcome, Effects& effects);
    void end_inbound(std::uint64_t wire, Effects& effects);
    void send_end(std::uint64_t wire, std::uint64_t offset, const Result<>& outcome);
    void tell_if_writable(std::uint64_t wire, Inbound& stream, Effects& effects);
    Inbound* find(InboundStream stream);
    const Inbound* find(InboundStream stream) const;
    void queue(Channel channel, Bytes frame);
    void queue_small(Channel channel, Bytes frame);

    SessionLimits limits_;
    std::uint64_t serial_last_;
    bool is_up_ = false;
    std::map<std::uint64_t, Outbound> outbound_;  // by request id
    std::map<std::uint64_t, Inbound> inbound_;    // by the peer's id
    std::set<Deadline> deadlines_;
    std::array<std::deque<Bytes>, kChannelCount> backlog_;
    std::size_t backlog_bytes_ = 0;
};

}  // namespace draco::pool
