#pragma once
// X25519 key agreement (RFC 7748). Thread-safe; constant-time in the secret.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/crypto/secret.hpp"

namespace draco::crypto {

using X25519SecretKey = SecretBytes<struct X25519SecretKeyTag, 32>;
using X25519PublicKey = FixedBytes<struct X25519PublicKeyTag, 32>;
// Not uniform: feed it to hkdf_sha256, with both public keys in the info, before use as a key.
using X25519SharedSecret = SecretBytes<struct X25519SharedSecretTag, 32>;

X25519PublicKey x25519_public_key(const X25519SecretKey& secret);

// InvalidArgument if the peer's key is of small order, where the result would be zero whatever the
// secret (RFC 7748 6.1). Non-canonical u-coordinates are reduced and the top bit ignored, as
// section 5 demands.
Result<X25519SharedSecret> x25519(const X25519SecretKey& secret, const X25519PublicKey& peer);

}  // namespace draco::crypto
