#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"

#include "../fuzz/rich_message.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace draco::bcs::testing {
namespace {

// vectors/golden.txt: what @mysten/bcs writes for the same values.
class Golden : public ::testing::Test {
protected:
    void SetUp() override {
        std::ifstream file(DRACO_MODULE_DIR "/vectors/golden.txt");
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with('#')) continue;
            std::istringstream words(line);
            std::string name;
            std::string hex;
            words >> name >> hex;
            expected[name] = hex;
        }
        ASSERT_FALSE(expected.empty());
    }

    template <class T>
    void check(const std::string& name, const T& value) {
        SCOPED_TRACE(name);
        ASSERT_TRUE(expected.contains(name));
        EXPECT_EQ(to_hex(encode(value)), expected[name]);
        EXPECT_EQ(encoded_size(value) * 2, expected[name].size());
        const Bytes bytes = from_hex(expected[name]).value();
        const auto decoded = decode<T>(bytes);
        ASSERT_TRUE(decoded) << to_string(decoded.error());
        EXPECT_TRUE(*decoded == value);
        checked.insert(name);
    }

    void expect_all_checked() {
        for (const auto& [name, hex] : expected) EXPECT_TRUE(checked.contains(name)) << name;
    }

    std::map<std::string, std::string> expected;
    std::set<std::string> checked;
};

Bytes counting_bytes(std::size_t count) {
    Bytes bytes(count);
    for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(i);
    return bytes;
}

RichMessage rich_message() {
    RichMessage message;
    message.kind = Kind::Parent;
    message.round = Round(std::uint64_t{1} << 40);
    message.actions = {std::monostate{},
                       Transfer{Hash({0xde, 0xad, 0xbe, 0xef}), ~static_cast<unsigned __int128>(0)},
                       Vote{Round(9), true, "late"},
                       Vote{Round(10), false, std::nullopt}};
    message.parents =
        decltype(message.parents)::make({Hash({1, 1, 1, 1}), Hash({2, 2, 2, 2})}).value();
    message.names = {{1, "one"}, {7, "seven"}, {258, "two"}};
    message.tree = Tree{5, {Tree{6, {}}}};
    message.pairs = {{{-2, true}, {3, false}}};
    message.numbers = {0, 1, 0xffffffff};
    message.flags = {true, false, true};
    message.label = Bounded<std::string, 8>::make("dragon").value();
    return message;
}

// Every kind of type encodes to the peer's bytes and decodes back to the value; every vector of the
// file is covered.
TEST_F(Golden, MatchesMysten) {
    const auto wide =
        (static_cast<unsigned __int128>(0x0102030405060708) << 64) | 0x090a0b0c0d0e0f10;
    unsigned __int128 ten_to_30 = 1;
    for (int i = 0; i < 30; ++i) ten_to_30 *= 10;
    check("u8_max", std::uint8_t{255});
    check("u16", std::uint16_t{0x0102});
    check("u32", std::uint32_t{0x01020304});
    check("u64", std::uint64_t{0x0102030405060708});
    check("u64_max", ~std::uint64_t{0});
    check("u128", wide);
    check("bool_false", false);
    check("bool_true", true);
    check("string_empty", std::string());
    check("string_utf8", std::string("grüße, 龍 🐉"));
    check("string_127", std::string(127, 'a'));
    check("string_128", std::string(128, 'a'));
    check("bytes_300", counting_bytes(300));
    check("bytes_16384", Bytes(16384));
    check("vector_u16", std::vector<std::uint16_t>{1, 2, 65535});
    check("array_u32", std::array<std::uint32_t, 3>{1, 2, 3});
    check("option_none", std::optional<std::uint64_t>());
    check("option_some", std::optional<std::uint64_t>(7));
    check("option_option_none",
          std::optional(std::vector<std::optional<std::uint8_t>>{std::nullopt, std::uint8_t{1}}));
    check("tuple", std::tuple<std::uint8_t, std::string, bool>(1, "x", true));
    check("enumerator", Kind::Vote);
    check("variant_unit", Action());
    check("variant_struct", Action(Transfer{Hash({1, 2, 3, 4}), ten_to_30}));
    check("map_u16", std::map<std::uint16_t, std::uint8_t>{{1, 1}, {2, 2}, {256, 3}, {513, 4}});
    check("map_string", std::map<std::string, bool>{{"aa", true}, {"b", false}, {"", true}});
    check("tree", Tree{1, {Tree{2, {}}, Tree{3, {Tree{4, {}}}}}});
    check("rich_message", rich_message());
    expect_all_checked();
}

// No prefix of a message decodes; each names a place inside the input.
TEST_F(Golden, RefusesEveryTruncation) {
    const Bytes whole = encode(rich_message());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto decoded = decode<RichMessage>(ByteView(whole).first(size));
        ASSERT_FALSE(decoded) << size;
        EXPECT_EQ(decoded.error().fault, DecodeFault::EndOfInput) << size;
        EXPECT_LE(decoded.error().offset, size);
    }
}

// A flipped bit either gives a typed error or another value whose one encoding are these bytes.
TEST_F(Golden, EveryFlippedBitIsRefusedOrAnotherValue) {
    Bytes bytes = encode(rich_message());
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        const auto mask = static_cast<std::uint8_t>(1 << (bit % 8));
        bytes[bit / 8] ^= mask;
        if (const auto decoded = decode<RichMessage>(bytes)) {
            EXPECT_EQ(encode(*decoded), bytes) << bit;
            EXPECT_FALSE(*decoded == rich_message()) << bit;
        }
        bytes[bit / 8] ^= mask;
    }
}

}  // namespace
}  // namespace draco::bcs::testing
