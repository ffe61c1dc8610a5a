#pragma once
// 64-bit mixing for seeds and trace digests. Fixed for all time on every machine: a seed must mean
// the same run everywhere. Not collision-resistant against an adversary.

#include "draco/base/bytes.hpp"

#include <cstdint>

namespace draco::simulon {

// The finaliser of SplitMix64: a bijection in which every input bit reaches every output bit.
constexpr std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

constexpr std::uint64_t combine(std::uint64_t digest, std::uint64_t value) {
    const auto product =
        static_cast<unsigned __int128>(digest ^ 0xa0761d6478bd642f) * (value ^ 0xe7037ed1a0b428db);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^
           mix(digest + value);
}

inline std::uint64_t combine(std::uint64_t digest, ByteView bytes) {
    digest = combine(digest, bytes.size());
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8)
        digest = combine(digest, load_le<std::uint64_t>(bytes.data() + at));
    std::uint64_t tail = 0;
    for (; at < bytes.size(); ++at) tail = (tail << 8) | bytes[at];
    return combine(digest, tail);
}

}  // namespace draco::simulon
