#pragma once
// Amounts of money: unsigned integers of a token's smallest unit, with the token in the type. There
// is no way to add, subtract or scale one without saying what happens when the result does not fit.

#include "draco/base/assert.hpp"
#include "draco/base/checked.hpp"
#include "draco/base/result.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace draco::types {

// FLK: stake and fees. 18 decimals, as the ERC-20.
struct Flk {
    static constexpr std::string_view kSymbol = "FLK";
    static constexpr unsigned kDecimals = 18;
};

// The stablecoin that clients pay with. 6 decimals, as USDC.
struct Usd {
    static constexpr std::string_view kSymbol = "USD";
    static constexpr unsigned kDecimals = 6;
};

// floor(a * b / divisor), exactly, whatever the size of a * b; nullopt if it does not fit.
// Precondition (asserted): divisor != 0.
std::optional<unsigned __int128> multiply_divide(unsigned __int128 a,
                                                 unsigned __int128 b,
                                                 unsigned __int128 divisor);

enum class Token : std::uint8_t { Flk, Usd };

template <class TokenType>
struct Amount {
    using Units = unsigned __int128;
    Units units = 0;  // of 10^-kDecimals

    constexpr bool operator==(const Amount&) const = default;
    constexpr auto operator<=>(const Amount&) const = default;

    constexpr bool is_zero() const { return units == 0; }

    // nullopt if the result does not fit.
    constexpr std::optional<Amount> plus(Amount other) const {
        return wrap(checked_add(units, other.units));
    }

    // nullopt if `other` is more than this.
    constexpr std::optional<Amount> minus(Amount other) const {
        return wrap(checked_sub(units, other.units));
    }

    constexpr std::optional<Amount> times(std::uint64_t factor) const {
        return wrap(checked_mul(units, Units{factor}));
    }

    // part / whole of this, rounded down. Precondition (asserted): part <= whole, whole != 0.
    Amount portion(Units part, Units whole) const {
        DRACO_ASSERT(part <= whole, "a portion is no more than the whole");
        return {*multiply_divide(units, part, whole)};
    }

    // `whole` tokens. Any 64-bit number of whole tokens fits.
    static constexpr Amount whole(std::uint64_t count) {
        Units scale = 1;
        for (unsigned i = 0; i < TokenType::kDecimals; ++i) scale *= 10;
        return {scale * count};
    }

private:
    static constexpr std::optional<Amount> wrap(std::optional<Units> result) {
        if (!result) return std::nullopt;
        return Amount{*result};
    }
};

using FlkAmount = Amount<Flk>;
using UsdAmount = Amount<Usd>;

// Decimal text without trailing zeros: "1.5", "0", "0.000001".
std::string to_text(FlkAmount amount);
std::string to_text(UsdAmount amount);
// Digits, then optionally '.' and 1 to kDecimals digits; at most 2^128 - 1 units. InvalidArgument
// says what is wrong.
Result<FlkAmount> parse_flk(std::string_view text);
Result<UsdAmount> parse_usd(std::string_view text);

}  // namespace draco::types
