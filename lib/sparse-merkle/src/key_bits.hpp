#pragma once
// Bits of a key as a path: bit 0, the most significant, chooses the child of the root.

#include "draco/base/bytes.hpp"
#include "draco/sparse_merkle/types.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <span>

namespace draco::sparse_merkle {

inline bool key_bit(const Key& key, unsigned at) {
    return ((key.bytes[at / 8] >> (7 - at % 8)) & 1) != 0;
}

inline void set_key_bit(Key& key, unsigned at, bool value) {
    const unsigned mask = 0x80U >> (at % 8);
    const unsigned byte = key.bytes[at / 8];
    key.bytes[at / 8] = static_cast<std::uint8_t>(value ? byte | mask : byte & ~mask);
}

// Bits [from, from + count) as a number; count <= 8, bits past the end of the key read as 0.
inline unsigned key_bits(const Key& key, unsigned from, unsigned count) {
    const unsigned byte = from / 8;
    const unsigned low = byte + 1 < Key::kSize ? key.bytes[byte + 1] : 0U;
    const unsigned pair = (static_cast<unsigned>(key.bytes[byte]) << 8) | low;
    return (pair >> (16 - from % 8 - count)) & ((1U << count) - 1);
}

// How many leading bits two keys share, 0..256.
inline unsigned common_bits(const Key& a, const Key& b) {
    for (unsigned i = 0; i < Key::kSize; ++i)
        if (a.bytes[i] != b.bytes[i])
            return 8 * i + static_cast<unsigned>(std::countl_zero(
                               static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i])));
    return kKeyBits;
}

// How many entries, from the first, share its leading `depth` bits. Entries are sorted by key.
template <class Entry>
std::size_t count_sharing(std::span<const Entry> entries, unsigned depth) {
    std::size_t count = 1;
    while (count < entries.size() && common_bits(entries.front().key, entries[count].key) >= depth)
        ++count;
    return count;
}

// The index of the first entry whose key has bit `depth` set, among entries sorted by key that
// share their first `depth` bits.
template <class Entry>
std::size_t split_at_bit(std::span<const Entry> entries, unsigned depth) {
    const auto split = std::ranges::partition_point(
        entries, [depth](const Entry& entry) { return !key_bit(entry.key, depth); });
    return static_cast<std::size_t>(split - entries.begin());
}

}  // namespace draco::sparse_merkle
