// Proves the outer form of JSON-RPC 2.0: whatever the bytes, the answer is valid, has the right id
// and the right code, and no bound can be passed.

#include "service_fixture.hpp"

namespace draco::rpc::testing {
namespace {

std::int64_t code_of(const std::string& text) {
    return json::parse(text).at("error").at("code").as_int64();
}

TEST(Envelope, AnswersACall) {
    Node node;
    EXPECT_EQ(node.ask(R"({"jsonrpc":"2.0","id":7,"method":"flk_ping"})"),
              R"({"jsonrpc":"2.0","id":7,"result":"pong"})");
}

TEST(Envelope, EchoesEveryLegalIdAsItCame) {
    Node node;
    for (const std::string id : {"0",
                                 "-1",
                                 "18446744073709551615",
                                 "\"x\"",
                                 "\"\\u00e9\\n\"",
                                 "\"\"",
                                 "null",
                                 "1.50",
                                 "-0.0",
                                 "1e400",
                                 "123456789012345678901234567890",
                                 "1E2"}) {
        const std::string answer = node.ask(R"({"jsonrpc":"2.0","params":{"id":3.5},"id":)" + id +
                                            R"(,"method":"net_listening"})");
        // A parameter called id is not the call's id.
        EXPECT_EQ(code_of(answer), -32602);
        if (id[0] == '"') {
            EXPECT_EQ(json::parse(answer).at("id"), json::parse(id));
        } else {
            EXPECT_NE(answer.find("\"id\":" + id + ","), std::string::npos) << answer;
        }
    }
}

TEST(Envelope, FindsIdsOfNumbersInBatches) {
    Node node;
    EXPECT_EQ(
        node.ask(R"( [ 5 , {"a":"}]\"{","jsonrpc":"2.0", "id" : 0.10 ,"method":"flk_ping"},
        {"\u0069d":2.50,"x":[{"id":9.5}],"method":"flk_ping","jsonrpc":"2.0"},
        {"id":1.5,"id":3.50,"method":"flk_ping","jsonrpc":"2.0"}] )"),
        R"([{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"a call is an object"}},)"
        R"({"jsonrpc":"2.0","id":0.10,"result":"pong"},)"
        R"({"jsonrpc":"2.0","id":2.50,"result":"pong"},)"
        R"({"jsonrpc":"2.0","id":3.50,"result":"pong"}])");
}

TEST(Envelope, RefusesWhatIsNoJson) {
    Node node;
    using namespace std::string_view_literals;
    for (const std::string_view body : {""sv,
                                        " "sv,
                                        "{"sv,
                                        "[1,2"sv,
                                        "nul"sv,
                                        "{\"a\":}"sv,
                                        "{} x"sv,
                                        "\xff\xfe"sv,
                                        "{\"jsonrpc\":\"2.0\",\"method\":\"\xc3\x28\"}"sv,
                                        "\"\\ud800\""sv,
                                        "{}\0"sv,
                                        "01"sv,
                                        "[1,]"sv,
                                        "/**/{}"sv,
                                        "{'a':1}"sv,
                                        "NaN"sv}) {
        const std::string answer = node.ask(body);
        EXPECT_EQ(code_of(answer), -32700) << body << " -> " << answer;
        EXPECT_TRUE(json::parse(answer).at("id").is_null());
    }
}

TEST(Envelope, RefusesWhatIsNoCall) {
    Node node;
    for (const std::string_view body :
         {"1",
          "\"x\"",
          "null",
          "{}",
          "[]",
          R"({"jsonrpc":"1.0","method":"flk_ping","id":1})",
          R"({"jsonrpc":2.0,"method":"flk_ping","id":1})",
          R"({"method":"flk_ping","id":1})",
          R"({"jsonrpc":"2.0","id":1})",
          R"({"jsonrpc":"2.0","method":1,"id":1})",
          R"({"jsonrpc":"2.0","method":"flk_ping","params":1,"id":1})",
          R"({"jsonrpc":"2.0","method":"flk_ping","params":"a","id":1})",
          R"({"jsonrpc":"2.0","method":"flk_ping","params":null,"id":1})",
          R"({"jsonrpc":"2.0","method":"flk_ping","id":true})",
          R"({"jsonrpc":"2.0","method":"flk_ping","id":[1]})",
          R"({"jsonrpc":"2.0","method":"flk_ping","id":{}})"}) {
        EXPECT_EQ(code_of(node.ask(body)), -32600) << body;
    }
    EXPECT_EQ(json::parse(node.ask(R"({"jsonrpc":"2.0","id":"a"})")).at("id"), "a");
}

TEST(Envelope, SaysNothingToNotifications) {
    Node node;
    EXPECT_EQ(node.ask(R"({"jsonrpc":"2.0","method":"flk_ping"})"), "");
    EXPECT_EQ(node.ask(R"({"jsonrpc":"2.0","method":"no_such_method"})"), "");
    EXPECT_EQ(node.ask(R"([{"jsonrpc":"2.0","method":"flk_ping"},
                           {"jsonrpc":"2.0","method":"flk_ping"}])"),
              "");
    EXPECT_EQ(node.ask(R"([{"jsonrpc":"2.0","method":"flk_ping"},
                           {"jsonrpc":"2.0","method":"flk_ping","id":null}])"),
              R"([{"jsonrpc":"2.0","id":null,"result":"pong"}])");
}

