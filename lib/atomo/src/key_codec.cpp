#include "draco/atomo/key_codec.hpp"

namespace draco::atomo {
namespace {

constexpr std::uint8_t kEscape = 0x00;
constexpr std::uint8_t kEscapedZero = 0xFF;
constexpr std::uint8_t kTerminator = 0x00;

}  // namespace

void append_key_string(Bytes& out, ByteView text) {
    for (const std::uint8_t byte : text) {
        out.push_back(byte);
        if (byte == kEscape) out.push_back(kEscapedZero);
    }
    out.push_back(kEscape);
    out.push_back(kTerminator);
}

Result<ByteView> KeyReader::take(std::size_t count) {
    if (key_.size() - offset_ < count) return corrupt("the key ends within a field");
    const ByteView taken = key_.subspan(offset_, count);
    offset_ += count;
    return taken;
}

Result<Bytes> KeyReader::take_string() {
    Bytes text;
    while (true) {
        DRACO_TRY(byte, take(1));
        if (byte[0] != kEscape) {
            text.push_back(byte[0]);
            continue;
        }
        DRACO_TRY(escaped, take(1));
        if (escaped[0] == kTerminator) return text;
        if (escaped[0] != kEscapedZero) return corrupt("a zero byte is followed by 00 or FF");
        text.push_back(kEscape);
    }
}

Result<> KeyReader::finish() const {
    if (offset_ != key_.size()) return corrupt("bytes follow the last field");
    return {};
}

std::unexpected<Error> KeyReader::corrupt(std::string_view what) const {
    return fail(Errc::Corrupt,
                "key of " + std::to_string(key_.size()) + " bytes, at offset " +
                    std::to_string(offset_) + ": " + std::string(what));
}

}  // namespace draco::atomo
