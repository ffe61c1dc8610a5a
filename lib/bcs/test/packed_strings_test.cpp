#include "draco/bcs/bcs.hpp"

#include <gtest/gtest.h>

#include <random>

namespace draco::bcs::testing {
namespace {

constexpr std::size_t kBytesMax = 300;
constexpr std::size_t kCountMax = 5;
using Packed = PackedStrings<kBytesMax, kCountMax>;
using Plain = Bounded<std::vector<Bounded<Bytes, kBytesMax>>, kCountMax>;

std::vector<Bytes> elements(const Packed& packed) {
    std::vector<Bytes> all;
    for (const ByteView each : packed) all.emplace_back(each.begin(), each.end());
    return all;
}

TEST(PackedStrings, KeepsItsBounds) {
    // As many and as long as the type says, and nothing is added beyond.
    Packed packed;
    EXPECT_FALSE(packed.try_push_back(Bytes(kBytesMax + 1)));
    EXPECT_TRUE(packed.empty());
    for (std::size_t i = 0; i < kCountMax; ++i) EXPECT_TRUE(packed.try_push_back(Bytes(kBytesMax)));
    EXPECT_FALSE(packed.try_push_back(Bytes(1)));
    EXPECT_EQ(elements(packed), std::vector(kCountMax, Bytes(kBytesMax)));
}

TEST(PackedStrings, AreEncodedLikeAVectorOfByteStrings) {
    // The same bytes as the plain type's, and from any bytes, valid or not, the same value or the
    // same fault.
    std::mt19937_64 random(1);  // NOLINT(*-msc51-cpp): the same cases each time
    const auto below = [&](std::size_t bound) { return random() % bound; };
    for (int round = 0; round < 5'000; ++round) {
        Packed packed;
        Plain plain;
        for (std::size_t i = below(kCountMax + 1); i > 0; --i) {
            Bytes string(below(2) == 0 ? below(4) : below(kBytesMax + 1));
            for (std::uint8_t& byte : string) byte = static_cast<std::uint8_t>(random());
            ASSERT_TRUE(packed.try_push_back(string));
            ASSERT_TRUE(plain.try_push_back(Bounded<Bytes, kBytesMax>::make(string).value()));
        }
        Bytes encoded = encode(packed);
        ASSERT_EQ(encoded, encode(plain));
        ASSERT_EQ(decode<Packed>(encoded).value(), packed);
        if (below(2) == 0)
            encoded[below(encoded.size())] = static_cast<std::uint8_t>(random());
        else
            encoded.resize(below(encoded.size() + 3));
        const auto as_packed = decode<Packed>(encoded);
        const auto as_plain = decode<Plain>(encoded);
        ASSERT_EQ(as_packed.has_value(), as_plain.has_value());
        if (as_packed) {
            ASSERT_EQ(encode(*as_packed), encoded);
        } else {
            ASSERT_EQ(as_packed.error().fault, as_plain.error().fault);
            ASSERT_EQ(as_packed.error().offset, as_plain.error().offset);
        }
    }
}

}  // namespace
}  // namespace draco::bcs::testing
