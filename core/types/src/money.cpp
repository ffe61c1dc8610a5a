#include "draco/types/money.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>

namespace draco::types {
namespace {

using Units = unsigned __int128;

std::string digits_of(Units value) {
    std::string text;
    do {
        text.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
        value /= 10;
    } while (value != 0);
    std::ranges::reverse(text);
    return text;
}

std::string decimal(Units units, unsigned decimals) {
    std::string text = digits_of(units);
    if (text.size() <= decimals) text.insert(0, decimals + 1 - text.size(), '0');
    text.insert(text.size() - decimals, 1, '.');
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

Result<Units> parse_decimal(std::string_view text, unsigned decimals, std::string_view symbol) {
    const auto refuse = [&](const std::string& why) {
        return fail(Errc::InvalidArgument,
                    "'" + std::string(text.substr(0, 60)) + "' is not an amount of " +
                        std::string(symbol) + ": " + why);
    };
    const std::size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    const std::string_view fraction =
        point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
    if (whole.empty()) return refuse("it needs at least one digit before the point");
    if (point != std::string_view::npos && fraction.empty())
        return refuse("digits must follow the point");
    if (fraction.size() > decimals)
        return refuse("it has more than " + std::to_string(decimals) + " decimals");
    Units units = 0;
    const auto take = [&](char digit) -> Result<> {
        if (digit < '0' || digit > '9')
            return refuse("only digits and one point are allowed, as in 1.5");
        const auto scaled = checked_mul(units, Units{10});
        const auto next =
            scaled ? checked_add(*scaled, static_cast<Units>(digit - '0')) : std::nullopt;
        if (!next) return refuse("it is too large");
        units = *next;
        return {};
    };
    for (const char digit : whole) DRACO_TRY_VOID(take(digit));
    for (const char digit : fraction) DRACO_TRY_VOID(take(digit));
    for (std::size_t i = fraction.size(); i < decimals; ++i) DRACO_TRY_VOID(take('0'));
    return units;
}

struct Product {
    Units high = 0;
    Units low = 0;
};

Product multiply(Units a, Units b) {
    constexpr Units kMask = ~std::uint64_t{0};
    const Units a_low = a & kMask;
    const Units a_high = a >> 64U;
    const Units b_low = b & kMask;
    const Units b_high = b >> 64U;
    const Units low = a_low * b_low;
    const Units left = a_high * b_low + (low >> 64U);  // at most (2^64 - 1) * 2^64
    const Units right = a_low * b_high + (left & kMask);
    return {.high = a_high * b_high + (left >> 64U) + (right >> 64U),
            .low = (right << 64U) | (low & kMask)};
}

}  // namespace

std::optional<Units> multiply_divide(Units a, Units b, Units divisor) {
    DRACO_ASSERT(divisor != 0, "nothing is divided by zero");
    const Product product = multiply(a, b);
    if (product.high >= divisor) return std::nullopt;
    if (product.high == 0) return product.low / divisor;
    // Long division by bits. The remainder stays below the divisor, so one bit more is lost at
    // most, and is not forgotten.
    Units quotient = 0;
    Units remainder = product.high;
    for (unsigned bit = 128; bit-- > 0;) {
        const bool beyond = (remainder >> 127U) != 0;
        remainder = (remainder << 1U) | ((product.low >> bit) & 1U);
        if (beyond || remainder >= divisor) {
            remainder -= divisor;
            quotient |= Units{1} << bit;
        }
    }
    return quotient;
}

std::string to_text(FlkAmount amount) {
    return decimal(amount.units, Flk::kDecimals);
}

std::string to_text(UsdAmount amount) {
    return decimal(amount.units, Usd::kDecimals);
}

Result<FlkAmount> parse_flk(std::string_view text) {
    DRACO_TRY(units, parse_decimal(text, Flk::kDecimals, Flk::kSymbol));
    return FlkAmount{units};
}

Result<UsdAmount> parse_usd(std::string_view text) {
    DRACO_TRY(units, parse_decimal(text, Usd::kDecimals, Usd::kSymbol));
    return UsdAmount{units};
}

}  // namespace draco::types
