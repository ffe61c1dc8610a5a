// WebSocket as RFC 6455 has it: its own examples, fragments, control frames, and each rule a client
// can break.

#include "../src/websocket.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/http/parser.hpp"

#include "../src/sha1.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace draco::handshake {
namespace {

Bytes masked(std::uint8_t first, std::string_view payload) {
    Bytes frame{first};
    if (payload.size() < 126) {
        frame.push_back(static_cast<std::uint8_t>(0x80U | payload.size()));
    } else {
        frame.push_back(0xFE);
        frame.push_back(static_cast<std::uint8_t>(payload.size() >> 8U));
        frame.push_back(static_cast<std::uint8_t>(payload.size()));
    }
    const std::array<std::uint8_t, 4> mask{0x37, 0xfa, 0x21, 0x3d};
    append(frame, mask);
    for (std::size_t i = 0; i < payload.size(); ++i)
        frame.push_back(static_cast<std::uint8_t>(payload[i]) ^ mask[i % 4]);
    return frame;
}

struct Heard {
    std::vector<std::string> messages;
    std::vector<std::string> pings;
    std::vector<std::uint16_t> closes;
};

WebSocketReader::Sink sink_of(Heard& heard) {
    return {.on_message =
                [&](ByteView message) {
                    heard.messages.emplace_back(as_text(message));
                    return true;
                },
            .on_ping = [&](ByteView payload) { heard.pings.emplace_back(as_text(payload)); },
            .on_close = [&](std::uint16_t code) { heard.closes.push_back(code); }};
}

std::optional<CloseCode> refusal(ByteView bytes) {
    Heard heard;
    WebSocketReader reader(1024);
    const auto fed = reader.feed(bytes, sink_of(heard));
    EXPECT_TRUE(heard.messages.empty());
    if (fed) return std::nullopt;
    return fed.error();
}

http::Request request_of(std::string_view text) {
    http::RequestParser parser;
    EXPECT_TRUE(parser.feed(as_bytes(text)));
    return parser.take();
}

// FIPS 180-4's two messages, and the key of RFC 6455 1.3.
TEST(WebSocket, TheHandshakeIsTheRfcs) {
    EXPECT_EQ(to_hex(sha1(as_bytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(to_hex(sha1(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
              "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    const std::string good =
        "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n"
        "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Origin: http://example.com\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const UpgradeAnswer answer = answer_upgrade(request_of(good));
    EXPECT_EQ(answer.status, 101);
    EXPECT_NE(answer.head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
              std::string::npos);
    const auto changed = [&](std::string_view from, std::string_view to) {
        std::string text = good;
        text.replace(text.find(from), from.size(), to);
        return answer_upgrade(request_of(text)).status;
    };
    EXPECT_EQ(changed("Version: 13", "Version: 12"), 426);
    EXPECT_EQ(changed("Upgrade: websocket", "Upgrade: h2c"), 426);
    EXPECT_EQ(changed("keep-alive, Upgrade", "keep-alive"), 426);
    EXPECT_EQ(changed("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="), 400);
}

// RFC 6455 5.7: "Hello" masked, in one frame and in two, a ping in between; bytes one at a time.
TEST(WebSocket, FramesBecomeMessages) {
    const Bytes rfc = from_hex("828537fa213d7f9f4d5158").value();  // as binary
    EXPECT_EQ(masked(0x82, "Hello"), rfc);
    Bytes stream = rfc;
    append(stream, masked(0x02, "Hel"));
    append(stream, masked(0x89, "Hello"));
    append(stream, masked(0x00, "l"));
    append(stream, masked(0x80, "o"));
    append(stream, masked(0x82, ""));
    append(stream, masked(0x82, std::string(1000, 'x')));
    append(stream, masked(0x8A, "unasked"));
    append(stream, masked(0x88, "\x03\xE8 bye"));
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, stream.size()}) {
        Heard heard;
        WebSocketReader reader(1024);
        Bytes shown;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            append(shown, ByteView(stream).subspan(at, std::min(piece, stream.size() - at)));
            const auto taken = reader.feed(shown, sink_of(heard));
            ASSERT_TRUE(taken);
            shown.erase(shown.begin(), shown.begin() + static_cast<std::ptrdiff_t>(*taken));
        }
        EXPECT_EQ(heard.messages,
                  (std::vector<std::string>{"Hello", "Hello", "", std::string(1000, 'x')}));
        EXPECT_EQ(heard.pings, std::vector<std::string>{"Hello"});
        EXPECT_EQ(heard.closes, std::vector<std::uint16_t>{1000});
    }
}

// Frames that no client may send, each with its code.
TEST(WebSocket, BrokenFramesAreRefused) {
    EXPECT_EQ(refusal(from_hex("820548656c6c6f").value()), CloseCode::Protocol);  // not masked
    EXPECT_EQ(refusal(masked(0xC2, "x")), CloseCode::Protocol);                   // reserved bit
    EXPECT_EQ(refusal(masked(0x83, "x")), CloseCode::Protocol);                   // opcode
    EXPECT_EQ(refusal(masked(0x81, "text")), CloseCode::NotBinary);
    EXPECT_EQ(refusal(masked(0x80, "x")), CloseCode::Protocol);  // continues nothing
    EXPECT_EQ(refusal(masked(0x09, "x")), CloseCode::Protocol);  // a ping in parts
    EXPECT_EQ(refusal(masked(0x89, std::string(126, 'x'))), CloseCode::Protocol);
    EXPECT_EQ(refusal(masked(0x88, "\x03")), CloseCode::Protocol);
    EXPECT_EQ(refusal(masked(0x88, "\x03\xED")), CloseCode::Protocol);  // 1005
    EXPECT_EQ(refusal(masked(0x82, std::string(1025, 'x'))), CloseCode::TooBig);
    EXPECT_EQ(refusal(from_hex("82ff0000000000000005").value()), CloseCode::TooBig);
    EXPECT_EQ(refusal(from_hex("82fe0005").value()), CloseCode::Protocol);  // not shortest
    Bytes interleaved = masked(0x02, "a");
    append(interleaved, masked(0x82, "b"));
    EXPECT_EQ(refusal(interleaved), CloseCode::Protocol);
    Bytes grown = masked(0x02, std::string(1000, 'x'));
    append(grown, masked(0x00, std::string(25, 'x')));
    EXPECT_EQ(refusal(grown), CloseCode::TooBig);
}

// A server's frames have the three lengths of RFC 6455 5.2.
TEST(WebSocket, HeadsOfBinaryFrames) {
    EXPECT_EQ(to_hex(binary_frame_head(5)), "8205");
    EXPECT_EQ(to_hex(binary_frame_head(256)), "827e0100");
    EXPECT_EQ(to_hex(binary_frame_head(65536)), "827f0000000000010000");
    EXPECT_EQ(to_hex(close_frame(1000)), "880203e8");
}

}  // namespace
}  // namespace draco::handshake
