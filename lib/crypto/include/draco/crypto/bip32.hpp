#pragma once
// BIP-32 hierarchical deterministic keys on secp256k1, as published, including the serialized
// formats (xprv, xpub, mainnet version bytes) and the refusals of its test vector 5. Thread-safe.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/crypto/secp256k1.hpp"
#include "draco/crypto/secret.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace draco::crypto {

inline constexpr std::uint32_t kBip32Hardened = 0x80000000;  // added to an index
inline constexpr std::size_t kBip32DepthMax = 255;
inline constexpr std::size_t kBip32SeedBytesMin = 16;
inline constexpr std::size_t kBip32SeedBytesMax = 64;

using Bip32Path = std::vector<std::uint32_t>;
using Bip32ChainCode = SecretBytes<struct Bip32ChainCodeTag, 32>;

// "m/44'/60'/0'/0/1": m, then at most kBip32DepthMax indices below 2^31, decimal without leading
// zeros, each hardened by a trailing ' or h. InvalidArgument with the offset.
Result<Bip32Path> parse_bip32_path(std::string_view text);

// Where a key stands in its tree.
struct Bip32Position {
    std::uint8_t depth = 0;
    std::uint32_t parent_fingerprint = 0;  // 0 at depth 0
    std::uint32_t child_number = 0;        // 0 at depth 0

    bool operator==(const Bip32Position&) const = default;
};

class Bip32PublicKey {
public:
    Bip32PublicKey(Secp256k1PublicKey key, Bip32ChainCode chain_code, Bip32Position position);

    // Base58Check text of the 78-byte format. InvalidArgument for what is not one, or breaks a rule
    // of BIP-32 (version, depth and fingerprint at odds, a key off the curve); Corrupt for a wrong
    // checksum.
    static Result<Bip32PublicKey> parse(std::string_view xpub);
    std::string to_text() const;

    // InvalidArgument for hardened indices, which need the secret key, for more than kBip32DepthMax
    // levels, and in the 1 of 2^127 cases where BIP-32 says to take the next index.
    Result<Bip32PublicKey> child(std::uint32_t index) const;

    const Secp256k1PublicKey& key() const { return key_; }

    const Bip32Position& position() const { return position_; }

    std::uint32_t fingerprint() const;

private:
    Secp256k1PublicKey key_;
    Bip32ChainCode chain_code_;
    Bip32Position position_;
};

class Bip32SecretKey {
public:
    // InvalidArgument unless the seed has 16 to 64 bytes (or, 1 in 2^127, gives no key).
    static Result<Bip32SecretKey> from_seed(ByteView seed);
    // Errors as Bip32PublicKey::parse. Neither conversion leaves a copy of the key in memory.
    static Result<Bip32SecretKey> parse(std::string_view xprv);
    SecretBuffer to_text() const;

    // Errors as Bip32PublicKey::child, without the one for hardened indices.
    Result<Bip32SecretKey> child(std::uint32_t index) const;
    Result<Bip32SecretKey> descendant(std::span<const std::uint32_t> path) const;

    Bip32PublicKey public_key() const;

    const Secp256k1SecretKey& key() const { return key_; }

private:
    Bip32SecretKey(Secp256k1SecretKey key, Bip32ChainCode chain_code, Bip32Position position);

    Secp256k1SecretKey key_;
    Bip32ChainCode chain_code_;
    Bip32Position position_;
};

}  // namespace draco::crypto
