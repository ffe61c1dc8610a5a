#include "draco/types/session.hpp"

#include <algorithm>
#include <array>

namespace draco::types::session {
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

constexpr std::size_t kUtf8BytesMax = 4;

template <class Message>
Result<Message> decode_bounded(ByteView bytes, std::size_t bytes_max) {
    if (bytes.size() > bytes_max)
        return fail(Errc::Corrupt,
                    "a session message of " + std::to_string(bytes.size()) +
                        " bytes, where at most " + std::to_string(bytes_max) + " are allowed");
    DRACO_TRY(message, bcs::decode<Message>(bytes));
    return std::move(message);
}

}  // namespace

Text make_text(std::string text) {
    if (text.size() > kTextBytesMax) {
        text.resize(kTextBytesMax);
        for (std::size_t i = 1; i < kUtf8BytesMax && !bcs::is_utf8(text); ++i) text.pop_back();
    }
    if (!bcs::is_utf8(text)) text = "(not a text)";
    return Text::make(std::move(text)).value_or(Text());
}

std::uint8_t to_code(Errc code) {
    const auto* const found = std::ranges::find(kCodes, code);
    return static_cast<std::uint8_t>(found - kCodes.begin() + 1);
}

End make_end(std::uint64_t id, const Result<>& outcome) {
    if (outcome) return {.id = id, .code = 0, .text = {}};
    return {.id = id,
            .code = to_code(outcome.error().code),
            .text = make_text(outcome.error().context)};
}

Result<> outcome_of(std::uint8_t code, const Text& text) {
    if (code == 0) return {};
    if (code > kCodes.size())
        return fail(Errc::Corrupt,
                    "the node gave the unknown code " + std::to_string(code) + ": " + *text);
    return fail(kCodes[code - std::size_t{1}], *text);
}

Result<ClientMessage> decode_client_message(ByteView bytes) {
    return decode_bounded<ClientMessage>(bytes, kClientMessageBytesMax);
}

Result<NodeMessage> decode_node_message(ByteView bytes) {
    return decode_bounded<NodeMessage>(bytes, kNodeMessageBytesMax);
}

SessionSignature prove(ChainId chain, const Proven& proven, const SessionSecretKey& key) {
    return key.sign(digest_of(chain, proven).view());
}

Result<> verify(ChainId chain,
                const SessionKey& key,
                const Proven& proven,
                const SessionSignature& signature) {
    return crypto::verify(key, digest_of(chain, proven).view(), signature);
}

}  // namespace draco::types::session
