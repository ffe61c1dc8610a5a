// What a terminal would obey, or what makes a text look like another one, is never shown; all else
// is left as it is; and what is shown is valid UTF-8 whatever the bytes.

#include "../src/shown_text.hpp"

#include "draco/testing/seed.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace draco {
namespace {

TEST(ShownText, EscapesWhatATerminalObeys) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"},
        {"a\rb\nc\td", "a\\x0db\\x0ac\\x09d"},
        {std::string("\0x", 2), "\\x00x"},
        {"\x7f", "\\x7f"},
        {"\xC2\x9B"
         "31m",
         "\\u{9b}31m"},  // CSI of C1
        {"\x9B"
         "31m",
         "\\x9b31m"},
        {"gpj.\xE2\x80\xAE"
         "exe",
         "gpj.\\u{202e}exe"},  // right-to-left override
        {"\xE2\x81\xA6"
         "a\xE2\x81\xA9",
         "\\u{2066}a\\u{2069}"},
        {"\xE2\x80\x8E\xD8\x9C", "\\u{200e}\\u{61c}"},
        {"a\xE2\x80\xA8"
         "b",
         "a\\u{2028}b"},
        {"a\xE2\x80\x8B"
         "b\xEF\xBB\xBF",
         "a\\u{200b}b\\u{feff}"},
        {"\xF3\xA0\x81\x81", "\\u{e0041}"},  // a tag
        {"\xFF\xC0\x80", "\\xff\\xc0\\x80"},
        {"\xED\xA0\x80", "\\xed\\xa0\\x80"},  // a surrogate
        {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
        {"caf\xC3", "caf\\xc3"},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(shown(text), expected);
}

TEST(ShownText, LeavesWhatPeopleWrite) {
    for (const std::string text : {"index.html",
                                   "caf\xC3\xA9",
                                   "\xE6\x97\xA5\xE6\x9C\xAC",
                                   "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
                                   "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80",
                                   "a\\b \"c\"",
                                   ""})
        EXPECT_EQ(shown(text), text);
}

TEST(ShownText, LinesStayWhereTheyAreOurs) {
    EXPECT_EQ(shown_lines("one\ntwo\r\x1b"), "one\ntwo\\x0d\\x1b");
}

// Tables are aligned by what a terminal shows, not by bytes.
TEST(ShownText, WideCharactersTakeTwoColumnsAndMarksNone) {
    EXPECT_EQ(columns_of(""), 0);
    EXPECT_EQ(columns_of("abc"), 3);
    EXPECT_EQ(columns_of("Gr\xC3\xB6\xC3\x9F"
                         "e"),
              5);
    EXPECT_EQ(columns_of("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E"), 6);
    EXPECT_EQ(columns_of("\xED\x95\x9C"), 2);
    EXPECT_EQ(columns_of("e\xCC\x81"), 1);
    EXPECT_EQ(columns_of("\xF0\x9F\x9A\x80"), 2);
    EXPECT_EQ(columns_of("\xD7\xA9\xD7\x9C"), 2);
}

// Judged by Boost.JSON, which refuses what is no UTF-8.
TEST(ShownText, IsValidUtf8WhateverTheBytes) {
    std::mt19937_64 random(testing::test_seed(31));
    for (std::uint64_t round = 0; round < testing::scaled(5'000); ++round) {
        std::string text(random() % 12, '\0');
        for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? random() % 128 : random());
        for (const std::string& out : {shown(text), shown_lines(text), as_utf8(text)}) {
            boost::system::error_code failed;
            boost::json::parse(boost::json::serialize(boost::json::value(out)), failed);
            ASSERT_FALSE(failed) << ::testing::PrintToString(text);
        }
        for (const char c : shown(text))
            ASSERT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F);
        ASSERT_EQ(shown(shown(text)), shown(text));
    }
}

}  // namespace
}  // namespace draco
