#include "draco/crypto/kdf.hpp"

#include "vector_file.hpp"

namespace draco::crypto {
namespace {

using testing::read_vectors;
using testing::unhex;

TEST(Hmac, MatchesTheRfc4231Vectors) {
    // Both hashes, with keys shorter and longer than a block.
    for (const auto& row : read_vectors("hmac.txt", 4)) {
        const Bytes key = unhex(row[1]);
        const Bytes message = unhex(row[2]);
        const std::string mac = row[0] == "sha256" ? to_hex(hmac_sha256(key, message).expose())
                                                   : to_hex(hmac_sha512(key, message).expose());
        EXPECT_EQ(mac, row[3]);
    }
}

TEST(Hkdf, MatchesTheRfc5869Vectors) {
    // With and without salt and info, and every shorter output is a prefix.
    for (const auto& row : read_vectors("hkdf_sha256.txt", 4)) {
        const Bytes expected = unhex(row[3]);
        for (std::size_t size = 0; size <= expected.size(); ++size) {
            Bytes out(size);
            hkdf_sha256(unhex(row[1]), unhex(row[0]), unhex(row[2]), out);
            EXPECT_TRUE(equal(out, ByteView(expected).first(size))) << size;
        }
    }
}

TEST(Hkdf, ReachesItsBound) {
    // 255 blocks: the counter's last value.
    Bytes longest(kHkdfSha256BytesMax);
    hkdf_sha256({}, as_bytes("key"), {}, longest);
    Bytes shorter(kHkdfSha256BytesMax - 32);
    hkdf_sha256({}, as_bytes("key"), {}, shorter);
    EXPECT_TRUE(equal(shorter, ByteView(longest).first(shorter.size())));
}

TEST(Pbkdf2, MatchesTheVectors) {
    // Outputs within one block and beyond.
    for (const auto& row : read_vectors("pbkdf2_hmac_sha512.txt", 4)) {
        Bytes out(row[3].size() / 2);
        pbkdf2_hmac_sha512(
            unhex(row[0]), unhex(row[1]), static_cast<std::uint32_t>(std::stoul(row[2])), out);
        EXPECT_EQ(to_hex(out), row[3]);
    }
}

ScryptParameters parameters(const testing::VectorRow& row) {
    return {.n = std::stoull(row[2]),
            .r = static_cast<std::uint32_t>(std::stoul(row[3])),
            .p = static_cast<std::uint32_t>(std::stoul(row[4]))};
}

TEST(Scrypt, MatchesTheRfc7914Vectors) {
    // All that the default limits allow; the fourth needs 1 GiB, which they refuse.
    int refused = 0;
    for (const auto& row : read_vectors("scrypt.txt", 6)) {
        Bytes out(row[5].size() / 2);
        const auto result = scrypt(unhex(row[0]), unhex(row[1]), parameters(row), out);
        if (result) {
            EXPECT_EQ(to_hex(out), row[5]);
        } else {
            EXPECT_EQ(result.error().code, Errc::Exhausted);
            ++refused;
        }
    }
    EXPECT_EQ(refused, 1);
}

Errc refusal(const ScryptParameters& parameters, const ScryptLimits& limits = {}) {
    Bytes out(32);
    const auto result = scrypt({}, {}, parameters, out, limits);
    EXPECT_FALSE(result);
    return result ? Errc::NotFound : result.error().code;
}

TEST(Scrypt, RefusesParametersThatMakeNoSense) {
    // RFC 7914 section 2, and no output.
    for (const std::uint64_t n : {0ULL, 1ULL, 3ULL, 1000ULL, ~0ULL})
        EXPECT_EQ(refusal({.n = n, .r = 1, .p = 1}), Errc::InvalidArgument) << n;
    EXPECT_EQ(refusal({.n = 16, .r = 0, .p = 1}), Errc::InvalidArgument);
    EXPECT_EQ(refusal({.n = 16, .r = 1, .p = 0}), Errc::InvalidArgument);
    EXPECT_EQ(refusal({.n = 16, .r = 1U << 15, .p = 1U << 15}), Errc::InvalidArgument);
    EXPECT_EQ(refusal({.n = 16, .r = ~0U, .p = ~0U}), Errc::InvalidArgument);
    const auto empty = scrypt({}, {}, {.n = 16, .r = 1, .p = 1}, {});
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().code, Errc::InvalidArgument);
}

TEST(Scrypt, RefusesCostsBeyondItsLimits) {
    // Memory by n, r and p, work by their product, and numbers whose product wraps around.
    EXPECT_EQ(refusal({.n = 1ULL << 20, .r = 8, .p = 1}), Errc::Exhausted);
    EXPECT_EQ(refusal({.n = 2, .r = 1U << 22, .p = 1}), Errc::Exhausted);
    EXPECT_EQ(refusal({.n = 2, .r = 1, .p = 1U << 25}), Errc::Exhausted);
    EXPECT_EQ(refusal({.n = 1ULL << 63, .r = 8, .p = 1}), Errc::Exhausted);
    EXPECT_EQ(refusal({.n = 1ULL << 62, .r = 1U << 10, .p = 1U << 10}), Errc::Exhausted);
    EXPECT_EQ(refusal({.n = 1ULL << 14, .r = 8, .p = 1}, {.memory_bytes_max = 1U << 24}),
              Errc::Exhausted);
    EXPECT_EQ(refusal({.n = 1ULL << 14, .r = 8, .p = 1}, {.work_max = (1U << 17) - 1}),
              Errc::Exhausted);
    Bytes out(32);
    EXPECT_TRUE(scrypt({}, {}, {.n = 1ULL << 10, .r = 8, .p = 1}, out, {.work_max = 1U << 13}));
}

}  // namespace
}  // namespace draco::crypto
