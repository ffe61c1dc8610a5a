// Proves that the front is reached over real HTTP, by a client that is not ours.

#include "draco/rpc/server.hpp"

#include "draco/io/thread_pool.hpp"

#include "service_fixture.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace draco::rpc::testing {
namespace {

// Standard output of curl; nothing if there is no curl.
std::optional<std::string> curl(const std::string& arguments) {
    // NOLINTNEXTLINE(cert-env33-c,bugprone-command-processor): a fixed command line of this test.
    std::FILE* const pipe = ::popen(("curl -s --max-time 20 " + arguments).c_str(), "r");
    if (pipe == nullptr) return std::nullopt;
    std::string output;
    std::array<char, 4096> piece{};
    while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), pipe))
        output.append(piece.data(), count);
    if (::pclose(pipe) != 0) return std::nullopt;
    return output;
}

TEST(Server, CurlIsAnswered) {
    // NOLINTNEXTLINE(cert-env33-c,bugprone-command-processor): looks for a program.
    if (std::system("command -v curl >/dev/null") != 0) GTEST_SKIP() << "there is no curl";
    auto pool = io::ThreadPool::start({.thread_count = 2}).value();
    auto network = io::Network::start({}).value();
    Parts parts(*pool);
    // The chain began long ago, by the real clock.
    auto service =
        RpcService::start(parts.dependencies(), {.health_overdue_ms_max = UINT64_MAX}).value();
    auto server = RpcServer::start(*network, *pool, *service, {}).value();
    const std::string url = "http://127.0.0.1:" + std::to_string(server->port());
    EXPECT_EQ(curl(url + "/health"), "OK");
    const std::string ping = R"('{"jsonrpc":"2.0","id":"a","method":"flk_ping"}')";
    const std::string json_type = "-H 'content-type: application/json' ";
    EXPECT_EQ(curl(json_type + "-d " + ping + " " + url + "/rpc/v0"),
              R"({"jsonrpc":"2.0","id":"a","result":"pong"})");
    const std::string status_only = "-o /dev/null -w '%{http_code}' ";
    EXPECT_EQ(curl(status_only + "-d " + ping + " " + url), "415");
    EXPECT_EQ(curl(status_only + url + "/none"), "404");
    EXPECT_EQ(curl(status_only + url + "/rpc/v0"), "405");
    EXPECT_EQ(curl(status_only + "-X OPTIONS " + url + "/rpc/v0"), "204");
    const auto metrics = curl(url + "/metrics");
    ASSERT_TRUE(metrics.has_value());
    EXPECT_NE(metrics->find("\ndraco_height 0\n"), std::string::npos);

    // Waits for its transaction.
    const auto transaction = parts.chain.transfer(0, 1, 5);
    std::optional<std::string> waited;
    {
        const std::jthread caller([&] {
            waited = curl(json_type + "-d '" +
                          Node::call_text("flk_wait_txn",
                                          "[\"" + hex0x(parts.chain.hash_of(transaction).view()) +
                                              "\",10000]") +
                          "' " + url);
        });
        parts.chain.run(transaction);
    }
    EXPECT_EQ(parsed(waited).at("result").at("height"), 1);
    server.reset();
    service.reset();
    network->stop();
    pool->stop();
}

}  // namespace
}  // namespace draco::rpc::testing
