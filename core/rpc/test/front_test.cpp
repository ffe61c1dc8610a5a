// Proves what HTTP clients are told: status, headers and bodies for every route and every mistake,
// the bound per client, and metrics that Prometheus can read.

#include "draco/rpc/front.hpp"

#include "../src/client_limits.hpp"
#include "service_fixture.hpp"

#include <regex>
#include <set>
#include <sstream>

namespace draco::rpc::testing {
namespace {

using namespace std::chrono_literals;

struct Front {
    explicit Front(FrontOptions options = {}, ServiceLimits limits = {})
        : node(limits), front(*node.service, node.world.host(PeerId(0)).clock, options) {}

    FrontResponse ask(const FrontRequest& request) {
        std::optional<FrontResponse> got;
        front.handle(request, [&](FrontResponse response) { got = std::move(response); });
        node.settle();
        EXPECT_TRUE(got.has_value());
        return std::move(got).value_or(FrontResponse{.status = 0, .headers = {}, .body = {}});
    }

    FrontResponse get(std::string path, std::string method = "GET") {
        return ask({.method = std::move(method),
                    .target = std::move(path),
                    .content_type = {},
                    .body = {},
                    .client = "192.0.2.1"});
    }

    FrontResponse post(std::string body, std::string type = "application/json") {
        return ask({.method = "POST",
                    .target = "/rpc/v0",
                    .content_type = std::move(type),
                    .body = std::move(body),
                    .client = "192.0.2.1"});
    }

    Node node;
    RpcFront front;
};

std::string header(const FrontResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
        if (key == name) return value;
    return {};
}

const std::string kPing = R"({"jsonrpc":"2.0","id":1,"method":"flk_ping"})";

TEST(Front, CallsAreAnswered) {
    Front front;
    for (const std::string type :
         {"application/json", "Application/JSON ; charset=utf-8", "", "application/json-rpc"}) {
        const auto response = front.post(kPing, type);
        EXPECT_EQ(response.status, 200) << type;
        EXPECT_EQ(response.body, R"({"jsonrpc":"2.0","id":1,"result":"pong"})");
        EXPECT_EQ(header(response, "Content-Type"), "application/json");
        EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "*");
    }
    EXPECT_EQ(front
                  .ask({.method = "POST",
                        .target = "/?x=1",
                        .content_type = {},
                        .body = kPing,
                        .client = {}})
                  .status,
              200);
    const auto silent = front.post(R"({"jsonrpc":"2.0","method":"flk_ping"})");
    EXPECT_EQ(silent.status, 204);
    EXPECT_TRUE(silent.body.empty());
    EXPECT_EQ(front.post("{").status, 200);
}

TEST(Front, MistakesAreExplained) {
    Front front({}, {.body_bytes_max = 100});
    const auto check = [](const FrontResponse& response, int status) {
        EXPECT_EQ(response.status, status);
        const auto body = json::parse(response.body);
        EXPECT_FALSE(body.at("error").as_string().empty());
        EXPECT_FALSE(body.at("hint").as_string().empty());
    };
    check(front.get("/nothing"), 404);
    check(front.get("/rpc/v1"), 404);
    check(front.get(""), 404);
    check(front.get("/rpc/v0"), 405);
    EXPECT_EQ(header(front.get("/rpc/v0"), "Allow"), "POST, OPTIONS");
    check(front.get("/health", "DELETE"), 405);
    EXPECT_EQ(header(front.get("/metrics", "POST"), "Allow"), "GET, HEAD, OPTIONS");
    check(front.post(kPing, "application/x-www-form-urlencoded"), 415);
    check(front.post(kPing, "text/plain"), 415);
    check(front.post(std::string(101, ' ')), 413);
}

TEST(Front, PreflightsAreGranted) {
    Front front;
    const auto response = front.get("/rpc/v0", "OPTIONS");
    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(header(response, "Access-Control-Allow-Methods"), "POST, OPTIONS");
    EXPECT_EQ(header(response, "Access-Control-Allow-Headers"), "Content-Type");
}

TEST(Front, HealthAndVersion) {
    Front front;
    EXPECT_EQ(front.get("/health").body, "OK");
    EXPECT_EQ(json::parse(front.get("/version").body).at("version"), "0.1.0-test");
    front.node.parts->consensus.now.fork = true;
    const auto response = front.get("/health");
    EXPECT_EQ(response.status, 503);
    EXPECT_FALSE(json::parse(response.body).at("reason").as_string().empty());
}

TEST(Front, OneClientIsBoundedAndOthersAreNot) {
    Front front({.requests_per_second = 10, .requests_burst = 5});
    for (int i = 0; i < 5; ++i) EXPECT_EQ(front.post(kPing).status, 200);
    const auto refused = front.post(kPing);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(header(refused, "Retry-After"), "1");
    EXPECT_EQ(front.get("/metrics").status, 429);
    EXPECT_EQ(front.get("/health").status, 200);
    EXPECT_EQ(front
                  .ask({.method = "POST",
                        .target = "/",
                        .content_type = {},
                        .body = kPing,
                        .client = "192.0.2.2"})
                  .status,
              200);
    ASSERT_TRUE(front.node.world.run_for(100ms).has_value());
    EXPECT_EQ(front.post(kPing).status, 200);
    EXPECT_EQ(front.post(kPing).status, 429);
}

std::string batch_of(std::size_t calls) {
    std::string batch = "[" + kPing;
    for (std::size_t i = 1; i < calls; ++i) batch += "," + kPing;
    return batch + "]";
}

TEST(Front, EachCallOfABatchCounts) {
    // A batch that is begun is answered whole, and what it is beyond the bucket is owed.
    Front front({.requests_per_second = 10, .requests_burst = 30});
    EXPECT_EQ(front.post(batch_of(20)).status, 200);
    const auto owing = front.post(batch_of(20));
    EXPECT_EQ(owing.status, 200);
    EXPECT_EQ(json::parse(owing.body).as_array().size(), 20U);
    EXPECT_EQ(front.post(kPing).status, 429);
    ASSERT_TRUE(front.node.world.run_for(1s).has_value());
    EXPECT_EQ(front.post(kPing).status, 429);
    ASSERT_TRUE(front.node.world.run_for(100ms).has_value());
    EXPECT_EQ(front.post(kPing).status, 200);
}

TEST(Front, BatchesThatComeTogetherAreRefusedBeyondWhatMayBeOwed) {
    // Many bodies pass the door before the first of them is counted.
    Front front({.requests_per_second = 10, .requests_burst = 30}, {.batch_max = 20});
    std::size_t run = 0;
    std::size_t refused = 0;
    for (int i = 0; i < 30; ++i)
        front.front.handle({.method = "POST",
                            .target = "/",
                            .content_type = {},
                            .body = batch_of(20),
                            .client = "192.0.2.1"},
                           [&](const FrontResponse& response) {
                               const auto body = json::parse(response.body);
                               run += body.is_array() ? 1 : 0;
                               if (body.is_array()) return;
                               ++refused;
                               EXPECT_EQ(body.at("error").at("code"), -32001);
                               EXPECT_GT(
                                   body.at("error").at("data").at("retry_after_ms").as_int64(), 0);
                           });
    front.node.settle();
    EXPECT_EQ(run + refused, 30U);
    EXPECT_LE(run, 3U);
    EXPECT_GE(run, 1U);
}

TEST(Front, LimitsRememberABoundedNumberOfClients) {
    ClientLimits limits(1, 1, 100);
    const Instant now{1s};
    EXPECT_FALSE(limits.refuse("first", now).has_value());
    EXPECT_EQ(limits.refuse("first", now), Duration(1s));
    for (int i = 0; i < 10'000; ++i) {
        EXPECT_FALSE(limits.refuse(std::to_string(i), now).has_value());
        EXPECT_TRUE(limits.refuse(std::to_string(i), now).has_value());
        EXPECT_LE(limits.remembered(), 100U);
    }
    EXPECT_EQ(client_of("::ffff:192.0.2.1"), client_of("192.0.2.1"));
    EXPECT_EQ(client_of("2001:db8::1"), client_of("2001:db8:0:0:ffff::2"));
    EXPECT_NE(client_of("2001:db8::1"), client_of("2001:db8:0:1::1"));
}

// Every line is HELP, TYPE or a sample of the family that came before; each family comes once.
void check_exposition(const std::string& text) {
    const std::regex sample(
        R"re(([a-z_]+)(\{[a-z_]+="([^"\\\n]|\\["\\n])*"(,[a-z_]+="([^"\\\n]|\\["\\n])*")*\})? [0-9]+(\.[0-9]+)?)re");
    std::set<std::string> families;
    std::set<std::string> series;
    std::string family;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# HELP ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
            EXPECT_TRUE(families.insert(family).second) << line;
            continue;
        }
        if (line.starts_with("# TYPE ")) {
            const bool counter = line == "# TYPE " + family + " counter";
            EXPECT_TRUE(counter || line == "# TYPE " + family + " gauge") << line;
            EXPECT_EQ(counter, family.ends_with("_total")) << line;
            continue;
        }
        std::smatch match;
        EXPECT_TRUE(std::regex_match(line, match, sample)) << line;
        EXPECT_EQ(match[1], family) << line;
        EXPECT_TRUE(series.insert(line.substr(0, line.rfind(' '))).second) << line;
    }
}

