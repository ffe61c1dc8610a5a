// Proves that a genesis survives its file, that whatever is wrong in one is refused with its place,
// and that the development network's is the one that scripts rely on.

#include "draco/node/genesis_file.hpp"

#include "draco/base/rng.hpp"
#include "draco/node/devnet_genesis.hpp"
#include "draco/simulon/disk.hpp"
#include "draco/testing/seed.hpp"
#include "draco/types/hashing.hpp"

#include <gtest/gtest.h>

#include <random>

namespace draco::node {
namespace {

class SeededRng final : public Rng {
public:
    explicit SeededRng(std::uint64_t seed) : engine_(seed) {}

    void fill(MutByteView out) override {
        for (auto& byte : out) byte = static_cast<std::uint8_t>(engine_());
    }

private:
    std::mt19937_64 engine_;
};

types::Genesis devnet(std::size_t nodes = 4) {
    SeededRng rng(4);
    DevnetOptions options{.time = {1'764'086'400'000}, .nodes = {}};
    for (std::size_t i = 0; i < nodes; ++i) {
        DevnetNode node{.key = types::NodeSecretKey::generate(rng).public_key(), .endpoints = {}};
        node.endpoints.host =
            bcs::Bounded<std::string, types::kHostBytesMax>::make("127.0.0.1").value();
        node.endpoints.link_port = static_cast<std::uint16_t>(4300 + 1000 * i);
        node.endpoints.http_port = static_cast<std::uint16_t>(4220 + 1000 * i);
        node.endpoints.session_port = static_cast<std::uint16_t>(4221 + 1000 * i);
        node.endpoints.rpc_port = static_cast<std::uint16_t>(4240 + 1000 * i);
        options.nodes.push_back(std::move(node));
    }
    return devnet_genesis(options).value();
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const auto at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), by);
}

std::string refusal(std::string_view json) {
    const auto parsed = parse_genesis(json);
    if (parsed) return "accepted";
    EXPECT_EQ(parsed.error().code, Errc::InvalidArgument);
    return parsed.error().context;
}

TEST(GenesisFile, SurvivesItsFile) {
    const types::Genesis genesis = devnet();
    const auto parsed = parse_genesis(render_genesis(genesis));
    ASSERT_TRUE(parsed) << parsed.error().context;
    EXPECT_EQ(*parsed, genesis);
    EXPECT_EQ(types::digest_of(genesis.chain, *parsed), types::digest_of(genesis.chain, genesis));
    EXPECT_EQ(render_genesis(*parsed), render_genesis(genesis));
}

TEST(GenesisFile, SurvivesADisk) {
    simulon::SimulatedDisk disk(1);
    ASSERT_TRUE(save_genesis(disk, devnet()));
    EXPECT_EQ(load_genesis(disk).value(), devnet());
}

TEST(GenesisFile, ErrorsNameThePlace) {
    const std::string whole = render_genesis(devnet());
    EXPECT_EQ(refusal(replaced(whole, "\"usd\": \"1000000\"", "\"uds\": \"1\"")),
              "genesis.json: unknown member 'uds' in accounts[0]; did you mean 'usd'?");
    EXPECT_EQ(refusal(replaced(whole, "  \"time_ms\": 1764086400000,\n", "")),
              "genesis.json: the file lacks 'time_ms'");
    EXPECT_EQ(refusal(replaced(whole, "\"chain_id\": 1337", "\"chain_id\": \"1337\"")),
              "genesis.json: chain_id must be a whole number from 0 to 18446744073709551615");
    EXPECT_EQ(refusal(replaced(whole, "\"rpc_port\": 4240", "\"rpc_port\": 70000")),
              "genesis.json: nodes[0].rpc_port must be a whole number from 0 to 65535");
    EXPECT_TRUE(refusal(replaced(whole, "\"flk\": \"1000000\"", "\"flk\": \"-1\""))
                    .starts_with("genesis.json: accounts[0].flk must be valid: "));
    EXPECT_EQ(refusal(replaced(whole, "\"flk\": \"1000000\"", "\"flk\": 1000000")),
              "genesis.json: accounts[0].flk must be text in quotes");
    EXPECT_TRUE(refusal(replaced(whole, "0xf39Fd6", "0xf39fd6"))
                    .starts_with("genesis.json: accounts[0].address must be valid: "));
    EXPECT_EQ(refusal(replaced(whole, "\"commodity\": \"bandwidth\"", "\"commodity\": \"gpu\"")),
              "genesis.json: prices[0].commodity must be valid: 'gpu' is no commodity; there are: "
              "bandwidth");
    EXPECT_EQ(refusal(replaced(whole, "\"name\": \"cdn\"", "\"name\": 7")),
              "genesis.json: services[0].name must be text in quotes");
    EXPECT_EQ(refusal(replaced(whole, "    \"lane_challenge_ms\": 600000,\n", "")),
              "genesis.json: parameters lacks 'lane_challenge_ms'");
    EXPECT_EQ(refusal("[]"), "genesis.json: the file must be an object in braces");
}

