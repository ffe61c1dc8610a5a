#include "draco/crypto/ed25519.hpp"

#include "draco/crypto/ed25519_verifier.hpp"
#include "draco/crypto/system_rng.hpp"

#include "vector_file.hpp"

#include <gmock/gmock.h>

#include <type_traits>

namespace draco::crypto {
namespace {

using testing::fixed;
using ::testing::HasSubstr;
using testing::read_vectors;
using testing::secret;
using testing::unhex;

struct LinkKind {
    static constexpr std::uint8_t kTag = 1;
};

struct VoteKind {
    static constexpr std::uint8_t kTag = 2;
};

using Key = Ed25519PublicKey<LinkKind>;
using Signature = Ed25519Signature<LinkKind>;

// A key of one kind is no key of another, nor is anything signed or verified with it.
template <class KeyKind, class SignatureKind>
concept Verifies = requires(const Ed25519PublicKey<KeyKind>& key,
                            const Ed25519Signature<SignatureKind>& signature) {
    verify(key, ByteView{}, signature);
};
static_assert(Verifies<LinkKind, LinkKind>);
static_assert(!Verifies<LinkKind, VoteKind>);
static_assert(!std::is_convertible_v<Key, Ed25519PublicKey<VoteKind>>);
static_assert(!std::is_constructible_v<Ed25519SecretKey<LinkKind>, Ed25519SecretKey<VoteKind>>);

Ed25519SecretKey<LinkKind> example_key() {
    return Ed25519SecretKey<LinkKind>(
        secret<Ed25519Seed>("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
}

std::string told(const Result<>& result) {
    if (result) return "ok";
    EXPECT_EQ(result.error().code, Errc::Unauthenticated);
    return result.error().context;
}

// The reason for a refusal; "ok" if there was none. That of a prepared key is always the same.
std::string verdict(const Key& key, ByteView message, const Signature& signature) {
    std::string reason = told(verify(key, message, signature));
    EXPECT_EQ(told(Ed25519Verifier<LinkKind>(key).verify(message, signature)), reason);
    return reason;
}

// a + L on 32 little-endian bytes; false if it does not fit.
bool add_group_order(std::span<std::uint8_t, 32> a) {
    const Bytes order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        carry += a[i] + unsigned{order[i]};
        a[i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
    return carry == 0;
}

TEST(Ed25519, MatchesTheRfc8032Vectors) {
    // Public keys and signatures are reproduced from seeds, and accepted.
    for (const auto& row : read_vectors("ed25519_sign.txt", 4)) {
        const Ed25519SecretKey<LinkKind> key(secret<Ed25519Seed>(row[0]));
        const Bytes message = unhex(row[2]);
        EXPECT_EQ(key.public_key(), fixed<Key>(row[1]));
        EXPECT_EQ(key.sign(message), fixed<Signature>(row[3]));
        EXPECT_EQ(verdict(key.public_key(), message, fixed<Signature>(row[3])), "ok");
        EXPECT_TRUE(check_public_key(key.public_key()));
    }
}

TEST(Ed25519, JudgesThePublishedEdgeCasesByItsOwnRules) {
    // Small-order, mixed-order, non-canonical and S >= L cases on which libraries disagree.
    for (const auto& row : read_vectors("ed25519_edge_cases.txt", 4))
        EXPECT_THAT(verdict(fixed<Key>(row[1]), unhex(row[2]), fixed<Signature>(row[3])),
                    HasSubstr(row[0]))
            << row[3];
}

TEST(Ed25519, VerifiesByTheCofactorlessEquation) {
    // Signatures with torsion that the cofactored equation accepts: refused unless the torsion
    // cancels exactly. Keys with torsion are refused where they enter the system.
    for (const auto& row : read_vectors("ed25519_torsion.txt", 4)) {
        const auto key = fixed<Key>(row[1]);
        const std::string got = verdict(key, unhex(row[2]), fixed<Signature>(row[3]));
        if (row[0] == "equation")
            EXPECT_THAT(got, HasSubstr("equation"));
        else
            EXPECT_EQ(got, "ok") << row[0];
        if (row[0] == "ok mixed key") {
            EXPECT_FALSE(check_public_key(key));
        }
    }
}

TEST(Ed25519, RefusesSNotBelowTheGroupOrder) {
    // S + L satisfies the equation too; it, L itself, and all ones are refused for being another
    // spelling.
    const auto key = example_key();
    const Bytes message = {1, 2, 3};
    Signature signature = key.sign(message);
    ASSERT_TRUE(add_group_order(signature.view().last<32>()));
    EXPECT_THAT(verdict(key.public_key(), message, signature), HasSubstr("S is not below"));
    std::ranges::fill(signature.view().last<32>(), 0);
    ASSERT_TRUE(add_group_order(signature.view().last<32>()));
    EXPECT_THAT(verdict(key.public_key(), message, signature), HasSubstr("S is not below"));
    std::ranges::fill(signature.view().last<32>(), 0xff);
    EXPECT_THAT(verdict(key.public_key(), message, signature), HasSubstr("S is not below"));
    signature.bytes[32] = 0xec;  // L - 1 is in range
    std::ranges::copy(unhex("ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"),
                      signature.bytes.begin() + 32);
    EXPECT_THAT(verdict(key.public_key(), message, signature), HasSubstr("equation"));
}

TEST(Ed25519, RefusesEveryNonCanonicalPoint) {
    // All 19 encodings of y >= p with either sign, and x = 0 with the sign bit, as A and as R.
    std::vector<Bytes> encodings;
    for (unsigned low = 0xed; low <= 0xff; ++low)
        for (const std::uint8_t top : {std::uint8_t{0x7f}, std::uint8_t{0xff}}) {
            Bytes encoding(32, 0xff);
            encoding.front() = static_cast<std::uint8_t>(low);
            encoding.back() = top;
            encodings.push_back(encoding);
        }
    encodings.push_back(unhex("0100000000000000000000000000000000000000000000000000000000000080"));
    encodings.push_back(unhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"));
    const auto key = example_key();
    const Signature good = key.sign({});
    for (const Bytes& encoding : encodings) {
        const Key bad_key{std::span<const std::uint8_t, 32>(encoding)};
        EXPECT_THAT(verdict(bad_key, {}, good), HasSubstr("public key is not a canonical"));
        const auto checked = check_public_key(bad_key);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code, Errc::InvalidArgument);
        Signature bad = good;
        std::ranges::copy(encoding, bad.bytes.begin());
        EXPECT_THAT(verdict(key.public_key(), {}, bad), HasSubstr("R is not a canonical"));
    }
}

TEST(Ed25519, RefusesEveryPointOfSmallOrder) {
    // The 8 torsion points, as A (where S = 0 and R = A satisfies the equation for 1 message in 8)
    // and as R.
    const std::string_view points[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    };
    const auto key = example_key();
    for (const std::string_view point : points) {
        const Key small = fixed<Key>(point);
        Signature forged;
        std::ranges::copy(small.bytes, forged.bytes.begin());
        for (std::uint8_t message = 0; message < 16; ++message)
            EXPECT_THAT(verdict(small, {&message, 1}, forged),
                        HasSubstr("public key is a point of small order"));
        EXPECT_FALSE(check_public_key(small));
        EXPECT_THAT(verdict(key.public_key(), {}, forged),
                    HasSubstr("R is a point of small order"));
    }
}

TEST(Ed25519, RefusesEveryFlippedBit) {
    // Each bit of key, message and signature matters.
    const auto key = example_key();
    const Bytes message = unhex("00ff10");
    const Signature signature = key.sign(message);
    const Key public_key = key.public_key();
    for (std::size_t bit = 0; bit < 8 * 32; ++bit) {
        Key flipped = public_key;
        flipped.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_NE(verdict(flipped, message, signature), "ok") << bit;
    }
    for (std::size_t bit = 0; bit < 8 * 64; ++bit) {
        Signature flipped = signature;
        flipped.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_NE(verdict(public_key, message, flipped), "ok") << bit;
    }
    for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
        Bytes flipped = message;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_NE(verdict(public_key, flipped, signature), "ok") << bit;
    }
}

TEST(Ed25519, KeyCheckRefusesWhatIsNoPoint) {
    // y = 2 has no x on the curve.
    Bytes encoding(32, 0);
    encoding.front() = 2;
    const Key key{std::span<const std::uint8_t, 32>(encoding)};
    EXPECT_FALSE(check_public_key(key));
    EXPECT_NE(verdict(key, {}, example_key().sign({})), "ok");
}

TEST(Ed25519, TaggedKeysRoundTripAndNothingElseDecodes) {
    // Every other length, kind and flipped first byte is an error, not a key.
    const Key key = example_key().public_key();
    const Bytes tagged = encode_tagged(key);
    ASSERT_EQ(tagged.size(), 33U);
    const auto decoded = decode_tagged<LinkKind>(tagged);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, key);
    EXPECT_FALSE(decode_tagged<VoteKind>(tagged));
    for (std::size_t size = 0; size < tagged.size(); ++size)
        EXPECT_FALSE(decode_tagged<LinkKind>(ByteView(tagged).first(size)));
    Bytes longer = tagged;
    longer.push_back(0);
    EXPECT_FALSE(decode_tagged<LinkKind>(longer));
    Bytes small = tagged;
    std::ranges::fill(small.begin() + 1, small.end(), std::uint8_t{0});
    EXPECT_FALSE(decode_tagged<LinkKind>(small));
}

TEST(Ed25519, GeneratedAndClonedKeysSignAlike) {
    // The clone and the key rebuilt from the seed are the same key; another draw is not.
    SystemRng rng;
    const auto key = Ed25519SecretKey<LinkKind>::generate(rng);
    const Ed25519SecretKey<LinkKind> again(key.seed());
    EXPECT_EQ(key.clone().public_key(), key.public_key());
    EXPECT_EQ(again.sign({}), key.sign({}));
    EXPECT_NE(Ed25519SecretKey<LinkKind>::generate(rng).public_key(), key.public_key());
}

}  // namespace
}  // namespace draco::crypto
