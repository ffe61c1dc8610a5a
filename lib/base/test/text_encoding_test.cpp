#include "draco/base/text_encoding.hpp"

#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>

namespace draco {
namespace {

struct DigestTag;
using Digest = FixedBytes<DigestTag, 4>;

TEST(Hex, MatchesKnownText) {
    // Lower case out; both cases in.
    EXPECT_EQ(to_hex(Bytes{0x00, 0xab, 0xff}), "00abff");
    EXPECT_EQ(from_hex("00ABff").value(), (Bytes{0x00, 0xab, 0xff}));
    EXPECT_EQ(from_hex("").value(), Bytes{});
}

TEST(Hex, NamesTheFirstBadCharacter) {
    // The error carries the offset, and an odd length is its own error.
    EXPECT_EQ(from_hex("00zz").error(),
              (Error{Errc::InvalidArgument, "not a hex digit at offset 2"}));
    EXPECT_EQ(from_hex("0x00").error().context, "not a hex digit at offset 1");
    EXPECT_EQ(from_hex("abc").error().context, "hex text has an odd number of digits: 3");
    EXPECT_EQ(from_hex("0000", 1).error().code, Errc::Exhausted);
}

TEST(Hex, FixedLengthIsExact) {
    // A digest is read only from exactly its number of digits.
    EXPECT_EQ(fixed_from_hex<Digest>("01020304").value(), Digest({1, 2, 3, 4}));
    EXPECT_EQ(fixed_from_hex<Digest>("0102030").error().context, "expected 8 hex digits, got 7");
    EXPECT_FALSE(fixed_from_hex<Digest>("010203045").has_value());
    EXPECT_FALSE(fixed_from_hex<Digest>("0102030g").has_value());
}

TEST(Base58, MatchesKnownVectors) {
    // Vectors of draft-msporny-base58, section 5, and leading zeros as leading ones.
    EXPECT_EQ(to_base58(as_bytes("Hello World!")), "2NEpo7TZRRrLZSi2U");
    EXPECT_EQ(to_base58(as_bytes("The quick brown fox jumps over the lazy dog.")),
              "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z");
    EXPECT_EQ(to_base58(from_hex("0000287fb4cd").value()), "11233QC4");
    EXPECT_EQ(to_base58({}), "");
}

TEST(Base58, RefusesWhatItNeverWrites) {
    // 0, O, I and l are no digits; long text is refused before the quadratic work.
    for (const char c : std::string("0OIl+/ "))
        EXPECT_EQ(from_base58(std::string("11") + c).error().context,
                  "not a base58 digit at offset 2");
    EXPECT_EQ(from_base58(std::string(100'000, 'z')).error().code, Errc::Exhausted);
    EXPECT_EQ(from_base58("2NEpo7TZRRrLZSi2U", 11).error().code, Errc::Exhausted);
    EXPECT_EQ(from_base58(std::string(257, '1')).error().code, Errc::Exhausted);
    EXPECT_EQ(from_base58(std::string(256, '1')).value(), Bytes(256, 0));
}

TEST(Base64Url, MatchesKnownVectors) {
    // RFC 4648 section 10 without padding, and the two characters that differ from base64.
    EXPECT_EQ(to_base64url(as_bytes("")), "");
    EXPECT_EQ(to_base64url(as_bytes("f")), "Zg");
    EXPECT_EQ(to_base64url(as_bytes("fo")), "Zm8");
    EXPECT_EQ(to_base64url(as_bytes("foo")), "Zm9v");
    EXPECT_EQ(to_base64url(as_bytes("foobar")), "Zm9vYmFy");
    EXPECT_EQ(to_base64url(Bytes{0xfb, 0xff}), "-_8");
}

TEST(Base64Url, OneByteStringHasOneText) {
    // Padding, the base64 alphabet, impossible lengths and set trailing bits are refused.
    EXPECT_EQ(from_base64url("Zg==").error().context, "not a base64url digit at offset 2");
    EXPECT_EQ(from_base64url("+/8").error().context, "not a base64url digit at offset 0");
    EXPECT_EQ(from_base64url("Zm9vY").error().context,
              "base64url text has an impossible length: 5");
    EXPECT_EQ(from_base64url("Zh").error().context,
              "base64url text has bits set after its last byte, at offset 1");
    EXPECT_EQ(from_base64url("Zm9v", 2).error().code, Errc::Exhausted);
}

TEST(TextEncoding, RandomBytesRoundTrip) {
    // Encode then decode is the identity for every encoding and every length up to 256, at exactly
    // the bound.
    std::mt19937_64 rng(testing::test_seed(11));
    for (std::size_t size = 0; size <= kBase58BytesMax; ++size) {
        Bytes bytes(size);
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng() % 4 == 0 ? 0 : rng());
        EXPECT_EQ(from_hex(to_hex(bytes), size).value(), bytes);
        EXPECT_EQ(from_base58(to_base58(bytes), size).value(), bytes);
        EXPECT_EQ(from_base64url(to_base64url(bytes), size).value(), bytes);
    }
}

}  // namespace
}  // namespace draco
