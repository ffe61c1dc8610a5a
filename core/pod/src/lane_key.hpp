#pragma once

#include "draco/crypto/ethereum_address.hpp"
#include "draco/types/lane.hpp"

#include <string>

namespace draco::pod {

inline types::LaneKey lane_key(const types::DeliveryAck& ack) {
    return {ack.payer, ack.node, ack.lane};
}

// "lane 3 of 0x70..."
inline std::string describe(const types::DeliveryAck& ack) {
    return "lane " + std::to_string(ack.lane.value()) + " of " + crypto::to_text(ack.payer);
}

}  // namespace draco::pod
