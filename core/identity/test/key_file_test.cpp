// Key files: the published vectors open, what we write comes back, and every damage is told from a
// wrong password.

#include "draco/identity/key_file.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/ethereum_address.hpp"

#include "identity_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

namespace draco::identity {
namespace {

using testing::kTestScryptN;
using testing::password;
using testing::vector_file;

SecretKey some_key(KeyKind kind, std::uint64_t seed) {
    simulon::SeededRng rng(seed);
    if (kind == KeyKind::Node) return types::NodeSecretKey::generate(rng);
    return types::AccountSecretKey::generate(rng);
}

SealedKey sealed(KeyKind kind, std::uint64_t n = kTestScryptN) {
    simulon::SeededRng rng(1);
    return seal_key(some_key(kind, 2), "default", false, password("secret"), n, rng).value();
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) text.replace(at, from.size(), to);
    return text;
}

class KeyFileOfKind : public ::testing::TestWithParam<KeyKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds,
                         KeyFileOfKind,
                         ::testing::Values(KeyKind::Node, KeyKind::Account),
                         [](const auto& kind) { return std::string(to_string(kind.param)); });

// The scrypt vector of the Web3 Secret Storage Definition opens to the secret it names.
TEST(KeyFile, OpensTheWeb3Vector) {
    const auto file = decode_foreign_key_file(vector_file("web3_secret_storage_scrypt.json"));
    ASSERT_TRUE(file) << to_string(file.error());
    EXPECT_EQ(file->info.kind, KeyKind::Account);
    const auto secret = open_secret(*file, password("testpassword"));
    ASSERT_TRUE(secret) << to_string(secret.error());
    EXPECT_EQ(to_hex(secret->expose()),
              "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d");
}

// The scrypt vector of EIP-2335 opens, with a password that has to be normalized.
TEST(KeyFile, OpensTheEip2335Vector) {
    const auto file = decode_foreign_key_file(vector_file("eip2335_scrypt.json"));
    ASSERT_TRUE(file) << to_string(file.error());
    EXPECT_EQ(file->info.kind, KeyKind::Node);
    for (const std::string_view typed :
         {"\U0001d531\U0001d522\U0001d530\U0001d531\U0001d52d\U0001d51e\U0001d530\U0001d530"
          "\U0001d534\U0001d52c\U0001d52f\U0001d521\U0001f511",
          "test\x07password\U0001f511\u0085"}) {
        const auto secret = open_secret(*file, password(typed));
        ASSERT_TRUE(secret) << to_string(secret.error());
        EXPECT_EQ(to_hex(secret->expose()),
                  "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
    }
    EXPECT_EQ(open_secret(*file, password("testpassword")).error().code, Errc::Unauthenticated);
}

// A key that is sealed and written comes back as itself, and its file says whose it is.
TEST_P(KeyFileOfKind, RoundTrips) {
    const SealedKey written = sealed(GetParam());
    const auto read = decode_key_file(encode_key_file(written));
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(read->info, written.info);
    EXPECT_EQ(read->info.id, public_id(some_key(GetParam(), 2)));
    const auto key = open_key(*read, password("secret"));
    ASSERT_TRUE(key) << to_string(key.error());
    EXPECT_EQ(public_id(*key), *written.info.id);
    EXPECT_EQ(open_key(*read, password("Secret")).error().code, Errc::Unauthenticated);
    // Tools that read the standard formats read ours.
    const auto foreign = decode_foreign_key_file(encode_key_file(written));
    ASSERT_TRUE(foreign);
    EXPECT_TRUE(open_key(*foreign, password("secret")));
}

// Every proper prefix of a file is Corrupt.
TEST_P(KeyFileOfKind, TruncationIsCorrupt) {
    const Bytes file = encode_key_file(sealed(GetParam()));
    for (std::size_t size = 0; size < file.size(); ++size) {
        const auto read = decode_key_file(ByteView(file).first(size));
        ASSERT_FALSE(read) << size;
        EXPECT_EQ(read.error().code, Errc::Corrupt) << size;
    }
}

// Every flipped bit of a file is Corrupt, before a password is tried.
TEST_P(KeyFileOfKind, FlippedBitsAreCorrupt) {
    Bytes file = encode_key_file(sealed(GetParam()));
    for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
        const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
        file[bit / 8] ^= mask;
        const auto read = decode_key_file(file);
        ASSERT_FALSE(read) << bit;
        EXPECT_EQ(read.error().code, Errc::Corrupt) << bit;
        file[bit / 8] ^= mask;
    }
    EXPECT_TRUE(decode_key_file(file));
}

