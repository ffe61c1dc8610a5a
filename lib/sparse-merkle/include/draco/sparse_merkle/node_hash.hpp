#pragma once
// The hash of a tree is a policy: two functions that hash many messages of one fixed length, given
// back to back, into digests back to back. Batches let an implementation interleave messages.

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace draco::sparse_merkle {

inline constexpr std::size_t kInnerMessageBytes = 64;
inline constexpr std::size_t kLeafMessageBytes = 65;
inline constexpr std::size_t kDigestBytes = 32;

// `digests` has room for 32 * count bytes and does not overlap `messages`.
template <class H>
concept NodeHash =
    requires(const std::uint8_t* messages, std::uint8_t* digests, std::size_t count) {
        { H::hash_inner(messages, digests, count) } noexcept -> std::same_as<void>;
        { H::hash_leaves(messages, digests, count) } noexcept -> std::same_as<void>;
    };

// SHA-256, with SHA-NI where the processor has it. Ethereum checks it with precompile 0x02.
struct Sha256Nodes {
    static void hash_inner(const std::uint8_t* messages,
                           std::uint8_t* digests,
                           std::size_t count) noexcept;
    static void hash_leaves(const std::uint8_t* messages,
                            std::uint8_t* digests,
                            std::size_t count) noexcept;
};

// Keccak-256 as Ethereum uses it (not SHA3-256).
struct Keccak256Nodes {
    static void hash_inner(const std::uint8_t* messages,
                           std::uint8_t* digests,
                           std::size_t count) noexcept;
    static void hash_leaves(const std::uint8_t* messages,
                            std::uint8_t* digests,
                            std::size_t count) noexcept;
};

}  // namespace draco::sparse_merkle