TEST(GenesisFile, WhatIsNotJsonIsRefusedWithItsLine) {
    const std::string whole = render_genesis(devnet());
    EXPECT_TRUE(refusal(replaced(whole, "\"time_ms\":", "\"time_ms\""))
                    .starts_with("genesis.json:3: not JSON: "));
    EXPECT_EQ(refusal(replaced(whole, "\"time_ms\": 1764086400000", "\"chain_id\": 1")),
              "genesis.json:3: 'chain_id' comes twice");
    EXPECT_TRUE(refusal(whole + "x").contains("not JSON"));
    EXPECT_TRUE(refusal("").contains("not JSON"));
    EXPECT_TRUE(refusal(std::string(100'000, '[')).contains("not JSON"));
}

TEST(GenesisFile, AChainThatCannotBeginIsRefused) {
    const std::string whole = render_genesis(devnet());
    EXPECT_EQ(refusal(replaced(whole, "\"epoch_ms\": 30000", "\"epoch_ms\": 0")),
              "genesis.json: genesis: epoch_ms is 0");
    EXPECT_EQ(refusal(replaced(whole, "\"node_share_bps\": 7000", "\"node_share_bps\": 7001")),
              "genesis.json: genesis: node_share_bps, builder_share_bps and protocol_share_bps add "
              "up to 10001, not to 10000");
    EXPECT_TRUE(refusal(replaced(whole, "\"stake_flk\": \"10000\"", "\"stake_flk\": \"1\""))
                    .contains("3 nodes have the stake"));
}

TEST(GenesisFile, RandomDamageNeverGetsThroughUnseen) {
    std::mt19937_64 random(testing::test_seed(1337));
    const std::string whole = render_genesis(devnet());
    for (std::uint64_t i = 0; i < testing::scaled(2000); ++i) {
        std::string damaged = whole;
        damaged[random() % damaged.size()] = static_cast<char>(random());
        const auto parsed = parse_genesis(damaged);
        if (parsed)
            EXPECT_EQ(parse_genesis(render_genesis(*parsed)).value(), *parsed);
        else
            EXPECT_TRUE(parsed.error().context.starts_with("genesis.json"));
    }
}

TEST(DevnetGenesis, FundsTheAccountsThatEveryEthereumDeveloperKnows) {
    const types::Genesis genesis = devnet();
    EXPECT_EQ(genesis.chain, types::ChainId(1337));
    EXPECT_EQ(genesis.parameters.epoch_ms, 30'000U);
    ASSERT_EQ(genesis.accounts->size(), 10U);
    EXPECT_EQ(crypto::to_text((*genesis.accounts)[0].address),
              "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    EXPECT_EQ(crypto::to_text((*genesis.accounts)[9].address),
              "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720");
    for (const auto& account : *genesis.accounts) {
        EXPECT_EQ(types::to_text(account.flk), "1000000");
        EXPECT_EQ(types::to_text(account.usd), "1000000");
    }
    ASSERT_EQ(genesis.nodes->size(), 4U);
    EXPECT_EQ((*genesis.nodes)[3].owner, (*genesis.accounts)[3].address);
}

TEST(DevnetGenesis, SellsBandwidthFromTheStart) {
    const types::Genesis genesis = devnet();
    ASSERT_EQ(genesis.prices->size(), 1U);
    const types::UnitPrice& price = (*genesis.prices)[0].price;
    EXPECT_EQ(types::to_text(types::cost(price, std::uint64_t{1} << 30U).value()), "0.02");
    ASSERT_EQ(genesis.services->size(), 1U);
    EXPECT_EQ((*genesis.services)[0].id, types::ServiceId(0));
    EXPECT_EQ((*genesis.services)[0].service.builder, (*genesis.accounts)[9].address);
    EXPECT_EQ(genesis.parameters.protocol_account, (*genesis.accounts)[8].address);
}

TEST(DevnetGenesis, AnyNumberOfNodesCanBegin) {
    for (const std::size_t nodes : {1U, 2U, 3U, 4U, 5U, 13U})
        EXPECT_EQ(devnet(nodes).nodes->size(), nodes);
}

TEST(DevnetGenesis, ThereAreTenAccounts) {
    EXPECT_FALSE(devnet_account(10));
    EXPECT_EQ(crypto::to_text(crypto::ethereum_address(devnet_account(1)->public_key())),
              "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
}

}  // namespace
}  // namespace draco::node
