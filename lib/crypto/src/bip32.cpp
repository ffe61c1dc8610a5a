#include "draco/crypto/bip32.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"
#include "draco/crypto/kdf.hpp"
#include "draco/crypto/sha2.hpp"

#include <openssl/evp.h>

#include <array>
#include <utility>

namespace draco::crypto {
namespace {

constexpr std::uint32_t kSecretVersion = 0x0488ade4;  // spells xprv
constexpr std::uint32_t kPublicVersion = 0x0488b21e;  // spells xpub
constexpr std::size_t kPayloadBytes = 78;
constexpr std::size_t kChecksumBytes = 4;

// version 4 | depth 1 | parent fingerprint 4 | child number 4 | chain code 32 | key 33; integers
// big-endian; a secret key is 00 and the scalar.
struct Payload {
    Bip32Position position;
    Bip32ChainCode chain_code;
    SecretBytes<struct PayloadKeyTag, 33> key;
};

std::array<std::uint8_t, kChecksumBytes> checksum(ByteView payload) {
    const Sha256Digest digest = sha256(sha256(payload).view());
    std::array<std::uint8_t, kChecksumBytes> first;
    std::ranges::copy(digest.view().first<kChecksumBytes>(), first.begin());
    return first;
}

// The text is wiped by whoever holds it as a secret.
std::string write_payload(std::uint32_t version,
                          const Bip32Position& position,
                          const Bip32ChainCode& chain_code,
                          ByteView key33) {
    SecretBuffer buffer(kPayloadBytes + kChecksumBytes);
    const MutByteView out = buffer.expose();
    store_be(out.data(), version);
    out[4] = position.depth;
    store_be(out.data() + 5, position.parent_fingerprint);
    store_be(out.data() + 9, position.child_number);
    std::ranges::copy(chain_code.expose(), out.subspan(13).begin());
    std::ranges::copy(key33, out.subspan(45).begin());
    std::ranges::copy(checksum(out.first(kPayloadBytes)), out.subspan(kPayloadBytes).begin());
    return to_base58(out);
}

std::unexpected<Error> malformed(std::string why) {
    return fail(Errc::InvalidArgument, "not a BIP-32 key: " + std::move(why));
}

Result<Payload> read_payload(std::uint32_t version, std::string_view text) {
    DRACO_TRY(decoded, from_base58(text, kPayloadBytes + kChecksumBytes));
    const SecretBuffer buffer{ByteView(decoded)};
    wipe(decoded);
    const ByteView bytes = buffer.expose();
    if (bytes.size() != kPayloadBytes + kChecksumBytes)
        return malformed("it has " + std::to_string(bytes.size()) + " bytes instead of 82");
    if (!equal(checksum(bytes.first(kPayloadBytes)), bytes.last(kChecksumBytes)))
        return fail(Errc::Corrupt,
                    "a BIP-32 key's checksum does not match: it was mistyped; copy it again");
    if (load_be<std::uint32_t>(bytes.data()) != version)
        return malformed("its version at offset 0 is of another kind or network");
    const Bip32Position position{.depth = bytes[4],
                                 .parent_fingerprint = load_be<std::uint32_t>(bytes.data() + 5),
                                 .child_number = load_be<std::uint32_t>(bytes.data() + 9)};
    if (position.depth == 0 && (position.parent_fingerprint != 0 || position.child_number != 0))
        return malformed("at depth 0 it has a parent fingerprint or a child number, offset 5");
    return Payload{.position = position,
                   .chain_code = Bip32ChainCode(bytes.subspan<13, 32>()),
                   .key = SecretBytes<PayloadKeyTag, 33>(bytes.subspan<45, 33>())};
}

// HMAC-SHA512(chain code, key data || index), whose left half is the tweak and right half the
// child's chain code.
HmacSha512 derive(const Bip32ChainCode& chain_code, ByteView key_data, std::uint32_t index) {
    SecretBuffer message(key_data.size() + 4);
    std::ranges::copy(key_data, message.expose().begin());
    store_be(message.expose().data() + key_data.size(), index);
    return hmac_sha512(chain_code.expose(), message.expose());
}

std::array<std::uint8_t, 20> hash160(ByteView message) {
    const Sha256Digest digest = sha256(message);
    std::array<std::uint8_t, 20> out;
    const int ok =
        EVP_Digest(digest.data(), digest.size(), out.data(), nullptr, EVP_ripemd160(), nullptr);
    DRACO_ASSERT(ok == 1, "OpenSSL computes RIPEMD-160");
    return out;
}

Result<Bip32Position> child_position(const Bip32Position& parent,
                                     std::uint32_t fingerprint,
                                     std::uint32_t index) {
    if (parent.depth == kBip32DepthMax)
        return fail(Errc::InvalidArgument, "a BIP-32 key at depth 255 has no children");
    return Bip32Position{.depth = static_cast<std::uint8_t>(parent.depth + 1),
                         .parent_fingerprint = fingerprint,
                         .child_number = index};
}

std::unexpected<Error> bad_path(std::string why, std::size_t offset) {
    return fail(Errc::InvalidArgument,
                "BIP-32 path: " + std::move(why) + " at offset " + std::to_string(offset));
}

// Reads one index at `offset` and moves past it.
Result<std::uint32_t> parse_index(std::string_view text, std::size_t& offset) {
    const std::size_t start = offset;
    std::uint64_t value = 0;
    while (offset < text.size() && text[offset] >= '0' && text[offset] <= '9') {
        value = value * 10 + static_cast<std::uint64_t>(text[offset] - '0');
        if (value >= kBip32Hardened) return bad_path("an index is not below 2^31", start);
        ++offset;
    }
    if (offset == start) return bad_path("no digit", start);
    if (text[start] == '0' && offset - start > 1) return bad_path("a leading zero", start);
    auto index = static_cast<std::uint32_t>(value);
    if (offset < text.size() && (text[offset] == '\'' || text[offset] == 'h')) {
        index += kBip32Hardened;
        ++offset;
    }
    return index;
}

}  // namespace

Result<Bip32Path> parse_bip32_path(std::string_view text) {
    if (!text.starts_with('m')) return bad_path("no 'm'", 0);
    Bip32Path path;
    for (std::size_t offset = 1; offset < text.size();) {
        if (text[offset] != '/') return bad_path("neither '/' nor the end", offset);
        if (path.size() == kBip32DepthMax) return bad_path("more than 255 levels", offset);
        ++offset;
        DRACO_TRY(index, parse_index(text, offset));
        path.push_back(index);
    }
    return path;
}

Bip32PublicKey::Bip32PublicKey(Secp256k1PublicKey key,
                               Bip32ChainCode chain_code,
                               Bip32Position position)
    : key_(key), chain_code_(std::move(chain_code)), position_(position) {}

Result<Bip32PublicKey> Bip32PublicKey::parse(std::string_view xpub) {
    DRACO_TRY(payload, read_payload(kPublicVersion, xpub));
    DRACO_TRY(key, Secp256k1PublicKey::decode(payload.key.expose()));
    return Bip32PublicKey(key, std::move(payload.chain_code), payload.position);
}

std::string Bip32PublicKey::to_text() const {
    return write_payload(kPublicVersion, position_, chain_code_, key_.compressed().view());
}

Result<Bip32PublicKey> Bip32PublicKey::child(std::uint32_t index) const {
    if (index >= kBip32Hardened)
        return fail(Errc::InvalidArgument,
                    "hardened index " + std::to_string(index - kBip32Hardened) +
                        "' cannot be derived from a public key: use the secret key");
    DRACO_TRY(position, child_position(position_, fingerprint(), index));
    const HmacSha512 derived = derive(chain_code_, key_.compressed().view(), index);
    DRACO_TRY(key, plus(key_, derived.expose().first<32>()));
    return Bip32PublicKey(key, Bip32ChainCode(derived.expose().last<32>()), position);
}

std::uint32_t Bip32PublicKey::fingerprint() const {
    return load_be<std::uint32_t>(hash160(key_.compressed().view()).data());
}

Bip32SecretKey::Bip32SecretKey(Secp256k1SecretKey key,
                               Bip32ChainCode chain_code,
                               Bip32Position position)
    : key_(std::move(key)), chain_code_(std::move(chain_code)), position_(position) {}

Result<Bip32SecretKey> Bip32SecretKey::from_seed(ByteView seed) {
    if (seed.size() < kBip32SeedBytesMin || seed.size() > kBip32SeedBytesMax)
        return fail(Errc::InvalidArgument,
                    "a BIP-32 seed has 16 to 64 bytes, not " + std::to_string(seed.size()));
    const HmacSha512 derived = hmac_sha512(as_bytes("Bitcoin seed"), seed);
    DRACO_TRY(key, Secp256k1SecretKey::from_scalar(Secp256k1Scalar(derived.expose().first<32>())));
    return Bip32SecretKey(std::move(key), Bip32ChainCode(derived.expose().last<32>()), {});
}

Result<Bip32SecretKey> Bip32SecretKey::parse(std::string_view xprv) {
    DRACO_TRY(payload, read_payload(kSecretVersion, xprv));
    if (payload.key.expose()[0] != 0) return malformed("its secret key at offset 45 is not 00...");
    DRACO_TRY(key,
              Secp256k1SecretKey::from_scalar(Secp256k1Scalar(payload.key.expose().last<32>())));
    return Bip32SecretKey(std::move(key), std::move(payload.chain_code), payload.position);
}

SecretBuffer Bip32SecretKey::to_text() const {
    SecretBuffer key33(33);
    std::ranges::copy(key_.scalar().expose(), key33.expose().subspan(1).begin());
    std::string text = write_payload(kSecretVersion, position_, chain_code_, key33.expose());
    SecretBuffer secret(as_bytes(text));
    wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    return secret;
}

Result<Bip32SecretKey> Bip32SecretKey::child(std::uint32_t index) const {
    const Bip32PublicKey parent = public_key();
    DRACO_TRY(position, child_position(position_, parent.fingerprint(), index));
    SecretBuffer key_data(33);
    if (index >= kBip32Hardened)
        std::ranges::copy(key_.scalar().expose(), key_data.expose().subspan(1).begin());
    else
        std::ranges::copy(parent.key().compressed().view(), key_data.expose().begin());
    const HmacSha512 derived = derive(chain_code_, key_data.expose(), index);
    DRACO_TRY(key, key_.plus(derived.expose().first<32>()));
    return Bip32SecretKey(std::move(key), Bip32ChainCode(derived.expose().last<32>()), position);
}

Result<Bip32SecretKey> Bip32SecretKey::descendant(std::span<const std::uint32_t> path) const {
    Bip32SecretKey at(key_.clone(), chain_code_.clone(), position_);
    for (const std::uint32_t index : path) {
        DRACO_TRY(child_key, at.child(index));
        at = std::move(child_key);
    }
    return at;
}

Bip32PublicKey Bip32SecretKey::public_key() const {
    return {key_.public_key(), chain_code_.clone(), position_};
}

}  // namespace draco::crypto
