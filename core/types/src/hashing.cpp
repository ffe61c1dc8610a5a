#include "draco/types/hashing.hpp"

#include <array>
#include <utility>

namespace draco::types {

blake3_tree::Hasher begin_message(MessageKind kind, ChainId chain) {
    static const blake3_tree::Mode kMode =
        blake3_tree::Mode::derive_key("draco.network 2026 message v1");
    std::array<std::uint8_t, 9> domain{};
    domain[0] = std::to_underlying(kind);
    store_le<std::uint64_t>(&domain[1], chain.value());
    blake3_tree::Hasher hasher(kMode);
    hasher.update(domain);
    return hasher;
}

}  // namespace draco::types
