#pragma once
// ECDSA over secp256k1 as Ethereum uses it: RFC 6979 nonces, s in the lower half (EIP-2), and
// recovery of the signer's key. libsecp256k1 does the arithmetic. Thread-safe; constant-time in
// secrets.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/crypto/keccak.hpp"
#include "draco/crypto/secret.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace draco::crypto {

using Secp256k1Scalar = SecretBytes<struct Secp256k1ScalarTag, 32>;  // big-endian
using Secp256k1CompressedKey = FixedBytes<struct Secp256k1CompressedKeyTag, 33>;

// A point of the curve other than infinity.
class Secp256k1PublicKey {
public:
    // SEC 1 2.3.4: 33 bytes (02 or 03, X) or 65 (04, X, Y), coordinates below the field's prime, on
    // the curve. The hybrid forms (06, 07) are refused. InvalidArgument.
    static Result<Secp256k1PublicKey> decode(ByteView encoded);

    Secp256k1CompressedKey compressed() const;

    // X || Y, big-endian.
    std::span<const std::uint8_t, 64> coordinates() const { return coordinates_; }

    bool operator==(const Secp256k1PublicKey&) const = default;

private:
    friend class Secp256k1Library;

    Secp256k1PublicKey() = default;

    std::array<std::uint8_t, 64> coordinates_{};
};

// r and s are big-endian; y_parity is that of the nonce's point, so the key can be recovered. In
// Ethereum's terms v is y_parity, 27 + y_parity or 35 + 2 chain_id + y_parity, by where it stands.
// A plain value: recover() and verify() judge it.
struct EcdsaSignature {
    std::array<std::uint8_t, 32> r{};
    std::array<std::uint8_t, 32> s{};
    std::uint8_t y_parity = 0;

    bool operator==(const EcdsaSignature&) const = default;
};

// r || s || 27 + y_parity, as personal_sign and ecrecover have it.
inline constexpr std::size_t kEcdsaSignatureBytes = 65;
std::array<std::uint8_t, kEcdsaSignatureBytes> encode(const EcdsaSignature& signature);
// InvalidArgument unless it is 65 bytes, v is 27 or 28, 0 < r < n and 0 < s <= n / 2.
Result<EcdsaSignature> decode_ecdsa_signature(ByteView encoded);

class Secp256k1SecretKey {
public:
    // InvalidArgument unless 0 < scalar < n.
    static Result<Secp256k1SecretKey> from_scalar(Secp256k1Scalar scalar);
    // `rng` must be documented as cryptographically strong.
    static Secp256k1SecretKey generate(Rng& rng);

    Secp256k1PublicKey public_key() const;
    EcdsaSignature sign(const Keccak256Digest& digest) const;

    const Secp256k1Scalar& scalar() const { return scalar_; }

    Secp256k1SecretKey clone() const { return Secp256k1SecretKey(scalar_.clone()); }

    // This key plus `tweak` modulo n; InvalidArgument if tweak >= n or the sum is 0 (BIP-32).
    Result<Secp256k1SecretKey> plus(std::span<const std::uint8_t, 32> tweak) const;

private:
    explicit Secp256k1SecretKey(Secp256k1Scalar scalar) : scalar_(std::move(scalar)) {}

    Secp256k1Scalar scalar_;
};

// The point plus `tweak` times the generator; InvalidArgument if tweak >= n or the sum is infinity.
Result<Secp256k1PublicKey> plus(const Secp256k1PublicKey& key,
                                std::span<const std::uint8_t, 32> tweak);

// The one key under which the signature verifies. InvalidArgument for r, s or y_parity outside the
// ranges of decode_ecdsa_signature, Unauthenticated if there is no such key.
Result<Secp256k1PublicKey> recover(const Keccak256Digest& digest, const EcdsaSignature& signature);

// Unauthenticated if the signature is not by this key; its y_parity must be right, too.
Result<> verify(const Secp256k1PublicKey& key,
                const Keccak256Digest& digest,
                const EcdsaSignature& signature);

}  // namespace draco::crypto
