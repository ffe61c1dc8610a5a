#pragma once
// What comes from elsewhere, as a terminal may show it: names in folders, texts of nodes. A
// terminal obeys control characters, and what turns the direction of writing makes one name look
// like another.

#include <cstddef>
#include <string>
#include <string_view>

namespace draco {

// One line. Control characters and bytes that are no UTF-8 become \x1b; characters that are not
// seen but change what is (direction, breaks of lines, tags; Unicode's Cc, Zl, Zp and most of Cf)
// become
// \u{202e}. All else is as it was. Valid UTF-8; linear.
std::string shown(std::string_view text);

// The same for text of several lines, whose foreign parts are shown() already.
std::string shown_lines(std::string_view text);

// How many columns of a terminal the text takes: wide characters (Unicode 15 EastAsianWidth W and
// F, emoji) two, marks that combine none. Linear.
std::size_t columns_of(std::string_view text);

struct Character {
    std::size_t bytes;
    std::size_t columns;
};

// Precondition: there is one.
Character first_character(std::string_view text);

// Valid UTF-8: bytes that are none become U+FFFD.
std::string as_utf8(std::string_view text);

}  // namespace draco
