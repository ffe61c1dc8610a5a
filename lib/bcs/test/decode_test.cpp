#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"

#include "../fuzz/rich_message.hpp"

#include <gtest/gtest.h>

namespace draco::bcs::testing {
namespace {

struct Signature {
    std::uint8_t kind = 0;
    bool compact = false;
};

struct Parent {
    std::uint8_t author = 0;
    Signature signature;
};

struct Header {
    std::uint8_t version = 0;
    std::vector<Parent> parents;
    std::map<std::uint8_t, std::optional<bool>> weights;
    std::variant<std::monostate, Parent> extra;
    std::tuple<bool, bool> switches;
};

template <class T>
DecodeError fault(std::string_view hex) {
    const Bytes bytes = from_hex(hex).value();
    auto decoded = decode<T>(bytes);
    EXPECT_FALSE(decoded) << hex;
    return decoded ? DecodeError{} : decoded.error();
}

using Text = std::string;
using Numbers = std::vector<std::uint32_t>;
using Map = std::map<std::uint16_t, bool>;

// Each malformed input gives its own fault at the exact byte, with the numbers that explain it.
TEST(Decode, NamesFaultAndOffset) {
    EXPECT_EQ(fault<std::uint32_t>("010203"),
              (DecodeError{DecodeFault::EndOfInput, 0, "unsigned int", 3, 4}));
    EXPECT_EQ(fault<bool>("02"), (DecodeError{DecodeFault::InvalidBool, 0, "bool", 2, 0}));
    EXPECT_EQ(fault<bool>("0100"), (DecodeError{DecodeFault::TrailingBytes, 1, "bool", 1, 0}));
    EXPECT_EQ(fault<std::optional<bool>>("0301").fault, DecodeFault::InvalidBool);
    EXPECT_EQ(fault<Kind>("03"), (DecodeError{DecodeFault::UnknownVariant, 0, "Kind", 3, 3}));
    EXPECT_EQ(fault<Action>("03"), (DecodeError{DecodeFault::UnknownVariant, 0, "variant", 3, 3}));
    EXPECT_EQ(fault<Numbers>("0201000000"),
              (DecodeError{DecodeFault::EndOfInput, 1, "vector", 4, 8}));
    EXPECT_EQ(fault<Text>("04616280ff").offset, 3);
    EXPECT_EQ(fault<Text>("04616280ff").fault, DecodeFault::InvalidUtf8);
}

// A length has one form: at most 32 bits (and 31 for sequences), no redundant zero bytes.
TEST(Decode, RefusesOtherFormsOfLengths) {
    EXPECT_EQ(fault<Text>("8000").fault, DecodeFault::NonCanonicalUleb);
    EXPECT_EQ(fault<Text>("81808000").fault, DecodeFault::NonCanonicalUleb);
    EXPECT_EQ(fault<Text>("ffffffff1f").fault, DecodeFault::UlebTooLarge);
    EXPECT_EQ(fault<Text>("808080808001").fault, DecodeFault::UlebTooLarge);
    EXPECT_EQ(fault<Text>("ffffffffffffffffffff01").fault, DecodeFault::UlebTooLarge);
    EXPECT_EQ(
        fault<Text>("ffffffff0f"),
        (DecodeError{DecodeFault::LengthOverBound, 0, "basic_string", 0xffffffff, kLengthMax}));
    EXPECT_EQ(fault<Text>("ffffffff07").fault, DecodeFault::EndOfInput);
    EXPECT_EQ(fault<Text>("80").fault, DecodeFault::EndOfInput);
}

// A map's keys ascend strictly in the order of their bytes: 1 (0100) comes after 256 (0001).
TEST(Decode, RefusesMapsOutOfOrder) {
    EXPECT_TRUE(decode<Map>(from_hex("02000100010001").value()));
    EXPECT_EQ(fault<Map>("02010000000101"),
              (DecodeError{DecodeFault::KeysNotAscending, 4, "map[1].key", 0, 0}));
    EXPECT_EQ(fault<Map>("02010000010001").fault, DecodeFault::KeysNotAscending);
}

// The path leads through fields, elements, map entries, variants and tuples to the fault.
TEST(Decode, NamesThePathToTheFault) {
    EXPECT_EQ(fault<Header>("0102050001060003").path, "Header.parents[1].signature.compact");
    EXPECT_EQ(fault<Header>("010001070102").path, "Header.weights[0].value");
    EXPECT_EQ(fault<Header>("0100000105").path, "Header.extra<Parent>.signature.kind");
    EXPECT_EQ(fault<Header>("010000000002").path, "Header.switches[1]");
    EXPECT_EQ(to_string(fault<Header>("0102050001060003")),
              "InvalidBool at byte 7 in Header.parents[1].signature.compact: "
              "the byte is 3, not 0 or 1");
}

// Where a function returns Result, a decode error becomes Corrupt and keeps its sentence.
TEST(Decode, BecomesACorruptError) {
    const auto parse = [](ByteView bytes) -> Result<bool> {
        DRACO_TRY(value, decode<bool>(bytes));
        return value;
    };
    const Bytes bad{2};
    EXPECT_EQ(parse(bad).error(),
              (Error{Errc::Corrupt, "InvalidBool at byte 0 in bool: the byte is 2, not 0 or 1"}));
}

// The protocol's bound holds for foreign bytes and for values built here.
TEST(Decode, EnforcesBounds) {
    using Small = Bounded<std::vector<std::uint8_t>, 2>;
    EXPECT_EQ(fault<Small>("03000000"),
              (DecodeError{DecodeFault::LengthOverBound, 0, "Bounded", 3, 2}));
    EXPECT_EQ(Small::make({1, 2, 3}).error().code, Errc::Exhausted);
    auto full = Small::make({1}).value();
    EXPECT_TRUE(full.try_push_back(std::uint8_t{2}));
    EXPECT_FALSE(full.try_push_back(std::uint8_t{3}));
    EXPECT_EQ(encode(full), (Bytes{2, 1, 2}));
    EXPECT_EQ(fault<RichMessage>("0000000000000000000004").path, "RichMessage.parents");
}

// Nesting ends at kDepthMax, for the decoder with a typed error; one level less still decodes.
TEST(Decode, BoundsNesting) {
    const auto chain = [](std::size_t depth) {
        Bytes bytes;
        for (std::size_t i = 1; i < depth; ++i) append(bytes, Bytes{0, 1});
        append(bytes, Bytes{0, 0});
        return bytes;
    };
    const auto deepest = decode<Tree>(chain(kDepthMax));
    ASSERT_TRUE(deepest);
    EXPECT_EQ(encode(*deepest), chain(kDepthMax));
    const auto deeper = decode<Tree>(chain(kDepthMax + 1));
    ASSERT_FALSE(deeper);
    EXPECT_EQ(deeper.error().fault, DecodeFault::NestedTooDeep);
    EXPECT_EQ(deeper.error().offset, 2 * kDepthMax);
}

// A claim of many elements costs what the bytes behind it are worth, not what it claims: 4 MiB that
// claim, at each of 500 levels, as many children as bytes remain.
TEST(Decode, NestedClaimsDoNotMultiplyMemory) {
    Bytes bytes(std::size_t{4} << 20);
    std::size_t at = 0;
    for (std::uint32_t i = 0; i < kDepthMax; ++i) {
        bytes[at++] = 0;
        const std::uint8_t claim[] = {0x80, 0x80, 0x40};  // 1 Mi children
        std::ranges::copy(claim, bytes.begin() + static_cast<std::ptrdiff_t>(at));
        at += sizeof(claim);
    }
    const auto decoded = decode<Tree>(bytes);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().fault, DecodeFault::NestedTooDeep);
}

// Views point into the input instead of copying it, and are bounded and checked like containers.
TEST(Decode, ViewsPointIntoTheInput) {
    struct Batch {
        ByteView payload;
        Bounded<std::string_view, 3> name;
    };

    const Bytes bytes = from_hex("03aabbcc026162").value();
    const auto batch = decode<Batch>(bytes);
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->payload.data(), bytes.data() + 1);
    EXPECT_EQ(*batch->name, "ab");
    EXPECT_EQ(encode(*batch), bytes);
    EXPECT_EQ(fault<Batch>("000461626364").fault, DecodeFault::LengthOverBound);
}

