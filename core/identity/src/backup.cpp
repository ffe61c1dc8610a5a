#include "draco/identity/backup.hpp"

#include "draco/crypto/cipher.hpp"
#include "draco/crypto/sha2.hpp"
#include "draco/identity/key_store.hpp"

#include "password.hpp"

#include <algorithm>
#include <bit>
#include <utility>

// magic 8 | log2 n 1 | r 1 | p 1 | salt 32 | nonce 12 | sealed keys | checksum 32
// keys: count u16 LE, then each: kind 1 | name length 1 | name | secret 32
namespace draco::identity {
namespace {

constexpr std::string_view kMagic = "DRACOBK1";
constexpr std::size_t kSaltAt = kMagic.size() + 3;
constexpr std::size_t kSaltBytes = 32;
constexpr std::size_t kNonceAt = kSaltAt + kSaltBytes;
constexpr std::size_t kHeaderBytes = kNonceAt + crypto::ChaCha20Poly1305Nonce::kSize;
constexpr std::size_t kChecksumBytes = 32;
constexpr std::size_t kBytesMin =
    kHeaderBytes + 2 + crypto::ChaCha20Poly1305::kTagBytes + kChecksumBytes;
constexpr std::uint8_t kBackupScryptR = 8;
constexpr std::uint8_t kBackupScryptP = 1;
constexpr std::size_t kSecretBytes = RawSecret::kSize;

Result<crypto::ChaCha20Poly1305Key> derive(ByteView header, const Password& password) {
    DRACO_TRY_VOID(check_password(password));
    if (header[kMagic.size()] > 63)
        return fail(Errc::Exhausted, "the backup's scrypt cost is huge");
    const crypto::ScryptParameters parameters{.n = std::uint64_t{1} << header[kMagic.size()],
                                              .r = header[kMagic.size() + 1],
                                              .p = header[kMagic.size() + 2]};
    Result<> derived;
    auto key = crypto::ChaCha20Poly1305Key::make([&](MutByteView out) {
        derived =
            crypto::scrypt(password.expose(), header.subspan(kSaltAt, kSaltBytes), parameters, out);
    });
    DRACO_TRY_VOID(std::move(derived));
    return key;
}

crypto::ChaCha20Poly1305Nonce nonce_of(ByteView header) {
    crypto::ChaCha20Poly1305Nonce nonce;
    std::ranges::copy(header.subspan(kNonceAt, nonce.size()), nonce.bytes.begin());
    return nonce;
}

crypto::SecretBuffer encode_keys(const std::vector<BackupKey>& keys) {
    std::size_t size = 2;
    for (const BackupKey& key : keys) size += 2 + key.name.size() + kSecretBytes;
    crypto::SecretBuffer out(size);
    store_le(out.expose().data(), static_cast<std::uint16_t>(keys.size()));
    auto at = out.expose().begin() + 2;
    for (const BackupKey& key : keys) {
        *at++ = static_cast<std::uint8_t>(key.kind);
        *at++ = static_cast<std::uint8_t>(key.name.size());
        at = std::ranges::copy(as_bytes(key.name), at).out;
        at = std::ranges::copy(key.secret.expose(), at).out;
    }
    return out;
}

std::unexpected<Error> corrupt() {
    return fail(Errc::Corrupt, "the backup opens, but its content makes no sense: use another one");
}

Result<BackupKey> take_key(ByteView& rest) {
    if (rest.size() < 2) return corrupt();
    const auto kind = static_cast<KeyKind>(rest[0]);
    const std::size_t name_bytes = rest[1];
    if (kind != KeyKind::Node && kind != KeyKind::Account)
        return fail(Errc::InvalidArgument,
                    "the backup holds a kind of key that this version does not know");
    if (rest.size() < 2 + name_bytes + kSecretBytes) return corrupt();
    std::string name(as_text(rest.subspan(2, name_bytes)));
    if (!is_key_name(name)) return corrupt();
    BackupKey key{
        kind, std::move(name), RawSecret(rest.subspan(2 + name_bytes).first<kSecretBytes>())};
    rest = rest.subspan(2 + name_bytes + kSecretBytes);
    return key;
}

Result<std::vector<BackupKey>> decode_keys(ByteView rest) {
    const std::size_t count = load_le<std::uint16_t>(rest.data());
    if (count > kKeysMax) return corrupt();
    rest = rest.subspan(2);
    std::vector<BackupKey> keys;
    for (std::size_t i = 0; i < count; ++i) {
        DRACO_TRY(key, take_key(rest));
        keys.push_back(std::move(key));
    }
    if (!rest.empty()) return corrupt();
    return keys;
}

Result<> check_whole(ByteView backup) {
    if (backup.size() > kBackupBytesMax)
        return fail(Errc::Exhausted,
                    "a backup has at most " + std::to_string(kBackupBytesMax) + " bytes");
    if (!as_text(backup).starts_with(kMagic))
        return fail(Errc::Corrupt, "this is not a backup of Draco keys");
    if (backup.size() < kBytesMin)
        return fail(Errc::Corrupt, "the backup is incomplete: use another copy");
    const ByteView checksum = backup.last(kChecksumBytes);
    if (!equal(crypto::sha256(backup.first(backup.size() - kChecksumBytes)).view(), checksum))
        return fail(Errc::Corrupt,
                    "the backup is damaged (its checksum does not match): use another copy");
    return {};
}

}  // namespace

Result<Bytes> seal_backup(const std::vector<BackupKey>& keys,
                          const Password& password,
                          std::uint64_t scrypt_n,
                          Rng& rng) {
    if (keys.size() > kKeysMax)
        return fail(Errc::Exhausted,
                    "a backup holds at most " + std::to_string(kKeysMax) + " keys");
    if (!std::has_single_bit(scrypt_n))
        return fail(Errc::InvalidArgument, "scrypt's n is a power of 2");
    Bytes header = to_bytes(as_bytes(kMagic));
    header.push_back(static_cast<std::uint8_t>(std::countr_zero(scrypt_n)));
    header.push_back(kBackupScryptR);
    header.push_back(kBackupScryptP);
    header.resize(kHeaderBytes);
    rng.fill(MutByteView(header).subspan(kSaltAt));
    DRACO_TRY(key, derive(header, password));
    const crypto::SecretBuffer plain = encode_keys(keys);
    Bytes backup = header;
    backup.resize(kHeaderBytes + plain.size() + crypto::ChaCha20Poly1305::kTagBytes);
    crypto::ChaCha20Poly1305(key).seal(
        nonce_of(header), header, plain.expose(), MutByteView(backup).subspan(kHeaderBytes));
    append(backup, crypto::sha256(backup).view());
    return backup;
}

Result<std::vector<BackupKey>> open_backup(ByteView backup, const Password& password) {
    DRACO_TRY_VOID(check_whole(backup));
    const ByteView header = backup.first(kHeaderBytes);
    const ByteView sealed =
        backup.subspan(kHeaderBytes, backup.size() - kHeaderBytes - kChecksumBytes);
    DRACO_TRY(key, derive(header, password));
    crypto::SecretBuffer plain(sealed.size() - crypto::ChaCha20Poly1305::kTagBytes);
    if (!crypto::ChaCha20Poly1305(key).open(nonce_of(header), header, sealed, plain.expose()))
        return fail(Errc::Unauthenticated, "wrong password for this backup");
    return decode_keys(plain.expose());
}

}  // namespace draco::identity
