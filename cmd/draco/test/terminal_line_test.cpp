// Proves that a line fits into the columns it is given, whatever they are, and keeps what says
// most.

#include "../src/terminal_line.hpp"

#include "../src/shown_text.hpp"

#include <gtest/gtest.h>

namespace draco {
namespace {

TEST(TerminalLine, ColumnsAreThoseOfATerminal) {
    EXPECT_EQ(columns_of(""), 0U);
    EXPECT_EQ(columns_of("draco"), 5U);
    EXPECT_EQ(columns_of("größe…"), 6U);
    EXPECT_EQ(columns_of("東京"), 4U);
    EXPECT_EQ(columns_of("e\u0301"), 1U);
}

TEST(TerminalLine, TheMiddleGivesWay) {
    EXPECT_EQ(shortened("short", 5), "short");
    EXPECT_EQ(shortened("/home/person/films/summer/film.bin", 17), "/home/pe…film.bin");
    EXPECT_EQ(shortened("abcdef", 1), "…");
    EXPECT_EQ(shortened("abcdef", 0), "");
}

TEST(TerminalLine, ShortenedTextIsWholeCharactersThatFit) {
    const std::string text = "日本語/größe/e\u0301e\u0301/ünïcode/🐉🐉🐉";
    for (std::size_t columns = 0; columns <= columns_of(text) + 2; ++columns) {
        const std::string fitted = shortened(text, columns);
        EXPECT_LE(columns_of(fitted), columns) << fitted;
        for (std::size_t at = 0; at < fitted.size(); ++at) {
            const bool continues = (static_cast<unsigned char>(fitted[at]) & 0xC0U) == 0x80;
            if (at == 0) EXPECT_FALSE(continues) << fitted;
        }
    }
}

TEST(TerminalLine, AProgressLineFitsIntoEveryWidth) {
    const std::string tail = " 42 %  12.3 MB/s  1234 s left";
    for (const std::string& label :
         {std::string("put"), std::string("/a/very/long/path/").append(100, 'x'), std::string()})
        for (std::size_t columns = 1; columns <= 200; ++columns)
            for (const std::optional<double> share : {std::optional<double>(0.42), {}})
                EXPECT_LE(columns_of(progress_line(label, share, tail, columns)), columns);
}

TEST(TerminalLine, TheBarGivesWayBeforeTheLabelAndTheTailLast) {
    EXPECT_EQ(progress_line("put", 0.5, "50 %", 79), "put  [##############..............]  50 %");
    EXPECT_EQ(progress_line("a label of 21 columns", 0.5, "50 %", 40),
              "a label of 21 columns  [####.....]  50 %");
    EXPECT_EQ(progress_line("a label of 21 columns", 0.5, "50 %", 30),
              "a lab…olumns  [####....]  50 %");
    EXPECT_EQ(progress_line("a label of 21 columns", 0.5, "50 %", 20), "a labe…columns  50 %");
    EXPECT_EQ(progress_line("label", {}, "1.2 GB  9 MB/s", 60), "label  1.2 GB  9 MB/s");
}

}  // namespace
}  // namespace draco