// Well-formed UTF-8 and nothing else: no overlong forms, surrogates, or values past U+10FFFF.
TEST(Utf8, AcceptsExactlyWellFormedText) {
    for (const char* good : {"",
                             "a",
                             "\x7f",
                             "\xc2\x80",
                             "\xdf\xbf",
                             "\xe0\xa0\x80",
                             "\xed\x9f\xbf",
                             "\xee\x80\x80",
                             "\xef\xbf\xbf",
                             "\xf0\x90\x80\x80",
                             "\xf4\x8f\xbf\xbf",
                             "twelve ascii\xc3\xa9"})
        EXPECT_TRUE(is_utf8(good)) << good;
    for (const char* bad : {"\x80",
                            "\xc0\x80",
                            "\xc1\xbf",
                            "\xc2",
                            "\xc2\x41",
                            "\xe0\x9f\xbf",
                            "\xed\xa0\x80",
                            "\xef\xbf",
                            "\xf0\x8f\xbf\xbf",
                            "\xf4\x90\x80\x80",
                            "\xf5\x80\x80\x80",
                            "\xff",
                            "twelve ascii\xe2\x82"})
        EXPECT_FALSE(is_utf8(bad)) << to_hex(as_bytes(bad));
}

}  // namespace
}  // namespace draco::bcs::testing
