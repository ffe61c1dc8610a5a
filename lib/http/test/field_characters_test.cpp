// Of every byte it is judged as RFC 9110 says whether a field's name or value may have it.

#include "draco/http/message.hpp"

#include <gtest/gtest.h>

#include <string>

namespace draco::http {
namespace {

// RFC 9110 5.6.2: tchar.
bool may_be_in_a_token(int c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != 0 && std::string("!#$%&'*+-.^_`|~").contains(static_cast<char>(c)));
}

// RFC 9110 5.5: what is visible, spaces, tabs, and what is beyond ASCII.
bool may_be_in_a_value(int c) {
    return c == '\t' || (c >= ' ' && c <= '~') || c >= 0x80;
}

TEST(FieldCharacters, AreThoseOfTheStandardWhereverTheyAre) {
    for (int c = 0; c < 256; ++c) {
        const auto byte = static_cast<char>(c);
        for (std::size_t place = 0; place < 40; place += 13) {
            std::string text(40, 'x');
            text[place] = byte;
            EXPECT_EQ(is_token(text), may_be_in_a_token(c)) << c;
            EXPECT_EQ(is_field_value(text), may_be_in_a_value(c)) << c;
        }
        EXPECT_EQ(is_token(std::string(1, byte)), may_be_in_a_token(c)) << c;
    }
    EXPECT_FALSE(is_token(""));
    EXPECT_TRUE(is_field_value(""));
}

}  // namespace
}  // namespace draco::http
