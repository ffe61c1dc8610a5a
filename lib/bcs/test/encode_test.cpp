#include "draco/base/text_encoding.hpp"
#include "draco/bcs/bcs.hpp"

#include "../fuzz/rich_message.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

namespace draco::bcs::testing {
namespace {

struct Nothing {};

struct Wide {
    std::uint8_t f00, f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15;
    std::uint8_t f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31;
};

// Fields are counted and named for aggregates of 0 to kFieldsMax fields of every supported kind.
TEST(Reflect, CountsAndNamesFields) {
    EXPECT_EQ(kFieldCount<Nothing>, 0);
    EXPECT_EQ(kFieldCount<Wide>, kFieldsMax);
    EXPECT_EQ(kFieldNames<Wide>.back(), "f31");
    EXPECT_EQ(kFieldCount<RichMessage>, 10);
    EXPECT_EQ(kFieldNames<RichMessage>[8], "flags");
    EXPECT_EQ(kEnumeratorCount<Kind>, 3);
    EXPECT_EQ(type_name<RichMessage>(), "RichMessage");
}

// Fields are written in declared order.
TEST(Encode, WritesFieldsInOrder) {
    Wide wide{};
    wide.f00 = 1;
    wide.f31 = 2;
    const Bytes bytes = encode(wide);
    ASSERT_EQ(bytes.size(), 32);
    EXPECT_EQ(bytes.front(), 1);
    EXPECT_EQ(bytes.back(), 2);
    EXPECT_EQ(encode(Nothing{}), Bytes{});
    EXPECT_EQ(encode(std::int32_t{-2}), (Bytes{0xfe, 0xff, 0xff, 0xff}));
}

// Any sink sees the same bytes in order, whatever the pieces: around the encoder's buffer size too.
TEST(Encode, FeedsSinksWithTheEncoding) {
    for (const std::size_t size : {0U, 1U, 509U, 510U, 511U, 512U, 513U, 1023U, 5000U}) {
        const std::tuple value(Bytes(size, 7), std::uint64_t{1}, Bytes(size, 8));
        const Bytes bytes = encode(value);
        EXPECT_EQ(bytes.size(), encoded_size(value));
        const auto decoded = decode<std::tuple<Bytes, std::uint64_t, Bytes>>(bytes);
        ASSERT_TRUE(decoded);
        EXPECT_TRUE(*decoded == value);
    }
}

// The sizes at which a ULEB128 length grows by a byte round-trip.
TEST(Encode, LengthsRoundTripAtUlebBorders) {
    for (const std::uint32_t size : {0U, 127U, 128U, 16383U, 16384U, 2097151U, 2097152U}) {
        const Bytes bytes = encode(Bytes(size));
        const auto digits = std::max(1U, (static_cast<unsigned>(std::bit_width(size)) + 6) / 7);
        EXPECT_EQ(bytes.size(), size + digits);
        EXPECT_EQ(decode<Bytes>(bytes)->size(), size);
    }
}

// An enumerator outside the declared ones is a bug of this program.
TEST(EncodeDeathTest, AssertsKnownEnumerators) {
    // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): the planted bug
    EXPECT_DEATH(static_cast<void>(encode(static_cast<Kind>(9))), "enumerators");
}

}  // namespace
}  // namespace draco::bcs::testing
