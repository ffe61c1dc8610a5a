#include "frames.hpp"

#include <array>

namespace draco::pool {
namespace {

// Code n on the wire is entry n - 1. Never reordered.
constexpr std::array kCodes = {Errc::NotFound,
                               Errc::AlreadyExists,
                               Errc::InvalidArgument,
                               Errc::Corrupt,
                               Errc::Unauthenticated,
                               Errc::Unavailable,
                               Errc::Exhausted,
                               Errc::DeadlineExceeded,
                               Errc::Abandoned,
                               Errc::Io};

std::uint8_t code_of(Errc code) {
    for (std::size_t i = 0; i < kCodes.size(); ++i)
        if (kCodes[i] == code) return static_cast<std::uint8_t>(i + 1);
    return 0;
}

std::string bounded_text(std::string text) {
    constexpr std::size_t kUtf8BytesMax = 4;
    if (text.size() > kErrorTextBytesMax) {
        text.resize(kErrorTextBytesMax);
        for (std::size_t i = 1; i < kUtf8BytesMax && !bcs::is_utf8(text); ++i) text.pop_back();
    }
    return bcs::is_utf8(text) ? text : std::string("(not a text)");
}

}  // namespace

EndFrame end_frame(std::uint64_t id, std::uint64_t offset, const Result<>& outcome) {
    EndFrame frame{.id = id, .offset = offset, .code = 0, .text = {}};
    if (outcome) return frame;
    frame.code = code_of(outcome.error().code);
    if (auto text = decltype(frame.text)::make(bounded_text(outcome.error().context)))
        frame.text = *std::move(text);
    return frame;
}

Result<> outcome_of(const EndFrame& frame) {
    if (frame.code == 0) return {};
    if (frame.code > kCodes.size())
        return fail(
            Errc::Corrupt,
            "the peer ended its answer with the unknown code " + std::to_string(frame.code));
    return fail(kCodes[frame.code - std::size_t{1}], *frame.text);
}

Bytes encode_message(std::uint8_t protocol, ByteView message) {
    return bcs::encode(Frame(MessageFrame{.protocol = protocol, .message = message}));
}

}  // namespace draco::pool
