// The cryptography of both file formats: they differ in the hash of the MAC and in how a password
// becomes bytes.

#include "draco/bcs/bcs.hpp"
#include "draco/crypto/cipher.hpp"
#include "draco/crypto/keccak.hpp"
#include "draco/crypto/nfkd.hpp"
#include "draco/crypto/sha2.hpp"
#include "draco/identity/key_file.hpp"

#include "password.hpp"

#include <algorithm>
#include <utility>

namespace draco::identity {
namespace {

using DerivedKey = crypto::SecretBytes<struct DerivedKeyTag, 32>;

constexpr std::uint32_t kScryptR = 8;
constexpr std::uint32_t kScryptP = 1;

// EIP-2335: control characters (C0, DEL, C1) are not part of a password.
crypto::SecretBuffer without_controls(const crypto::SecretBuffer& text) {
    crypto::SecretBuffer kept(text.size());
    std::size_t size = 0;
    const ByteView in = text.expose();
    for (std::size_t i = 0; i < in.size(); ++i) {
        if (in[i] < 0x20 || in[i] == 0x7f) continue;
        const bool c1 = in[i] == 0xc2 && i + 1 < in.size() && in[i + 1] < 0xa0;
        if (c1) {
            ++i;
            continue;
        }
        kept.expose()[size++] = in[i];
    }
    return crypto::SecretBuffer(ByteView(kept.expose()).first(size));
}

Result<crypto::SecretBuffer> password_bytes(KeyKind kind, const Password& password) {
    DRACO_TRY_VOID(check_password(password));
    if (kind == KeyKind::Account) return password.clone();
    DRACO_TRY(normalized, crypto::nfkd(password.expose_text()));
    return without_controls(normalized);
}

Result<DerivedKey> derive(const SealedKey& sealed, const Password& password) {
    DRACO_TRY(bytes, password_bytes(sealed.info.kind, password));
    Result<> derived;
    DerivedKey key = DerivedKey::make([&](MutByteView out) {
        derived = crypto::scrypt(bytes.expose(), sealed.salt, sealed.scrypt, out);
    });
    DRACO_TRY_VOID(std::move(derived));
    return key;
}

KeyMac mac_of(const SealedKey& sealed, const DerivedKey& key) {
    crypto::SecretBuffer message(16 + sealed.encrypted.size());
    std::ranges::copy(key.expose().last<16>(), message.expose().begin());
    std::ranges::copy(sealed.encrypted.view(), message.expose().begin() + 16);
    if (sealed.info.kind == KeyKind::Account)
        return KeyMac(crypto::keccak256(message.expose()).bytes);
    return KeyMac(crypto::sha256(message.expose()).bytes);
}

void apply_cipher(const SealedKey& sealed, const DerivedKey& key, ByteView in, MutByteView out) {
    const crypto::Aes128Key aes_key(key.expose().first<16>());
    crypto::Aes128Ctr(aes_key, crypto::AesCounterBlock(sealed.iv.bytes)).apply(in, out);
}

}  // namespace

Result<> check_password(const Password& password) {
    if (password.size() > kPasswordBytesMax)
        return fail(Errc::InvalidArgument,
                    "a password has at most " + std::to_string(kPasswordBytesMax) + " bytes");
    if (!bcs::is_utf8(password.expose_text()))
        return fail(Errc::InvalidArgument, "a password is UTF-8 text; this one is not");
    return {};
}

Result<SealedKey> seal_key(const SecretKey& key,
                           std::string name,
                           bool restored,
                           const Password& password,
                           std::uint64_t scrypt_n,
                           Rng& rng) {
    if (!is_key_name(name))
        return fail(Errc::InvalidArgument,
                    "a key's name is 1 to " + std::to_string(kKeyNameBytesMax) +
                        " lower-case letters, digits, '-' and '_'");
    SealedKey sealed;
    sealed.info = {kind_of(key), std::move(name), public_id(key), restored};
    sealed.scrypt = {.n = scrypt_n, .r = kScryptR, .p = kScryptP};
    sealed.salt.resize(32);
    rng.fill(sealed.salt);
    rng.fill(sealed.iv.view());
    rng.fill(sealed.uuid.view());
    // RFC 4122 4.4: version 4, variant 1.
    sealed.uuid.bytes[6] = static_cast<std::uint8_t>((sealed.uuid.bytes[6] & 0x0f) | 0x40);
    sealed.uuid.bytes[8] = static_cast<std::uint8_t>((sealed.uuid.bytes[8] & 0x3f) | 0x80);
    DRACO_TRY(derived, derive(sealed, password));
    apply_cipher(sealed, derived, raw_secret(key).expose(), sealed.encrypted.view());
    sealed.mac = mac_of(sealed, derived);
    return sealed;
}

Result<RawSecret> open_secret(const SealedKey& sealed, const Password& password) {
    DRACO_TRY(derived, derive(sealed, password));
    if (!crypto::constant_time_equal(mac_of(sealed, derived).view(), sealed.mac.view()))
        return fail(Errc::Unauthenticated, "wrong password for this key");
    return RawSecret::make(
        [&](MutByteView out) { apply_cipher(sealed, derived, sealed.encrypted.view(), out); });
}

Result<SecretKey> open_key(const SealedKey& sealed, const Password& password) {
    DRACO_TRY(secret, open_secret(sealed, password));
    auto key = make_key(sealed.info.kind, secret);
    if (!key)
        return fail(Errc::Corrupt,
                    "the key file opens, but holds no key: restore it from a backup");
    if (sealed.info.id && public_id(*key) != *sealed.info.id)
        return fail(Errc::Corrupt,
                    "the key file names " + to_text(*sealed.info.id) + " and holds the key of " +
                        to_text(public_id(*key)) + ": restore it from a backup");
    return key;
}

}  // namespace draco::identity
