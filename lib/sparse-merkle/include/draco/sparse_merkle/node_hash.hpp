#pragma once
// The hash of a tree is a policy: two functions that hash many nodes, each given as 64 bytes (two
// child digests, or a key and a value hash), back to back, into 32-byte digests back to back.
//     hash_inner    H(the 64 bytes)
//     hash_leaves   H(0x00, then the 64 bytes)
// Batches let an implementation interleave messages.

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace draco::sparse_merkle {

inline constexpr std::size_t kNodeBytes = 64;
inline constexpr std::uint8_t kLeafPrefix = 0x00;

// `digests` has room for 32 * count bytes and does not overlap `nodes`.
template <class H>
concept NodeHash = requires(const std::uint8_t* nodes, std::uint8_t* digests, std::size_t count) {
    { H::hash_inner(nodes, digests, count) } noexcept -> std::same_as<void>;
    { H::hash_leaves(nodes, digests, count) } noexcept -> std::same_as<void>;
};

// SHA-256, with SHA-NI where the processor has it. Ethereum checks it with precompile 0x02.
struct Sha256Nodes {
    static void hash_inner(const std::uint8_t* nodes,
                           std::uint8_t* digests,
                           std::size_t count) noexcept;
    static void hash_leaves(const std::uint8_t* nodes,
                            std::uint8_t* digests,
                            std::size_t count) noexcept;
};

// Keccak-256 as Ethereum uses it (not SHA3-256): the EVM's cheapest hash.
struct Keccak256Nodes {
    static void hash_inner(const std::uint8_t* nodes,
                           std::uint8_t* digests,
                           std::size_t count) noexcept;
    static void hash_leaves(const std::uint8_t* nodes,
                            std::uint8_t* digests,
                            std::size_t count) noexcept;
};

}  // namespace draco::sparse_merkle
