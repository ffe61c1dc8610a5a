#pragma once
// What the state root says, and how to check a proof of it without the database.
//
// The root is that of a sparse Merkle tree (lib/sparse-merkle has the hashing and proof formats)
// with one leaf for each entry of an authenticated table:
//
//     leaf key    H("draco.atomo.key.1" || table id, 1 byte || encoded key)
//     leaf value  H(encoded value)
//
// H is the StateHash of the database. Proofs are foreign bytes: Corrupt unless they are canonical
// and lead to the root; InvalidArgument for a proof of presence where one of absence was expected,
// and the reverse.

#include "draco/atomo/table.hpp"
#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/sparse_merkle/types.hpp"

#include <cstdint>

namespace draco::atomo {

using StateRoot = sparse_merkle::Digest;

// Part of the storage format. Sha256: with SHA-NI the fastest. Keccak256: the EVM's cheapest.
enum class StateHash : std::uint8_t { Sha256, Keccak256 };

inline constexpr StateHash kStateHashLast = StateHash::Keccak256;

// What a verifier knows: the root it trusts and the hash that belongs to it.
struct TrustedRoot {
    StateRoot root;
    StateHash hash = StateHash::Sha256;
};

namespace detail {

// `storage_key` is the table id and the encoded key.
Result<> verify_present(const TrustedRoot& trusted,
                        ByteView storage_key,
                        ByteView value,
                        ByteView proof);
Result<> verify_absent(const TrustedRoot& trusted, ByteView storage_key, ByteView proof);

template <class T>
Bytes storage_key(const typename T::KeyType& key) {
    Bytes bytes;
    bytes.reserve(64);  // most keys, in one allocation
    bytes.push_back(T::kId);
    KeyPart<typename T::KeyType>::encode(key, bytes);
    return bytes;
}

}  // namespace detail

// Ok: the state with this root holds `value` at `key`.
template <class T>
    requires(T::kAuthenticated == Authenticated::Yes)
Result<> verify_present(const TrustedRoot& trusted,
                        T /*table*/,
                        const typename T::KeyType& key,
                        const typename T::ValueType& value,
                        ByteView proof) {
    return detail::verify_present(
        trusted, detail::storage_key<T>(key), T::CodecType::encode(value), proof);
}

// Ok: the state with this root holds nothing at `key`.
template <class T>
    requires(T::kAuthenticated == Authenticated::Yes)
Result<> verify_absent(const TrustedRoot& trusted,
                       T /*table*/,
                       const typename T::KeyType& key,
                       ByteView proof) {
    return detail::verify_absent(trusted, detail::storage_key<T>(key), proof);
}

}  // namespace draco::atomo
