// A server over loopback answers in order, whoever is at the other end: one who pipelines, ends
// early, stalls, sends garbage or reads nothing.

#include "draco/http/server.hpp"

#include "draco/http/client.hpp"
#include "draco/io/thread_pool.hpp"
#include "draco/testing/seed.hpp"

#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace draco::http {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

Response text(std::string_view body) {
    return text_response(200, "text/plain", body);
}

// Answers with the target, except for what tests ask of it. Remembers how often it was called.
class EchoHandler final : public Handler {
public:
    void on_request(Request request,
                    const std::string& client,
                    std::unique_ptr<Responder> responder) override {
        // The system has no address for a connection that was reset before it was accepted.
        EXPECT_TRUE(client.starts_with("127.0.0.1:") || client == "0.0.0.0:0") << client;
        {
            const std::lock_guard lock(mutex_);
            ++calls_;
            if (request.target == "/later") kept_.push_back(std::move(responder));
        }
        changed_.notify_all();
        if (!responder || request.target == "/drop") return;
        if (request.target == "/big") return responder->respond(text(std::string(1 << 20, 'b')));
        if (request.target == "/split") {
            Response response = text("x");
            response.fields.add("X", "a\r\nSet-Cookie: b");
            return responder->respond(std::move(response));
        }
        if (request.target == "/204")
            return responder->respond({.status = 204, .fields = {}, .body = Bytes(3)});
        responder->respond(text(request.target + "=" + std::string(as_text(request.body))));
    }

    // Blocks until a request for /later is here.
    std::unique_ptr<Responder> wait_kept() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !kept_.empty(); });
        auto responder = std::move(kept_.back());
        kept_.pop_back();
        return responder;
    }

    int calls() {
        const std::lock_guard lock(mutex_);
        return calls_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int calls_ = 0;
    std::vector<std::unique_ptr<Responder>> kept_;
};

class HttpServer : public ::testing::Test {
protected:
    void start(const ServerOptions& options = {}) {
        server_ = Server::start(*network_, *pool_, handler_, options).value();
    }

    ~HttpServer() override {
        server_.reset();
        network_->stop();
        pool_->stop();
    }

    RawClient connect() const { return RawClient(server_->port()); }

    // CTest's limit is the test's own.
    void wait_for_no_connections() const {
        while (server_->counters().connections > 0 || network_->counters().connections > 0)
            std::this_thread::yield();
    }

    EchoHandler handler_;
    std::unique_ptr<io::ThreadPool> pool_ = io::ThreadPool::start({}).value();
    std::unique_ptr<io::Network> network_ =
        io::Network::start({.name = "http", .thread_count = 2}).value();
    std::unique_ptr<Server> server_;
};

TEST_F(HttpServer, AnswersPipelinedRequestsInTheirOrder) {
    start();
    std::string requests;
    for (int i = 0; i < 50; ++i) requests += get("/" + std::to_string(i));
    const std::string answers = [&] {
        const RawClient client = connect();
        client.send(requests + get("/last", "Connection: close\r\n") + get("/unread"));
        return client.read_all();
    }();
    std::size_t at = 0;
    for (int i = 0; i < 50; ++i) {
        at = answers.find("\r\n\r\n/" + std::to_string(i) + "=", at);
        ASSERT_NE(at, std::string::npos) << i;
    }
    EXPECT_EQ(count(answers, "HTTP/1.1 200 OK\r\n"), 51U);
    EXPECT_EQ(count(answers, "Connection: close\r\n"), 1U);
    EXPECT_EQ(handler_.calls(), 51);
    wait_for_no_connections();
}

TEST_F(HttpServer, AnswersAHalfClosedClientAndThenEnds) {
    start();
    for (const std::string& requests : {get("/later"), get("/a") + get("/later")}) {
        const RawClient client = connect();
        client.send(requests);
        client.end();
        handler_.wait_kept()->respond(text("at last"));
        EXPECT_TRUE(client.read_all().ends_with("at last"));
    }
    wait_for_no_connections();
}