TEST(Front, MetricsAreExposition) {
    Front front;
    auto usage = front.node.parts->dependencies();
    usage.process_usage = [] {
        return ProcessUsage{.rss_bytes = 4096, .cpu_ms = 12'034, .open_fds = 7};
    };
    usage.http_counters = [] {
        return http::EngineCounters{
            .too_slow = 3, .crowded_out = 5, .gone = 2, .body_bytes = 262'144};
    };
    usage.version = "1\"2\\3\n4";
    front.node.service.reset();
    front.node.service = RpcService::start(std::move(usage)).value();
    const std::string text = front.node.service->metrics();
    check_exposition(text);
    for (const std::string_view line : {"draco_height 0\n",
                                        "draco_epoch 0\n",
                                        "draco_peers 2\n",
                                        "draco_healthy 1\n",
                                        "draco_process_cpu_seconds_total 12.034\n",
                                        "draco_process_resident_bytes 4096\n",
                                        "draco_process_open_fds 7\n",
                                        "draco_http_body_bytes 262144\n",
                                        "draco_http_dropped_total{reason=\"too_slow\"} 3\n",
                                        "draco_http_dropped_total{reason=\"crowded_out\"} 5\n",
                                        "draco_http_dropped_total{reason=\"client_gone\"} 2\n",
                                        "draco_mailbox_capacity{object=\"rpc\"} 1024\n",
                                        "draco_consensus_role{role=\"follower\"} 1\n",
                                        "version=\"1\\\"2\\\\3\\n4\"",
                                        "draco_head_timestamp_seconds 1700000000.000\n"})
        EXPECT_NE(text.find(line), std::string::npos) << line;
}

TEST(Front, TheProcessHasFigures) {
    const ProcessUsage usage = read_process_usage();
    EXPECT_GT(usage.rss_bytes, std::uint64_t{1} << 20);
    EXPECT_GT(usage.open_fds, 2U);
}

}  // namespace
}  // namespace draco::rpc::testing
