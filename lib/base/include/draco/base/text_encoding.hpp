#pragma once
// Bytes as text: hex (lower case out, either case in), base58 with Bitcoin's alphabet, and
// base64url without padding (RFC 4648 section 5). Decoders take untrusted text of at most
// `bytes_max` decoded bytes and accept exactly what an encoder writes, or (hex) its upper-case
// form: one byte string has one text. Errors are InvalidArgument and name the offset of the first
// bad character, or Exhausted when the text is too long for bytes_max.
//
// Hex and base64url are linear; base58 is quadratic in the length, so its text is bounded by
// kBase58BytesMax.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"

#include <string>
#include <string_view>

namespace draco {

inline constexpr std::size_t kTextDecodeBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kBase58BytesMax = 256;

std::string to_hex(ByteView bytes);
Result<Bytes> from_hex(std::string_view text, std::size_t bytes_max = kTextDecodeBytesMax);

// Base58 also carries secret keys: beside the result, neither conversion leaves a copy in memory.
// Precondition (asserted): bytes.size() <= kBase58BytesMax.
std::string to_base58(ByteView bytes);
Result<Bytes> from_base58(std::string_view text, std::size_t bytes_max = kBase58BytesMax);

std::string to_base64url(ByteView bytes);
Result<Bytes> from_base64url(std::string_view text, std::size_t bytes_max = kTextDecodeBytesMax);

// Decodes exactly N bytes of hex, as in `fixed_from_hex<ContentHash>(text)`; any other length is
// InvalidArgument.
template <class Fixed>
Result<Fixed> fixed_from_hex(std::string_view text) {
    if (text.size() != 2 * Fixed::kSize)
        return fail(Errc::InvalidArgument,
                    "expected " + std::to_string(2 * Fixed::kSize) + " hex digits, got " +
                        std::to_string(text.size()));
    DRACO_TRY(bytes, from_hex(text, Fixed::kSize));
    Fixed value;
    std::ranges::copy(bytes, value.bytes.begin());
    return value;
}

}  // namespace draco
