#include "draco/atomo/state_proof.hpp"

#include "draco/sparse_merkle/proof.hpp"
#include "leaf_hash.hpp"

namespace draco::atomo::detail {
namespace {

template <class H>
Result<> present(const StateRoot& root, ByteView storage_key, ByteView value, ByteView proof) {
    return sparse_merkle::verify_membership<H>(
        root, leaf_key<H>(storage_key), leaf_value<H>(value), proof);
}

template <class H>
Result<> absent(const StateRoot& root, ByteView storage_key, ByteView proof) {
    return sparse_merkle::verify_absence<H>(root, leaf_key<H>(storage_key), proof);
}

}  // namespace

Result<> verify_present(const TrustedRoot& trusted,
                        ByteView storage_key,
                        ByteView value,
                        ByteView proof) {
    return trusted.hash == StateHash::Sha256
               ? present<sparse_merkle::Sha256Nodes>(trusted.root, storage_key, value, proof)
               : present<sparse_merkle::Keccak256Nodes>(trusted.root, storage_key, value, proof);
}

Result<> verify_absent(const TrustedRoot& trusted, ByteView storage_key, ByteView proof) {
    return trusted.hash == StateHash::Sha256
               ? absent<sparse_merkle::Sha256Nodes>(trusted.root, storage_key, proof)
               : absent<sparse_merkle::Keccak256Nodes>(trusted.root, storage_key, proof);
}

}  // namespace draco::atomo::detail
