// Proves that KEY@HOST:PORT survives writing and reading, and that what is not one is refused with
// what would be right.

#include "draco/node/peer_address.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/simulon/seeded_rng.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace draco::node {
namespace {

types::NodeKey some_key() {
    simulon::SeededRng rng(7);
    return types::NodeSecretKey::generate(rng).public_key();
}

TEST(PeerAddress, SurvivesText) {
    for (const std::string_view host : {"node.example.org", "192.0.2.1", "::1", "2001:db8::1"}) {
        const interfaces::PeerAddress peer{some_key(), std::string(host), 4400};
        EXPECT_EQ(parse_peer_address(to_text(peer)).value(), peer) << to_text(peer);
    }
    const interfaces::PeerAddress peer{some_key(), "a", 65'535};
    EXPECT_EQ(parse_peer_address(to_hex(some_key().view()) + "@a:65535").value(), peer);
}

TEST(PeerAddress, WhatIsNoneIsRefused) {
    const std::string key = to_base58(some_key().view());
    for (const std::string& text :
         std::vector<std::string>{"",
                                  key,
                                  "@a:1",
                                  key + "@",
                                  key + "@a",
                                  key + "@a:",
                                  key + "@:1",
                                  key + "@a:0",
                                  key + "@a:65536",
                                  key + "@a:-1",
                                  key + "@a:1x",
                                  key + "@::1:4400",
                                  key + "@[a]:1",
                                  key + "@[::1]",
                                  key + "@a b:1",
                                  key + "@@a:1",
                                  key.substr(1) + "@a:1",
                                  "11111111111111111111111111111111@a:1"}) {
        const auto parsed = parse_peer_address(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, Errc::InvalidArgument);
        EXPECT_TRUE(parsed.error().context.contains(" is not ")) << parsed.error().context;
    }
    EXPECT_EQ(parse_peer_address("x").error().context,
              "\"x\" is not KEY@HOST:PORT: a node key, and where it is");
    EXPECT_EQ(parse_host_and_port("a:0").value(), (HostAndPort{"a", 0}));
}

TEST(PeerAddress, RandomDamageIsRefusedOrReadsBack) {
    std::mt19937_64 random(testing::test_seed(4400));
    const std::string whole = to_text(interfaces::PeerAddress{some_key(), "2001:db8::1", 4400});
    for (std::uint64_t i = 0; i < testing::scaled(2000); ++i) {
        std::string damaged = whole;
        damaged[random() % damaged.size()] = static_cast<char>(random());
        if (const auto parsed = parse_peer_address(damaged))
            EXPECT_EQ(parse_peer_address(to_text(*parsed)).value(), *parsed) << damaged;
    }
}

}  // namespace
}  // namespace draco::node