// A foreign file with a flipped byte is an error or a wrong password, never another key.
TEST_P(KeyFileOfKind, ForeignFilesNeverGiveAnotherKey) {
    const SealedKey written = sealed(GetParam());
    Bytes file = encode_key_file(written);
    for (std::size_t i = 0; i < file.size(); ++i) {
        file[i] ^= 1;
        if (const auto read = decode_foreign_key_file(file)) {
            const auto key = open_key(*read, password("secret"));
            if (key)
                EXPECT_EQ(public_id(*key), *written.info.id) << i;
            else
                EXPECT_NE(key.error().code, Errc::Io) << i;
        }
        file[i] ^= 1;
    }
}

// A file that asks for gigabytes or minutes is refused before anything is computed.
TEST_P(KeyFileOfKind, HostileCostsAreRefused) {
    const std::string file(as_text(encode_key_file(sealed(GetParam()))));

    const struct {
        std::string_view from;
        std::string_view to;
        Errc code;
    } cases[] = {
        {"\"n\": 16", "\"n\": 1073741824", Errc::Exhausted},
        {"\"n\": 16", "\"n\": 9223372036854775808", Errc::Exhausted},
        {"\"n\": 16", "\"n\": 17", Errc::InvalidArgument},
        {"\"n\": 16", "\"n\": 0", Errc::InvalidArgument},
        {"\"r\": 8", "\"r\": 4000000", Errc::Exhausted},
        {"\"r\": 8", "\"r\": 0", Errc::InvalidArgument},
        {"\"p\": 1", "\"p\": 100000000", Errc::Exhausted},
    };

    for (const auto& hostile : cases) {
        const std::string text = replaced(file, hostile.from, hostile.to);
        const auto read = decode_foreign_key_file(as_bytes(text));
        ASSERT_TRUE(read) << hostile.to << ": " << to_string(read.error());
        EXPECT_EQ(open_key(*read, password("secret")).error().code, hostile.code) << hostile.to;
    }
}

// Schemes, sizes and shapes that are not supported have errors of their own.
TEST_P(KeyFileOfKind, MalformedForeignFiles) {
    const std::string file(as_text(encode_key_file(sealed(GetParam()))));
    const auto code = [](const std::string& text) {
        const auto read = decode_foreign_key_file(as_bytes(text));
        return read ? Errc::Io : read.error().code;
    };
    EXPECT_EQ(code(replaced(file, "aes-128-ctr", "aes-128-cbc")), Errc::InvalidArgument);
    EXPECT_EQ(code(replaced(file, "\"scrypt\"", "\"pbkdf2\"")), Errc::InvalidArgument);
    EXPECT_EQ(code(replaced(file, "\"version\": ", "\"version\": 1")), Errc::InvalidArgument);
    EXPECT_EQ(code(replaced(file, "\"dklen\": 32", "\"dklen\": 64")), Errc::InvalidArgument);
    EXPECT_EQ(code(replaced(file, "\"n\": 16", "\"n\": -16")), Errc::Corrupt);
    EXPECT_EQ(code(replaced(file, "\"n\": 16", "\"n\": 1e4")), Errc::Corrupt);
    EXPECT_EQ(code(replaced(file, "\"salt\"", "\"pepper\"")), Errc::Corrupt);
    EXPECT_EQ(code(replaced(file, "\"salt\": \"", "\"salt\": \"" + std::string(200, 'a'))),
              Errc::Corrupt);
    EXPECT_EQ(code(std::string(kKeyFileBytesMax + 1, ' ')), Errc::Exhausted);
    EXPECT_EQ(code(std::string(10'000, '[')), Errc::Corrupt);
    EXPECT_EQ(code("null"), Errc::Corrupt);
    EXPECT_EQ(code(""), Errc::Corrupt);
}

// A file whose id was exchanged, checksum and all, does not pass for somebody else's.
TEST_P(KeyFileOfKind, TheNamedIdMustBeTheKeys) {
    SealedKey file = sealed(GetParam());
    file.info.id = public_id(some_key(GetParam(), 3));
    const auto read = decode_key_file(encode_key_file(file));
    ASSERT_TRUE(read);
    EXPECT_EQ(open_key(*read, password("secret")).error().code, Errc::Corrupt);
}

// Passwords have bounds, and no error repeats one.
TEST_P(KeyFileOfKind, PasswordsAreBoundedAndNeverRepeated) {
    const SealedKey file = sealed(GetParam());
    for (const std::string& bad :
         {std::string(kPasswordBytesMax + 1, 'x'), std::string("xyz\xff")}) {
        const auto key = open_key(file, password(bad));
        ASSERT_FALSE(key);
        EXPECT_EQ(key.error().code, Errc::InvalidArgument);
        EXPECT_FALSE(key.error().context.contains("xyz"));
        EXPECT_FALSE(key.error().context.contains("xxx"));
    }
    EXPECT_FALSE(open_key(file, password("hunter2")).error().context.contains("hunter2"));
}

}  // namespace
}  // namespace draco::identity
