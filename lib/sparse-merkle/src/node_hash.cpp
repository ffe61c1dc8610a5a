#include "draco/sparse_merkle/node_hash.hpp"

#include "draco/crypto/keccak.hpp"
#include "draco/crypto/sha2.hpp"

#include <algorithm>
#include <array>

namespace draco::sparse_merkle {

void Sha256Nodes::hash_inner(const std::uint8_t* nodes,
                             std::uint8_t* digests,
                             std::size_t count) noexcept {
    crypto::sha256_64_many(nodes, digests, count);
}

void Sha256Nodes::hash_leaves(const std::uint8_t* nodes,
                              std::uint8_t* digests,
                              std::size_t count) noexcept {
    crypto::sha256_prefixed_64_many(kLeafPrefix, nodes, digests, count);
}

void Keccak256Nodes::hash_inner(const std::uint8_t* nodes,
                                std::uint8_t* digests,
                                std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        const auto digest = crypto::keccak256({nodes + i * kNodeBytes, kNodeBytes});
        std::ranges::copy(digest.bytes, digests + i * digest.size());
    }
}

void Keccak256Nodes::hash_leaves(const std::uint8_t* nodes,
                                 std::uint8_t* digests,
                                 std::size_t count) noexcept {
    std::array<std::uint8_t, 1 + kNodeBytes> message{kLeafPrefix};
    for (std::size_t i = 0; i < count; ++i) {
        std::copy_n(nodes + i * kNodeBytes, kNodeBytes, &message[1]);
        const auto digest = crypto::keccak256(message);
        std::ranges::copy(digest.bytes, digests + i * digest.size());
    }
}

}  // namespace draco::sparse_merkle
