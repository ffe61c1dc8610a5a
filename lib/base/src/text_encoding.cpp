#include "draco/base/text_encoding.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace draco {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase58Digits =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using DigitTable = std::array<std::int8_t, 256>;

constexpr DigitTable digit_table(std::string_view digits) {
    DigitTable table{};
    table.fill(-1);
    for (std::size_t i = 0; i < digits.size(); ++i)
        table[static_cast<std::uint8_t>(digits[i])] = static_cast<std::int8_t>(i);
    return table;
}

constexpr DigitTable kHexValues = [] {
    DigitTable table = digit_table(kHexDigits);
    for (std::size_t i = 0; i < 6; ++i) table['A' + i] = static_cast<std::int8_t>(10 + i);
    return table;
}();
constexpr DigitTable kBase58Values = digit_table(kBase58Digits);
constexpr DigitTable kBase64Values = digit_table(kBase64Digits);

std::unexpected<Error> bad_character(std::string_view encoding, std::size_t offset) {
    return fail(Errc::InvalidArgument,
                "not a " + std::string(encoding) + " digit at offset " + std::to_string(offset));
}

std::unexpected<Error> too_long(std::string_view encoding, std::size_t bytes_max) {
    return fail(Errc::Exhausted,
                std::string(encoding) + " text decodes to more than the " +
                    std::to_string(bytes_max) + " bytes allowed here");
}

std::uint32_t value_of(const DigitTable& table, char c) {
    return static_cast<std::uint32_t>(table[static_cast<std::uint8_t>(c)]);
}

// The digits or bytes of a number being converted, least significant first. They may be of a secret
// key, so they lie in one place, which is overwritten in the end.
class Base58Scratch {
public:
    Base58Scratch() = default;
    Base58Scratch(const Base58Scratch&) = delete;
    Base58Scratch& operator=(const Base58Scratch&) = delete;

    ~Base58Scratch() {
        places_.fill(0);
        // Whoever might read them is unknown, so the zeros have to be written.
        asm volatile("" : : "r"(places_.data()) : "memory");
    }

    // The number becomes itself * Factor + addend, in places of base Base.
    template <std::uint32_t Factor, std::uint32_t Base>
    void multiply_add(std::uint32_t addend) {
        std::uint32_t carry = addend;
        for (std::size_t i = 0; i < size_; ++i) {
            carry += places_[i] * Factor;
            places_[i] = static_cast<std::uint8_t>(carry % Base);
            carry /= Base;
        }
        for (; carry != 0; carry /= Base)
            places_[size_++] = static_cast<std::uint8_t>(carry % Base);
    }

    std::span<const std::uint8_t> places() const { return {places_.data(), size_}; }

private:
    // Enough for the base58 digits of kBase58BytesMax bytes, and for the bytes of the longest text
    // that is decoded.
    std::array<std::uint8_t, kBase58BytesMax + kBase58BytesMax / 2 + 2> places_;
    std::size_t size_ = 0;
};

bool is_digit(const DigitTable& table, char c) {
    return table[static_cast<std::uint8_t>(c)] >= 0;
}

}  // namespace

std::string to_hex(ByteView bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        text.push_back(kHexDigits[byte >> 4]);
        text.push_back(kHexDigits[byte & 15]);
    }
    return text;
}

Result<Bytes> from_hex(std::string_view text, std::size_t bytes_max) {
    if (text.size() / 2 > bytes_max) return too_long("hex", bytes_max);
    for (std::size_t i = 0; i < text.size(); ++i)
        if (!is_digit(kHexValues, text[i])) return bad_character("hex", i);
    if (text.size() % 2 != 0)
        return fail(Errc::InvalidArgument,
                    "hex text has an odd number of digits: " + std::to_string(text.size()));
    Bytes bytes(text.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(value_of(kHexValues, text[2 * i]) << 4 |
                                             value_of(kHexValues, text[2 * i + 1]));
    return bytes;
}

std::string to_base58(ByteView bytes) {
    DRACO_ASSERT(bytes.size() <= kBase58BytesMax, "base58 input is within its bound");
    const auto zeros = static_cast<std::size_t>(
        std::ranges::find_if(bytes, [](auto b) { return b != 0; }) - bytes.begin());
    Base58Scratch digits;
    for (const std::uint8_t byte : bytes.subspan(zeros)) digits.multiply_add<256, 58>(byte);
    std::string text(zeros + digits.places().size(), kBase58Digits[0]);
    std::ranges::transform(
        digits.places(), text.rbegin(), [](std::uint8_t digit) { return kBase58Digits[digit]; });
    return text;
}

Result<Bytes> from_base58(std::string_view text, std::size_t bytes_max) {
    // A byte string of n bytes has at most 1.366 n digits, so this bounds the quadratic loop below.
    const std::size_t limit = std::min(bytes_max, kBase58BytesMax);
    if (text.size() > limit + limit / 2 + 2) return too_long("base58", limit);
    std::size_t zeros = 0;
    while (zeros < text.size() && text[zeros] == kBase58Digits[0]) ++zeros;
    Base58Scratch reversed;
    for (std::size_t i = zeros; i < text.size(); ++i) {
        if (!is_digit(kBase58Values, text[i])) return bad_character("base58", i);
        reversed.multiply_add<58, 256>(value_of(kBase58Values, text[i]));
    }
    if (zeros + reversed.places().size() > limit) return too_long("base58", limit);
    Bytes bytes(zeros + reversed.places().size());
    std::ranges::copy(reversed.places(), bytes.rbegin());
    return bytes;
}

std::string to_base64url(ByteView bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t window = 0;
    int bits = 0;
    for (const std::uint8_t byte : bytes) {
        window = window << 8 | byte;
        for (bits += 8; bits >= 6; bits -= 6)
            text.push_back(kBase64Digits[window >> (bits - 6) & 63]);
    }
    if (bits > 0) text.push_back(kBase64Digits[window << (6 - bits) & 63]);
    return text;
}

Result<Bytes> from_base64url(std::string_view text, std::size_t bytes_max) {
    if (text.size() / 4 * 3 > bytes_max) return too_long("base64url", bytes_max);
    for (std::size_t i = 0; i < text.size(); ++i)
        if (!is_digit(kBase64Values, text[i])) return bad_character("base64url", i);
    if (text.size() % 4 == 1)
        return fail(Errc::InvalidArgument,
                    "base64url text has an impossible length: " + std::to_string(text.size()));
    Bytes bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t window = 0;
    int bits = 0;
    for (const char c : text) {
        window = window << 6 | value_of(kBase64Values, c);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<std::uint8_t>(window >> bits));
        }
    }
    if ((window & ((1U << bits) - 1)) != 0)
        return fail(Errc::InvalidArgument,
                    "base64url text has bits set after its last byte, at offset " +
                        std::to_string(text.size() - 1));
    if (bytes.size() > bytes_max) return too_long("base64url", bytes_max);
    return bytes;
}

}  // namespace draco
