// Proves that each method answers with what the state and the node's parts say, and that the
// methods are those that docs/formats/rpc.md describes.

#include "draco/crypto/keccak.hpp"

#include "service_fixture.hpp"

#include <algorithm>
#include <fstream>
#include <set>

namespace draco::rpc::testing {
namespace {

TEST(Methods, AccountsAreTextAndUnits) {
    Node node;
    const std::string address = crypto::to_text(node.parts->chain.people[0].address);
    const std::string parameter = "[" + in_quotes(address) + "]";
    EXPECT_EQ(node.result("flk_get_flk_balance", parameter), "0.000000000001");
    EXPECT_EQ(node.result("flk_get_stables_balance", parameter), "1");
    const auto account = node.result("flk_get_account_info", parameter);
    EXPECT_EQ(account.at("address"), json::value(address));
    EXPECT_EQ(account.at("flk"), "0.000000000001");
    EXPECT_EQ(account.at("flk_units"), "1000000");
    EXPECT_EQ(account.at("usd"), "1");
    EXPECT_EQ(account.at("usd_units"), "1000000");
    EXPECT_EQ(account.at("nonce"), 0);
    EXPECT_EQ(node.result("flk_get_account_info", R"({"address":")" + address + "\"}"), account);
    EXPECT_EQ(
        node.result("flk_get_flk_balance", R"(["0x0000000000000000000000000000000000000001"])"),
        "0");
}

TEST(Methods, ProofsAreOfTheStateThatTheyName) {
    Node node;
    const Address address = node.parts->chain.people[1].address;
    const auto proof =
        node.result("flk_get_state_proof", "[" + in_quotes(crypto::to_text(address)) + "]");
    const auto view = node.parts->chain.ledger->view();
    EXPECT_EQ(proof.at("state_root"), json::value(hex0x(view->state_root().view())));
    EXPECT_EQ(proof.at("proof"), json::value(hex0x(view->prove_account(address).value())));
    EXPECT_EQ(proof.at("value"), json::value(hex0x(bcs::encode(view->account(address).value()))));
    EXPECT_EQ(node.result("flk_get_state_root"), proof.at("state_root"));
}

TEST(Methods, NodesByKeyAndInPages) {
    Node node;
    const auto keys = node.result("flk_get_committee_members").as_array();
    ASSERT_EQ(keys.size(), 4);
    for (const auto& machine : node.parts->chain.machines) {
        const std::string text = to_base58(machine.key.view());
        EXPECT_NE(std::ranges::find(keys, json::value(text)), keys.end());
        const auto info = node.result("flk_get_node_info", "[" + in_quotes(text) + "]");
        EXPECT_EQ(info.at("stake_units"), "1000");
        EXPECT_EQ(info.at("participation"), "active");
        EXPECT_EQ(
            node.result("flk_get_node_info", "[" + in_quotes(hex0x(machine.key.view())) + "]"),
            info);
        EXPECT_EQ(
            node.result("flk_get_node_info", "[" + in_quotes(to_hex(machine.key.view())) + "]"),
            info);
        EXPECT_EQ(node.result("flk_get_staked", "[" + in_quotes(text) + "]"), "0.000000000000001");
        EXPECT_EQ(node.result("flk_get_locked", "[" + in_quotes(text) + "]"), "0");
    }
    EXPECT_TRUE(
        node.result("flk_get_node_info", "[" + in_quotes(std::string(64, '0')) + "]").is_null());

    std::set<std::string> seen;
    std::string after = "null";
    for (int pages = 0; pages < 3; ++pages) {
        const auto page = node.result("flk_get_node_registry", "[" + after + ",2]");
        for (const auto& entry : page.at("nodes").as_array())
            seen.emplace(entry.at("key").as_string());
        if (page.at("next").is_null()) break;
        after = json::serialize(page.at("next"));
    }
    EXPECT_EQ(seen.size(), 4U);
    EXPECT_EQ(node.result("flk_get_node_registry").at("nodes").as_array().size(), 4);
}

TEST(Methods, EpochsSupplyAndParameters) {
    Node node;
    EXPECT_EQ(node.result("flk_get_epoch"), 0);
    const auto info = node.result("flk_get_epoch_info");
    EXPECT_EQ(info.at("quorum"), 3);
    EXPECT_EQ(info.at("started_ms"), simulon::WorldOptions{}.unix_start.ms);
    EXPECT_EQ(info.at("ends_after_ms"), simulon::WorldOptions{}.unix_start.ms + 10'000);
    EXPECT_EQ(info.at("end_signals").as_array().size(), 0);
    EXPECT_EQ(node.error("flk_get_committee_members", "[9]").at("code"), -32000);
    EXPECT_EQ(node.result("flk_get_supply").at("usd_units"), "5000000");
    EXPECT_EQ(node.result("flk_get_total_supply"), node.result("flk_get_supply").at("flk"));
    EXPECT_EQ(node.result("flk_get_protocol_params").at("epoch_ms"), 10'000);
    EXPECT_EQ(node.result("flk_get_protocol_params", R"(["fee_base_units"])"), "10");
    EXPECT_EQ(node.result("flk_get_genesis").at("chain_id"), 1337);
}

TEST(Methods, BlocksAreFoundByHeight) {
    Node node;
    EXPECT_EQ(node.error("flk_get_block").at("code"), -32000);
    auto& chain = node.parts->chain;
    chain.run({bcs::encode(chain.transfer(0, 1, 5)), bcs::encode(chain.transfer(1, 1, 5))});
    chain.run(chain.transfer(0, 2, 5));
    const auto latest = node.result("flk_get_block", R"(["latest"])");
    EXPECT_EQ(latest.at("height"), 2);
    EXPECT_EQ(latest.at("transactions"), 1);
    EXPECT_EQ(latest.at("certified"), false);
    const auto first = node.result("flk_get_block", "[1]");
    EXPECT_EQ(first.at("transactions"), 2);
    EXPECT_EQ(first.at("digest"), latest.at("parent"));
    EXPECT_EQ(latest.at("digest"), json::value(hex0x(chain.ledger->view()->head().digest.view())));
    EXPECT_EQ(node.error("flk_get_block", "[3]").at("code"), -32000);
    chain.ledger->damage(Height(1), {1, 2, 3});
    EXPECT_EQ(node.error("flk_get_block", "[1]").at("code"), -32603);
}

TEST(Methods, StatusHasEverything) {
    Node node;
    node.parts->consensus.now.role = interfaces::ConsensusRole::Observer;
    node.parts->consensus.now.reason = "the log is damaged";
    node.parts->consensus.now.round = Round(42);
    const auto status = node.result("flk_node_status");
    EXPECT_EQ(status.at("role"), "observer");
    EXPECT_EQ(status.at("reason"), "the log is damaged");
    EXPECT_EQ(status.at("consensus").at("round"), 42);
    EXPECT_EQ(status.at("chain_id"), 1337);
    EXPECT_EQ(status.at("connected"), 2);
    EXPECT_EQ(status.at("peers").as_array().size(), 3);
    EXPECT_EQ(status.at("peers").at(0).at("bytes_sent"), 1000);
    EXPECT_EQ(status.at("signer").at("signed_last"), 5);
    EXPECT_EQ(status.at("mailboxes").at(0).at("name"), "rpc");
    EXPECT_EQ(status.at("healthy"), true);
    EXPECT_TRUE(status.at("process").is_null());
    EXPECT_EQ(node.result("flk_get_public_keys").at("node_public_key"), status.at("node_key"));
}

TEST(Methods, HealthFollowsForksAndLag) {
    Node node({.health_lag_blocks_max = 10});
    EXPECT_TRUE(node.service->health().ok);
    node.parts->follower.now.known = Height(10);
    EXPECT_TRUE(node.service->health().ok);
    node.parts->follower.now.known = Height(11);
    EXPECT_EQ(node.service->health().reason, "catching up: executed block 0 of 11");
    node.parts->follower.now.known = Height(0);
    node.parts->consensus.now.fork = true;
    EXPECT_FALSE(node.service->health().ok);
    node.parts->consensus.now.fork = false;
    EXPECT_TRUE(node.service->health().ok);
    node.parts->consensus.now.workers = 2;
    node.parts->consensus.now.workers_linked = 1;
    EXPECT_TRUE(node.service->health().ok) << "a follower needs no workers";
    node.parts->consensus.now.role = interfaces::ConsensusRole::Member;
    EXPECT_TRUE(node.service->health().reason.starts_with("1 of the node's 2 worker processes"));
    node.parts->consensus.now.workers_linked = 2;
    EXPECT_TRUE(node.service->health().ok);
    for (auto& link : node.parts->links.links) link.up = false;
    EXPECT_FALSE(node.service->health().ok) << "nobody of the committee is in reach";
    node.service->stop();
    EXPECT_FALSE(node.service->health().ok);
}

TEST(Methods, AnEpochThatDoesNotEndIsNotHealthy) {
    // A node that has heard of nothing yet knows of no lag, and its links may be up.
    Node node({.health_overdue_ms_max = 5'000});
    EXPECT_TRUE(node.world.run_for(std::chrono::milliseconds(15'000)).has_value());
    EXPECT_TRUE(node.service->health().ok);
    EXPECT_TRUE(node.world.run_for(std::chrono::milliseconds(1)).has_value());
    EXPECT_FALSE(node.service->health().ok);
    EXPECT_TRUE(node.service->health().reason.contains("epoch 0, which was to end 5 s ago"))
        << node.service->health().reason;
}

TEST(Methods, NetAndWeb3) {
    Node node;
    EXPECT_EQ(node.result("net_version"), "1337");
    EXPECT_EQ(node.result("net_peerCount"), "0x2");
    EXPECT_EQ(node.result("net_listening"), true);
    EXPECT_EQ(node.result("web3_clientVersion"), "draco/0.1.0-test");
    // Keccak-256 of no bytes, as Ethereum knows it.
    EXPECT_EQ(node.result("web3_sha3", R"(["0x"])"),
              "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
}

TEST(Methods, EveryOneIsListedAndNoneFailsInternally) {
    Node node;
    const auto listed = node.result("flk_methods").as_array();
    const auto described = describe_methods();
    ASSERT_EQ(listed.size(), described.size());
    EXPECT_EQ(node.result("rpc_discover").at("methods").as_array().size(), described.size());
    for (const auto& method : described) {
        EXPECT_FALSE(method.doc.empty());
        const json::object answer = node.call(method.name);
        if (const auto* const error = answer.if_contains("error"))
            EXPECT_NE(error->at("code"), -32603) << method.name;
    }
}

// The names in the first column of the tables: lines that begin with "| `name`".
std::set<std::string> documented(const std::string& path) {
    std::set<std::string> names;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("| `")) continue;
        const std::string name = line.substr(3, line.find('`', 3) - 3);
        if (name.find('_') != std::string::npos || name.find('.') != std::string::npos)
            names.insert(name);
    }
    return names;
}

TEST(Methods, AreTheDocumentedOnes) {
    std::set<std::string> names;
    for (const auto& method : describe_methods()) names.insert(method.name);
    EXPECT_EQ(documented("docs/formats/rpc.md"), names);
}

}  // namespace
}  // namespace draco::rpc::testing
