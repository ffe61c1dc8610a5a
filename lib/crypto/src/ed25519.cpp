#include "draco/crypto/ed25519.hpp"

#include "ed25519_rules.hpp"

#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_sign_ed25519.h>

#include <string>

namespace draco::crypto::ed25519_detail {

Expanded expand(const Ed25519Seed& seed) {
    return Expanded::make([&](std::span<std::uint8_t, 64> out) {
        std::array<std::uint8_t, 32> public_key;
        crypto_sign_ed25519_seed_keypair(public_key.data(), out.data(), seed.expose().data());
    });
}

void sign(const Expanded& key, ByteView message, std::span<std::uint8_t, 64> signature) {
    crypto_sign_ed25519_detached(
        signature.data(), nullptr, message.data(), message.size(), key.expose().data());
}

Result<> verify(std::span<const std::uint8_t, 32> key,
                ByteView message,
                std::span<const std::uint8_t, 64> signature) {
    DRACO_TRY_VOID(check_encodings(check_encoding(key), signature));
    if (crypto_sign_ed25519_verify_detached(
            signature.data(), message.data(), message.size(), key.data()) != 0)
        return refuse(kEquationFails);
    return {};
}

Result<> check_public_key(std::span<const std::uint8_t, 32> key) {
    if (const auto fault = check_encoding(key); fault != PointFault::None)
        return fail(Errc::InvalidArgument, describe("the Ed25519 public key", fault));
    if (crypto_core_ed25519_is_valid_point(key.data()) != 1)
        return fail(Errc::InvalidArgument,
                    "the Ed25519 public key is not a point of the prime-order subgroup");
    return {};
}

Result<std::span<const std::uint8_t, 32>> untag(std::uint8_t tag, ByteView tagged) {
    if (tagged.size() != 33)
        return fail(
            Errc::InvalidArgument,
            "a tagged Ed25519 public key has 33 bytes, not " + std::to_string(tagged.size()));
    if (tagged[0] != tag)
        return fail(Errc::InvalidArgument,
                    "the key's kind at offset 0 is " + std::to_string(tagged[0]) + " where kind " +
                        std::to_string(tag) + " is needed");
    return tagged.last<32>();
}

}  // namespace draco::crypto::ed25519_detail
