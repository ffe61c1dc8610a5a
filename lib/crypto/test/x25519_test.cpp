#include "draco/crypto/x25519.hpp"

#include "draco/crypto/system_rng.hpp"

#include "vector_file.hpp"

namespace draco::crypto {
namespace {

using testing::fixed;
using testing::secret;

TEST(X25519, MatchesTheRfc7748Vectors) {
    // Section 5.2's inputs, one of them with the ignored top bit set.
    for (const auto& row : testing::read_vectors("x25519.txt", 3)) {
        const auto shared = x25519(secret<X25519SecretKey>(row[0]), fixed<X25519PublicKey>(row[1]));
        ASSERT_TRUE(shared);
        EXPECT_EQ(to_hex(shared->expose()), row[2]);
    }
}

TEST(X25519, BothSidesAgree) {
    // The Diffie-Hellman example of RFC 7748 6.1.
    const auto alice =
        secret<X25519SecretKey>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    const auto bob =
        secret<X25519SecretKey>("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    EXPECT_EQ(to_hex(x25519_public_key(alice).view()),
              "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    EXPECT_EQ(to_hex(x25519_public_key(bob).view()),
              "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    const auto of_alice = x25519(alice, x25519_public_key(bob));
    const auto of_bob = x25519(bob, x25519_public_key(alice));
    ASSERT_TRUE(of_alice);
    ASSERT_TRUE(of_bob);
    EXPECT_EQ(to_hex(of_alice->expose()),
              "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    EXPECT_EQ(to_hex(of_bob->expose()), to_hex(of_alice->expose()));
}

TEST(X25519, RefusesPeersOfSmallOrder) {
    // u-coordinates of order 1, 2, 4 and 8 on the curve and its twist, and their non-canonical
    // spellings: the shared secret would be zero.
    const std::string_view points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    SystemRng rng;
    const auto own = X25519SecretKey::draw(rng);
    for (const std::string_view point : points)
        for (const std::uint8_t top_bit : {std::uint8_t{0x00}, std::uint8_t{0x80}}) {
            auto peer = fixed<X25519PublicKey>(point);
            peer.bytes[31] |= top_bit;
            const auto shared = x25519(own, peer);
            ASSERT_FALSE(shared) << point;
            EXPECT_EQ(shared.error().code, Errc::InvalidArgument);
        }
}

}  // namespace
}  // namespace draco::crypto
