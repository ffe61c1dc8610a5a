#include "draco/sparse_merkle/node_hash.hpp"

#include "draco/crypto/sha2.hpp"

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

}  // namespace draco::sparse_merkle
