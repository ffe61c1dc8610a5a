// Range fields select what RFC 9110 14.1.2 says, and what they select together is what they select
// one by one.

#include "../src/byte_ranges.hpp"

#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace draco::cdn {
namespace {

using Kind = RangeSelection::Kind;

RangeSelection partial(std::vector<ByteRange> ranges) {
    return {.kind = Kind::Partial, .ranges = std::move(ranges)};
}

// RFC 9110 14.1.2: the examples, of a content of 10,000 bytes.
TEST(ByteRanges, ExamplesOfTheStandard) {
    EXPECT_EQ(select_ranges("bytes=0-499", 10'000), partial({{0, 499}}));
    EXPECT_EQ(select_ranges("bytes=500-999", 10'000), partial({{500, 999}}));
    EXPECT_EQ(select_ranges("bytes=-500", 10'000), partial({{9'500, 9'999}}));
    EXPECT_EQ(select_ranges("bytes=9500-", 10'000), partial({{9'500, 9'999}}));
    EXPECT_EQ(select_ranges("bytes=0-0,-1", 10'000), partial({{0, 0}, {9'999, 9'999}}));
    EXPECT_EQ(select_ranges("bytes= 0-999, 4500-5499, -1000", 10'000),
              partial({{0, 999}, {4'500, 5'499}, {9'000, 9'999}}));
    EXPECT_EQ(select_ranges("bytes=500-600,601-999", 10'000), partial({{500, 999}}));
    EXPECT_EQ(select_ranges("bytes=500-700,601-999", 10'000), partial({{500, 999}}));
}

// RFC 9110 14.1.1, 14.1.2: ends are cut to the content; what begins behind it cannot be satisfied.
TEST(ByteRanges, EndsAtTheEndOfTheContent) {
    EXPECT_EQ(select_ranges("bytes=0-99999999999999999999999999", 10), partial({{0, 9}}));
    EXPECT_EQ(select_ranges("bytes=-99999999999999999999999999", 10), partial({{0, 9}}));
    EXPECT_EQ(select_ranges("bytes=9-", 10), partial({{9, 9}}));
    for (const std::string_view field :
         {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999999-"})
        EXPECT_EQ(select_ranges(field, 10).kind, Kind::NotSatisfiable) << field;
    EXPECT_EQ(select_ranges("bytes=20-,5-,-0", 10), partial({{5, 9}}));
    EXPECT_EQ(select_ranges("bytes=0-", 0).kind, Kind::NotSatisfiable);
    EXPECT_EQ(select_ranges("bytes=-0", 0).kind, Kind::NotSatisfiable);
    EXPECT_EQ(select_ranges("bytes=-5", 0).kind, Kind::Whole);
}

// RFC 9110 14.2: an invalid specifier, or a unit that is not known, makes the field as if it were
// not there. 14.1: names of units have no case; 5.6.1.2: lists may have empty elements.
TEST(ByteRanges, IgnoresWhatIsNoRange) {
    for (const std::string_view field : {"",
                                         "bytes",
                                         "bytes=",
                                         "bytes=,",
                                         "bytes=-",
                                         "bytes=1",
                                         "bytes=a-",
                                         "bytes=1-b",
                                         "bytes=2-1",
                                         "bytes=1 -2",
                                         "bytes=1- 2",
                                         "bytes=+1-2",
                                         "bytes=--1",
                                         "bytes=0-1;2-3",
                                         "bytes=0-1,x",
                                         "bytes =0-1",
                                         "lines=0-1"})
        EXPECT_EQ(select_ranges(field, 10).kind, Kind::Whole) << field;
    EXPECT_EQ(select_ranges("BYTES=0-1", 10), partial({{0, 1}}));
    EXPECT_EQ(select_ranges("bytes=,, 0-1 ,\t,", 10), partial({{0, 1}}));
}

// RFC 9110 15.3.7.2: ranges that are close are joined, where the first of them was.
TEST(ByteRanges, JoinsThoseThatAreClose) {
    EXPECT_EQ(select_ranges("bytes=5000-5009,0-9,5010-5019", 10'000),
              partial({{5'000, 5'019}, {0, 9}}));
    EXPECT_EQ(select_ranges("bytes=0-9,138-150", 10'000), partial({{0, 150}}));
    EXPECT_EQ(select_ranges("bytes=0-9,139-150", 10'000), partial({{0, 9}, {139, 150}}));
    EXPECT_EQ(select_ranges("bytes=0-9,2000-2009,1000-1009,5-2005", 10'000), partial({{0, 2'009}}));
}

// RFC 9110 14.2, 17.15: many small ranges are a way to make a server work.
TEST(ByteRanges, SendsTheWholeInsteadOfTooManyParts) {
    std::string field = "bytes=0-0";
    for (std::size_t i = 1; i < kRangesMax; ++i) {
        const std::string at = std::to_string(i * 1000);
        field += "," + at + "-" + at;
    }
    EXPECT_EQ(select_ranges(field, 1'000'000).ranges.size(), kRangesMax);
    EXPECT_EQ(select_ranges(field + ",-1", 1'000'000).kind, Kind::Whole);
    std::string many = "bytes=0-0";
    for (std::size_t i = 1; i < kRangeSpecifiersMax; ++i) many += ",0-0";
    EXPECT_EQ(select_ranges(many, 10), partial({{0, 0}}));
    EXPECT_EQ(select_ranges(many + ",0-0", 10).kind, Kind::Whole);
}

// Model: one flag for each byte of the content.
TEST(ByteRanges, CoverWhatWasAskedForAndLittleMore) {
    std::mt19937_64 random(testing::test_seed(11));
    for (std::uint64_t round = 0; round < testing::scaled(20'000); ++round) {
        const std::size_t size = 1 + random() % 2'000;
        std::vector<bool> wanted(size, false);
        std::string field = "bytes=";
        bool any = false;
        for (std::uint64_t i = 0; i < 1 + random() % 8; ++i) {
            std::size_t first = random() % (size + 20);
            std::size_t last = first + random() % (random() % 2 == 0 ? 10 : 300);
            if (i > 0) field += ",";
            switch (random() % 3) {
                case 0:
                    field += std::to_string(first) + "-";
                    last = size - 1;
                    break;
                case 1: {
                    const std::size_t suffix = random() % 50;
                    field += "-" + std::to_string(suffix);
                    first = size - std::min(suffix, size);
                    last = size - 1;
                    break;
                }
                default:
                    field += std::to_string(first) + "-" + std::to_string(last);
            }
            for (std::size_t at = first; at <= last && at < size; ++at) {
                wanted[at] = true;
                any = true;
            }
        }
        const RangeSelection selection = select_ranges(field, size);
        ASSERT_EQ(selection.kind, any ? Kind::Partial : Kind::NotSatisfiable) << field;
        std::vector<bool> sent(size, false);
        for (const ByteRange& range : selection.ranges) {
            ASSERT_LE(range.first, range.last);
            ASSERT_LT(range.last, size);
            EXPECT_TRUE(wanted[range.first] && wanted[range.last]) << field;
            std::size_t gap = 0;
            for (std::uint64_t at = range.first; at <= range.last; ++at) {
                ASSERT_FALSE(sent[at]) << field;
                sent[at] = true;
                gap = wanted[at] ? 0 : gap + 1;
                ASSERT_LE(gap, kRangeGapBytesMax) << field;
            }
        }
        for (std::size_t at = 0; at < size; ++at) ASSERT_TRUE(sent[at] || !wanted[at]) << field;
    }
}

}  // namespace
}  // namespace draco::cdn
