#pragma once
// Ed25519 signatures (RFC 8032, PureEdDSA) with one exact set of verification rules, because nodes
// that disagree on a signature disagree on history. RFC 8032 leaves room here; these are the rules:
//
//   1. S < L, as 32 little-endian bytes (RFC 8032 5.1.7), so a signature has one encoding.
//   2. A and R are canonical encodings: y < 2^255 - 19 and, where x is 0, a clear sign bit.
//   3. A and R are not of small order (none of the 8 torsion points).
//   4. A decodes to a point on the curve.
//   5. The cofactorless equation: encode([S]B - [h]A) == R byte for byte, with
//      h = SHA-512(R || A || M) mod L.
//
// By 5, R need not be decoded, and a batch verifier, which can only check the cofactored equation,
// must not be used in its place. A key with a torsion component of its own (a mixed-order A) passes
// rules 2 to 4; whether a signature by it verifies depends on h mod 8, the same way on every node.
// check_public_key refuses such keys where they enter the system, at the price of a scalar
// multiplication.
//
// The arithmetic is libsodium's (64-bit field elements; 1.7 times as fast as OpenSSL 3.0's);
// rules 1 to 3 are checked here first, so they do not hang on how libsodium was built.
// Signing is deterministic and constant-time. All functions are thread-safe.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/crypto/secret.hpp"

#include <concepts>
#include <cstdint>
#include <span>
#include <utility>

namespace draco::crypto {

// What a key is for. Keys, signatures and secrets of different kinds are different types.
//     struct NetworkKey { static constexpr std::uint8_t kTag = 1; };
// kTag names the kind, and the version of its scheme, in encodings that leave the type system.
template <class Kind>
concept KeyKind = requires {
    { Kind::kTag } -> std::convertible_to<std::uint8_t>;
};

template <class Kind>
struct Ed25519PublicKeyTag;
template <class Kind>
struct Ed25519SignatureTag;

// Plain bytes until verify() or check_public_key() has judged them: they may come from anywhere.
template <KeyKind Kind>
using Ed25519PublicKey = FixedBytes<Ed25519PublicKeyTag<Kind>, 32>;
template <KeyKind Kind>
using Ed25519Signature = FixedBytes<Ed25519SignatureTag<Kind>, 64>;  // R || S

using Ed25519Seed = SecretBytes<struct Ed25519SeedTag, 32>;

namespace ed25519_detail {

using Expanded = SecretBytes<struct ExpandedTag, 64>;  // seed || public key

Expanded expand(const Ed25519Seed& seed);
void sign(const Expanded& key, ByteView message, std::span<std::uint8_t, 64> signature);
Result<> verify(std::span<const std::uint8_t, 32> key,
                ByteView message,
                std::span<const std::uint8_t, 64> signature);
Result<> check_public_key(std::span<const std::uint8_t, 32> key);
Result<std::span<const std::uint8_t, 32>> untag(std::uint8_t tag, ByteView tagged);

}  // namespace ed25519_detail

template <KeyKind Kind>
class Ed25519SecretKey {
public:
    explicit Ed25519SecretKey(const Ed25519Seed& seed) : expanded_(ed25519_detail::expand(seed)) {}

    // `rng` must be documented as cryptographically strong.
    static Ed25519SecretKey generate(Rng& rng) { return Ed25519SecretKey(Ed25519Seed::draw(rng)); }

    Ed25519PublicKey<Kind> public_key() const {
        return Ed25519PublicKey<Kind>(expanded_.expose().template last<32>());
    }

    Ed25519Signature<Kind> sign(ByteView message) const {
        Ed25519Signature<Kind> signature;
        ed25519_detail::sign(expanded_, message, signature.view());
        return signature;
    }

    // What a key file stores: the secret key is a function of it.
    Ed25519Seed seed() const { return Ed25519Seed(expanded_.expose().template first<32>()); }

    Ed25519SecretKey clone() const { return Ed25519SecretKey(expanded_.clone()); }

private:
    explicit Ed25519SecretKey(ed25519_detail::Expanded expanded) : expanded_(std::move(expanded)) {}

    ed25519_detail::Expanded expanded_;
};

// Ok exactly if the five rules above hold; else Unauthenticated, naming the one that does not. The
// time depends on the inputs, which are public.
template <KeyKind Kind>
Result<> verify(const Ed25519PublicKey<Kind>& key,
                ByteView message,
                const Ed25519Signature<Kind>& signature) {
    return ed25519_detail::verify(key.view(), message, signature.view());
}

// For keys entering the system (registration, handshake, configuration): rules 2 to 4 for A, and
// that it lies in the subgroup of prime order. InvalidArgument if not.
template <KeyKind Kind>
Result<> check_public_key(const Ed25519PublicKey<Kind>& key) {
    return ed25519_detail::check_public_key(key.view());
}

// The key with its kind: kTag, then the 32 bytes.
template <KeyKind Kind>
Bytes encode_tagged(const Ed25519PublicKey<Kind>& key) {
    Bytes tagged = {Kind::kTag};
    append(tagged, key.view());
    return tagged;
}

// Inverse of encode_tagged, followed by check_public_key. InvalidArgument for another length, kind
// or a bad key.
template <KeyKind Kind>
Result<Ed25519PublicKey<Kind>> decode_tagged(ByteView tagged) {
    DRACO_TRY(bytes, ed25519_detail::untag(Kind::kTag, tagged));
    const Ed25519PublicKey<Kind> key(bytes);
    DRACO_TRY_VOID(check_public_key(key));
    return key;
}

}  // namespace draco::crypto
