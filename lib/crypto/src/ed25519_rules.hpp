#pragma once
// Rules 1 to 3 of ed25519.hpp, which say what is looked at before any arithmetic.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace draco::crypto::ed25519_detail {

using FieldBytes = std::array<std::uint8_t, 32>;  // little-endian

constexpr FieldBytes from_hex_literal(std::string_view hex) {
    FieldBytes bytes{};
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
    return bytes;
}

// L = 2^252 + 27742317777372353535851937790883648493, the order of the prime-order subgroup.
inline constexpr FieldBytes kL =
    from_hex_literal("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
// p = 2^255 - 19.
inline constexpr FieldBytes kP =
    from_hex_literal("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
inline constexpr FieldBytes kYOfNeutral =
    from_hex_literal("0100000000000000000000000000000000000000000000000000000000000000");
inline constexpr FieldBytes kYOfOrder2 =
    from_hex_literal("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
// The y-coordinates of the 8 points of small order; x and -x share one.
inline constexpr std::array<FieldBytes, 5> kSmallOrderY = {
    kYOfNeutral,
    kYOfOrder2,
    from_hex_literal("0000000000000000000000000000000000000000000000000000000000000000"),
    from_hex_literal("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    from_hex_literal("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
};

// Variable time: public values only.
inline bool less(std::span<const std::uint8_t, 32> a, const FieldBytes& b) {
    return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

enum class PointFault { None, NonCanonical, SmallOrder };

// Rules 2 and 3 of the header.
inline PointFault check_encoding(std::span<const std::uint8_t, 32> point) {
    FieldBytes y;
    std::ranges::copy(point, y.begin());
    const bool sign_bit = (y[31] & 0x80) != 0;
    y[31] &= 0x7f;
    if (!less(y, kP)) return PointFault::NonCanonical;
    if (sign_bit && (y == kYOfNeutral || y == kYOfOrder2)) return PointFault::NonCanonical;
    for (const FieldBytes& small : kSmallOrderY)
        if (y == small) return PointFault::SmallOrder;
    return PointFault::None;
}

inline std::string describe(std::string_view what, PointFault fault) {
    return std::string(what) + (fault == PointFault::NonCanonical ? " is not a canonical encoding"
                                                                  : " is a point of small order");
}

inline std::unexpected<Error> refuse(std::string reason) {
    return fail(Errc::Unauthenticated, "Ed25519 signature refused: " + std::move(reason));
}

inline constexpr const char* kEquationFails = "the verification equation does not hold";

// In this order: S, the public key (judged already), R.
inline Result<> check_encodings(PointFault key, std::span<const std::uint8_t, 64> signature) {
    if (!less(signature.last<32>(), kL)) return refuse("S is not below the group order");
    if (key != PointFault::None) return refuse(describe("the public key", key));
    if (const auto fault = check_encoding(signature.first<32>()); fault != PointFault::None)
        return refuse(describe("R", fault));
    return {};
}

}  // namespace draco::crypto::ed25519_detail
