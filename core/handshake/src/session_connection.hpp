#pragma once
// One connection: which transport it speaks, and messages out of its bytes.

#include "draco/handshake/session_server.hpp"
#include "draco/http/parser.hpp"
#include "draco/types/session.hpp"

#include "core.hpp"
#include "websocket.hpp"

#include <memory>
#include <optional>

namespace draco::handshake {

enum class Wire : std::uint8_t { Unknown, Plain, WebSocket };

// One message, or frame, in the buffers that go out.
struct Outgoing {
    Bytes head{};
    Bytes body{};
    std::uint64_t block_bytes = 0;  // of the content, in it
};

// `message` as it is on the wire of the session; `head` is put in front of `body` without copying.
Outgoing frame_of(Wire wire, Bytes head, Bytes body, std::uint64_t block_bytes);

Bytes block_head(std::uint64_t id, std::uint64_t index, std::size_t bytes);

class SessionConnection final : public io::StreamReceiver {
public:
    SessionConnection(std::shared_ptr<SessionServer::State> state, io::Stream stream);

    void on_open(const io::Stream& stream) override;
    std::size_t on_bytes(ByteView bytes) override;
    void on_end() override;
    void on_writable() override;
    void on_close(const Result<>& why) override;

private:
    // Each takes something from the front; nothing while more has to arrive.
    std::optional<std::size_t> take(ByteView bytes);
    std::optional<std::size_t> begin(ByteView bytes);
    std::optional<std::size_t> upgrade(ByteView bytes);
    std::optional<std::size_t> take_plain(ByteView bytes);
    std::optional<std::size_t> take_frames(ByteView bytes);
    void refuse(CloseCode code);

    std::shared_ptr<SessionServer::State> state_;
    io::Stream stream_;
    SessionId id_{};
    Wire wire_ = Wire::Unknown;
    bool is_over_ = false;
    std::unique_ptr<http::RequestParser> upgrade_;
    std::optional<WebSocketReader> reader_;
};

// The client network of "address:port", as http::Peer::network.
std::uint64_t network_of(std::string_view peer_address);

}  // namespace draco::handshake