TEST_F(HttpServer, LetsGoOfClientsThatEndWithoutARequestUnderWay) {
    start({.request_deadline = 1h, .keep_alive = 1h});
    for (const std::string& sent :
         {std::string(),
          get("/a"),
          std::string("GET / HT"),
          get("/a") + "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"}) {
        const RawClient client = connect();
        client.send(sent);
        client.end();
        client.read_all();
    }
    wait_for_no_connections();
}

TEST_F(HttpServer, DropsAndMistakesOfTheHandlerAre500) {
    start();
    const RawClient client = connect();
    client.send(get("/drop"));
    EXPECT_TRUE(client.read_until("dropped\n").starts_with("HTTP/1.1 500 "));
    client.send(get("/split"));
    const std::string answer = client.read_until("malformed\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer;
    EXPECT_FALSE(answer.contains("Set-Cookie"));
}

TEST_F(HttpServer, SendsNoBodyWhereThereIsNone) {
    start();
    const RawClient client = connect();
    client.send("HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n" + get("/204", "Connection: close\r\n"));
    const std::string answers = client.read_all();
    EXPECT_TRUE(answers.contains("Content-Length: 5\r\n\r\nHTTP/1.1 204 No Content\r\n"))
        << answers;
    EXPECT_TRUE(answers.ends_with("\r\n\r\n")) << answers;
}

TEST_F(HttpServer, TellsTheClientToGoOn) {
    start();
    const RawClient client = connect();
    client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ab");
    EXPECT_TRUE(client.read_until("/p=ab").ends_with("/p=ab"));
}

TEST_F(HttpServer, EndsSlowHeadsAndBodiesByTheirDeadline) {
    start({.request_deadline = 50ms, .keep_alive = 1h});
    for (const std::string sent :
         {"GET / HTTP/1.1\r\nHost", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"}) {
        const RawClient client = connect();
        client.send(sent);
        EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 408 "));
    }
    EXPECT_EQ(server_->counters().timed_out, 2U);
    wait_for_no_connections();
}

TEST_F(HttpServer, EndsIdleConnections) {
    start({.request_deadline = 1h, .keep_alive = 50ms});
    const RawClient silent = connect();
    EXPECT_EQ(silent.read_all(), "");
    const RawClient client = connect();
    client.send(get("/a"));
    EXPECT_TRUE(client.read_all().ends_with("/a="));
}

TEST_F(HttpServer, RefusesWhatIsTooLarge) {
    start({.limits = {.body_bytes_max = 4}});
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde", "413"},
        {get("/" + std::string(9000, 'a')), "414"},
        {get("/", "A: " + std::string(40'000, 'a') + "\r\n"), "431"},
        {get("/", "Transfer-Encoding: gzip\r\n"), "501"},
        {"GET / HTTP/2.0\r\n\r\n", "505"},
        {"\x16\x03\x01 a TLS hello\n", "400"},
    };
    for (const auto& [sent, status] : cases) {
        const RawClient client = connect();
        client.send(sent);
        client.end();
        EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 " + status + " ")) << status;
    }
    EXPECT_EQ(server_->counters().refused, cases.size());
    EXPECT_EQ(handler_.calls(), 0);
    wait_for_no_connections();
}

// One that sends and never reads gets no more answers made than fit into what waits for it.
TEST_F(HttpServer, AnswersDoNotPileUpForWhoDoesNotRead) {
    start({.response_bytes_max = 1 << 20});
    const RawClient client = connect();
    const std::string request = get("/big");
    int sent = 0;
    for (; sent < 100 && client.send(request, MSG_DONTWAIT); ++sent) {
    }
    client.end();
    {
        const RawClient other = connect();  // the server goes on meanwhile
        other.send(get("/other"));
        EXPECT_TRUE(other.read_until("/other=").ends_with("/other="));
    }
    const std::size_t in_flight_bytes_max = std::size_t{32} << 20;  // the system's buffers too
    EXPECT_LE(handler_.calls(), static_cast<int>(in_flight_bytes_max >> 20));
    const std::string answers = client.read_all();
    EXPECT_GE(count(answers, "HTTP/1.1 200 OK\r\n"), static_cast<std::size_t>(sent));
    wait_for_no_connections();
}

TEST_F(HttpServer, ForgetsAThousandGarbageConnections) {
    start({.request_deadline = 1h, .keep_alive = 1h});
    std::mt19937_64 random(testing::test_seed(1));
    for (int i = 0; i < 1000; ++i) {
        const RawClient client = connect();
        std::string garbage(random() % 200, '\0');
        for (char& c : garbage) c = static_cast<char>(random());
        client.send(i % 3 == 0 ? get("/partly").substr(0, random() % 20) : garbage);
        if (i % 2 == 0) client.reset();
    }
    wait_for_no_connections();
    const RawClient client = connect();
    client.send(get("/alive"));
    EXPECT_TRUE(client.read_until("/alive=").ends_with("/alive="));
}

TEST_F(HttpServer, AnswersAfterTheClientHasGoneDoNothing) {
    start();
    {
        const RawClient client = connect();
        client.send(get("/later"));
        client.reset();
        // Closed here, by a reset.
    }
    auto responder = std::unique_ptr<Responder>();
    responder = handler_.wait_kept();
    wait_for_no_connections();
    responder->respond(text("nobody reads this"));
}

TEST_F(HttpServer, StopsWithRequestsUnderWay) {
    start();
    const RawClient client = connect();
    client.send(get("/later"));
    const auto responder = handler_.wait_kept();
    server_.reset();
    EXPECT_EQ(client.read_all(), "");
    responder->respond(text("too late"));
}

TEST_F(HttpServer, ServesOurClient) {
    start();
    const std::uint16_t port = server_->port();
    const auto ask =
        [&](const std::string& method, const std::string& target, std::size_t bytes_max) {
            Exchange exchange;
            exchange.url = {.host = "127.0.0.1", .port = port, .target = target};
            exchange.method = method;
            if (method == "POST") exchange.body = to_bytes(as_bytes("abc"));
            exchange.response_bytes_max = bytes_max;
            return send_and_wait(*network_, exchange);
        };
    const std::size_t mebibyte = std::size_t{1} << 20;
    EXPECT_EQ(as_text(ask("POST", "/p", 100).value().body), "/p=abc");
    EXPECT_EQ(ask("GET", "/big", mebibyte).value().body.size(), mebibyte);
    EXPECT_TRUE(ask("HEAD", "/big", mebibyte).value().body.empty());
    EXPECT_FALSE(ask("GET", "/big", mebibyte - 1));
    server_.reset();
    const auto refused = ask("GET", "/", 100);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::Unavailable) << to_string(refused.error());
}

TEST(Url, IsParsedOrRefused) {
    EXPECT_EQ(parse_url("http://a:1/b?c").value(), (Url{"a", 1, "/b?c"}));
    EXPECT_EQ(parse_url("http://[::1]:1").value(), (Url{"::1", 1, "/"}));
    EXPECT_EQ(parse_url("http://[::1]").value(), (Url{"::1", 80, "/"}));
    for (const char* bad : {"",
                            "a",
                            "https://a",
                            "http://",
                            "http:///",
                            "http://a:0",
                            "http://a:x",
                            "http://a:70000",
                            "http://u@a",
                            "http://[::1",
                            "http://[::1]x:1",
                            "http://a?b",
                            "http://a b",
                            "http://a/\r\nX: y",
                            "http://a:"})
        EXPECT_FALSE(parse_url(bad)) << bad;
}

}  // namespace
}  // namespace draco::http
