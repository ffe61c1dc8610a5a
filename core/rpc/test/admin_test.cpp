// Proves that the admin methods are closed to all who do not send the node's token, that the node
// signs what they say and the answer is what became of it, and that each such call has one answer.

#include "draco/rpc/admin.hpp"

#include "draco/rpc/front.hpp"

#include "service_fixture.hpp"

#include <array>

namespace draco::rpc::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::array kAdminMethods = {"admin_opt_in", "admin_opt_out", "admin_status"};

json::object call_as(Node& node, std::string_view method, std::string_view authorization) {
    const auto answer = node.begin(Node::call_text(method), authorization);
    node.settle();
    return parsed(*answer);
}

std::shared_ptr<std::optional<std::string>> begin_as_admin(Node& node,
                                                           std::string_view method,
                                                           std::string_view parameters = "[]") {
    auto answer = node.begin(Node::call_text(method, parameters), node.parts->authorization());
    node.settle();
    return answer;
}

TEST(Admin, IsClosedWithoutTheToken) {
    Node node;
    const std::string right = node.parts->authorization();
    std::string one_digit_off = right;
    one_digit_off.back() = one_digit_off.back() == '0' ? '1' : '0';
    const std::string digits = right.substr(7);
    for (const std::string& wrong : {std::string(),
                                     digits,
                                     "Basic " + digits,
                                     std::string("Bearer"),
                                     std::string("Bearer "),
                                     one_digit_off,
                                     right + "0",
                                     right.substr(0, right.size() - 2),
                                     "Bearer " + std::string(64, 'x'),
                                     "Bearer " + digits + " " + digits})
        for (const auto* const method : kAdminMethods) {
            const auto answer = call_as(node, method, wrong);
            ASSERT_TRUE(answer.contains("error")) << method << " with '" << wrong << "'";
            const auto& error = answer.at("error").as_object();
            EXPECT_EQ(error.at("code"), -32006);
            const std::string message(error.at("message").as_string());
            EXPECT_NE(message.find("data/admin-token"), std::string::npos) << message;
            EXPECT_EQ(message.find(digits), std::string::npos) << "the token leaks";
        }
    EXPECT_TRUE(node.parts->signer.executions.empty());
    for (const std::string& allowed : {right, "bearer " + digits, " Bearer  " + digits + " "})
        EXPECT_TRUE(call_as(node, "admin_status", allowed).contains("result")) << allowed;
    // The token opens nothing else, and its lack closes nothing else.
    EXPECT_TRUE(call_as(node, "flk_ping", one_digit_off).contains("result"));
}

TEST(Admin, IsClosedWhereThereIsNoToken) {
    Node node;
    auto dependencies = node.parts->dependencies();
    dependencies.admin.reset();
    node.service.reset();
    node.service = RpcService::start(std::move(dependencies)).value();
    const auto answer = call_as(node, "admin_status", "Bearer " + std::string(64, '0'));
    EXPECT_EQ(answer.at("error").at("code"), -32006);
}

TEST(Admin, EachCallOfABatchNeedsIt) {
    Node node;
    const std::string body =
        "[" + Node::call_text("flk_ping") + "," + Node::call_text("admin_opt_out") + "]";
    const auto answer = json::parse(node.ask(body)).as_array();
    EXPECT_EQ(answer.at(0).at("result"), "pong");
    EXPECT_EQ(answer.at(1).at("error").at("code"), -32006);
    EXPECT_TRUE(node.parts->signer.executions.empty());
}

TEST(Admin, TheHeaderReachesTheService) {
    Node node;
    RpcFront front(*node.service, node.world.host(PeerId(0)).clock);
    for (const bool with_token : {false, true}) {
        std::string body;
        front.handle({.method = "POST",
                      .target = "/rpc/v0",
                      .content_type = "application/json",
                      .body = Node::call_text("admin_status"),
                      .client = "192.0.2.1",
                      .authorization = with_token ? node.parts->authorization() : ""},
                     [&](FrontResponse response) { body = std::move(response.body); });
        node.settle();
        EXPECT_EQ(parsed(body).contains("result"), with_token) << body;
    }
}

TEST(Admin, OptInAnnouncesTheEndpointsAndAnswersWithTheReceipt) {
    Node node;
    const auto answer = begin_as_admin(node, "admin_opt_in");
    auto& executions = node.parts->signer.executions;
    ASSERT_EQ(executions.size(), 1U);
    EXPECT_EQ(std::get<OptIn>(executions[0].first).endpoints, node.parts->announced);
    EXPECT_FALSE(answer->has_value()) << "answered before it is executed";
    executions[0].second(
        Receipt{.height = Height(7), .index = 2, .fee = {}, .revert = Revert::AlreadyTakesPart});
    const auto result = parsed(*answer).at("result").as_object();
    EXPECT_EQ(result.at("height"), 7);
    EXPECT_EQ(result.at("success"), false);
    EXPECT_EQ(result.at("revert"), json::value(to_string(Revert::AlreadyTakesPart)));
}

