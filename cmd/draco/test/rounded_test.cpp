// A rounded number prints with no more decimals than it was rounded to.
#include "../src/rounded.hpp"

#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <string>

namespace draco {
namespace {

std::string shortest(double value) {
    std::array<char, 400> text{};
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
    return {text.data(), end};
}

std::size_t decimals_of(const std::string& text) {
    const std::size_t point = text.find('.');
    return point == std::string::npos ? 0 : text.size() - point - 1;
}

TEST(Rounded, PrintsAsAPersonWould) {
    EXPECT_EQ(shortest(rounded(38.9137, 2)), "38.91");
    EXPECT_EQ(shortest(rounded(38.905, 1)), "38.9");
    EXPECT_EQ(shortest(rounded(0.0004, 3)), "0");
    EXPECT_EQ(shortest(rounded(-1.25, 1)), "-1.3");
}

// Every number of hundredths and thousandths that a bench may say, and large ones.
TEST(Rounded, HasNoMoreDecimalsThanItWasRoundedTo) {
    for (int decimals = 1; decimals <= 3; ++decimals)
        for (std::uint64_t i = 0; i < 300'000; ++i) {
            const double value = static_cast<double>(i) * 0.000997 + static_cast<double>(i % 7);
            const double scaled = value * static_cast<double>(1 + i % 1'000);
            ASSERT_LE(decimals_of(shortest(rounded(value, decimals))), decimals) << value;
            ASSERT_LE(decimals_of(shortest(rounded(scaled, decimals))), decimals) << scaled;
        }
}

}  // namespace
}  // namespace draco
