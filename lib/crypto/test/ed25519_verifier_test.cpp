// Our own arithmetic beside OpenSSL's numbers, and the verifier beside libsodium's verdicts. What
// the two entries make of published and constructed edge cases is in ed25519_test.cpp, for both.

#include "draco/crypto/ed25519_verifier.hpp"

#include "draco/testing/seed.hpp"

#include "../src/ed25519_curve.hpp"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_scalarmult_ed25519.h>

#include <random>

namespace draco::crypto {
namespace {

using namespace ed25519_detail;
using Bytes32 = std::array<std::uint8_t, 32>;

struct AnyKind {
    static constexpr std::uint8_t kTag = 1;
};

// --- numbers ---

struct FreeNumber {
    void operator()(BIGNUM* number) const { BN_free(number); }
};

using Number = std::unique_ptr<BIGNUM, FreeNumber>;

// OpenSSL's numbers modulo p: the model.
class Model {
public:
    Model() : context_(BN_CTX_new(), BN_CTX_free), p_(BN_new()) {
        BN_one(p_.get());
        BN_lshift(p_.get(), p_.get(), 255);
        BN_sub_word(p_.get(), 19);
    }

    // As the limbs say, reduced or not.
    Number number(const Fe& a) const {
        Number sum(BN_new());
        BN_zero(sum.get());
        for (std::size_t i = 5; i-- > 0;) {
            BN_lshift(sum.get(), sum.get(), 51);
            Bytes limb(8);
            store_le<std::uint64_t>(limb.data(), a.limbs[i]);
            const Number one(BN_lebin2bn(limb.data(), 8, nullptr));
            BN_add(sum.get(), sum.get(), one.get());
        }
        return sum;
    }

