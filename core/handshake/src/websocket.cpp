#include "websocket.hpp"

#include "draco/base/text_encoding.hpp"

#include "sha1.hpp"

#include <algorithm>
#include <string_view>

namespace draco::handshake {
namespace {

enum Opcode : std::uint8_t {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    CloseIt = 8,
    Ping = 9,
    Pong = 10
};

constexpr std::size_t kKeyChars = 24;  // 16 bytes in base64
constexpr std::size_t kControlBytesMax = 125;
constexpr std::size_t kMaskBytes = 4;
constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kMasked = 0x80;

// RFC 4648 section 4, from the alphabet for URLs.
std::string to_base64(ByteView bytes) {
    std::string text = to_base64url(bytes);
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    while (text.size() % 4 != 0) text += '=';
    return text;
}

bool is_websocket_key(std::string_view key) {
    if (key.size() != kKeyChars || !key.ends_with("==")) return false;
    std::string text(key.substr(0, kKeyChars - 2));
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return from_base64url(text).has_value();
}

UpgradeAnswer refusal(unsigned status, std::string_view why, std::string_view fields = "") {
    UpgradeAnswer answer{.status = status, .head = "HTTP/1.1 " + std::to_string(status) + " "};
    answer.head += http::reason_phrase(status);
    answer.head += "\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: ";
    answer.head += std::to_string(why.size() + 1);
    answer.head += "\r\n";
    answer.head += fields;
    answer.head += "\r\n";
    answer.head += why;
    answer.head += "\n";
    return answer;
}

Bytes control_frame(Opcode opcode, ByteView payload) {
    Bytes frame = {static_cast<std::uint8_t>(kFinal | opcode),
                   static_cast<std::uint8_t>(payload.size())};
    append(frame, payload);
    return frame;
}

// RFC 6455 7.4: what an endpoint may send.
bool is_close_code(std::uint16_t code) {
    return (code >= 1000 && code <= 1011 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

std::unexpected<CloseCode> refuse(CloseCode code) {
    return std::unexpected(code);
}

}  // namespace

std::string websocket_accept(std::string_view key) {
    return to_base64(sha1(as_bytes(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
}

UpgradeAnswer answer_upgrade(const http::Request& request) {
    const http::Fields& fields = request.fields;
    if (request.method != "GET")
        return refusal(405, "only GET opens a WebSocket", "Allow: GET\r\n");
    if (request.minor_version < 1 || !fields.has_token("Connection", "Upgrade") ||
        !fields.has_token("Upgrade", "websocket"))
        return refusal(426,
                       "this port serves sessions over WebSocket or TLS; content over HTTP is on "
                       "another port",
                       "Upgrade: websocket\r\n");
    if (fields.find("Sec-WebSocket-Version") != "13")
        return refusal(426, "WebSocket version 13 is spoken here", "Sec-WebSocket-Version: 13\r\n");
    const auto key = fields.find("Sec-WebSocket-Key");
    if (!key || fields.count("Sec-WebSocket-Key") != 1 || !is_websocket_key(*key))
        return refusal(400, "Sec-WebSocket-Key is not 16 bytes in base64");
    return {.status = 101,
            .head =
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Accept: " +
                websocket_accept(*key) + "\r\n\r\n"};
}

Bytes binary_frame_head(std::size_t payload_bytes) {
    constexpr std::size_t kTwoBytesMax = 0xFFFF;
    Bytes head = {static_cast<std::uint8_t>(kFinal | Opcode::Binary)};
    if (payload_bytes <= kControlBytesMax) {
        head.push_back(static_cast<std::uint8_t>(payload_bytes));
    } else if (payload_bytes <= kTwoBytesMax) {
        head.push_back(126);
        head.resize(4);
        store_be(head.data() + 2, static_cast<std::uint16_t>(payload_bytes));
    } else {
        head.push_back(127);
        head.resize(10);
        store_be<std::uint64_t>(head.data() + 2, payload_bytes);
    }
    return head;
}

Bytes pong_frame(ByteView payload) {
    return control_frame(Opcode::Pong, payload);
}

Bytes close_frame(std::uint16_t code) {
    std::array<std::uint8_t, 2> payload{};
    store_be(payload.data(), code);
    return control_frame(Opcode::CloseIt, payload);
}

Result<std::size_t, CloseCode> WebSocketReader::feed(ByteView bytes, const Sink& sink) {
    std::size_t consumed = 0;
    for (;;) {
        const auto frame = next_frame(bytes.subspan(consumed));
        if (!frame) return refuse(frame.error());
        if (!*frame) return consumed;
        const auto goes_on = take(**frame, sink);
        if (!goes_on) return refuse(goes_on.error());
        if (!*goes_on) return bytes.size();
        consumed += (*frame)->bytes;
    }
}

// RFC 6455 5.2. Nothing while the frame is not there as a whole.
Result<std::optional<WebSocketReader::Frame>, CloseCode> WebSocketReader::next_frame(
    ByteView bytes) const {
    if (bytes.size() < 2) return std::nullopt;
    Frame frame{.opcode = static_cast<std::uint8_t>(bytes[0] & 0x0FU),
                .is_final = (bytes[0] & kFinal) != 0,
                .bytes = 2,
                .payload = {}};
    if ((bytes[0] & kReserved) != 0 || (bytes[1] & kMasked) == 0)
        return refuse(CloseCode::Protocol);
    const bool is_control = frame.opcode >= Opcode::CloseIt;
    std::uint64_t length = bytes[1] & 0x7FU;
    if (is_control && (length > kControlBytesMax || !frame.is_final))
        return refuse(CloseCode::Protocol);
    if (length == 126) {
        if (bytes.size() < 4) return std::nullopt;
        length = load_be<std::uint16_t>(bytes.data() + 2);
        frame.bytes = 4;
        if (length < 126) return refuse(CloseCode::Protocol);  // not the shortest form
    } else if (length == 127) {
        return refuse(CloseCode::TooBig);
    }
    if (!is_control && length > message_bytes_max_ - message_.size())
        return refuse(CloseCode::TooBig);
    if (bytes.size() < frame.bytes + kMaskBytes + length) return std::nullopt;
    const ByteView mask = bytes.subspan(frame.bytes, kMaskBytes);
    frame.bytes += kMaskBytes;
    frame.payload = to_bytes(bytes.subspan(frame.bytes, length));
    frame.bytes += length;
    for (std::size_t i = 0; i < frame.payload.size(); ++i) frame.payload[i] ^= mask[i % kMaskBytes];
    return frame;
}

Result<bool, CloseCode> WebSocketReader::take(const Frame& frame, const Sink& sink) {
    switch (frame.opcode) {
        case Opcode::Continuation:
        case Opcode::Binary:
            return take_data(frame, sink);
        case Opcode::Text:
            return refuse(CloseCode::NotBinary);
        case Opcode::Ping:
            sink.on_ping(frame.payload);
            return true;
        case Opcode::Pong:
            return true;
        case Opcode::CloseIt:
            break;
        default:
            return refuse(CloseCode::Protocol);
    }
    auto code = static_cast<std::uint16_t>(CloseCode::Normal);
    if (frame.payload.size() == 1) return refuse(CloseCode::Protocol);
    if (!frame.payload.empty()) code = load_be<std::uint16_t>(frame.payload.data());
    if (!is_close_code(code)) return refuse(CloseCode::Protocol);
    sink.on_close(code);
    return false;
}

Result<bool, CloseCode> WebSocketReader::take_data(const Frame& frame, const Sink& sink) {
    if (is_fragmented_ != (frame.opcode == Opcode::Continuation))
        return refuse(CloseCode::Protocol);
    append(message_, frame.payload);
    is_fragmented_ = !frame.is_final;
    if (is_fragmented_) return true;
    const Bytes whole = std::exchange(message_, {});
    return sink.on_message(whole);
}

}  // namespace draco::handshake
