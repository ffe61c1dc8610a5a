#pragma once
// One secret key in one encrypted file (docs/formats/keystore.md): Ethereum keystore v3 for account
// keys, EIP-2335 for node keys, both with scrypt and AES-128-CTR. Pure functions; thread-safe.
//
// Reading is for files from anywhere: at most kKeyFileBytesMax, nested at most kKeyFileDepthMax
// deep, scrypt within crypto::ScryptLimits, pbkdf2 refused. No error repeats a password or a key.
// A file that we wrote ends with a checksum over all its bytes, so any damage is found as Corrupt
// before a password is tried; a foreign one has only its MAC, where damage looks like a wrong
// password.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/base/rng.hpp"
#include "draco/crypto/kdf.hpp"
#include "draco/crypto/secret.hpp"
#include "draco/types/keys.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace draco::identity {

inline constexpr std::size_t kKeyFileBytesMax = std::size_t{16} << 10;
inline constexpr std::size_t kKeyFileDepthMax = 8;
inline constexpr std::size_t kPasswordBytesMax = 1024;
inline constexpr std::size_t kKeyNameBytesMax = 32;

inline constexpr std::uint64_t kScryptNProduction = std::uint64_t{1} << 18;  // 256 MiB, a second
inline constexpr std::uint64_t kScryptNLight = std::uint64_t{1} << 12;       // devnets and tests

// UTF-8. Used as it is for account keys; for node keys normalized as EIP-2335 demands (NFKD, then
// without control characters).
using Password = crypto::SecretBuffer;

// The versioned tag of the kind, as in types/keys.hpp; an account's stands only in our files.
enum class KeyKind : std::uint8_t {
    Node = types::NodeKeyKind::kTag,
    Account = 0x31,
};

std::string_view to_string(KeyKind kind);  // "node", "account"

using SecretKey = std::variant<types::NodeSecretKey, types::AccountSecretKey>;
using PublicId = std::variant<types::NodeKey, types::Address>;

KeyKind kind_of(const SecretKey& key);
KeyKind kind_of(const PublicId& id);
PublicId public_id(const SecretKey& key);
std::string to_text(const PublicId& id);  // base58 of a node's key; an address as EIP-55 has it

// Lower-case letters, digits, '-' and '_'; 1 to kKeyNameBytesMax of them.
bool is_key_name(std::string_view name);

// What a file says without a password. `id`, `name` and `restored` of our own files are covered by
// the checksum; what a foreign file says of its id is a claim until the key is open.
struct KeyInfo {
    KeyKind kind = KeyKind::Node;
    std::string name;            // empty in a foreign file
    std::optional<PublicId> id;  // always there in our own
    // The key came from a backup or elsewhere, so another machine may have signed with it.
    bool restored = false;

    bool operator==(const KeyInfo&) const = default;
};

using Salt = FixedBytes<struct SaltTag, 32>;
using KeyIv = FixedBytes<struct KeyIvTag, 16>;
using KeyMac = FixedBytes<struct KeyMacTag, 32>;
using EncryptedSecret = FixedBytes<struct EncryptedSecretTag, 32>;
using Uuid = FixedBytes<struct UuidTag, 16>;

struct SealedKey {
    KeyInfo info;
    Uuid uuid;
    crypto::ScryptParameters scrypt{};
    Bytes salt;  // 32 bytes in what we write; at most kSaltBytesMax
    KeyIv iv;
    EncryptedSecret encrypted;
    KeyMac mac;
};

inline constexpr std::size_t kSaltBytesMax = 64;

// A scalar or a seed, as the file holds it.
using RawSecret = crypto::SecretBytes<struct RawSecretTag, 32>;

RawSecret raw_secret(const SecretKey& key);
// InvalidArgument: an account's scalar that is zero or not below the order of the curve.
Result<SecretKey> make_key(KeyKind kind, const RawSecret& secret);

// Errors: InvalidArgument (name or password out of bounds, not UTF-8), those of scrypt. Costs what
// scrypt_n says. `rng` must be cryptographically strong.
Result<SealedKey> seal_key(const SecretKey& key,
                           std::string name,
                           bool restored,
                           const Password& password,
                           std::uint64_t scrypt_n,
                           Rng& rng);

// Unauthenticated: wrong password. Others as seal_key. Whatever is 32 bytes long.
Result<RawSecret> open_secret(const SealedKey& sealed, const Password& password);
// And Corrupt: the key inside is not the one that the file names, or no key at all.
Result<SecretKey> open_key(const SealedKey& sealed, const Password& password);

// Canonical: of all texts with this content, the one whose checksum is right. Precondition
// (asserted): the info is complete.
Bytes encode_key_file(const SealedKey& sealed);
// Ours only. Corrupt: damaged, or not one of ours. Exhausted: scrypt or the file beyond the bounds.
Result<SealedKey> decode_key_file(ByteView text);
// Of any origin: geth, ethers, staking tools. InvalidArgument: a scheme not supported here.
Result<SealedKey> decode_foreign_key_file(ByteView text);

}  // namespace draco::identity
