#include "draco/atomo/key_codec.hpp"

#include "draco/atomo/byte_order.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <compare>
#include <random>

namespace draco::atomo {
namespace {

using Random = std::mt19937_64;

enum class Kind : std::uint8_t { First, Second = 200 };

struct Slot {
    std::int32_t shard = 0;
    std::string name;
    std::optional<std::uint16_t> part;

    auto operator<=>(const Slot&) const = default;
};

using Height = StrongId<struct HeightTag, std::uint64_t>;
using Address = FixedBytes<struct AddressTag, 20>;

static_assert(Key<Slot> && Key<std::tuple<Height, Kind>>);
static_assert(!Key<double> && !Key<char> && !Key<std::tuple<int, float>>);

// Values that are often equal in part: few lengths, bytes 00, 01, FE, FF and some others, and the
// ends of integer ranges.
template <class T>
T draw(Random& random);

template <std::integral T>
    requires(!std::same_as<T, bool>)
T draw_integer(Random& random) {
    switch (random() % 4) {
        case 0:
            return static_cast<T>(random());
        case 1:
            return static_cast<T>(std::numeric_limits<T>::max() - static_cast<T>(random() % 3));
        case 2:
            return static_cast<T>(std::numeric_limits<T>::min() + static_cast<T>(random() % 3));
        default:
            return static_cast<T>(static_cast<T>(random() % 5) - static_cast<T>(2));
    }
}

std::uint8_t draw_byte(Random& random) {
    constexpr std::uint8_t kEdges[] = {0x00, 0x00, 0x01, 0xFE, 0xFF, 0x61};
    return kEdges[random() % std::size(kEdges)];
}

Bytes draw_bytes(Random& random) {
    Bytes bytes(random() % 5);
    for (auto& byte : bytes) byte = draw_byte(random);
    return bytes;
}

template <>
bool draw(Random& random) {
    return random() % 2 == 0;
}

template <>
std::uint8_t draw(Random& random) {
    return draw_integer<std::uint8_t>(random);
}

template <>
std::int16_t draw(Random& random) {
    return draw_integer<std::int16_t>(random);
}

template <>
std::uint32_t draw(Random& random) {
    return draw_integer<std::uint32_t>(random);
}

template <>
std::int64_t draw(Random& random) {
    return draw_integer<std::int64_t>(random);
}

template <>
Kind draw(Random& random) {
    return random() % 2 == 0 ? Kind::First : Kind::Second;
}

template <>
Height draw(Random& random) {
    return Height(draw_integer<std::uint64_t>(random));
}

template <>
Address draw(Random& random) {
    Address address;
    for (auto& byte : address.bytes) byte = random() % 8 == 0 ? draw_byte(random) : 0;
    return address;
}

template <>
Bytes draw(Random& random) {
    return draw_bytes(random);
}

template <>
std::string draw(Random& random) {
    return std::string(as_text(draw_bytes(random)));
}

template <>
std::optional<std::string> draw(Random& random) {
    if (random() % 3 == 0) return std::nullopt;
    return draw<std::string>(random);
}

template <>
Slot draw(Random& random) {
    Slot slot{draw_integer<std::int32_t>(random), draw<std::string>(random), {}};
    if (random() % 2 == 0) slot.part = draw_integer<std::uint16_t>(random);
    return slot;
}

template <>
std::pair<std::string, std::int64_t> draw(Random& random) {
    return {draw<std::string>(random), draw<std::int64_t>(random)};
}

template <>
std::tuple<std::string, Bytes, std::uint8_t> draw(Random& random) {
    return {draw<std::string>(random), draw_bytes(random), draw<std::uint8_t>(random)};
}

template <class T>
class KeyOrder : public ::testing::Test {};

using KeyTypes = ::testing::Types<bool,
                                  std::uint8_t,
                                  std::int16_t,
                                  std::uint32_t,
                                  std::int64_t,
                                  Kind,
                                  Height,
                                  Address,
                                  Bytes,
                                  std::string,
                                  std::optional<std::string>,
                                  Slot,
                                  std::pair<std::string, std::int64_t>,
                                  std::tuple<std::string, Bytes, std::uint8_t>>;
TYPED_TEST_SUITE(KeyOrder, KeyTypes);

TYPED_TEST(KeyOrder, IsTheOrderOfTheValues) {
    // Encodings compare as the values do, are equal only for equal values, are never a prefix of
    // one another, and decode to the value: random pairs, drawn so that many are close.
    Random random(testing::test_seed(1));
    for (std::uint64_t i = 0; i < testing::scaled(2000); ++i) {
        const auto a = draw<TypeParam>(random);
        const auto b = draw<TypeParam>(random);
        const Bytes key_a = encode_key(a);
        const Bytes key_b = encode_key(b);
        ASSERT_EQ(a < b, bytes_less(key_a, key_b));
        ASSERT_EQ(a == b, key_a == key_b);
        if (a != b) {
            const std::size_t common = std::min(key_a.size(), key_b.size());
            ASSERT_FALSE(equal(ByteView(key_a).first(common), ByteView(key_b).first(common)));
        }
        const auto decoded = decode_key<TypeParam>(key_a);
        ASSERT_TRUE(decoded.has_value()) << to_string(decoded.error());
        ASSERT_TRUE(*decoded == a);
    }
}

TYPED_TEST(KeyOrder, RefusesTruncatedAndExtendedKeys) {
    // Every shorter prefix, and every key with a byte more, is Corrupt.
    Random random(testing::test_seed(2));
    for (int i = 0; i < 50; ++i) {
        Bytes key = encode_key(draw<TypeParam>(random));
        for (std::size_t size = 0; size < key.size(); ++size) {
            const auto truncated = decode_key<TypeParam>(ByteView(key).first(size));
            ASSERT_FALSE(truncated.has_value());
            ASSERT_EQ(truncated.error().code, Errc::Corrupt);
        }
        key.push_back(0);
        ASSERT_FALSE(decode_key<TypeParam>(key).has_value());
    }
}

TYPED_TEST(KeyOrder, AcceptsExactlyTheEncodings) {
    // Whatever decodes encodes back to the same bytes: flip every bit of keys.
    Random random(testing::test_seed(3));
    for (int i = 0; i < 50; ++i) {
        const Bytes key = encode_key(draw<TypeParam>(random));
        for (std::size_t bit = 0; bit < key.size() * 8; ++bit) {
            Bytes flipped = key;
            flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            const auto decoded = decode_key<TypeParam>(flipped);
            if (decoded) ASSERT_EQ(encode_key(*decoded), flipped);
        }
    }
}

TEST(KeyCodec, HasTheDocumentedBytes) {
    // Golden encodings: they are the storage format.
    EXPECT_EQ(encode_key(std::uint32_t{0x01020304}), (Bytes{1, 2, 3, 4}));
    EXPECT_EQ(encode_key(std::int16_t{-1}), (Bytes{0x7F, 0xFF}));
    EXPECT_EQ(encode_key(std::int16_t{1}), (Bytes{0x80, 0x01}));
    EXPECT_EQ(encode_key(std::string("a\0b", 3)), (Bytes{'a', 0, 0xFF, 'b', 0, 0}));
    EXPECT_EQ(encode_key(std::optional<bool>()), (Bytes{0}));
    EXPECT_EQ(encode_key(std::optional<bool>(true)), (Bytes{1, 1}));
    EXPECT_EQ(encode_key(Kind::Second), (Bytes{200}));
    EXPECT_EQ(encode_key(Slot{1, "x", 2}), (Bytes{0x80, 0, 0, 1, 'x', 0, 0, 1, 0, 2}));
}

TEST(KeyCodec, NamesTheOffset) {
    // An error says where: the escape at offset 2 is followed by 01.
    const auto decoded = decode_key<std::string>(Bytes{'a', 0, 1});
    ASSERT_FALSE(decoded.has_value());
    EXPECT_NE(decoded.error().context.find("offset 3"), std::string::npos);
}

}  // namespace
}  // namespace draco::atomo
