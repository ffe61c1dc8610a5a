#pragma once
// Ed25519 verification by a key that many signatures are expected of, such as a committee member's:
// multiples of the key are computed once (as long as two or three verifications take, 30 KiB), and
// each verification takes a third of what verify() takes.
//
// It accepts exactly what verify() of ed25519.hpp accepts, by the same five rules and with the same
// errors; rule 5 is checked in its cofactorless form, byte for byte. The arithmetic is our own,
// because libsodium and OpenSSL offer none with multiples of a chosen key. Its time depends on its
// inputs, so it is for public values only; signing stays libsodium's.

#include "draco/crypto/ed25519.hpp"

#include <memory>

namespace draco::crypto {
namespace ed25519_detail {

struct PreparedKey;

std::shared_ptr<const PreparedKey> prepare(std::span<const std::uint8_t, 32> key);
Result<> verify(const PreparedKey& key,
                ByteView message,
                std::span<const std::uint8_t, 64> signature);

}  // namespace ed25519_detail

// Immutable value; copies share the multiples. Thread-safe.
template <KeyKind Kind>
class Ed25519Verifier {
public:
    // Any bytes: of a key that breaks a rule no signature verifies.
    explicit Ed25519Verifier(const Ed25519PublicKey<Kind>& key)
        : key_(ed25519_detail::prepare(key.view())) {}

    Result<> verify(ByteView message, const Ed25519Signature<Kind>& signature) const {
        return ed25519_detail::verify(*key_, message, signature.view());
    }

private:
    std::shared_ptr<const ed25519_detail::PreparedKey> key_;
};

}  // namespace draco::crypto
