#include "draco/crypto/secp256k1.hpp"

#include "draco/base/assert.hpp"
#include "draco/crypto/system_rng.hpp"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <string>

namespace draco::crypto {

// Converts between our values, which are always valid, and the library's.
class Secp256k1Library {
public:
    static const secp256k1_context* context() {
        static const secp256k1_context* const kContext = make_context();
        return kContext;
    }

    static secp256k1_pubkey load(const Secp256k1PublicKey& key) {
        std::array<std::uint8_t, 65> encoded{0x04};
        std::ranges::copy(key.coordinates(), encoded.begin() + 1);
        secp256k1_pubkey loaded;
        const int ok =
            secp256k1_ec_pubkey_parse(context(), &loaded, encoded.data(), encoded.size());
        DRACO_ASSERT(ok == 1, "a Secp256k1PublicKey is a point of the curve");
        return loaded;
    }

    static Secp256k1PublicKey store(const secp256k1_pubkey& key) {
        std::array<std::uint8_t, 65> encoded{};
        std::size_t size = encoded.size();
        secp256k1_ec_pubkey_serialize(
            context(), encoded.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
        Secp256k1PublicKey stored;
        std::ranges::copy(std::span(encoded).last<64>(), stored.coordinates_.begin());
        return stored;
    }

private:
    // Lives as long as the process. Blinded against side channels; results do not depend on it.
    static const secp256k1_context* make_context() {
        secp256k1_context* context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
        const auto blinding = SecretBytes<struct BlindingTag, 32>::make(
            [](std::span<std::uint8_t, 32> out) { SystemRng().fill(out); });
        const int ok = secp256k1_context_randomize(context, blinding.expose().data());
        DRACO_ASSERT(ok == 1, "libsecp256k1 starts");
        return context;
    }
};

namespace {

const secp256k1_context* context() {
    return Secp256k1Library::context();
}

// Refuses everything that some node might take for another spelling of the same signature.
Result<secp256k1_ecdsa_recoverable_signature> load(const EcdsaSignature& signature) {
    if (signature.y_parity > 1)
        return fail(
            Errc::InvalidArgument,
            "an ECDSA signature's y parity is 0 or 1, not " + std::to_string(signature.y_parity));
    constexpr std::array<std::uint8_t, 32> kZero{};
    if (signature.r == kZero || signature.s == kZero)
        return fail(Errc::InvalidArgument, "an ECDSA signature's r and s are not 0");
    std::array<std::uint8_t, 64> compact;
    std::ranges::copy(signature.r, compact.begin());
    std::ranges::copy(signature.s, compact.begin() + 32);
    secp256k1_ecdsa_recoverable_signature loaded;
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(
            context(), &loaded, compact.data(), signature.y_parity) != 1)
        return fail(Errc::InvalidArgument,
                    "an ECDSA signature's r and s are below the group order");
    secp256k1_ecdsa_signature plain;
    secp256k1_ecdsa_recoverable_signature_convert(context(), &plain, &loaded);
    if (secp256k1_ecdsa_signature_normalize(context(), nullptr, &plain) == 1)
        return fail(Errc::InvalidArgument,
                    "an ECDSA signature's s is in the lower half of the group order (EIP-2)");
    return loaded;
}

std::unexpected<Error> bad_tweak() {
    return fail(Errc::InvalidArgument,
                "a secp256k1 tweak is not below the group order, or cancels the key");
}

}  // namespace

Result<Secp256k1PublicKey> Secp256k1PublicKey::decode(ByteView encoded) {
    const bool compressed =
        encoded.size() == 33 && (encoded.front() == 0x02 || encoded.front() == 0x03);
    const bool uncompressed = encoded.size() == 65 && encoded.front() == 0x04;
    if (!compressed && !uncompressed)
        return fail(Errc::InvalidArgument,
                    "a secp256k1 public key is 33 bytes from 02 or 03, or 65 bytes from 04; got " +
                        std::to_string(encoded.size()) + " bytes");
    secp256k1_pubkey key;
    if (secp256k1_ec_pubkey_parse(context(), &key, encoded.data(), encoded.size()) != 1)
        return fail(Errc::InvalidArgument, "a secp256k1 public key is not on the curve");
    return Secp256k1Library::store(key);
}

Secp256k1CompressedKey Secp256k1PublicKey::compressed() const {
    Secp256k1CompressedKey encoded;
    encoded.bytes[0] = static_cast<std::uint8_t>(0x02 | (coordinates_[63] & 1));
    std::ranges::copy(coordinates().first<32>(), encoded.bytes.begin() + 1);
    return encoded;
}

std::array<std::uint8_t, kEcdsaSignatureBytes> encode(const EcdsaSignature& signature) {
    std::array<std::uint8_t, kEcdsaSignatureBytes> encoded;
    std::ranges::copy(signature.r, encoded.begin());
    std::ranges::copy(signature.s, encoded.begin() + 32);
    encoded[64] = static_cast<std::uint8_t>(27 + signature.y_parity);
    return encoded;
}

Result<EcdsaSignature> decode_ecdsa_signature(ByteView encoded) {
    if (encoded.size() != kEcdsaSignatureBytes)
        return fail(Errc::InvalidArgument,
                    "an Ethereum signature has 65 bytes, not " + std::to_string(encoded.size()));
    if (encoded[64] != 27 && encoded[64] != 28)
        return fail(Errc::InvalidArgument,
                    "v at offset 64 is 27 or 28, not " + std::to_string(encoded[64]));
    EcdsaSignature signature;
    std::ranges::copy(encoded.first<32>(), signature.r.begin());
    std::ranges::copy(encoded.subspan<32, 32>(), signature.s.begin());
    signature.y_parity = static_cast<std::uint8_t>(encoded[64] - 27);
    DRACO_TRY(loaded, load(signature));
    static_cast<void>(loaded);
    return signature;
}

Result<Secp256k1SecretKey> Secp256k1SecretKey::from_scalar(Secp256k1Scalar scalar) {
    if (secp256k1_ec_seckey_verify(context(), scalar.expose().data()) != 1)
        return fail(Errc::InvalidArgument,
                    "a secp256k1 secret key is 0 or not below the group order");
    return Secp256k1SecretKey(std::move(scalar));
}

Secp256k1SecretKey Secp256k1SecretKey::generate(Rng& rng) {
    for (;;) {  // a second draw has a chance of 2^-127
        auto key = from_scalar(Secp256k1Scalar::draw(rng));
        if (key) return *std::move(key);
    }
}

Secp256k1PublicKey Secp256k1SecretKey::public_key() const {
    secp256k1_pubkey key;
    const int ok = secp256k1_ec_pubkey_create(context(), &key, scalar_.expose().data());
    DRACO_ASSERT(ok == 1, "a Secp256k1SecretKey is in range");
    return Secp256k1Library::store(key);
}

EcdsaSignature Secp256k1SecretKey::sign(const Keccak256Digest& digest) const {
    // RFC 6979 gives a recovery id of 2 or 3 (r wrapped around) with a chance of 2^-127 per
    // attempt; the attempt number is then extra nonce data.
    for (std::uint8_t attempt = 0;; ++attempt) {
        std::array<std::uint8_t, 32> extra{attempt};
        secp256k1_ecdsa_recoverable_signature signature;
        const int ok = secp256k1_ecdsa_sign_recoverable(context(),
                                                        &signature,
                                                        digest.data(),
                                                        scalar_.expose().data(),
                                                        nullptr,
                                                        attempt == 0 ? nullptr : extra.data());
        DRACO_ASSERT(ok == 1, "a Secp256k1SecretKey is in range");
        std::array<std::uint8_t, 64> compact;
        int recovery_id = 0;
        secp256k1_ecdsa_recoverable_signature_serialize_compact(
            context(), compact.data(), &recovery_id, &signature);
        if (recovery_id > 1) continue;
        EcdsaSignature made;
        std::ranges::copy(std::span(compact).first<32>(), made.r.begin());
        std::ranges::copy(std::span(compact).last<32>(), made.s.begin());
        made.y_parity = static_cast<std::uint8_t>(recovery_id);
        return made;
    }
}

Result<Secp256k1SecretKey> Secp256k1SecretKey::plus(std::span<const std::uint8_t, 32> tweak) const {
    int ok = 0;
    auto sum = Secp256k1Scalar::make([&](std::span<std::uint8_t, 32> out) {
        std::ranges::copy(scalar_.expose(), out.begin());
        ok = secp256k1_ec_seckey_tweak_add(context(), out.data(), tweak.data());
    });
    if (ok != 1) return bad_tweak();
    return Secp256k1SecretKey(std::move(sum));
}

Result<Secp256k1PublicKey> plus(const Secp256k1PublicKey& key,
                                std::span<const std::uint8_t, 32> tweak) {
    secp256k1_pubkey sum = Secp256k1Library::load(key);
    if (secp256k1_ec_pubkey_tweak_add(context(), &sum, tweak.data()) != 1) return bad_tweak();
    return Secp256k1Library::store(sum);
}

Result<Secp256k1PublicKey> recover(const Keccak256Digest& digest, const EcdsaSignature& signature) {
    DRACO_TRY(loaded, load(signature));
    secp256k1_pubkey key;
    if (secp256k1_ecdsa_recover(context(), &key, &loaded, digest.data()) != 1)
        return fail(Errc::Unauthenticated, "no secp256k1 key could have made this signature");
    return Secp256k1Library::store(key);
}

Result<> verify(const Secp256k1PublicKey& key,
                const Keccak256Digest& digest,
                const EcdsaSignature& signature) {
    DRACO_TRY(signer, recover(digest, signature));
    if (signer != key)
        return fail(Errc::Unauthenticated, "the ECDSA signature is by another key or message");
    return {};
}

}  // namespace draco::crypto
