#include "draco/crypto/x25519.hpp"

#include "sodium_ready.hpp"

#include <sodium/crypto_scalarmult_curve25519.h>

namespace draco::crypto {

X25519PublicKey x25519_public_key(const X25519SecretKey& secret) {
    prepare_sodium();
    X25519PublicKey key;
    crypto_scalarmult_curve25519_base(key.data(), secret.expose().data());
    return key;
}

Result<X25519SharedSecret> x25519(const X25519SecretKey& secret, const X25519PublicKey& peer) {
    prepare_sodium();
    bool nonzero = false;
    auto shared = X25519SharedSecret::make([&](std::span<std::uint8_t, 32> out) {
        nonzero =
            crypto_scalarmult_curve25519(out.data(), secret.expose().data(), peer.data()) == 0;
    });
    if (!nonzero)
        return fail(Errc::InvalidArgument,
                    "the peer's X25519 key has small order: the shared secret would be zero");
    return shared;
}

}  // namespace draco::crypto
