#pragma once
// Numbers modulo p = 2^255 - 19 in five limbs of 51 bits, for verification only: variable time.
//
// Limbs of a sum may reach 2^53; those of every other result stay below 2^51 + 2^13. Products take
// limbs below 2^54, and what is subtracted has limbs below 2^53 - 76.

#include "draco/base/bytes.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace draco::crypto::ed25519_detail {

struct Fe {
    std::array<std::uint64_t, 5> limbs{};
};

inline constexpr std::uint64_t kLimbMask = (std::uint64_t{1} << 51) - 1;

constexpr Fe fe(std::uint64_t small) {
    return {{small, 0, 0, 0, 0}};
}

inline Fe carried(Fe a) {
    auto& l = a.limbs;
    for (std::size_t i = 0; i < 4; ++i) {
        l[i + 1] += l[i] >> 51;
        l[i] &= kLimbMask;
    }
    l[0] += 19 * (l[4] >> 51);
    l[4] &= kLimbMask;
    return a;
}

inline Fe operator+(const Fe& a, const Fe& b) {
    Fe sum;
    for (std::size_t i = 0; i < 5; ++i) sum.limbs[i] = a.limbs[i] + b.limbs[i];
    return sum;
}

inline Fe operator-(const Fe& a, const Fe& b) {
    // 4p, so that no limb goes below zero.
    constexpr std::uint64_t kLow = (std::uint64_t{1} << 53) - 76;
    constexpr std::uint64_t kHigh = (std::uint64_t{1} << 53) - 4;
    Fe difference;
    difference.limbs[0] = a.limbs[0] + kLow - b.limbs[0];
    for (std::size_t i = 1; i < 5; ++i) difference.limbs[i] = a.limbs[i] + kHigh - b.limbs[i];
    return carried(difference);
}

__extension__ using Wide = unsigned __int128;

inline Fe reduced(Wide r0, Wide r1, Wide r2, Wide r3, Wide r4) {
    const auto low = [](Wide r) { return static_cast<std::uint64_t>(r) & kLimbMask; };
    r1 += r0 >> 51;
    r2 += r1 >> 51;
    r3 += r2 >> 51;
    r4 += r3 >> 51;
    const std::uint64_t first = low(r0) + 19 * static_cast<std::uint64_t>(r4 >> 51);
    return {{first & kLimbMask, low(r1) + (first >> 51), low(r2), low(r3), low(r4)}};
}

inline Wide wide(std::uint64_t a, std::uint64_t b) {
    return static_cast<Wide>(a) * b;
}

inline Fe operator*(const Fe& x, const Fe& y) {
    const auto& [a0, a1, a2, a3, a4] = x.limbs;
    const auto& [b0, b1, b2, b3, b4] = y.limbs;
    const std::uint64_t c1 = 19 * b1;
    const std::uint64_t c2 = 19 * b2;
    const std::uint64_t c3 = 19 * b3;
    const std::uint64_t c4 = 19 * b4;
    return reduced(wide(a0, b0) + wide(a1, c4) + wide(a2, c3) + wide(a3, c2) + wide(a4, c1),
                   wide(a0, b1) + wide(a1, b0) + wide(a2, c4) + wide(a3, c3) + wide(a4, c2),
                   wide(a0, b2) + wide(a1, b1) + wide(a2, b0) + wide(a3, c4) + wide(a4, c3),
                   wide(a0, b3) + wide(a1, b2) + wide(a2, b1) + wide(a3, b0) + wide(a4, c4),
                   wide(a0, b4) + wide(a1, b3) + wide(a2, b2) + wide(a3, b1) + wide(a4, b0));
}

inline Fe square(const Fe& x) {
    const auto& [a0, a1, a2, a3, a4] = x.limbs;
    const std::uint64_t d0 = 2 * a0;
    const std::uint64_t d1 = 2 * a1;
    const std::uint64_t c3 = 19 * a3;
    const std::uint64_t c4 = 19 * a4;
    return reduced(wide(a0, a0) + wide(a1, 2 * c4) + wide(a2, 2 * c3),
                   wide(d0, a1) + wide(a2, 2 * c4) + wide(a3, c3),
                   wide(d0, a2) + wide(a1, a1) + wide(a3, 2 * c4),
                   wide(d0, a3) + wide(d1, a2) + wide(a4, c4),
                   wide(d0, a4) + wide(d1, a3) + wide(a2, a2));
}

// a^(2^times).
inline Fe squared(Fe a, int times) {
    for (int i = 0; i < times; ++i) a = square(a);
    return a;
}

// Both powers below share the tower a^(2^250 - 1).
struct Tower {
    Fe a11;      // a^11
    Fe ones250;  // a^(2^250 - 1)
};

inline Tower tower_of(const Fe& a) {
    const Fe a2 = square(a);
    const Fe a9 = squared(a2, 2) * a;
    const Fe a11 = a9 * a2;
    const Fe ones5 = square(a11) * a9;
    const Fe ones10 = squared(ones5, 5) * ones5;
    const Fe ones20 = squared(ones10, 10) * ones10;
    const Fe ones40 = squared(ones20, 20) * ones20;
    const Fe ones50 = squared(ones40, 10) * ones10;
    const Fe ones100 = squared(ones50, 50) * ones50;
    const Fe ones200 = squared(ones100, 100) * ones100;
    return {a11, squared(ones200, 50) * ones50};
}

// a^(p - 2); 0 for 0.
inline Fe inverse(const Fe& a) {
    const Tower tower = tower_of(a);
    return squared(tower.ones250, 5) * tower.a11;
}

// a^((p - 5) / 8) = a^(2^252 - 3).
inline Fe power_for_root(const Fe& a) {
    return squared(tower_of(a).ones250, 2) * a;
}

// Little-endian; the top bit is not read.
inline Fe fe_of(std::span<const std::uint8_t, 32> bytes) {
    const auto word = [&](std::size_t at) { return load_le<std::uint64_t>(bytes.data() + at); };
    return {{word(0) & kLimbMask,
             word(6) >> 3 & kLimbMask,
             word(12) >> 6 & kLimbMask,
             word(19) >> 1 & kLimbMask,
             word(24) >> 12 & kLimbMask}};
}

// The one below p.
inline std::array<std::uint8_t, 32> bytes_of(const Fe& a) {
    Fe r = carried(carried(a));
    auto& l = r.limbs;
    // 1 if r >= p.
    std::uint64_t carry = (l[0] + 19) >> 51;
    for (std::size_t i = 1; i < 5; ++i) carry = (l[i] + carry) >> 51;
    l[0] += 19 * carry;
    for (std::size_t i = 0; i < 4; ++i) {
        l[i + 1] += l[i] >> 51;
        l[i] &= kLimbMask;
    }
    l[4] &= kLimbMask;
    std::array<std::uint8_t, 32> bytes;
    store_le<std::uint64_t>(bytes.data(), l[0] | l[1] << 51);
    store_le<std::uint64_t>(bytes.data() + 8, l[1] >> 13 | l[2] << 38);
    store_le<std::uint64_t>(bytes.data() + 16, l[2] >> 26 | l[3] << 25);
    store_le<std::uint64_t>(bytes.data() + 24, l[3] >> 39 | l[4] << 12);
    return bytes;
}

inline bool is_odd(const Fe& a) {
    return (bytes_of(a)[0] & 1) != 0;
}

inline bool are_equal(const Fe& a, const Fe& b) {
    return bytes_of(a) == bytes_of(b);
}

}  // namespace draco::crypto::ed25519_detail
