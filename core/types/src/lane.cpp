#include "draco/types/lane.hpp"

namespace draco::types {

SignedDeliveryAck sign(ChainId chain, const DeliveryAck& ack, const SessionSecretKey& key) {
    return {ack, key.sign(digest_of(chain, ack).view())};
}

Result<> verify(ChainId chain, const SessionKey& key, const SignedDeliveryAck& ack) {
    return crypto::verify(key, digest_of(chain, ack.ack).view(), ack.signature);
}

}  // namespace draco::types