TEST(Envelope, AnswersBatchesInOrder) {
    Node node;
    const auto answer = json::parse(node.ask(R"([{"jsonrpc":"2.0","method":"flk_ping","id":1},
        {"foo":"boo"}, {"jsonrpc":"2.0","method":"nothing","id":2},
        {"jsonrpc":"2.0","method":"net_version","id":3}])"));
    ASSERT_EQ(answer.as_array().size(), 4);
    EXPECT_EQ(answer.at(0).at("result"), "pong");
    EXPECT_EQ(answer.at(1).at("error").at("code"), -32600);
    EXPECT_EQ(answer.at(2).at("error").at("code"), -32601);
    EXPECT_EQ(answer.at(3).at("result"), "1337");
}

TEST(Envelope, BoundsBodiesDepthAndBatches) {
    Node node({.body_bytes_max = 4096, .depth_max = 8, .batch_max = 3});
    EXPECT_EQ(code_of(node.ask(std::string(4097, ' '))), -32600);
    EXPECT_EQ(code_of(node.ask(std::string(4096, ' '))), -32700);
    EXPECT_EQ(code_of(node.ask(std::string(4096, '['))), -32600);
    EXPECT_EQ(code_of(node.ask(std::string(9, '[') + std::string(9, ']'))), -32600);
    EXPECT_TRUE(json::parse(node.ask(std::string(8, '[') + std::string(8, ']'))).is_array());
    EXPECT_EQ(code_of(node.ask(R"({"jsonrpc":"2.0","id":1,"method":"flk_ping","params":)" +
                               std::string(2000, '[') + std::string(2000, ']') + "}")),
              -32600);
    EXPECT_EQ(code_of(node.ask("[1,1,1,1]")), -32600);
    EXPECT_TRUE(json::parse(node.ask("[1,1,1]")).is_array());
}

TEST(Envelope, BoundsTheResponse) {
    Node node({.response_bytes_max = 2'000});
    EXPECT_EQ(node.error("flk_methods").at("code"), -32005);
    const std::string call = R"({"jsonrpc":"2.0","method":"flk_get_epoch_info","id":1})";
    std::string batch = "[" + call;
    for (int i = 0; i < 9; ++i) batch += "," + call;
    const auto answers = json::parse(node.ask(batch + "]")).as_array();
    ASSERT_EQ(answers.size(), 10);
    EXPECT_TRUE(answers[0].as_object().contains("result"));
    EXPECT_EQ(answers[9].at("error").at("code"), -32005);
}

TEST(Envelope, RefusesMoreBodiesThanMayWait) {
    Node node({.requests_max = 2, .requests_in_work_max = 1});
    std::vector<std::shared_ptr<std::optional<std::string>>> answers;
    for (int i = 0; i < 10; ++i) answers.push_back(node.begin(Node::call_text("flk_ping")));
    for (const auto& answer : answers) EXPECT_FALSE(answer->has_value()) << "answered too early";
    node.settle();
    std::size_t busy = 0;
    for (const auto& answer : answers) {
        const json::object got = parsed(*answer);
        if (!got.contains("error")) continue;
        ++busy;
        EXPECT_EQ(got.at("error").at("code"), -32001);
        EXPECT_GT(got.at("error").at("data").at("retry_after_ms").as_int64(), 0);
    }
    EXPECT_GE(busy, 7U);
    EXPECT_LT(busy, 10U);
}

TEST(Envelope, NamesTheNearestMethod) {
    Node node;
    const auto near = [&](std::string_view name) {
        const json::object error = node.error(name);
        EXPECT_EQ(error.at("code"), -32601);
        return std::string(error.at("message").as_string());
    };
    EXPECT_NE(near("flk_get_epock").find("'flk_get_epoch'"), std::string::npos);
    EXPECT_NE(near("flk_sendTxn").find("'flk_send_txn'"), std::string::npos);
    EXPECT_LT(near(std::string(10'000, 'x')).size(), 300U);
}

TEST(Envelope, SaysWhichParameterIsWrong) {
    Node node;
    const auto check = [&](std::string_view method,
                           std::string_view parameters,
                           std::string_view parameter,
                           std::string_view found) {
        const json::object error = node.error(method, parameters);
        EXPECT_EQ(error.at("code"), -32602) << parameters;
        ASSERT_TRUE(error.contains("data"));
        EXPECT_EQ(error.at("data").at("parameter"),
                  json::string_view(parameter.data(), parameter.size()));
        EXPECT_EQ(error.at("data").at("found"), json::string_view(found.data(), found.size()));
        EXPECT_FALSE(error.at("data").at("expected").as_string().empty());
    };
    check("flk_get_account_info", "[]", "address", "none");
    check("flk_get_account_info", "[null]", "address", "none");
    check("flk_get_account_info", "{}", "address", "none");
    check("flk_get_account_info", "[5]", "address", "5");
    check("flk_get_account_info", "[\"0x12\"]", "address", "\"0x12\"");
    check("flk_get_account_info", "{\"adress\":1}", "adress", "a parameter of this name");
    check("flk_get_account_info", "[1,2]", "#2", "2 parameters");
    check("flk_ping", "[1]", "#1", "1 parameters");
    check("flk_get_node_info", "[\"zz\"]", "node", "\"zz\"");
    check("flk_get_committee_members", "[-1]", "epoch", "-1");
    check("flk_get_committee_members",
          "[1e30]",
          "epoch",
          "a number with a fraction, or beyond 64 bits");
    check("flk_get_committee_members", "[{}]", "epoch", "an object");
    check("flk_get_block", "[\"newest\"]", "block", "\"newest\"");
    check("flk_get_node_registry", "[null,1001]", "count", "1001");
    check("flk_send_txn", "[\"0xabc\"]", "transaction", "\"0xabc\"");
    check("flk_get_protocol_params", "[\"nothing\"]", "name", "\"nothing\"");
    check("flk_wait_txn", "[\"0x00\",1]", "hash", "\"0x00\"");
}

}  // namespace
}  // namespace draco::rpc::testing
