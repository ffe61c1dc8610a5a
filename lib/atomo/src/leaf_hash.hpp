#pragma once
// The keys and values of leaves of the state tree (state_proof.hpp), for each hash function.

#include "draco/base/bytes.hpp"
#include "draco/crypto/sha2.hpp"
#include "draco/sparse_merkle/node_hash.hpp"
#include "draco/sparse_merkle/types.hpp"

#include <string_view>

namespace draco::atomo {

// Hashes a message of any length with the function that NodeHash H uses.
template <sparse_merkle::NodeHash H>
std::array<std::uint8_t, 32> message_hash(ByteView message);

template <>
inline std::array<std::uint8_t, 32> message_hash<sparse_merkle::Sha256Nodes>(ByteView message) {
    return crypto::sha256(message).bytes;
}

template <sparse_merkle::NodeHash H>
sparse_merkle::Key leaf_key(ByteView storage_key) {
    Bytes message = to_bytes(as_bytes("draco.atomo.key.1"));
    append(message, storage_key);
    return sparse_merkle::Key(message_hash<H>(message));
}

template <sparse_merkle::NodeHash H>
sparse_merkle::ValueHash leaf_value(ByteView value) {
    return sparse_merkle::ValueHash(message_hash<H>(value));
}

}  // namespace draco::atomo
