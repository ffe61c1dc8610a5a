// Conditional requests are decided as RFC 9110 13 says.

#include "../src/conditions.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace draco::cdn {
namespace {

constexpr std::string_view kEtag = "\"abc\"";

http::Fields fields(std::initializer_list<std::pair<std::string, std::string>> list) {
    http::Fields made;
    for (const auto& [name, value] : list) made.add(name, value);
    return made;
}

Condition evaluate(std::initializer_list<std::pair<std::string, std::string>> list) {
    return evaluate_conditions(fields(list), kEtag);
}

// RFC 9110 13.1.2: weak comparison, lists, "*".
TEST(Conditions, IfNoneMatchIsFalseIfAnyTagMatches) {
    for (const std::string value : {"\"abc\"",
                                    "W/\"abc\"",
                                    "*",
                                    " \"abc\" ",
                                    "\"x\", \"abc\"",
                                    "\"x\",,\t\"abc\"",
                                    "\"a,b\", W/\"abc\", \"y\""})
        EXPECT_EQ(evaluate({{"if-none-match", value}}), Condition::NotModified) << value;
    for (const std::string value : {"",
                                    "\"ab\"",
                                    "abc",
                                    "\"x\" \"abc\"",
                                    "w/\"abc\"",
                                    "\"abc",
                                    "x, \"abc\"",
                                    "\"abc\"x",
                                    "**"})
        EXPECT_EQ(evaluate({{"If-None-Match", value}}), Condition::Proceed) << value;
    EXPECT_EQ(evaluate({{"If-None-Match", "\"x\""}, {"If-None-Match", "\"abc\""}}),
              Condition::NotModified);
}

// RFC 9110 13.1.1: strong comparison.
TEST(Conditions, IfMatchIsTrueIfAnyTagMatchesStrongly) {
    for (const std::string value : {"\"abc\"", "*", "\"x\", \"abc\""})
        EXPECT_EQ(evaluate({{"If-Match", value}}), Condition::Proceed) << value;
    for (const std::string value : {"W/\"abc\"", "\"x\"", "", "abc"})
        EXPECT_EQ(evaluate({{"If-Match", value}}), Condition::PreconditionFailed) << value;
}

// RFC 9110 13.2.2: If-Match comes first. 13.1.3, 13.1.4: what has no date has no conditions of
// date.
TEST(Conditions, AreEvaluatedInOrder) {
    EXPECT_EQ(evaluate({{"If-None-Match", "*"}, {"If-Match", "\"x\""}}),
              Condition::PreconditionFailed);
    EXPECT_EQ(evaluate({{"If-None-Match", "*"}, {"If-Match", "*"}}), Condition::NotModified);
    EXPECT_EQ(evaluate({{"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"},
                        {"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}),
              Condition::Proceed);
}

// RFC 9110 13.1.5: If-Range compares strongly, and a date is not ours. 14.2: Range is no list.
TEST(Conditions, RangesCountIfIfRangeMatches) {
    const auto may = [](std::initializer_list<std::pair<std::string, std::string>> list) {
        return may_send_ranges(fields(list), kEtag);
    };
    EXPECT_TRUE(may({{"Range", "bytes=0-1"}}));
    EXPECT_TRUE(may({{"Range", "bytes=0-1"}, {"If-Range", "\"abc\""}}));
    EXPECT_FALSE(may({}));
    EXPECT_FALSE(may({{"Range", "bytes=0-1"}, {"Range", "bytes=3-4"}}));
    for (const std::string value :
         {"W/\"abc\"", "\"x\"", "*", "\"abc\", \"x\"", "Sun, 06 Nov 1994 08:49:37 GMT"})
        EXPECT_FALSE(may({{"Range", "bytes=0-1"}, {"If-Range", value}})) << value;
}

}  // namespace
}  // namespace draco::cdn
