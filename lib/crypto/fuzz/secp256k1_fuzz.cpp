// Foreign secp256k1 keys and signatures: the whole input as a public key, the first 65 bytes as a
// signature whose signer is recovered.

#include "draco/base/assert.hpp"
#include "draco/crypto/secp256k1.hpp"

namespace draco::crypto {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    if (const auto key = Secp256k1PublicKey::decode(input)) {
        const auto again = Secp256k1PublicKey::decode(key->compressed().view());
        DRACO_ASSERT(again && *again == *key, "both forms of a key are one key");
    }
    const ByteView head = input.first(std::min(size, kEcdsaSignatureBytes));
    if (const auto signature = decode_ecdsa_signature(head)) {
        DRACO_ASSERT(equal(encode(*signature), head), "a signature has one encoding");
        const auto digest = keccak256(input.subspan(head.size()));
        if (const auto key = recover(digest, *signature))
            DRACO_ASSERT(verify(*key, digest, *signature), "the recovered key made the signature");
    }
    return 0;
}

}  // namespace draco::crypto
