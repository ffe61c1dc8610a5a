#include "draco/crypto/secp256k1.hpp"

#include "draco/crypto/ethereum_address.hpp"
#include "draco/crypto/system_rng.hpp"

#include "vector_file.hpp"

namespace draco::crypto {
namespace {

using testing::fixed;
using testing::read_vectors;
using testing::secret;
using testing::unhex;

constexpr std::string_view kOrder =
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
constexpr std::string_view kHalfOrder =
    "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";

Secp256k1SecretKey key_of(std::string_view hex) {
    auto key = Secp256k1SecretKey::from_scalar(secret<Secp256k1Scalar>(hex));
    EXPECT_TRUE(key) << hex;
    return *std::move(key);
}

std::array<std::uint8_t, 32> bytes32(std::string_view hex) {
    return fixed<Keccak256Digest>(hex).bytes;
}

// n - s, the other half's signature.
std::array<std::uint8_t, 32> negated(const std::array<std::uint8_t, 32>& s) {
    auto result = bytes32(kOrder);
    int borrow = 0;
    for (std::size_t i = 32; i-- > 0;) {
        const int difference = result[i] - s[i] - borrow;
        result[i] = static_cast<std::uint8_t>(difference);
        borrow = difference < 0 ? 1 : 0;
    }
    return result;
}

TEST(Secp256k1, MatchesEthereumSignatures) {
    // Addresses and RFC 6979 signatures of the ten accounts of the developers' mnemonic, and
    // recovery back.
    for (const auto& row : read_vectors("ethereum.txt", 5)) {
        const Secp256k1SecretKey key = key_of(row[1]);
        EXPECT_EQ(to_text(ethereum_address(key.public_key())), row[2]);
        const auto digest = fixed<Keccak256Digest>(row[3]);
        const EcdsaSignature signature = key.sign(digest);
        EXPECT_EQ(to_hex(encode(signature)), row[4]);
        const auto decoded = decode_ecdsa_signature(unhex(row[4]));
        ASSERT_TRUE(decoded);
        EXPECT_EQ(*decoded, signature);
        const auto signer = recover_address(digest, signature);
        ASSERT_TRUE(signer);
        EXPECT_EQ(to_text(*signer), row[2]);
        EXPECT_TRUE(verify(key.public_key(), digest, signature));
    }
}

TEST(Secp256k1, RefusesSecretsOutOfRange) {
    // 0, n and everything above; 1 and n - 1 are keys.
    for (const std::string_view hex :
         {std::string(64, '0'), std::string(kOrder), std::string(64, 'f')}) {
        const auto key = Secp256k1SecretKey::from_scalar(secret<Secp256k1Scalar>(hex));
        ASSERT_FALSE(key);
        EXPECT_EQ(key.error().code, Errc::InvalidArgument);
    }
    key_of("0000000000000000000000000000000000000000000000000000000000000001");
    key_of("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140");
}

TEST(Secp256k1, DecodesExactlyTwoFormsOfPublicKey) {
    // Compressed and uncompressed; hybrid prefixes, points off the curve, coordinates beyond the
    // prime and every other length are errors.
    const Secp256k1PublicKey key = key_of(std::string(63, '0') + "5").public_key();
    const Secp256k1CompressedKey compressed = key.compressed();
    Bytes uncompressed = {0x04};
    append(uncompressed, key.coordinates());
    EXPECT_EQ(Secp256k1PublicKey::decode(compressed.view()), key);
    EXPECT_EQ(Secp256k1PublicKey::decode(uncompressed), key);
    for (unsigned prefix = 0; prefix < 256; ++prefix) {
        uncompressed[0] = static_cast<std::uint8_t>(prefix);
        EXPECT_EQ(Secp256k1PublicKey::decode(uncompressed).has_value(), prefix == 4) << prefix;
        Secp256k1CompressedKey changed = compressed;
        changed.bytes[0] = static_cast<std::uint8_t>(prefix);
        EXPECT_EQ(Secp256k1PublicKey::decode(changed.view()).has_value(),
                  prefix == 2 || prefix == 3)
            << prefix;
    }
    uncompressed[0] = 4;
    for (std::size_t bit = 8; bit < 8 * uncompressed.size(); ++bit) {
        Bytes changed = uncompressed;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(Secp256k1PublicKey::decode(changed)) << bit;
    }
    for (std::size_t size = 0; size < uncompressed.size(); ++size)
        EXPECT_FALSE(Secp256k1PublicKey::decode(ByteView(uncompressed).first(size))) << size;
    const Bytes beyond_prime(33, 0xff);
    Bytes x_too_large = beyond_prime;
    x_too_large[0] = 2;
    EXPECT_FALSE(Secp256k1PublicKey::decode(x_too_large));
}

TEST(Secp256k1, HasOneSpellingPerSignature) {
    // The high-s twin, r or s of 0 or n and above, and other values of v are refused, by recover
    // and by the decoder.
    const Secp256k1SecretKey key = key_of(std::string(64, '3'));
    const auto digest = keccak256(as_bytes("message"));
    const EcdsaSignature good = key.sign(digest);
    std::vector<EcdsaSignature> bad(7, good);
    bad[0].s = negated(good.s);
    bad[0].y_parity ^= 1;
    bad[1].s = negated(bytes32(kHalfOrder));  // n / 2 rounded up: the first high s
    bad[2].r = {};
    bad[3].s = {};
    bad[4].r = bytes32(kOrder);
    bad[5].s = bytes32(kOrder);
    bad[6].y_parity = 2;
    for (std::size_t i = 0; i < bad.size(); ++i) {
        const auto recovered = recover(digest, bad[i]);
        ASSERT_FALSE(recovered) << i;
        EXPECT_EQ(recovered.error().code, Errc::InvalidArgument) << i;
        EXPECT_FALSE(decode_ecdsa_signature(encode(bad[i]))) << i;
    }
    EcdsaSignature half = good;
    half.s = bytes32(kHalfOrder);
    EXPECT_TRUE(decode_ecdsa_signature(encode(half)));
}

TEST(Secp256k1, DecoderRefusesOtherLengthsAndRecoveryIds) {
    // Truncated at every length, one byte more, and each value of v but two.
    const auto encoded = encode(key_of(std::string(64, '3')).sign({}));
    for (std::size_t size = 0; size < encoded.size(); ++size)
        EXPECT_FALSE(decode_ecdsa_signature(ByteView(encoded).first(size)));
    Bytes longer = to_bytes(encoded);
    longer.push_back(0);
    EXPECT_FALSE(decode_ecdsa_signature(longer));
    for (unsigned v = 0; v < 256; ++v) {
        auto changed = encoded;
        changed[64] = static_cast<std::uint8_t>(v);
        EXPECT_EQ(decode_ecdsa_signature(changed).has_value(), v == 27 || v == 28) << v;
    }
}

TEST(Secp256k1, EveryFlippedBitNamesAnotherSigner) {
    // No change of a signature or digest verifies or recovers to the same key.
    const Secp256k1SecretKey key = key_of(std::string(64, '3'));
    const auto digest = keccak256(as_bytes("message"));
    const auto encoded = encode(key.sign(digest));
    for (std::size_t bit = 0; bit < 8 * 64; ++bit) {
        EcdsaSignature changed = key.sign(digest);
        (bit < 256 ? changed.r : changed.s)[bit / 8 % 32] ^=
            static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(verify(key.public_key(), digest, changed)) << bit;
    }
    EcdsaSignature other_parity = key.sign(digest);
    other_parity.y_parity ^= 1;
    const auto wrong = verify(key.public_key(), digest, other_parity);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, Errc::Unauthenticated);
    for (std::size_t bit = 0; bit < 256; ++bit) {
        Keccak256Digest changed = digest;
        changed.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(verify(key.public_key(), changed, *decode_ecdsa_signature(encoded))) << bit;
    }
}

TEST(Secp256k1, TweaksAgreeAndRefuseTheirEdges) {
    // public_key(k + t) is public_key(k) + t; t of n and t = -k are errors on both sides.
    SystemRng rng;
    const auto key = Secp256k1SecretKey::generate(rng);
    const auto tweak = bytes32(std::string(64, '5'));
    const auto secret_sum = key.plus(tweak);
    ASSERT_TRUE(secret_sum);
    EXPECT_EQ(plus(key.public_key(), tweak), secret_sum->public_key());
    const auto order = bytes32(kOrder);
    EXPECT_FALSE(key.plus(order));
    EXPECT_FALSE(plus(key.public_key(), order));
    std::array<std::uint8_t, 32> scalar{};
    std::ranges::copy(key.scalar().expose(), scalar.begin());
    EXPECT_FALSE(key.plus(negated(scalar)));
    EXPECT_FALSE(plus(key.public_key(), negated(scalar)));
}

}  // namespace
}  // namespace draco::crypto
