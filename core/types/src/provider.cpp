#include "draco/types/provider.hpp"

namespace draco::types {

SignedProviderRecord sign(ChainId chain, const ProviderRecord& record, const NodeSecretKey& key) {
    return {record, key.sign(digest_of(chain, record).view())};
}

Result<> verify(ChainId chain, const SignedProviderRecord& record) {
    return crypto::verify(
        record.record.node, digest_of(chain, record.record).view(), record.signature);
}

}  // namespace draco::types
