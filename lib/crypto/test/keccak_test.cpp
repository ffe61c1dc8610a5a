#include "draco/crypto/keccak.hpp"

#include "vector_file.hpp"

namespace draco::crypto {
namespace {

TEST(Keccak256, MatchesTheVectors) {
    // Known digests, at the lengths where the padding shares a byte or starts a block.
    for (const auto& row : testing::read_vectors("keccak256.txt", 2))
        EXPECT_EQ(to_hex(keccak256(testing::unhex(row[0])).view()), row[1]) << row[0].size() / 2;
}

TEST(Keccak256, IsNotSha3) {
    // The empty digest that every Ethereum client has as a constant; SHA3-256's is a7ffc6f8...
    EXPECT_EQ(to_hex(keccak256({}).view()),
              "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
}

}  // namespace
}  // namespace draco::crypto
