// Proves what an acknowledgement binds and how it lies in memory, and that a delivery costs the
// same however it is cut into pieces.

#include "draco/types/lane.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/system_rng.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <random>

namespace draco::types {
namespace {

constexpr ChainId kChain(1337);

template <class T>
T filled(std::uint8_t byte) {
    T made;
    made.bytes.fill(byte);
    return made;
}

DeliveryAck example() {
    return {.payer = filled<Address>(0x11),
            .node = filled<NodeKey>(0x22),
            .lane = LaneIndex(3),
            .instance = LaneInstance(4),
            .cumulative = 5'000'000'000};
}

TEST(DeliveryAck, BindsTheChainAndEveryField) {
    // Verifies with the key that signed it, on its chain; any other chain, key or field is
    // Unauthenticated.
    crypto::SystemRng rng;
    const auto secret = SessionSecretKey::generate(rng);
    const SignedDeliveryAck good = sign(kChain, example(), secret);
    EXPECT_TRUE(verify(kChain, secret.public_key(), good).has_value());
    EXPECT_EQ(verify(ChainId(1), secret.public_key(), good).error().code, Errc::Unauthenticated);
    const auto other = SessionSecretKey::generate(rng).public_key();
    EXPECT_EQ(verify(kChain, other, good).error().code, Errc::Unauthenticated);
    const auto refused = [&](auto change) {
        SignedDeliveryAck changed = good;
        change(changed.ack);
        EXPECT_FALSE(verify(kChain, secret.public_key(), changed).has_value());
    };
    refused([](DeliveryAck& ack) { ack.payer.bytes[0] ^= 1; });
    refused([](DeliveryAck& ack) { ack.node.bytes[0] ^= 1; });
    refused([](DeliveryAck& ack) { ack.lane = LaneIndex(4); });
    refused([](DeliveryAck& ack) { ack.instance = LaneInstance(5); });
    refused([](DeliveryAck& ack) { ++ack.cumulative; });
}

TEST(DeliveryAck, LiesAsTheFormatSays) {
    // The bytes, digest and signature of docs/formats/delivery.md.
    const Bytes bytes = bcs::encode(example());
    EXPECT_EQ(bytes.size(), kDeliveryAckBytes);
    EXPECT_EQ(to_hex(bytes),
              "1111111111111111111111111111111111111111"
              "2222222222222222222222222222222222222222222222222222222222222222"
              "0300"
              "0400000000000000"
              "00f2052a01000000");
    EXPECT_EQ(to_hex(digest_of(kChain, example()).view()),
              "093cf862f449c14634c009970855e7a06cef3315e616f54e8a6a56838686a5d6");
    const SessionSecretKey secret(
        crypto::Ed25519Seed(filled<FixedBytes<struct SeedTag, 32>>(7).view()));
    const SignedDeliveryAck made = sign(kChain, example(), secret);
    EXPECT_EQ(to_hex(secret.public_key().view()),
              "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c");
    EXPECT_EQ(to_hex(made.signature.view()),
              "11409856e756e7fbd2b01f1cccfad9732f045a216190a996bbab4b5253af0bdd0667506f61c375cfe2ff"
              "0090e23e1f2e80d98dbb73006b5f5eebe12808198304");
    EXPECT_EQ(bcs::decode<SignedDeliveryAck>(bcs::encode(made)).value(), made);
    for (std::size_t size = 0; size < kDeliveryAckBytes; ++size)
        EXPECT_FALSE(bcs::decode<DeliveryAck>(ByteView(bytes).first(size)).has_value());
}

TEST(Cost, IsTheSameHoweverADeliveryIsCut) {
    // For random prices and counts the differences of costs add up to the cost of the whole, and
    // one piece never costs less than nothing.
    std::mt19937_64 random(draco::testing::test_seed(9));
    for (int run = 0; run < 500; ++run) {
        const UnitPrice price{UsdAmount{random() >> (random() % 64)},
                              1 + (random() >> (1 + random() % 63))};
        ASSERT_TRUE(price.sound());
        std::uint64_t count = 0;
        UsdAmount sum;
        for (int piece = 0; piece < 20; ++piece) {
            const std::uint64_t next = count + (random() >> (5 + random() % 59));
            const auto more = cost(price, next)->minus(*cost(price, count));
            ASSERT_TRUE(more.has_value());
            sum = sum.plus(*more).value();
            count = next;
        }
        EXPECT_EQ(sum, cost(price, count));
    }
}

TEST(Cost, IsExact) {
    // 0.02 USD for a GiB: known sums, rounded down, and the largest that there are.
    const UnitPrice price{UsdAmount{20'000}, std::uint64_t{1} << 30U};
    EXPECT_EQ(cost(price, 0), UsdAmount{});
    EXPECT_EQ(cost(price, std::uint64_t{1} << 30U), UsdAmount{20'000});
    EXPECT_EQ(cost(price, 53'687), UsdAmount{0});
    EXPECT_EQ(cost(price, 53'688), UsdAmount{1});
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(cost({UsdAmount{kMost}, 1}, kMost)->units,
              static_cast<unsigned __int128>(kMost) * kMost);
    EXPECT_EQ(cost({UsdAmount{1}, 0}, 1), std::nullopt);
    EXPECT_EQ(cost({UsdAmount{static_cast<unsigned __int128>(kMost) + 1}, 1}, 1), std::nullopt);
}

TEST(Commodity, HasAName) {
    // Names are read back; others are refused with those that there are.
    EXPECT_EQ(parse_commodity(to_string(Commodity::Bandwidth)), Commodity::Bandwidth);
    EXPECT_NE(parse_commodity("gpu").error().context.find("bandwidth"), std::string::npos);
}

}  // namespace
}  // namespace draco::types
