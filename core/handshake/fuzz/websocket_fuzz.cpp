// Frames from anybody: a reader that is shown the input at once and one that is shown it in pieces
// hear the same, and no message is longer than its bound.

#include "draco/base/assert.hpp"

#include "../src/websocket.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace {

using namespace draco;
using namespace draco::handshake;

constexpr std::size_t kMessageBytesMax = 100;

struct Heard {
    Bytes all;
    std::optional<CloseCode> error;

    bool operator==(const Heard&) const = default;
};

Heard hear(ByteView input, std::size_t piece) {
    Heard heard;
    bool is_closed = false;
    const auto note = [&](std::uint8_t kind, ByteView bytes) {
        heard.all.push_back(kind);
        append(heard.all, bytes);
    };
    const WebSocketReader::Sink sink{.on_message =
                                         [&](ByteView message) {
                                             DRACO_ASSERT(message.size() <= kMessageBytesMax,
                                                          "a message within its bound");
                                             note(1, message);
                                             return true;
                                         },
                                     .on_ping = [&](ByteView payload) { note(2, payload); },
                                     .on_close =
                                         [&](std::uint16_t code) {
                                             note(static_cast<std::uint8_t>(code), {});
                                             is_closed = true;
                                         }};
    WebSocketReader reader(kMessageBytesMax);
    Bytes shown;
    for (std::size_t at = 0; at < input.size() && !is_closed; at += piece) {
        append(shown, input.subspan(at, std::min(piece, input.size() - at)));
        const auto taken = reader.feed(shown, sink);
        if (!taken) {
            heard.error = taken.error();
            break;
        }
        DRACO_ASSERT(*taken <= shown.size(), "no more is taken than was shown");
        shown.erase(shown.begin(), shown.begin() + static_cast<std::ptrdiff_t>(*taken));
    }
    return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    if (input.empty()) return 0;
    const Heard whole = hear(input, input.size());
    DRACO_ASSERT(whole == hear(input, 1), "pieces change nothing");
    DRACO_ASSERT(whole == hear(input, 13), "pieces change nothing");
    return 0;
}
