#pragma once
// One TCP connection, plain or under TLS, as a stream of bytes each way.
//
// A Stream lives on one thread of its Network, which calls its receiver, one call at a time. The
// Stream itself is a handle: any thread may use it, copies name the same connection, and dropping
// them all closes nothing (close and abort do, and the peer, the deadlines and Network::stop).
//
//     connecting -> [TLS handshake] -> on_open -> on_bytes..., on_end, on_writable... -> on_close
//
// Every connection ends with exactly one on_close, also one that never opened. The receiver is
// destroyed right after it, on the same thread, unless the connection was accepted and its
// handshake failed: then no receiver was made.
//
// Memory per connection: at most receive_bytes_max that the receiver has not consumed,
// send_bytes_max that the system has not taken, and under TLS kTlsBufferBytesMax more each way. An
// idle connection holds about 5 KiB plain, 20 KiB under TLS.

#include "draco/base/bytes.hpp"
#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/io/tls.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace draco::io {

inline constexpr std::size_t kTlsBufferBytesMax = std::size_t{80} << 10;

struct StreamOptions {
    // The largest unit that a receiver wants to see in one piece.
    std::size_t receive_bytes_max = std::size_t{64} << 10;
    std::size_t send_bytes_max = std::size_t{1} << 20;
    // Closes an open stream over which no byte has moved either way for so long, whoever is to
    // blame: a vanished peer, a stalled one, or a receiver that does not consume. Also what the
    // system grants sent bytes to be acknowledged (TCP_USER_TIMEOUT).
    Duration idle_deadline = std::chrono::seconds(60);
    // How long close() waits for queued bytes to move and for the peer to end.
    Duration close_deadline = std::chrono::seconds(5);
};

struct StreamCounters {
    std::uint64_t bytes_received = 0;  // from the network, TLS overhead included
    std::uint64_t bytes_sent = 0;
    std::size_t bytes_queued = 0;   // of write, not (when closed: never) taken by TLS or the system
    std::size_t bytes_waiting = 0;  // received and not consumed, as of the last on_bytes

    bool operator==(const StreamCounters&) const = default;
};

namespace detail {
class Connection;
}

class Stream {
public:
    // Queues the buffers, moved from, in order and with no others between them; they leave by
    // gathered writes without being copied (plain; small ones are put together under TLS). May be
    // called before the stream is open. On failure the buffers are untouched:
    //   Exhausted        they do not fit into send_bytes_max now; on_writable will follow
    //   InvalidArgument  they would not fit into an empty queue, or end() or close() was called
    //   Unavailable      the stream is closed
    [[nodiscard]] Result<> write(std::span<Bytes> buffers) const;

    [[nodiscard]] Result<> write(Bytes&& buffer) const { return write(std::span(&buffer, 1)); }

    // Shows the receiver again what it has not consumed, and reads on. For a receiver that consumed
    // less than it could, to slow the peer down.
    void resume_reading() const;

    // After what is queued, tells the peer that no more will come (close_notify, FIN). Reading goes
    // on. When both sides have ended, the stream closes.
    void end() const;

    // end(), then discards what still arrives until the peer ends too or close_deadline passes. The
    // receiver hears no more than on_close. Before on_open: gives up, as abort() does.
    void close() const;

    // Drops what is queued and resets the connection.
    void abort() const;

    // "address:port" of the other end, empty before on_open.
    std::string peer_address() const;

    // The key the peer has proved to hold; nothing on a plain stream, or before on_open.
    std::optional<TlsPublicKey> peer_key() const;

    StreamCounters counters() const;

private:
    friend class detail::Connection;

    explicit Stream(std::shared_ptr<detail::Connection> connection)
        : connection_(std::move(connection)) {}

    std::shared_ptr<detail::Connection> connection_;
};

// What a stream tells its owner. Calls must not block (other streams live on the same thread) and
// must not throw. A call may use the stream in any way; the effects come after the call.
class StreamReceiver {
public:
    virtual ~StreamReceiver() = default;

    virtual void on_open(const Stream& stream) = 0;

    // `bytes` is all that has arrived and was not consumed, 1 to receive_bytes_max bytes, valid
    // during the call. Returns how many of them, from the front, it has consumed; the rest is shown
    // again, in front of what arrives next or after resume_reading(). When receive_bytes_max wait
    // unconsumed, nothing more is read from the system, and TCP slows the peer down.
    virtual std::size_t on_bytes(ByteView bytes) = 0;

    // The peer has ended: no more bytes will follow those shown.
    virtual void on_end() = 0;

    // After write() answered Exhausted: half of send_bytes_max is free.
    virtual void on_writable() = 0;

    // Nothing follows. Success if both sides ended or close() was called; else
    //   Unavailable       refused, reset, unreachable, cut off
    //   DeadlineExceeded  connecting, the handshake, idleness or closing took too long
    //   Unauthenticated   the peer's key was refused, or the peer refused ours
    //   Corrupt           the peer does not speak TLS 1.3 with this protocol name
    //   NotFound          the host name does not resolve
    //   Exhausted         out of file descriptors or memory for sockets
    //   Abandoned         abort(), or the Network stopped
    virtual void on_close(const Result<>& why) = 0;
};

}  // namespace draco::io
