#include "draco/types/money.hpp"

#include <gtest/gtest.h>

#include <limits>

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
