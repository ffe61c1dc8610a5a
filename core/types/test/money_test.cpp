#include "draco/types/money.hpp"

#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <ranges>

namespace draco::types {
namespace {

TEST(Amount, NeverWraps) {
    // A result that does not fit is nullopt, at both ends of the range.
    const FlkAmount largest{~static_cast<FlkAmount::Units>(0)};
    EXPECT_FALSE(largest.plus({1}).has_value());
    EXPECT_EQ(largest.plus({0}), largest);
    EXPECT_FALSE(FlkAmount{1}.minus({2}).has_value());
    EXPECT_EQ(FlkAmount{2}.minus({2}), FlkAmount{});
    EXPECT_FALSE(largest.times(2).has_value());
    EXPECT_EQ(FlkAmount{21}.times(2), FlkAmount{42});
}

TEST(MultiplyDivide, IsExactBeyondTheWidthOfItsFactors) {
    // Products of up to 256 bits: known values, and what does not fit.
    using Wide = unsigned __int128;
    constexpr Wide kMost = ~Wide{0};
    EXPECT_EQ(multiply_divide(0, kMost, 1), Wide{0});
    EXPECT_EQ(multiply_divide(kMost, kMost, kMost), kMost);
    EXPECT_EQ(multiply_divide(kMost, kMost - 1, kMost), kMost - 1);
    EXPECT_EQ(multiply_divide(kMost, 3, 4), kMost / 4 * 3 + 2);
    EXPECT_EQ(multiply_divide(kMost, 1, 1), kMost);
    EXPECT_EQ(multiply_divide(kMost, 2, 1), std::nullopt);
    EXPECT_EQ(multiply_divide(kMost, kMost, kMost - 1), std::nullopt);
    EXPECT_EQ(multiply_divide(Wide{1} << 127U, Wide{1} << 127U, Wide{1} << 127U), Wide{1} << 127U);
    EXPECT_EQ(multiply_divide(10, 10, 3), Wide{33});
}

// a * b as four digits to the base of 2^64, by hand.
std::array<std::uint64_t, 4> product(unsigned __int128 a, unsigned __int128 b) {
    std::array<std::uint64_t, 4> digits{};
    const std::array factors = {static_cast<std::uint64_t>(a),
                                static_cast<std::uint64_t>(a >> 64U)};
    for (std::size_t i = 0; i < 2; ++i) {
        std::uint64_t carry = 0;
        for (std::size_t j = 0; j < 2; ++j) {
            const auto digit = static_cast<std::uint64_t>(b >> (64U * j));
            const unsigned __int128 sum =
                static_cast<unsigned __int128>(factors.at(i)) * digit + digits.at(i + j) + carry;
            digits.at(i + j) = static_cast<std::uint64_t>(sum);
            carry = static_cast<std::uint64_t>(sum >> 64U);
        }
        digits.at(i + 2) = carry;
    }
    return digits;
}

bool at_most(const std::array<std::uint64_t, 4>& a, const std::array<std::uint64_t, 4>& b) {
    return std::ranges::lexicographical_compare(a | std::views::reverse, b | std::views::reverse) ||
           a == b;
}

TEST(MultiplyDivide, IsTheFloorOfTheQuotient) {
    // For random numbers of all widths: quotient * divisor <= a * b < (quotient + 1) * divisor.
    std::mt19937_64 random(draco::testing::test_seed(5));
    const auto number = [&] {
        const unsigned __int128 wide = (static_cast<unsigned __int128>(random()) << 64U) | random();
        return wide >> (random() % 128);
    };
    for (int i = 0; i < 20'000; ++i) {
        const auto a = number();
        const auto b = number();
        const auto divisor = number() | 1U;
        const auto quotient = multiply_divide(a, b, divisor);
        const auto whole = product(a, b);
        if (!quotient) {
            EXPECT_TRUE(at_most(product(~static_cast<unsigned __int128>(0), divisor), whole));
            continue;
        }
        EXPECT_TRUE(at_most(product(*quotient, divisor), whole));
        if (*quotient != ~static_cast<unsigned __int128>(0))
            EXPECT_FALSE(at_most(product(*quotient + 1, divisor), whole));
    }
}

TEST(Amount, PortionsAreRoundedDown) {
    // 2/3 of 100 is 66; portions of the whole are the whole, however large.
    EXPECT_EQ(UsdAmount{100}.portion(2, 3), UsdAmount{66});
    EXPECT_EQ(UsdAmount{100}.portion(0, 3), UsdAmount{});
    const FlkAmount largest{~static_cast<FlkAmount::Units>(0)};
    EXPECT_EQ(largest.portion(10'000, 10'000), largest);
}

TEST(Amount, AnyWholeNumberOfTokensFits) {
    // 2^64 - 1 FLK at 18 decimals is below 2^128.
    constexpr auto kAll = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(to_text(FlkAmount::whole(kAll)), "18446744073709551615");
    EXPECT_EQ(to_text(UsdAmount::whole(kAll)), "18446744073709551615");
}

TEST(Amount, TextRoundTrips) {
    // What is printed is read back, without trailing zeros.
    for (const char* text :
         {"0", "1", "1.5", "0.000000000000000001", "340282366920938463463.374607431768211455"})
        EXPECT_EQ(to_text(parse_flk(text).value()), text);
    EXPECT_EQ(to_text(parse_usd("12.340000").value()), "12.34");
}

TEST(Amount, RefusesWhatIsNoAmount) {
    // Each error says which rule the text breaks.
    const auto why = [](const char* text) { return parse_usd(text).error().context; };
    EXPECT_NE(why("").find("at least one digit"), std::string::npos);
    EXPECT_NE(why(".5").find("at least one digit"), std::string::npos);
    EXPECT_NE(why("1.").find("digits must follow"), std::string::npos);
    EXPECT_NE(why("1.0000000").find("more than 6 decimals"), std::string::npos);
    EXPECT_NE(why("-1").find("only digits"), std::string::npos);
    EXPECT_NE(why("1.2.3").find("only digits"), std::string::npos);
    EXPECT_NE(why("1e3").find("only digits"), std::string::npos);
    EXPECT_NE(why("340282366920938463463374607431769").find("too large"), std::string::npos);
}

}  // namespace
}  // namespace draco::types