    template <class Operation>
    Bytes32 mod(Operation&& operation) const {
        const Number result(BN_new());
        operation(result.get(), p_.get(), context_.get());
        Bytes32 bytes;
        BN_bn2lebinpad(result.get(), bytes.data(), 32);
        return bytes;
    }

private:
    std::unique_ptr<BN_CTX, void (*)(BN_CTX*)> context_;
    Number p_;
};

// Limbs up to and at `limb_max`, often extreme ones.
Fe any_fe(std::mt19937_64& random, std::uint64_t limb_max) {
    Fe a;
    for (std::uint64_t& limb : a.limbs) {
        const std::uint64_t kind = random() % 4;
        limb = kind == 0 ? limb_max : kind == 1 ? random() % 3 : random() % (limb_max + 1);
    }
    return a;
}

// Sums, differences, products, squares and inverses are those of numbers modulo p, for all limbs
// that the header allows.
TEST(Ed25519Field, CalculatesAsTheModelDoes) {
    const std::uint64_t seed = testing::test_seed(1);
    SCOPED_TRACE("DRACO_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const Model model;
    constexpr std::uint64_t kSumMax = std::uint64_t{1} << 53;
    constexpr std::uint64_t kFactorMax = (std::uint64_t{1} << 54) - 1;
    const auto full = [](std::uint64_t limb) { return Fe{{limb, limb, limb, limb, limb}}; };
    for (int i = 0; i < 5000; ++i) {
        // First the largest of all intermediate results, which random limbs hardly ever make.
        const Fe a = i == 0 ? full(kFactorMax) : any_fe(random, kFactorMax);
        const Fe b = i == 0 ? full(kFactorMax) : any_fe(random, kFactorMax);
        const Number na = model.number(a);
        const Number nb = model.number(b);
        const auto product =
            model.mod([&](auto* r, auto* p, auto* c) { BN_mod_mul(r, na.get(), nb.get(), p, c); });
        ASSERT_EQ(bytes_of(a * b), product);
        const auto squared_a =
            model.mod([&](auto* r, auto* p, auto* c) { BN_mod_sqr(r, na.get(), p, c); });
        ASSERT_EQ(bytes_of(square(a)), squared_a);
        const Fe x = i == 0 ? full(0) : i == 1 ? full(kSumMax) : any_fe(random, kSumMax);
        const Fe y = i == 0 ? full(kSumMax - 77) : i == 1 ? full(0) : any_fe(random, kSumMax - 77);
        const Number nx = model.number(x);
        const Number ny = model.number(y);
        const auto minus =
            model.mod([&](auto* r, auto* p, auto* c) { BN_mod_sub(r, nx.get(), ny.get(), p, c); });
        ASSERT_EQ(bytes_of(x - y), minus);
        const auto plus =
            model.mod([&](auto* r, auto* p, auto* c) { BN_mod_add(r, nx.get(), ny.get(), p, c); });
        ASSERT_EQ(bytes_of(x + y), plus);
        for (const Fe& result : {a * b, square(a), x - y})
            for (const std::uint64_t limb : result.limbs)
                ASSERT_LT(limb, (std::uint64_t{1} << 51) + (std::uint64_t{1} << 13));
        if (i % 50 == 0 && !BN_is_zero(na.get())) {
            const auto inverted =
                model.mod([&](auto* r, auto* p, auto* c) { BN_mod_inverse(r, na.get(), p, c); });
            ASSERT_EQ(bytes_of(inverse(a)), inverted);
        }
    }
}

// Around p and at the ends, bytes come out below p and go in as they are.
TEST(Ed25519Field, HasOneEncodingOfANumber) {
    for (unsigned low = 0; low < 256; ++low)
        for (const std::uint8_t fill : {std::uint8_t{0}, std::uint8_t{0xff}}) {
            Bytes32 bytes;
            bytes.fill(fill);
            bytes[0] = static_cast<std::uint8_t>(low);
            bytes[31] &= 0x7f;
            Bytes32 expected = bytes;
            if (fill == 0xff && low >= 0xed) {
                expected.fill(0);
                expected[0] = static_cast<std::uint8_t>(low - 0xed);
            }
            EXPECT_EQ(bytes_of(fe_of(bytes)), expected);
        }
}

// --- points ---

Bytes32 scalar(std::uint64_t small) {
    Bytes32 bytes{};
    store_le<std::uint64_t>(bytes.data(), small);
    return bytes;
}

Bytes32 minus(const Bytes32& of) {
    Bytes32 negative;
    crypto_core_ed25519_scalar_negate(negative.data(), of.data());
    return negative;
}

Bytes32 any_scalar(std::mt19937_64& random) {
    // Small ones and their negatives make additions of equal and of opposite points.
    const Bytes32 small = scalar(1 + random() % 20);
    if (random() % 3 == 0) return small;
    if (random() % 3 == 0) return minus(small);
    std::array<std::uint8_t, 64> wide;
    for (std::uint8_t& byte : wide) byte = static_cast<std::uint8_t>(random());
    Bytes32 any;
    crypto_core_ed25519_scalar_reduce(any.data(), wide.data());
    return any;
}

Bytes32 times_base(const Bytes32& factor) {
    Bytes32 point;
    EXPECT_EQ(crypto_scalarmult_ed25519_base_noclamp(point.data(), factor.data()), 0);
    return point;
}

// Every multiple in the base point's table is libsodium's.
TEST(Ed25519Curve, HasTheMultiplesOfTheBasePoint) {
    for (std::size_t i = 0; i < 32; ++i)
        for (std::size_t j = 0; j < 8; ++j) {
            Bytes32 factor{};
            factor[i] = static_cast<std::uint8_t>(j + 1);
            Bytes32 expected;
            if (i == 31) {
                std::array<std::uint8_t, 64> wide{};
                std::ranges::copy(factor, wide.begin());
                crypto_core_ed25519_scalar_reduce(factor.data(), wide.data());
            }
            ASSERT_EQ(crypto_scalarmult_ed25519_base_noclamp(expected.data(), factor.data()), 0);
            ASSERT_EQ(encode(sum(neutral(), base_multiples()[i][j])), expected) << i << ' ' << j;
        }
}

// Products by scalars whose digits of four bits all carry, none do, or are at their limits, up to
// the largest scalar that may come.
TEST(Ed25519Curve, TakesScalarsAtTheLimitsOfTheirDigits) {
    for (const unsigned fill :
         {0x00U, 0x01U, 0x10U, 0x77U, 0x78U, 0x87U, 0x88U, 0x80U, 0x08U, 0xf0U, 0x0fU, 0xffU})
        for (const unsigned top : {0x00U, 0x01U, 0x07U, 0x08U, 0x0fU, 0x10U, 0x18U, 0x1fU}) {
            Bytes32 factor;
            factor.fill(static_cast<std::uint8_t>(fill));
            factor[31] = static_cast<std::uint8_t>(top);
            Bytes32 expected;
            if (crypto_scalarmult_ed25519_base_noclamp(expected.data(), factor.data()) != 0)
                expected = scalar(1);  // the neutral point, which libsodium does not give away
            const auto of_base = [&](const Bytes32& a, const Bytes32& b) {
                return encode(sum_of_products(a, base_multiples(), b, base_multiples()));
            };
            EXPECT_EQ(of_base(factor, scalar(0)), expected) << fill << ' ' << top;
            EXPECT_EQ(of_base(scalar(0), factor), expected) << fill << ' ' << top;
        }
}

// --- signatures ---

struct Signed {
    Ed25519PublicKey<AnyKind> key;
    Bytes message;
    Ed25519Signature<AnyKind> signature;
};

// Made from chosen numbers instead of hashed ones: key a B, nonce r B, plus points of small order.
Signed sign_with(const Bytes32& a,
                 const Bytes32& r,
                 const Bytes32* torsion,
                 Bytes message,
                 const Bytes32* torsion_of_nonce = nullptr) {
    const auto add = [](Bytes32& to, const Bytes32* small) {
        if (small != nullptr) crypto_core_ed25519_add(to.data(), to.data(), small->data());
    };
    Bytes32 key = times_base(a);
    add(key, torsion);
    Bytes32 nonce = times_base(r);
    add(nonce, torsion_of_nonce);
    Bytes hashed = to_bytes(nonce);
    append(hashed, key);
    append(hashed, message);
    std::array<std::uint8_t, 64> hash;
    crypto_hash_sha512(hash.data(), hashed.data(), hashed.size());
    Bytes32 s;
    crypto_core_ed25519_scalar_reduce(s.data(), hash.data());
    crypto_core_ed25519_scalar_mul(s.data(), s.data(), a.data());
    crypto_core_ed25519_scalar_add(s.data(), s.data(), r.data());
    Signed made{Ed25519PublicKey<AnyKind>(key), std::move(message), {}};
    std::ranges::copy(nonce, made.signature.bytes.begin());
    std::ranges::copy(s, made.signature.bytes.begin() + 32);
    return made;
}

bool both_accept(const Signed& made) {
    const bool by_libsodium = verify(made.key, made.message, made.signature).has_value();
    const bool prepared =
        Ed25519Verifier<AnyKind>(made.key).verify(made.message, made.signature).has_value();
    EXPECT_EQ(prepared, by_libsodium);
    return prepared && by_libsodium;
}

// Both accept what is signed rightly, whatever the key and the nonce, and agree on keys with a
// point of small order in them and on bytes that were changed.
TEST(Ed25519Verifier, AgreesWithLibsodium) {
    const std::uint64_t seed = testing::test_seed(1);
    SCOPED_TRACE("DRACO_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    // A generator of the points of small order.
    const Bytes32 order8 = {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
                            0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
                            0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05};
    std::size_t torsion_accepted = 0;
    std::size_t torsion_refused = 0;
    for (int i = 0; i < 400; ++i) {
        Bytes message(random() % 200);
        for (std::uint8_t& byte : message) byte = static_cast<std::uint8_t>(random());
        const Bytes32 a = any_scalar(random);
        const Bytes32 r = any_scalar(random);
        Signed made = sign_with(a, r, nullptr, message);
        ASSERT_TRUE(both_accept(made)) << i;
        const bool accepted = both_accept(sign_with(a, r, &order8, message));
        ++(accepted ? torsion_accepted : torsion_refused);
        const std::size_t bit = random() % 512;
        made.signature.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(both_accept(made)) << i;
        std::ranges::generate(made.key.bytes, [&] { return static_cast<std::uint8_t>(random()); });
        EXPECT_FALSE(both_accept(made)) << i;
    }
    EXPECT_GT(torsion_accepted, 10U);
    EXPECT_GT(torsion_refused, 200U);
}

// Both agree on each sum of a point of small order to the key with one to the nonce: one in eight
// holds, by the hash.
TEST(Ed25519Verifier, AgreesWithLibsodiumOnPointsOfSmallOrderInKeyAndNonce) {
    Bytes32 order8 = {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
                      0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
                      0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05};
    std::array<Bytes32, 8> small = {scalar(1)};
    for (std::size_t i = 1; i < small.size(); ++i)
        crypto_core_ed25519_add(small[i].data(), small[i - 1].data(), order8.data());
    std::size_t accepted = 0;
    for (const Bytes32& of_key : small)
        for (const Bytes32& of_nonce : small)
            for (std::uint8_t message = 0; message < 4; ++message)
                accepted +=
                    both_accept(sign_with(scalar(3), scalar(5), &of_key, {message}, &of_nonce))
                        ? 1U
                        : 0U;
    EXPECT_GT(accepted, 4U);
    EXPECT_LT(accepted, 100U);
}

// Copies share what was prepared, and verify from several keys do not disturb each other.
TEST(Ed25519Verifier, IsAValue) {
    const Signed one = sign_with(scalar(3), scalar(5), nullptr, {1});
    const Signed other = sign_with(scalar(7), scalar(11), nullptr, {1});
    Ed25519Verifier<AnyKind> verifier(one.key);
    const Ed25519Verifier<AnyKind> copy = verifier;
    verifier = Ed25519Verifier<AnyKind>(other.key);
    EXPECT_TRUE(copy.verify(one.message, one.signature));
    EXPECT_FALSE(copy.verify(other.message, other.signature));
    EXPECT_TRUE(verifier.verify(other.message, other.signature));
}

}  // namespace
}  // namespace draco::crypto
