#include "draco/crypto/cipher.hpp"

#include "draco/testing/seed.hpp"

#include "vector_file.hpp"

#include <random>

namespace draco::crypto {
namespace {

using draco::testing::test_seed;
using testing::fixed;
using testing::read_vectors;
using testing::secret;
using testing::unhex;

Bytes random_bytes(std::mt19937_64& rng, std::size_t size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng());
    return bytes;
}

TEST(ChaCha20Poly1305, MatchesTheVectors) {
    // RFC 8439's example and those of two libraries: sealing reproduces, opening accepts, or
    // refuses where the vector says so.
    for (const auto& row : read_vectors("chacha20_poly1305.txt", 6)) {
        ChaCha20Poly1305 cipher(secret<ChaCha20Poly1305Key>(row[0]));
        const auto nonce = fixed<ChaCha20Poly1305Nonce>(row[1]);
        const Bytes associated = unhex(row[2]);
        const Bytes plaintext = unhex(row[3]);
        const Bytes sealed = unhex(row[4]);
        Bytes opened(plaintext.size());
        const bool ok = cipher.open(nonce, associated, sealed, opened).has_value();
        ASSERT_EQ(ok, row[5] == "ok") << row[4];
        EXPECT_EQ(opened, ok ? plaintext : Bytes(plaintext.size(), 0));
        Bytes made(sealed.size());
        cipher.seal(nonce, associated, plaintext, made);
        EXPECT_EQ(made == sealed, ok) << row[4];
    }
}

TEST(ChaCha20Poly1305, RefusesEveryChangeAndTruncation) {
    // Each bit of ciphertext, tag, nonce and associated data, and each shorter length; nothing of
    // the plaintext comes out.
    std::mt19937_64 rng(test_seed(1));
    ChaCha20Poly1305 cipher(ChaCha20Poly1305Key::make(
        [&](auto out) { std::ranges::copy(random_bytes(rng, 32), out.begin()); }));
    const ChaCha20Poly1305Nonce nonce{};
    const Bytes associated = random_bytes(rng, 7);
    const Bytes plaintext = random_bytes(rng, 33);
    Bytes sealed(plaintext.size() + 16);
    cipher.seal(nonce, associated, plaintext, sealed);
    const auto opens = [&](const ChaCha20Poly1305Nonce& n, ByteView ad, ByteView box) {
        Bytes out(box.size() < 16 ? 0 : box.size() - 16, 0xee);
        const auto result = cipher.open(n, ad, box, out);
        if (!result) {
            EXPECT_EQ(result.error().code, Errc::Unauthenticated);
            EXPECT_EQ(out, Bytes(out.size(), 0));
        }
        return result.has_value();
    };
    ASSERT_TRUE(opens(nonce, associated, sealed));
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_FALSE(opens(nonce, associated, ByteView(sealed).first(size))) << size;
    const auto flip = [](auto& bytes, std::size_t bit) {
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    };
    for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
        Bytes changed = sealed;
        flip(changed, bit);
        EXPECT_FALSE(opens(nonce, associated, changed)) << bit;
    }
    for (std::size_t bit = 0; bit < 8 * nonce.size(); ++bit) {
        ChaCha20Poly1305Nonce changed = nonce;
        flip(changed.bytes, bit);
        EXPECT_FALSE(opens(changed, associated, sealed)) << bit;
    }
    for (std::size_t bit = 0; bit < 8 * associated.size(); ++bit) {
        Bytes changed = associated;
        flip(changed, bit);
        EXPECT_FALSE(opens(nonce, changed, sealed)) << bit;
    }
}

TEST(ChaCha20Poly1305, WorksInPlace) {
    // Sealing and opening over the input gives the same bytes as apart.
    std::mt19937_64 rng(test_seed(2));
    const auto key = secret<ChaCha20Poly1305Key>(std::string(64, '7'));
    for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 1000U}) {
        ChaCha20Poly1305 cipher(key);
        const Bytes plaintext = random_bytes(rng, size);
        Bytes apart(size + 16);
        cipher.seal({}, {}, plaintext, apart);
        Bytes buffer = plaintext;
        buffer.resize(size + 16);
        cipher.seal({}, {}, ByteView(buffer).first(size), buffer);
        EXPECT_EQ(buffer, apart);
        ASSERT_TRUE(cipher.open({}, {}, buffer, MutByteView(buffer).first(size)));
        buffer.resize(size);
        EXPECT_EQ(buffer, plaintext);
    }
}

TEST(Aes128Ctr, MatchesTheRfc3686Vectors) {
    // Encryption of the three examples, and decryption back.
    for (const auto& row : read_vectors("aes_128_ctr.txt", 4)) {
        const Bytes plaintext = unhex(row[2]);
        Bytes text(plaintext.size());
        Aes128Ctr cipher(secret<Aes128Key>(row[0]), fixed<AesCounterBlock>(row[1]));
        cipher.apply(plaintext, text);
        EXPECT_EQ(to_hex(text), row[3]);
        cipher.seek(0);
        cipher.apply(text, text);
        EXPECT_EQ(text, plaintext);
    }
}

TEST(Aes128Ctr, SeeksToAnyByte) {
    // Random reads equal slices of one long keystream, also where the counter carries over all its
    // bytes.
    std::mt19937_64 rng(test_seed(3));
    const auto key = secret<Aes128Key>("000102030405060708090a0b0c0d0e0f");
    for (const std::string_view start :
         {"00000000000000000000000000000000", "ffffffffffffffffffffffffffffff80"}) {
        Aes128Ctr cipher(key, fixed<AesCounterBlock>(start));
        Bytes whole(20'000);
        cipher.apply(whole, whole);
        for (std::uint64_t round = 0; round < draco::testing::scaled(300); ++round) {
            const std::size_t offset = rng() % whole.size();
            const std::size_t size = std::min<std::size_t>(rng() % 100, whole.size() - offset);
            cipher.seek(offset);
            Bytes out(size);
            const auto [head, tail] =
                std::pair(MutByteView(out).first(size / 3), MutByteView(out).subspan(size / 3));
            cipher.apply(head, head);
            cipher.apply(tail, tail);
            EXPECT_TRUE(equal(out, ByteView(whole).subspan(offset, size))) << offset;
        }
    }
}

}  // namespace
}  // namespace draco::crypto
