#pragma once
// ChaCha20-Poly1305 (RFC 8439, 96-bit nonces) and AES-128 in counter mode (NIST SP 800-38A 6.5),
// both OpenSSL's, with the key schedule kept between messages. Objects are movable, not
// thread-safe, and wipe their key when destroyed. Input and output may be the same memory, but must
// not overlap otherwise.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/crypto/secret.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

struct evp_cipher_ctx_st;

namespace draco::crypto {

struct CipherContextDeleter {
    void operator()(evp_cipher_ctx_st* context) const;
};

using CipherContext = std::unique_ptr<evp_cipher_ctx_st, CipherContextDeleter>;

using ChaCha20Poly1305Key = SecretBytes<struct ChaCha20Poly1305KeyTag, 32>;
using ChaCha20Poly1305Nonce = FixedBytes<struct ChaCha20Poly1305NonceTag, 12>;

class ChaCha20Poly1305 {
public:
    static constexpr std::size_t kTagBytes = 16;

    explicit ChaCha20Poly1305(const ChaCha20Poly1305Key& key);

    // Writes ciphertext || tag. Two messages under one key must not share a nonce: that reveals
    // both and lets an attacker forge more. Precondition (asserted):
    // sealed.size() == plaintext.size() + kTagBytes.
    void seal(const ChaCha20Poly1305Nonce& nonce,
              ByteView associated,
              ByteView plaintext,
              MutByteView sealed);

    // Unauthenticated if the tag does not match or `sealed` is shorter than one; `plaintext` is
    // wiped then. Precondition (asserted) where sealed has a tag:
    // plaintext.size() == sealed.size() - kTagBytes.
    Result<> open(const ChaCha20Poly1305Nonce& nonce,
                  ByteView associated,
                  ByteView sealed,
                  MutByteView plaintext);

private:
    CipherContext context_;
};

using Aes128Key = SecretBytes<struct Aes128KeyTag, 16>;
using AesCounterBlock = FixedBytes<struct AesCounterBlockTag, 16>;

// A keystream xored onto data; encryption and decryption are the same. Not authenticated.
class Aes128Ctr {
public:
    // Keystream byte 16 i + j is byte j of AES(key, initial + i), big-endian, modulo 2^128.
    Aes128Ctr(const Aes128Key& key, const AesCounterBlock& initial);

    // Goes on where the last call ended. Precondition (asserted): equal sizes.
    void apply(ByteView in, MutByteView out);
    // The next apply starts at this byte of the keystream. Constant time.
    void seek(std::uint64_t offset);

private:
    CipherContext context_;
    AesCounterBlock initial_;
};

}  // namespace draco::crypto
