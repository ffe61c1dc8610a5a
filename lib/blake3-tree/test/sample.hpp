#pragma once
// Contents and hashes that the tests share.

#include "draco/base/text_encoding.hpp"
#include "draco/blake3_tree/hasher.hpp"

#include "naive_model.hpp"

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace draco::blake3_tree::sample {

// Byte j is j mod 251, as in the official vectors.
inline Bytes counting(std::size_t bytes) {
    Bytes out(bytes);
    for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::uint8_t>(i % 251);
    return out;
}

inline Bytes random(std::size_t bytes, std::mt19937_64& rng) {
    Bytes out(bytes);
    for (auto& byte : out) byte = static_cast<std::uint8_t>(rng());
    return out;
}

// Leaf i is the hash of i as four little-endian bytes.
inline std::vector<Hash> synthetic_leaves(std::size_t count) {
    std::vector<Hash> leaves(count);
    for (std::size_t i = 0; i < count; ++i) {
        std::array<std::uint8_t, 4> index{};
        store_le(index.data(), static_cast<std::uint32_t>(i));
        leaves[i] = hash(index);
    }
    return leaves;
}

inline Hash filled(std::uint8_t byte) {
    Hash hash;
    hash.bytes.fill(byte);
    return hash;
}

inline std::string hex(const Hash& hash) {
    return to_hex(hash.view());
}

inline std::string hash_hex(ByteView bytes) {
    return hex(hash(bytes));
}

inline ByteView block_of(ByteView content, std::size_t block) {
    const std::size_t offset = block * kBlockBytes;
    return content.subspan(offset, std::min(kBlockBytes, content.size() - offset));
}

inline const std::vector<InstructionSet>& instruction_sets() {
    static const std::vector<InstructionSet> sets = [] {
        std::vector<InstructionSet> supported;
        for (const auto set : {InstructionSet::Portable,
                               InstructionSet::Sse41,
                               InstructionSet::Avx2,
                               InstructionSet::Avx512})
            if (is_supported(set)) supported.push_back(set);
        return supported;
    }();
    return sets;
}

}  // namespace draco::blake3_tree::sample
