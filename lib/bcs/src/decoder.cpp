#include "draco/bcs/decoder.hpp"

#include "utf8.hpp"

namespace draco::bcs {

std::string_view to_string(DecodeFault fault) {
    switch (fault) {
        case DecodeFault::EndOfInput:
            return "EndOfInput";
        case DecodeFault::TrailingBytes:
            return "TrailingBytes";
        case DecodeFault::InvalidBool:
            return "InvalidBool";
        case DecodeFault::NonCanonicalUleb:
            return "NonCanonicalUleb";
        case DecodeFault::UlebTooLarge:
            return "UlebTooLarge";
        case DecodeFault::LengthOverBound:
            return "LengthOverBound";
        case DecodeFault::UnknownVariant:
            return "UnknownVariant";
        case DecodeFault::InvalidUtf8:
            return "InvalidUtf8";
        case DecodeFault::KeysNotAscending:
            return "KeysNotAscending";
        case DecodeFault::NestedTooDeep:
            return "NestedTooDeep";
    }
    return "unknown";
}

namespace {

std::string explain(const DecodeError& error) {
    const std::string found = std::to_string(error.found);
    const std::string limit = std::to_string(error.limit);
    switch (error.fault) {
        case DecodeFault::EndOfInput:
            return "needs " + limit + " bytes, " + found + " remain";
        case DecodeFault::TrailingBytes:
            return found + " bytes follow the value";
        case DecodeFault::InvalidBool:
            return "the byte is " + found + ", not 0 or 1";
        case DecodeFault::NonCanonicalUleb:
            return "the ULEB128 number has redundant bytes";
        case DecodeFault::UlebTooLarge:
            return "the ULEB128 number does not fit 32 bits";
        case DecodeFault::LengthOverBound:
            return "length " + found + ", at most " + limit + " allowed";
        case DecodeFault::UnknownVariant:
            return "index " + found + " of " + limit + " alternatives";
        case DecodeFault::InvalidUtf8:
            return "the text is not UTF-8 from here on";
        case DecodeFault::KeysNotAscending:
            return "the map key is not greater than the one before it";
        case DecodeFault::NestedTooDeep:
            return "more than " + limit + " values inside each other";
    }
    return {};
}

}  // namespace

std::string to_string(const DecodeError& error) {
    std::string text(to_string(error.fault));
    text += " at byte " + std::to_string(error.offset) + " in " + error.path + ": ";
    return text + explain(error);
}

DecodeError::operator Error() const {
    return {Errc::Corrupt, to_string(*this)};
}

bool Decoder::boolean(bool& out) {
    std::uint8_t byte = 0;
    if (!integer(byte)) return false;
    if (byte > 1) return fail(DecodeFault::InvalidBool, offset() - 1, byte);
    out = byte == 1;
    return true;
}

bool Decoder::long_uleb128(std::uint32_t& out) {
    const std::size_t start = offset();
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift <= 28; shift += 7) {
        std::uint8_t byte = 0;
        if (!integer(byte)) return false;
        value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
        if (byte >= 0x80) continue;
        if (value > UINT32_MAX) return fail(DecodeFault::UlebTooLarge, start);
        if (byte == 0 && shift > 0) return fail(DecodeFault::NonCanonicalUleb, start);
        out = static_cast<std::uint32_t>(value);
        return true;
    }
    return fail(DecodeFault::UlebTooLarge, start);
}

bool Decoder::length(std::size_t count_max, std::size_t element_bytes_min, std::size_t& out) {
    const std::size_t start = offset();
    std::uint32_t count = 0;
    if (!uleb128(count)) return false;
    const std::size_t limit = std::min<std::size_t>(count_max, kLengthMax);
    if (count > limit) return fail(DecodeFault::LengthOverBound, start, count, limit);
    if (count > remaining() / element_bytes_min)
        return fail(DecodeFault::EndOfInput, offset(), remaining(), count * element_bytes_min);
    out = count;
    return true;
}

bool Decoder::alternative(std::uint32_t count, std::uint32_t& out) {
    const std::size_t start = offset();
    if (!uleb128(out)) return false;
    return out < count || fail(DecodeFault::UnknownVariant, start, out, count);
}

bool Decoder::text(std::size_t bytes_max, std::string_view& out) {
    std::size_t size = 0;
    ByteView raw;
    if (!length(bytes_max, 1, size) || !bytes(size, raw)) return false;
    out = as_text(raw);
    const std::size_t valid = utf8_prefix(out);
    return valid == size || fail(DecodeFault::InvalidUtf8, offset() - size + valid);
}

bool Decoder::expect_end() {
    return at_ == end_ || fail(DecodeFault::TrailingBytes, offset(), remaining());
}

bool Decoder::fail(DecodeFault fault, std::size_t at, std::uint64_t found, std::uint64_t limit) {
    error_ = {.fault = fault, .offset = at, .path = {}, .found = found, .limit = limit};
    return false;
}

bool Decoder::in_field(std::string_view name) {
    steps_.push_back("." + std::string(name));
    return false;
}

bool Decoder::in_element(std::size_t index, std::string_view part) {
    if (!part.empty()) in_field(part);
    steps_.push_back("[" + std::to_string(index) + "]");
    return false;
}

bool Decoder::in_alternative(std::string_view type) {
    steps_.push_back("<" + std::string(type) + ">");
    return false;
}

DecodeError Decoder::error(std::string_view root) && {
    error_.path = root;
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) error_.path += *step;
    return std::move(error_);
}

namespace detail {

bool skip_strings(Decoder& in, std::size_t count, std::size_t string_bytes_max) {
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t size = 0;
        ByteView string;
        if (!in.length(string_bytes_max, 1, size) || !in.bytes(size, string)) [[unlikely]]
            return in.in_element(i);
    }
    return true;
}

}  // namespace detail

}  // namespace draco::bcs
