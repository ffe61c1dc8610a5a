#include "draco/crypto/sha2.hpp"

#include "draco/testing/seed.hpp"

#include "vector_file.hpp"

#include <openssl/sha.h>

#include <random>
#include <string>
#include <vector>

namespace draco::crypto {
namespace {

using draco::testing::scaled;
using draco::testing::test_seed;

std::vector<Sha256Path> available_paths() {
    std::vector<Sha256Path> paths = {Sha256Path::Portable};
    if (sha256_path_available(Sha256Path::ShaNi)) paths.push_back(Sha256Path::ShaNi);
    return paths;
}

Bytes random_bytes(std::mt19937_64& rng, std::size_t size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng());
    return bytes;
}

Sha256Digest openssl_sha256(ByteView message) {
    Sha256Digest digest;
    SHA256(message.data(), message.size(), digest.data());
    return digest;
}

TEST(Sha256, MatchesTheNistExamples) {
    // The published digests of FIPS 180-4's example messages, on every path.
    const std::string million(1'000'000, 'a');
    const std::pair<std::string_view, std::string_view> examples[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrl"
         "m"
         "nopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
        {million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    for (const Sha256Path path : available_paths())
        for (const auto& [message, hex] : examples)
            EXPECT_EQ(to_hex(sha256(as_bytes(message), path).view()), hex) << message.size();
}

TEST(Sha2, MatchesTheNistVectors) {
    // Every byte length up to a block and a half, both hashes.
    for (const auto& row : testing::read_vectors("sha2.txt", 3)) {
        const Bytes message = testing::unhex(row[1]);
        if (row[0] == "sha512") {
            EXPECT_EQ(to_hex(sha512(message).view()), row[2]);
            continue;
        }
        for (const Sha256Path path : available_paths())
            EXPECT_EQ(to_hex(sha256(message, path).view()), row[2]);
    }
}

TEST(Sha256, AgreesWithOpenSslAtEveryLengthAndPath) {
    // Each length up to five blocks, so that every padding case is met.
    std::mt19937_64 rng(test_seed(1));
    for (std::size_t size = 0; size <= 320; ++size) {
        const Bytes message = random_bytes(rng, size);
        for (const Sha256Path path : available_paths())
            ASSERT_EQ(sha256(message, path), openssl_sha256(message)) << size;
    }
}

TEST(Sha256, UpdatesCanBeSplitAnywhere) {
    // Random splits give the digest of the whole, and asking for a digest changes nothing.
    std::mt19937_64 rng(test_seed(2));
    for (std::uint64_t round = 0; round < scaled(300); ++round) {
        const Bytes message = random_bytes(rng, rng() % 1000);
        for (const Sha256Path path : available_paths()) {
            Sha256 hash(path);
            std::size_t at = 0;
            while (at < message.size()) {
                const std::size_t part = std::min<std::size_t>(rng() % 200, message.size() - at);
                hash.update(ByteView(message).subspan(at, part));
                at += part;
                ASSERT_EQ(hash.digest(), openssl_sha256(ByteView(message).first(at)));
            }
        }
    }
}

TEST(Sha256, NodeFormsAgreeWithOpenSsl) {
    // 64-byte and prefixed 64-byte messages, for odd and even counts, apart and in place.
    std::mt19937_64 rng(test_seed(3));
    for (std::size_t count = 0; count <= 9; ++count) {
        const Bytes in = random_bytes(rng, 64 * count);
        const auto prefix = static_cast<std::uint8_t>(rng());
        Bytes expected;
        Bytes expected_prefixed;
        for (std::size_t i = 0; i < count; ++i) {
            const ByteView node = ByteView(in).subspan(64 * i, 64);
            append(expected, openssl_sha256(node).view());
            Bytes prefixed = {prefix};
            append(prefixed, node);
            append(expected_prefixed, openssl_sha256(prefixed).view());
        }
        for (const Sha256Path path : available_paths()) {
            Bytes out(32 * count);
            sha256_64_many(in.data(), out.data(), count, path);
            EXPECT_EQ(out, expected) << count;
            sha256_prefixed_64_many(prefix, in.data(), out.data(), count, path);
            EXPECT_EQ(out, expected_prefixed) << count;

            Bytes in_place = in;
            sha256_64_many(in_place.data(), in_place.data(), count, path);
            EXPECT_TRUE(equal(ByteView(in_place).first(32 * count), expected)) << count;
            in_place = in;
            sha256_prefixed_64_many(prefix, in_place.data(), in_place.data(), count, path);
            EXPECT_TRUE(equal(ByteView(in_place).first(32 * count), expected_prefixed)) << count;
        }
    }
}

}  // namespace
}  // namespace draco::crypto
