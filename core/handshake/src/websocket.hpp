#pragma once
// The server's side of WebSocket (RFC 6455), without I/O: the answer to an upgrade, and messages
// out of frames as they arrive. No extensions; text messages are refused, since all ours are
// binary.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/http/message.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace draco::handshake {

// "The server's key" of RFC 6455 4.2.2, from Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);

// The head of the answer 101 to an upgrade that asks for what RFC 6455 4.2.1 demands; else the
// status of a refusal (400, 405, 426) and why. Any origin is welcome: a session carries no cookies,
// and what it may do it proves by a key.
struct UpgradeAnswer {
    unsigned status = 101;
    std::string head;  // the whole answer
};

UpgradeAnswer answer_upgrade(const http::Request& request);

// Why a connection is closed (RFC 6455 7.4.1).
enum class CloseCode : std::uint16_t {
    Normal = 1000,
    Protocol = 1002,
    NotBinary = 1003,
    TooBig = 1009,
};

// Frames of a server, which are not masked, and final.
Bytes binary_frame_head(std::size_t payload_bytes);
Bytes pong_frame(ByteView payload);
Bytes close_frame(std::uint16_t code);

class WebSocketReader {
public:
    // Called inside feed(). A view is valid during the call. After on_message has answered false,
    // nothing more is told.
    struct Sink {
        std::function<bool(ByteView)> on_message;
        std::function<void(ByteView)> on_ping;
        std::function<void(std::uint16_t)> on_close;  // the code to answer with
    };

    explicit WebSocketReader(std::size_t message_bytes_max)
        : message_bytes_max_(message_bytes_max) {}

    // Takes whole frames from the front and returns how many bytes they were. An error closes the
    // connection: nothing may be fed after it, nor after on_close.
    Result<std::size_t, CloseCode> feed(ByteView bytes, const Sink& sink);

private:
    struct Frame {
        std::uint8_t opcode = 0;
        bool is_final = false;
        std::size_t bytes = 0;  // of the whole frame
        Bytes payload;
    };

    Result<std::optional<Frame>, CloseCode> next_frame(ByteView bytes) const;
    // False: no more is to be told.
    Result<bool, CloseCode> take(const Frame& frame, const Sink& sink);
    Result<bool, CloseCode> take_data(const Frame& frame, const Sink& sink);

    const std::size_t message_bytes_max_;
    Bytes message_;  // of fragments so far
    bool is_fragmented_ = false;
};

}  // namespace draco::handshake
