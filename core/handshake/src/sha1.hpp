#pragma once
// SHA-1 (FIPS 180-4), for the handshake of WebSocket alone, which proves nothing but that the
// server has read the request. It is broken as a hash: nothing of ours may rest on it.

#include "draco/base/bytes.hpp"

#include <array>
#include <cstdint>

namespace draco::handshake {

std::array<std::uint8_t, 20> sha1(ByteView message);

}  // namespace draco::handshake
