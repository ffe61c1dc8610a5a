#include "draco/crypto/bip32.hpp"

#include "draco/crypto/sha2.hpp"

#include "vector_file.hpp"

#include <gmock/gmock.h>

namespace draco::crypto {
namespace {

using testing::read_vectors;
using testing::unhex;

Bip32SecretKey root_of(std::string_view seed_hex) {
    auto root = Bip32SecretKey::from_seed(unhex(seed_hex));
    EXPECT_TRUE(root);
    return *std::move(root);
}

TEST(Bip32, MatchesTheOfficialVectors) {
    // Vectors 1 to 4: derivation by path, both texts, and parsing them back.
    for (const auto& row : read_vectors("bip32.txt", 4)) {
        const auto path = parse_bip32_path(row[1]);
        ASSERT_TRUE(path) << row[1];
        const auto key = root_of(row[0]).descendant(*path);
        ASSERT_TRUE(key);
        EXPECT_EQ(key->public_key().to_text(), row[2]);
        EXPECT_EQ(key->to_text().expose_text(), row[3]);
        const auto public_key = Bip32PublicKey::parse(row[2]);
        ASSERT_TRUE(public_key);
        EXPECT_EQ(public_key->key(), key->key().public_key());
        EXPECT_EQ(public_key->position(), key->public_key().position());
        EXPECT_EQ(public_key->to_text(), row[2]);
        const auto secret_key = Bip32SecretKey::parse(row[3]);
        ASSERT_TRUE(secret_key);
        EXPECT_EQ(secret_key->to_text().expose_text(), row[3]);
    }
}

TEST(Bip32, PublicAndSecretDerivationAgree) {
    // A chain of plain children, derived from each side; hardened ones need the secret.
    Bip32SecretKey secret_key = root_of("000102030405060708090a0b0c0d0e0f");
    Bip32PublicKey public_key = secret_key.public_key();
    for (const std::uint32_t index : {0U, 1U, 77U, kBip32Hardened - 1}) {
        auto secret_child = secret_key.child(index);
        auto public_child = public_key.child(index);
        ASSERT_TRUE(secret_child);
        ASSERT_TRUE(public_child);
        EXPECT_EQ(public_child->to_text(), secret_child->public_key().to_text());
        const auto hardened = public_key.child(index + kBip32Hardened);
        ASSERT_FALSE(hardened);
        EXPECT_EQ(hardened.error().code, Errc::InvalidArgument);
        EXPECT_TRUE(secret_key.child(index + kBip32Hardened));
        secret_key = *std::move(secret_child);
        public_key = *std::move(public_child);
    }
}

TEST(Bip32, StopsAtDepth255) {
    // The depth is one byte: the 256th child is an error on both sides.
    const Bip32SecretKey root = root_of("000102030405060708090a0b0c0d0e0f");
    const auto deepest = root.descendant(Bip32Path(255, 0));
    ASSERT_TRUE(deepest);
    EXPECT_EQ(deepest->public_key().position().depth, 255);
    EXPECT_FALSE(deepest->child(0));
    EXPECT_FALSE(deepest->public_key().child(0));
}

TEST(Bip32, RefusesTheInvalidKeysOfVector5) {
    // Neither parser takes any of them.
    for (const auto& row : read_vectors("bip32_invalid.txt", 1)) {
        EXPECT_FALSE(Bip32PublicKey::parse(row[0])) << row[0];
        EXPECT_FALSE(Bip32SecretKey::parse(row[0])) << row[0];
    }
}

// The text with one payload byte changed and the checksum made right again.
std::string with_byte(std::string_view text, std::size_t offset, std::uint8_t value) {
    Bytes bytes = *from_base58(text);
    bytes[offset] = value;
    const ByteView payload = ByteView(bytes).first(78);
    const Sha256Digest digest = sha256(sha256(payload).view());
    std::ranges::copy(digest.view().first<4>(), bytes.begin() + 78);
    return to_base58(bytes);
}

TEST(Bip32, RefusesRootsWithParents) {
    // At depth 0 the fingerprint and child number are 0 (the rest of vector 5).
    const Bip32SecretKey root = root_of("000102030405060708090a0b0c0d0e0f");
    for (std::size_t offset = 5; offset < 13; ++offset) {
        EXPECT_FALSE(Bip32PublicKey::parse(with_byte(root.public_key().to_text(), offset, 1)));
        EXPECT_FALSE(Bip32SecretKey::parse(with_byte(root.to_text().expose_text(), offset, 1)));
    }
    EXPECT_TRUE(Bip32PublicKey::parse(with_byte(root.public_key().to_text(), 5, 0)));
}

TEST(Bip32, RefusesTruncatedAndMistypedText) {
    // Every prefix, and each character replaced: a mistyped key is Corrupt or no base58.
    const std::string text = root_of("000102030405060708090a0b0c0d0e0f").public_key().to_text();
    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_FALSE(Bip32PublicKey::parse(std::string_view(text).substr(0, size))) << size;
    EXPECT_FALSE(Bip32PublicKey::parse(text + "1"));
    EXPECT_FALSE(Bip32PublicKey::parse(std::string(100'000, '1')));
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == '7' ? '8' : '7';
        EXPECT_FALSE(Bip32PublicKey::parse(changed)) << i;
    }
    std::string last = text;
    last.back() = last.back() == '7' ? '8' : '7';
    EXPECT_EQ(Bip32PublicKey::parse(last).error().code, Errc::Corrupt);
}

TEST(Bip32, SeedsHave16To64Bytes) {
    // BIP-32's range, and nothing else.
    for (std::size_t size = 0; size <= 70; ++size)
        EXPECT_EQ(Bip32SecretKey::from_seed(Bytes(size, 1)).has_value(), size >= 16 && size <= 64)
            << size;
}

TEST(Bip32Path, ParsesIndicesAndHardening) {
    // Both marks, the largest index, and the root.
    EXPECT_EQ(parse_bip32_path("m"), Bip32Path{});
    EXPECT_EQ(parse_bip32_path("m/0"), Bip32Path{0});
    EXPECT_EQ(parse_bip32_path("m/44'/60h/2147483647'/0/7"),
              (Bip32Path{kBip32Hardened + 44, kBip32Hardened + 60, 0xffffffff, 0, 7}));
}

TEST(Bip32Path, RefusesEverythingElse) {
    // With the offset of the fault in the message.
    const std::pair<std::string, std::size_t> bad[] = {
        {"", 0},
        {"M/0", 0},
        {"0/1", 0},
        {"m0", 1},
        {"m/", 2},
        {"m//0", 2},
        {"m/0/", 4},
        {"m/-1", 2},
        {"m/+1", 2},
        {"m/ 1", 2},
        {"m/00", 2},
        {"m/01", 2},
        {"m/1''", 4},
        {"m/1H", 3},
        {"m/'", 2},
        {"m/1 ", 3},
        {"m/2147483648", 2},
        {"m/4294967296", 2},
        {"m/18446744073709551616", 2},
        {"m/0x1", 3},
        {std::string("m/1\0", 4), 3},
    };
    for (const auto& [text, offset] : bad) {
        const auto path = parse_bip32_path(text);
        ASSERT_FALSE(path) << text;
        EXPECT_EQ(path.error().code, Errc::InvalidArgument);
        EXPECT_THAT(path.error().context, ::testing::EndsWith("offset " + std::to_string(offset)))
            << text;
    }
}

TEST(Bip32Path, IsBoundedByTheDepthOfAKey) {
    // 255 levels, not 256, and digits without end do not overflow.
    std::string text = "m";
    for (int i = 0; i < 255; ++i) text += "/1";
    EXPECT_EQ(parse_bip32_path(text)->size(), 255U);
    EXPECT_FALSE(parse_bip32_path(text + "/1"));
    EXPECT_FALSE(parse_bip32_path("m/" + std::string(100'000, '9')));
}

}  // namespace
}  // namespace draco::crypto
