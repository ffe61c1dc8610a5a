// Proves that lanes, prices, revenues and the outcomes of acknowledgements are told as the state
// has them.

#include "service_fixture.hpp"

namespace draco::rpc::testing {
namespace {

std::string list(const std::vector<std::string>& values) {
    std::string text = "[";
    for (const std::string& value : values) text += (text.size() > 1 ? "," : "") + value;
    return text + "]";
}

struct Lanes : ::testing::Test {
    std::string payer(std::size_t person) const {
        return in_quotes(crypto::to_text(chain().people[person].address));
    }

    std::string machine(std::size_t index) const {
        return in_quotes(to_base58(chain().machines[index].key.view()));
    }

    Chain& chain() const { return node.parts->chain; }

    Node node;
};

TEST_F(Lanes, AreToldWithPriceAndWhatWasPaid) {
    // A lane before and after a settlement, and while it closes; null where there is none.
    EXPECT_TRUE(node.result("flk_lane", list({payer(0), machine(1)})).is_null());
    chain().run(chain().opening(0, 1, 1, 500'000));
    const auto open = node.result("flk_lane", list({payer(0), machine(1), "0"}));
    EXPECT_EQ(open.at("instance"), 1);
    EXPECT_EQ(open.at("service"), 0);
    EXPECT_EQ(open.at("commodity"), "bandwidth");
    EXPECT_EQ(open.at("price").at("usd"), "0.02");
    EXPECT_EQ(open.at("price").at("units"), 1'000);
    EXPECT_EQ(open.at("session_key"), json::value(to_hex(Chain::session(0).public_key().view())));
    EXPECT_EQ(open.at("reserve"), "0.5");
    EXPECT_EQ(open.at("settled"), 0);
    EXPECT_TRUE(open.at("closes_ms").is_null());
    chain().run(chain().settlement(1, 1, {chain().ack(0, 1, 1, 3'050)}));
    chain().run(sign(chain().genesis.chain,
                     {chain().people[0].address,
                      Nonce(2),
                      flk(100'000),
                      CloseLane{chain().machines[1].key, LaneIndex(0)}},
                     chain().people[0].secret));
    const auto closing = node.result("flk_lane", list({payer(0), machine(1)}));
    EXPECT_EQ(closing.at("settled"), 3'050);
    EXPECT_EQ(closing.at("paid"), "0.061");
    EXPECT_EQ(closing.at("reserve"), "0.439");
    EXPECT_EQ(closing.at("closes_ms"), simulon::WorldOptions{}.unix_start.ms + 3 + 600'000);
    EXPECT_EQ(node.error("flk_lane", list({payer(0), machine(1), "65536"})).at("code"), -32602);
}

TEST_F(Lanes, ComeInPages) {
    // All of one payer, page by page, and only that payer's.
    for (std::uint16_t i = 0; i < 5; ++i) chain().run(chain().opening(0, i + 1U, i % 3U, 1'000, i));
    chain().run(chain().opening(1, 1, 0, 1'000));
    const auto whole = node.result("flk_lanes_of", list({payer(0)})).at("lanes").as_array();
    ASSERT_EQ(whole.size(), 5U);
    json::array seen;
    std::string after = "null";
    for (int page = 0; page < 3; ++page) {
        const auto part = node.result("flk_lanes_of", list({payer(0), after, "2"}));
        for (const auto& lane : part.at("lanes").as_array()) seen.push_back(lane);
        EXPECT_EQ(part.at("next").is_null(), page == 2);
        after = json::serialize(part.at("next"));
    }
    EXPECT_EQ(seen, whole);
    for (const char* const bad : {R"("")", R"("12")", R"("zz:1")", "\":\""})
        EXPECT_EQ(node.error("flk_lanes_of", list({payer(0), bad})).at("code"), -32602) << bad;
    const std::string key = to_base58(chain().machines[0].key.view());
    for (const char* const bad : {":", ":-1", ":65536", ":1x"})
        EXPECT_EQ(node.error("flk_lanes_of", list({payer(0), in_quotes(key + bad)})).at("code"),
                  -32602)
            << bad;
}

TEST_F(Lanes, PricesAndServicesAreThoseOfTheGenesis) {
    const auto prices = node.result("flk_commodity_prices").as_array();
    ASSERT_EQ(prices.size(), 1U);
    EXPECT_EQ(prices[0].at("commodity"), "bandwidth");
    EXPECT_EQ(prices[0].at("usd_units"), "20000");
    const auto services = node.result("flk_services").as_array();
    ASSERT_EQ(services.size(), 1U);
    EXPECT_EQ(services[0].at("name"), "cdn");
    EXPECT_EQ(services[0].at("builder"), json::value(crypto::to_text(chain().people[4].address)));
}

TEST_F(Lanes, AReceiptSaysWhatBecameOfEachAcknowledgement) {
    // One settled, one replayed; a receipt of anything else has no such member.
    chain().run(chain().opening(0, 1, 1, 500'000));
    const auto settlement =
        chain().settlement(1, 1, {chain().ack(0, 1, 1, 1'000), chain().ack(0, 1, 1, 1'000)});
    chain().run(settlement);
    const auto receipt = node.result("flk_get_transaction_receipt",
                                     list({in_quotes(hex0x(chain().hash_of(settlement).view()))}));
    EXPECT_EQ(receipt.at("success"), true);
    const auto& acks = receipt.at("acks").as_array();
    ASSERT_EQ(acks.size(), 2U);
    EXPECT_EQ(acks[0].at("settled"), true);
    EXPECT_TRUE(acks[0].at("reason").is_null());
    EXPECT_EQ(acks[0].at("usd"), "0.02");
    EXPECT_EQ(acks[1].at("settled"), false);
    EXPECT_EQ(acks[1].at("reason"), json::value(to_string(AckOutcome::NotIncreasing)));
    const auto opening = node.result(
        "flk_get_transaction_receipt",
        list({in_quotes(hex0x(chain().hash_of(chain().opening(0, 1, 1, 500'000)).view()))}));
    EXPECT_FALSE(opening.as_object().contains("acks"));
}

TEST_F(Lanes, RevenueOfNodesAndEpochs) {
    // While the epoch runs, after it with what was paid, and what has gone or is not yet there.
    chain().run(chain().opening(0, 1, 1, 500'000));
    chain().run(chain().settlement(
        1, 1, {chain().ack(0, 1, 1, 5'000)}, {{chain().machines[2].key, 2'500}}));
    EXPECT_EQ(node.result("flk_node_revenue", list({machine(1)})).at("revenue"), "0.1");
    EXPECT_EQ(node.result("flk_node_revenue", list({machine(1)})).at("ended"), false);
    EXPECT_EQ(node.result("flk_node_revenue", list({machine(0)})).at("revenue"), "0");
    EXPECT_EQ(node.result("flk_epoch_revenue").at("revenue"), "0.1");
    EXPECT_EQ(node.result("flk_epoch_revenue").at("ended"), false);
    chain().end_epoch({1, 2, 1, 1});
    const auto earned = node.result("flk_node_revenue", list({machine(1), "0"}));
    EXPECT_EQ(earned.at("ended"), true);
    EXPECT_EQ(earned.at("bytes"), 5'000);
    EXPECT_EQ(earned.at("peers").at(0).at("bytes"), 2'500);
    EXPECT_EQ(earned.at("payout").at("own"), "0.063");
    EXPECT_EQ(earned.at("payout").at("to_peers"), "0.007");
    const auto all = node.result("flk_epoch_revenue", "[0]");
    EXPECT_EQ(all.at("nodes"), "0.07");
    EXPECT_EQ(all.at("builders"), "0.01");
    EXPECT_EQ(all.at("protocol"), "0.02");
    EXPECT_EQ(
        node.result("flk_node_revenue", list({machine(2), "0"})).at("payout").at("from_peers"),
        "0.007");
    EXPECT_EQ(node.error("flk_epoch_revenue", "[2]").at("code"), -32000);
    chain().end_epoch({2, 3, 2, 2});
    EXPECT_EQ(node.error("flk_node_revenue", list({machine(1), "0"})).at("code"), -32000);
    EXPECT_EQ(node.result("flk_epoch_revenue", "[0]").at("revenue"), "0.1");
    EXPECT_EQ(node.result("flk_get_supply").at("flk_emitted"), "0");
}

}  // namespace
}  // namespace draco::rpc::testing
