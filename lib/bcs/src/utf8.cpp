#include "utf8.hpp"

#include "draco/bcs/bcs.hpp"

namespace draco::bcs {
namespace {

std::size_t ascii_prefix(std::string_view text) {
    constexpr std::uint64_t kHighBits = 0x8080'8080'8080'8080;
    std::size_t at = 0;
    for (std::uint64_t word = 0; text.size() - at >= sizeof(word); at += sizeof(word)) {
        std::memcpy(&word, text.data() + at, sizeof(word));
        if ((word & kHighBits) != 0) break;
    }
    while (at < text.size() && static_cast<std::uint8_t>(text[at]) < 0x80) ++at;
    return at;
}

// Which second bytes and how many continuation bytes a lead byte of a multi-byte sequence allows.
struct Sequence {
    std::size_t bytes;
    std::uint8_t second_min;
    std::uint8_t second_max;
};

Sequence sequence_of(std::uint8_t lead) {
    if (lead >= 0xC2 && lead <= 0xDF) return {2, 0x80, 0xBF};
    if (lead == 0xE0) return {3, 0xA0, 0xBF};  // shorter forms exist
    if (lead == 0xED) return {3, 0x80, 0x9F};  // surrogates
    if (lead >= 0xE1 && lead <= 0xEF) return {3, 0x80, 0xBF};
    if (lead == 0xF0) return {4, 0x90, 0xBF};  // shorter forms exist
    if (lead >= 0xF1 && lead <= 0xF3) return {4, 0x80, 0xBF};
    if (lead == 0xF4) return {4, 0x80, 0x8F};  // past U+10FFFF
    return {0, 0, 0};
}

bool starts_with_sequence(std::string_view text, Sequence sequence) {
    if (sequence.bytes == 0 || text.size() < sequence.bytes) return false;
    const auto second = static_cast<std::uint8_t>(text[1]);
    if (second < sequence.second_min || second > sequence.second_max) return false;
    for (std::size_t i = 2; i < sequence.bytes; ++i)
        if ((static_cast<std::uint8_t>(text[i]) & 0xC0) != 0x80) return false;
    return true;
}

}  // namespace

std::size_t utf8_prefix(std::string_view text) {
    std::size_t at = 0;
    while (true) {
        at += ascii_prefix(text.substr(at));
        if (at == text.size()) return at;
        const Sequence sequence = sequence_of(static_cast<std::uint8_t>(text[at]));
        if (!starts_with_sequence(text.substr(at), sequence)) return at;
        at += sequence.bytes;
    }
}

bool is_utf8(std::string_view text) {
    return utf8_prefix(text) == text.size();
}

}  // namespace draco::bcs
