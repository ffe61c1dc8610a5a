#include "draco/crypto/secret.hpp"

#include <openssl/crypto.h>

#include <utility>

namespace draco::crypto {

void wipe(MutByteView bytes) {
    OPENSSL_cleanse(bytes.data(), bytes.size());
}

bool constant_time_equal(ByteView a, ByteView b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

SecretBuffer& SecretBuffer::operator=(SecretBuffer&& other) noexcept {
    if (this != &other) {
        wipe(bytes_);
        bytes_ = std::move(other.bytes_);
    }
    return *this;
}

SecretBuffer::~SecretBuffer() {
    wipe(bytes_);
}

}  // namespace draco::crypto
