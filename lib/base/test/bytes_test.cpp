#include "draco/base/bytes.hpp"

#include "draco/base/checked.hpp"
#include "draco/base/rng.hpp"
#include "draco/base/strong_id.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>
#include <type_traits>
#include <unordered_set>

namespace draco {
namespace {

struct ApplesTag;
struct PearsTag;
using Apples = FixedBytes<ApplesTag, 4>;
using Pears = FixedBytes<PearsTag, 4>;
using AppleCount = StrongId<ApplesTag, std::uint64_t>;
using PearCount = StrongId<PearsTag, std::uint64_t>;

TEST(FixedBytes, KindsDoNotMix) {
    // Two kinds of one length neither convert nor compare; that is checked by the compiler.
    static_assert(!std::is_convertible_v<Apples, Pears>);
    static_assert(!std::is_constructible_v<Apples, Pears>);
    static_assert(!std::equality_comparable_with<Apples, Pears>);
    static_assert(std::has_unique_object_representations_v<Apples>);
}

TEST(FixedBytes, OrdersLexicographically) {
    // The order is that of the bytes, most significant first, whatever their sign as char.
    const Apples low({0, 0xff, 0, 0});
    const Apples high({1, 0, 0, 0});
    const Apples higher({0x80, 0, 0, 0});
    EXPECT_LT(low, high);
    EXPECT_LT(high, higher);
    EXPECT_TRUE(Apples{}.is_zero());
    EXPECT_FALSE(low.is_zero());
    EXPECT_EQ(std::unordered_set<Apples>({low, high, low}).size(), 2U);
}

TEST(StrongId, KindsDoNotMix) {
    // An id converts neither to another kind nor from a bare integer.
    static_assert(!std::is_convertible_v<AppleCount, PearCount>);
    static_assert(!std::is_convertible_v<int, AppleCount>);
    static_assert(!std::is_convertible_v<AppleCount, std::uint64_t>);
    EXPECT_LT(AppleCount(3), AppleCount(4));
    EXPECT_EQ(std::unordered_set<AppleCount>({AppleCount(3), AppleCount(3)}).size(), 1U);
}

TEST(Endian, LoadsWhatWasStored) {
    // Little- and big-endian forms have the documented byte order and round-trip for random values
    // of each width.
    std::uint8_t raw[8];
    store_le<std::uint32_t>(raw, 0x01020304);
    EXPECT_EQ(Bytes(raw, raw + 4), (Bytes{4, 3, 2, 1}));
    store_be<std::uint32_t>(raw, 0x01020304);
    EXPECT_EQ(Bytes(raw, raw + 4), (Bytes{1, 2, 3, 4}));
    std::mt19937_64 rng(testing::test_seed(1));
    const auto check = [&]<class T>(T) {
        const auto value = static_cast<T>(rng());
        store_le<T>(raw, value);
        EXPECT_EQ(load_le<T>(raw), value);
        store_be<T>(raw, value);
        EXPECT_EQ(load_be<T>(raw), value);
    };
    for (int i = 0; i < 1000; ++i) {
        check(std::uint8_t{});
        check(std::uint16_t{});
        check(std::uint32_t{});
        check(std::uint64_t{});
    }
}

TEST(Checked, RefusesWhatDoesNotFit) {
    // Every pair of 8-bit numbers gives the mathematical result or nullopt, never a wrapped one.
    for (int a = 0; a < 256; ++a) {
        for (int b = 0; b < 256; ++b) {
            const auto x = static_cast<std::uint8_t>(a);
            const auto y = static_cast<std::uint8_t>(b);
            EXPECT_EQ(checked_add(x, y).has_value(), a + b <= 255);
            EXPECT_EQ(checked_sub(x, y).has_value(), a >= b);
            EXPECT_EQ(checked_mul(x, y).has_value(), a * b <= 255);
            EXPECT_EQ(checked_add(x, y).value_or(0), a + b <= 255 ? a + b : 0);
            EXPECT_EQ(checked_sub(x, y).value_or(0), a >= b ? a - b : 0);
            EXPECT_EQ(checked_mul(x, y).value_or(0), a * b <= 255 ? a * b : 0);
        }
    }
    EXPECT_FALSE(
        checked_add(std::numeric_limits<std::int64_t>::max(), std::int64_t{1}).has_value());
    const unsigned __int128 largest = ~static_cast<unsigned __int128>(0);
    EXPECT_FALSE(checked_add(largest, static_cast<unsigned __int128>(1)).has_value());
    EXPECT_FALSE(checked_mul(largest / 2, static_cast<unsigned __int128>(3)).has_value());
}

class CountingRng final : public Rng {
public:
    explicit CountingRng(std::uint64_t seed) : engine_(seed) {}

    void fill(MutByteView out) override {
        for (auto& byte : out) byte = static_cast<std::uint8_t>(engine_());
    }

private:
    std::mt19937_64 engine_;
};

TEST(Rng, BelowCoversItsRangeEvenly) {
    // 60,000 draws below 6 give each value about 10,000 times (within 5 sigma) and nothing outside.
    CountingRng rng(testing::test_seed(7));
    std::map<std::uint64_t, int> seen;
    for (int i = 0; i < 60'000; ++i) ++seen[rng.below(6)];
    ASSERT_EQ(seen.size(), 6U);
    for (const auto& [value, count] : seen) {
        EXPECT_LT(value, 6U);
        EXPECT_NEAR(count, 10'000, 460);
    }
}

// Returns chosen numbers, to reach the rejection branch that random draws practically never take.
class ScriptedRng final : public Rng {
public:
    explicit ScriptedRng(std::vector<std::uint64_t> numbers) : numbers_(std::move(numbers)) {}

    void fill(MutByteView out) override {
        store_le<std::uint64_t>(out.data(), numbers_.at(next_++));
    }

private:
    std::vector<std::uint64_t> numbers_;
    std::size_t next_ = 0;
};

TEST(Rng, BelowDropsTheBiasedDraws) {
    // 2^64 mod 6 is 4: the draws 0..3 are rejected and the next one counts.
    ScriptedRng rng({0, 3, 4 + 6 * 5 + 1});
    EXPECT_EQ(rng.below(6), (4U + 30U + 1U) % 6U);
}

}  // namespace
}  // namespace draco
