#include "draco/crypto/cipher.hpp"

#include "draco/base/assert.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace draco::crypto {
namespace {

// OpenSSL fails here only when memory runs out.
void must(int status) {
    DRACO_ASSERT(status == 1, "OpenSSL performs a cipher operation");
}

CipherContext make_context(const EVP_CIPHER* cipher, ByteView key) {
    CipherContext context(EVP_CIPHER_CTX_new());
    must(EVP_CipherInit_ex(context.get(), cipher, nullptr, key.data(), nullptr, 1));
    return context;
}

// EVP counts in int, so large inputs go through in pieces; `out` null adds associated data.
void update(EVP_CIPHER_CTX* context, ByteView in, std::uint8_t* out) {
    constexpr std::size_t kPieceBytes = std::size_t{1} << 30;
    while (!in.empty()) {
        const ByteView piece = in.first(std::min(in.size(), kPieceBytes));
        int written = 0;
        must(
            EVP_CipherUpdate(context, out, &written, piece.data(), static_cast<int>(piece.size())));
        in = in.subspan(piece.size());
        if (out != nullptr) out += piece.size();
    }
}

}  // namespace

void CipherContextDeleter::operator()(evp_cipher_ctx_st* context) const {
    EVP_CIPHER_CTX_free(context);  // wipes
}

ChaCha20Poly1305::ChaCha20Poly1305(const ChaCha20Poly1305Key& key)
    : context_(make_context(EVP_chacha20_poly1305(), key.expose())) {}

void ChaCha20Poly1305::seal(const ChaCha20Poly1305Nonce& nonce,
                            ByteView associated,
                            ByteView plaintext,
                            MutByteView sealed) {
    DRACO_ASSERT(sealed.size() == plaintext.size() + kTagBytes, "sealed has room for the tag");
    EVP_CIPHER_CTX* const context = context_.get();
    must(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), 1));
    update(context, associated, nullptr);
    update(context, plaintext, sealed.data());
    int written = 0;
    std::uint8_t* const tag = sealed.data() + plaintext.size();
    must(EVP_CipherFinal_ex(context, tag, &written));
    must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag));
}

Result<> ChaCha20Poly1305::open(const ChaCha20Poly1305Nonce& nonce,
                                ByteView associated,
                                ByteView sealed,
                                MutByteView plaintext) {
    if (sealed.size() < kTagBytes)
        return fail(Errc::Unauthenticated,
                    "a sealed message of " + std::to_string(sealed.size()) +
                        " bytes has no room for its tag");
    const std::size_t size = sealed.size() - kTagBytes;
    DRACO_ASSERT(plaintext.size() == size, "plaintext has the size of the sealed message's");
    EVP_CIPHER_CTX* const context = context_.get();
    std::array<std::uint8_t, kTagBytes> tag;
    std::ranges::copy(sealed.last(kTagBytes), tag.begin());
    must(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), 0));
    must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()));
    update(context, associated, nullptr);
    update(context, sealed.first(size), plaintext.data());
    int written = 0;
    std::uint8_t nothing = 0;
    if (EVP_CipherFinal_ex(context, &nothing, &written) != 1) {
        wipe(plaintext);
        return fail(Errc::Unauthenticated,
                    "the tag of a sealed message of " + std::to_string(sealed.size()) +
                        " bytes does not match: wrong key, nonce or associated data, or changed");
    }
    return {};
}

Aes128Ctr::Aes128Ctr(const Aes128Key& key, const AesCounterBlock& initial)
    : context_(make_context(EVP_aes_128_ctr(), key.expose())), initial_(initial) {
    seek(0);
}

void Aes128Ctr::apply(ByteView in, MutByteView out) {
    DRACO_ASSERT(in.size() == out.size(), "a stream cipher keeps the size");
    update(context_.get(), in, out.data());
}

void Aes128Ctr::seek(std::uint64_t offset) {
    AesCounterBlock counter = initial_;
    std::uint64_t carry = offset / 16;
    for (std::size_t i = counter.size(); i-- > 0 && carry != 0;) {
        const std::uint64_t sum = counter.bytes[i] + (carry & 0xff);
        counter.bytes[i] = static_cast<std::uint8_t>(sum);
        carry = (carry >> 8) + (sum >> 8);
    }
    must(EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, counter.data(), 1));
    std::array<std::uint8_t, 16> skipped{};
    update(context_.get(), ByteView(skipped).first(offset % 16), skipped.data());
    wipe(skipped);
}

}  // namespace draco::crypto