TEST(Admin, OptOutAndTheErrorsOfTheSigner) {
    Node node;
    const auto fine = begin_as_admin(node, "admin_opt_out");
    const auto failed = begin_as_admin(node, "admin_opt_out");
    auto& executions = node.parts->signer.executions;
    ASSERT_EQ(executions.size(), 2U);
    EXPECT_TRUE(std::holds_alternative<OptOut>(executions[0].first));
    executions[0].second(Receipt{.height = Height(1)});
    executions[1].second(fail(Errc::Exhausted, "the quota is used up"));
    EXPECT_EQ(parsed(*fine).at("result").at("success"), true);
    const auto error = parsed(*failed).at("error").as_object();
    EXPECT_EQ(error.at("code"), -32001);
    EXPECT_EQ(error.at("message"), "the quota is used up");
}

TEST(Admin, OptInWithoutStakeSpendsNoNonce) {
    Node node;
    SeededRng rng(5);
    auto dependencies = node.parts->dependencies();
    dependencies.node_key = Machine(rng).key;
    node.service.reset();
    node.service = RpcService::start(std::move(dependencies)).value();
    const auto answer = begin_as_admin(node, "admin_opt_in");
    const auto error = parsed(*answer).at("error").as_object();
    EXPECT_EQ(error.at("code"), -32000);
    EXPECT_EQ(error.at("data").at("reason"), "stake");
    EXPECT_NE(error.at("message").as_string().find("draco stake add"), std::string::npos);
    EXPECT_TRUE(node.parts->signer.executions.empty());
    EXPECT_TRUE(parsed(*begin_as_admin(node, "admin_status")).at("result").at("node").is_null());
}

TEST(Admin, StatusSaysWhatIsAnnouncedAndWhatTheChainKnows) {
    Node node;
    const auto result = parsed(*begin_as_admin(node, "admin_status")).at("result").as_object();
    EXPECT_EQ(result.at("node").at("participation"), "active");
    EXPECT_EQ(result.at("announces").at("host"), "node.example");
    EXPECT_EQ(result.at("announces").at("rpc_port"), 4);
    EXPECT_EQ(result.at("signer").at("signed_last"), 5);
    EXPECT_EQ(result.at("stake_min_units"), "1000");
}

TEST(Admin, CallsEndAtTheirDeadlineAndALateReceiptIsIgnored) {
    Node node;
    const auto answer = begin_as_admin(node, "admin_opt_out", "[500]");
    ASSERT_TRUE(node.world.run_for(499ms).has_value());
    EXPECT_FALSE(answer->has_value());
    ASSERT_TRUE(node.world.run_for(1ms).has_value());
    EXPECT_EQ(parsed(*answer).at("error").at("code"), -32003);
    node.parts->signer.executions[0].second(Receipt{});
}

TEST(Admin, WaitsAreBoundedAndEndWithTheService) {
    Node node({.admin_waits_max = 2});
    const auto first = begin_as_admin(node, "admin_opt_out");
    const auto second = begin_as_admin(node, "admin_opt_out");
    const auto third = begin_as_admin(node, "admin_opt_out");
    EXPECT_EQ(parsed(*third).at("error").at("code"), -32001);
    EXPECT_EQ(node.parts->signer.executions.size(), 2U);
    node.service->stop();
    for (const auto& answer : {first, second})
        EXPECT_EQ(parsed(*answer).at("error").at("code"), -32004);
    node.service.reset();
    for (auto& [method, done] : node.parts->signer.executions) done(Receipt{});
}

TEST(Admin, EachStartHasATokenOfItsOwn) {
    simulon::World world(1);
    world.add_node([](const simulon::Host&) { return std::make_unique<NothingRuns>(); });
    world.start_all();
    Disk& disk = world.host(PeerId(0)).disk;
    ASSERT_TRUE(disk.create_directory("data").has_value());
    EXPECT_EQ(read_admin_token(disk, "data/admin-token").error().code, Errc::NotFound);
    SeededRng rng(3);
    const AdminToken first = renew_admin_token(disk, "data/admin-token", rng).value();
    const std::string first_text = read_admin_token(disk, "data/admin-token").value();
    EXPECT_EQ(first_text, to_hex(first.expose()));
    const AdminToken second = renew_admin_token(disk, "data/admin-token", rng).value();
    const std::string second_text = read_admin_token(disk, "data/admin-token").value();
    EXPECT_NE(first_text, second_text);
    const auto parsed_token = parse_authorization("Bearer " + second_text);
    ASSERT_TRUE(parsed_token.has_value());
    EXPECT_TRUE(crypto::constant_time_equal(parsed_token->expose(), second.expose()));
    auto file = disk.open("data/admin-token", OpenMode::Truncate).value();
    ASSERT_TRUE(file->write_at(0, as_bytes("no token")).has_value());
    EXPECT_EQ(read_admin_token(disk, "data/admin-token").error().code, Errc::Corrupt);
}

}  // namespace
}  // namespace draco::rpc::testing
