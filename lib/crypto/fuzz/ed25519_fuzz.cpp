// Foreign Ed25519 keys and signatures: 32 bytes of key, 64 of signature, the rest is the message;
// and the whole input as a tagged key. What we accept, OpenSSL's looser rules accept too;
// libsodium's arithmetic and our own agree.

#include "draco/base/assert.hpp"
#include "draco/crypto/ed25519_verifier.hpp"

#include <openssl/evp.h>

namespace draco::crypto {
namespace {

struct Kind {
    static constexpr std::uint8_t kTag = 1;
};

bool openssl_verifies(ByteView key, ByteView message, ByteView signature) {
    EVP_PKEY* const parsed =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size());
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    const bool ok =
        EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, parsed) == 1 &&
        EVP_DigestVerify(
            context, signature.data(), signature.size(), message.data(), message.size()) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(parsed);
    return ok;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    if (const auto key = decode_tagged<Kind>(input))
        DRACO_ASSERT(equal(encode_tagged(*key), input), "a tagged key has one encoding");
    if (size < 96) return 0;
    const Ed25519PublicKey<Kind> key(input.first<32>());
    const Ed25519Signature<Kind> signature(input.subspan<32, 64>());
    const ByteView message = input.subspan(96);
    const bool is_good = verify(key, message, signature).has_value();
    DRACO_ASSERT(Ed25519Verifier<Kind>(key).verify(message, signature).has_value() == is_good,
                 "a prepared key judges as an unprepared one does");
    if (is_good)
        DRACO_ASSERT(openssl_verifies(key.view(), message, signature.view()),
                     "what strict rules accept, others do");
    return 0;
}

}  // namespace draco::crypto
