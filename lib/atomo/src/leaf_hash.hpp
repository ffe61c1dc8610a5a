#pragma once
// The hash functions of a state, by StateHash, and the keys and values of leaves (state_proof.hpp).

#include "draco/atomo/state_proof.hpp"
#include "draco/base/assert.hpp"
#include "draco/base/bytes.hpp"
#include "draco/crypto/keccak.hpp"
#include "draco/crypto/sha2.hpp"
#include "draco/sparse_merkle/node_hash.hpp"
#include "draco/sparse_merkle/types.hpp"

#include <array>
#include <cstdint>

namespace draco::atomo {

// For messages of any length, the function that NodeHash H uses for nodes.
template <sparse_merkle::NodeHash H>
struct LeafHash;

template <>
struct LeafHash<sparse_merkle::Sha256Nodes> {
    static constexpr StateHash kName = StateHash::Sha256;

    static std::array<std::uint8_t, 32> of(ByteView message) {
        return crypto::sha256(message).bytes;
    }
};

template <>
struct LeafHash<sparse_merkle::Keccak256Nodes> {
    static constexpr StateHash kName = StateHash::Keccak256;

    static std::array<std::uint8_t, 32> of(ByteView message) {
        return crypto::keccak256(message).bytes;
    }
};

// Calls use(H{}) with the NodeHash that `hash` names.
template <class Use>
auto with_hash(StateHash hash, Use&& use) {
    switch (hash) {
        case StateHash::Sha256:
            return use(sparse_merkle::Sha256Nodes{});
        case StateHash::Keccak256:
            return use(sparse_merkle::Keccak256Nodes{});
    }
    DRACO_ASSERT(false, "a StateHash is one of its enumerators");
}

template <sparse_merkle::NodeHash H>
sparse_merkle::Key leaf_key(ByteView storage_key) {
    Bytes message = to_bytes(as_bytes("draco.atomo.key.1"));
    append(message, storage_key);
    return sparse_merkle::Key(LeafHash<H>::of(message));
}

template <sparse_merkle::NodeHash H>
sparse_merkle::ValueHash leaf_value(ByteView value) {
    return sparse_merkle::ValueHash(LeafHash<H>::of(value));
}

}  // namespace draco::atomo
