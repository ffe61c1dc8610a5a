#pragma once
// Keccak-256 as Ethereum uses it: the sponge of the Keccak submission (version 3.0, rate 136 bytes,
// padding 0x01 ... 0x80), which differs from SHA3-256 in the padding's first byte.

#include "draco/base/bytes.hpp"

namespace draco::crypto {

using Keccak256Digest = FixedBytes<struct Keccak256DigestTag, 32>;

// Thread-safe.
Keccak256Digest keccak256(ByteView message);

}  // namespace draco::crypto
