#include "session_connection.hpp"

#include "draco/http/peer.hpp"

#include "server_state.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

namespace draco::handshake {

namespace wire = types::session;

namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::string_view kHttpStart = "GET ";
constexpr http::ParseLimits kUpgradeLimits{.start_line_bytes_max = 2 << 10,
                                           .fields_bytes_max = 8 << 10,
                                           .fields_max = 64,
                                           .body_bytes_max = 0,
                                           .chunk_line_bytes_max = 64};

void append_uleb128(Bytes& to, std::size_t value) {
    for (; value >= 0x80; value >>= 7U) to.push_back(static_cast<std::uint8_t>(value | 0x80U));
    to.push_back(static_cast<std::uint8_t>(value));
}

}  // namespace

Outgoing frame_of(Wire wire, Bytes head, Bytes body, std::uint64_t block_bytes) {
    const std::size_t size = head.size() + body.size();
    Bytes frame;
    if (wire == Wire::WebSocket) {
        frame = binary_frame_head(size);
    } else {
        frame.resize(kLengthBytes);
        store_le(frame.data(), static_cast<std::uint32_t>(size));
    }
    append(frame, head);
    return {.head = std::move(frame), .body = std::move(body), .block_bytes = block_bytes};
}

// The encoding of a Block ends with the length of its bytes, and them.
Bytes block_head(std::uint64_t id, std::uint64_t index, std::size_t bytes) {
    Bytes head = bcs::encode(wire::NodeMessage(wire::Block{.id = id, .index = index, .bytes = {}}));
    head.pop_back();
    append_uleb128(head, bytes);
    return head;
}

std::uint64_t network_of(std::string_view peer_address) {
    std::string host(peer_address.substr(0, peer_address.rfind(':')));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    http::Peer peer;
    if (host.find(':') == std::string::npos) host = "::ffff:" + host;
    if (::inet_pton(AF_INET6, host.c_str(), peer.address.data()) != 1) return 0;
    return peer.network();
}

SessionConnection::SessionConnection(std::shared_ptr<SessionServer::State> state, io::Stream stream)
    : state_(std::move(state)), stream_(std::move(stream)), id_(state_->accepted(stream_)) {}

void SessionConnection::on_open(const io::Stream& /*stream*/) {}

std::size_t SessionConnection::on_bytes(ByteView bytes) {
    std::size_t consumed = 0;
    while (!is_over_ && consumed < bytes.size()) {
        const auto taken = take(bytes.subspan(consumed));
        if (!taken) return consumed;
        consumed += *taken;
    }
    return bytes.size();
}

std::optional<std::size_t> SessionConnection::take(ByteView bytes) {
    if (wire_ == Wire::Plain) return take_plain(bytes);
    if (wire_ == Wire::WebSocket) return take_frames(bytes);
    return upgrade_ ? upgrade(bytes) : begin(bytes);
}

// No message is as long as these four letters are as a length.
std::optional<std::size_t> SessionConnection::begin(ByteView bytes) {
    if (bytes.size() < kHttpStart.size()) return std::nullopt;
    if (as_text(bytes.first(kHttpStart.size())) == kHttpStart) {
        upgrade_ = std::make_unique<http::RequestParser>(kUpgradeLimits);
    } else {
        wire_ = Wire::Plain;
        state_->begun(id_, wire_);
    }
    return 0;
}

std::optional<std::size_t> SessionConnection::upgrade(ByteView bytes) {
    const auto fed = upgrade_->feed(bytes);
    if (!fed) {
        refuse(CloseCode::Protocol);
        stream_.close();  // what the session has to say waits for a transport that never comes
        return bytes.size();
    }
    if (!upgrade_->is_complete()) return *fed;
    const UpgradeAnswer answer = answer_upgrade(upgrade_->take());
    static_cast<void>(stream_.write(to_bytes(as_bytes(answer.head))));
    if (answer.status != 101) {
        stream_.close();
        is_over_ = true;
        return bytes.size();
    }
    upgrade_.reset();
    reader_.emplace(wire::kClientMessageBytesMax);
    wire_ = Wire::WebSocket;
    state_->begun(id_, wire_);
    return *fed;
}

std::optional<std::size_t> SessionConnection::take_plain(ByteView bytes) {
    if (bytes.size() < kLengthBytes) return std::nullopt;
    const std::size_t size = load_le<std::uint32_t>(bytes.data());
    if (size > wire::kClientMessageBytesMax) {
        refuse(CloseCode::Protocol);
        return bytes.size();
    }
    if (bytes.size() < kLengthBytes + size) return std::nullopt;
    state_->received(id_, bytes.subspan(kLengthBytes, size));
    return kLengthBytes + size;
}

std::optional<std::size_t> SessionConnection::take_frames(ByteView bytes) {
    const auto fed = reader_->feed(
        bytes,
        {.on_message =
             [this](ByteView message) {
                 state_->received(id_, message);
                 return true;
             },
         .on_ping = [this](ByteView payload) { state_->reply(id_, pong_frame(payload)); },
         .on_close =
             [this](std::uint16_t code) {
                 is_over_ = true;
                 state_->reply(id_, close_frame(code));
                 stream_.close();
             }});
    if (!fed) {
        refuse(fed.error());
        return bytes.size();
    }
    if (*fed == 0) return std::nullopt;
    return *fed;
}

void SessionConnection::refuse(CloseCode code) {
    is_over_ = true;
    state_->broken(id_, code);
}

void SessionConnection::on_end() {
    stream_.close();
}

void SessionConnection::on_writable() {
    state_->writable(id_);
}

void SessionConnection::on_close(const Result<>& /*why*/) {
    state_->closed(id_);
}

}  // namespace draco::handshake
