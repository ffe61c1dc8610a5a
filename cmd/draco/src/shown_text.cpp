#include "shown_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace draco {
namespace {

struct Decoded {
    char32_t point = 0;
    std::size_t bytes = 1;
    bool is_valid = false;
};

// RFC 3629: the shortest form alone, no surrogates, nothing beyond U+10FFFF.
Decoded decode(std::string_view text) {
    const auto first = static_cast<std::uint8_t>(text.front());
    if (first < 0x80) return {.point = first, .bytes = 1, .is_valid = true};
    const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return {};
    char32_t point = first & (0x7FU >> bytes);
    for (const char c : text.substr(1, bytes - 1)) {
        const auto next = static_cast<std::uint8_t>(c);
        if ((next & 0xC0U) != 0x80) return {};
        point = point << 6U | (next & 0x3FU);
    }
    constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (point < kLeast[bytes] || is_surrogate || point > 0x10FFFF) return {};
    return {.point = point, .bytes = bytes, .is_valid = true};
}

struct Range {
    char32_t first;
    char32_t last;
};

// Of Unicode 15: Cc beyond ASCII, Zl, Zp, and Cf but for what writing needs: the joiners U+200C and
// U+200D, and the signs that enclose digits in Arabic and Syriac.
constexpr std::array<Range, 12> kUnseen = {{{0x80, 0x9F},
                                            {0xAD, 0xAD},
                                            {0x61C, 0x61C},
                                            {0x180E, 0x180E},
                                            {0x200B, 0x200B},
                                            {0x200E, 0x200F},
                                            {0x2028, 0x202E},
                                            {0x2060, 0x206F},
                                            {0xFEFF, 0xFEFF},
                                            {0xFFF9, 0xFFFB},
                                            {0x1D173, 0x1D17A},
                                            {0xE0000, 0xE0FFF}}};

bool is_seen(char32_t point) {
    if (point < 0x80) return point >= 0x20 && point != 0x7F;
    return std::ranges::none_of(
        kUnseen, [&](const Range& range) { return point >= range.first && point <= range.last; });
}

// The blocks of Unicode 15 whose characters are wide, and those between them that are not assigned.
constexpr std::array<Range, 20> kWide = {
    {{0x1100, 0x115F}, {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},
     {0x25FD, 0x25FE}, {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26AA, 0x26AB},
     {0x2E80, 0x303E}, {0x3041, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
     {0xF900, 0xFAFF}, {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
     {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F680, 0x1FAFF}, {0x20000, 0x3FFFD}}};
constexpr std::array<Range, 12> kCombining = {{{0x300, 0x36F},
                                               {0x483, 0x489},
                                               {0x591, 0x5BD},
                                               {0x610, 0x61A},
                                               {0x64B, 0x65F},
                                               {0x1AB0, 0x1AFF},
                                               {0x1DC0, 0x1DFF},
                                               {0x200B, 0x200D},
                                               {0x20D0, 0x20FF},
                                               {0x3099, 0x309A},
                                               {0xFE00, 0xFE0F},
                                               {0xFE20, 0xFE2F}}};

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, char32_t point) {
    return std::ranges::any_of(
        ranges, [&](const Range& range) { return point >= range.first && point <= range.last; });
}

std::string escaped(const Decoded& decoded, char byte) {
    std::array<char, 16> text{};
    const bool is_byte = !decoded.is_valid || decoded.point < 0x80;
    std::snprintf(text.data(),
                  text.size(),
                  is_byte ? "\\x%02x" : "\\u{%x}",
                  is_byte ? static_cast<unsigned>(static_cast<std::uint8_t>(byte))
                          : static_cast<unsigned>(decoded.point));
    return text.data();
}

std::string shown_but(std::string_view text, char32_t kept) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Decoded decoded = decode(text);
        if (decoded.is_valid && (decoded.point == kept || is_seen(decoded.point)))
            out += text.substr(0, decoded.bytes);
        else
            out += escaped(decoded, text.front());
        text.remove_prefix(decoded.bytes);
    }
    return out;
}

}  // namespace

std::string shown(std::string_view text) {
    return shown_but(text, U' ');
}

std::string shown_lines(std::string_view text) {
    return shown_but(text, U'\n');
}

Character first_character(std::string_view text) {
    const Decoded decoded = decode(text);
    if (decoded.is_valid && is_in(kCombining, decoded.point)) return {decoded.bytes, 0};
    const bool is_wide = decoded.is_valid && is_in(kWide, decoded.point);
    return {decoded.bytes, is_wide ? std::size_t{2} : std::size_t{1}};
}

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Character next = first_character(text);
        columns += next.columns;
        text.remove_prefix(next.bytes);
    }
    return columns;
}

std::string as_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Decoded decoded = decode(text);
        out += decoded.is_valid ? text.substr(0, decoded.bytes) : "\xEF\xBF\xBD";
        text.remove_prefix(decoded.bytes);
    }
    return out;
}

}  // namespace draco
