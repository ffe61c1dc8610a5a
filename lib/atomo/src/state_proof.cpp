#include "draco/atomo/state_proof.hpp"

#include "draco/sparse_merkle/proof.hpp"

#include "leaf_hash.hpp"

namespace draco::atomo::detail {

Result<> verify_present(const TrustedRoot& trusted,
                        ByteView storage_key,
                        ByteView value,
                        ByteView proof) {
    return with_hash(trusted.hash, [&]<class H>(H) {
        return sparse_merkle::verify_membership<H>(
            trusted.root, leaf_key<H>(storage_key), leaf_value<H>(value), proof);
    });
}

Result<> verify_absent(const TrustedRoot& trusted, ByteView storage_key, ByteView proof) {
    return with_hash(trusted.hash, [&]<class H>(H) {
        return sparse_merkle::verify_absence<H>(trusted.root, leaf_key<H>(storage_key), proof);
    });
}

}  // namespace draco::atomo::detail
