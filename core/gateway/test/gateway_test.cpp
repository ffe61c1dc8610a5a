// A gateway gives each request to the service that its target names, sends what that answers as the
// contract of services says, and nothing that it does not say.

#include "gateway_fixture.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace draco::gateway {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

using Answering = std::move_only_function<void(
    const sdk::Request&, std::shared_ptr<sdk::Host>, sdk::AnswerCallback)>;

class TestService final : public sdk::Service {
public:
    TestService(sdk::ServiceInfo info, Answering answering)
        : info_(std::move(info)), answering_(std::move(answering)) {}

    const sdk::ServiceInfo& info() const override { return info_; }

    void on_request(const sdk::Request& request,
                    std::shared_ptr<sdk::Host> host,
                    sdk::AnswerCallback answer) override {
        const std::lock_guard lock(mutex_);
        answering_(request, std::move(host), std::move(answer));
    }

private:
    const sdk::ServiceInfo info_;
    std::mutex mutex_;
    Answering answering_;
};

sdk::ServiceInfo info_of(std::uint32_t id, std::string name, std::vector<std::string> methods) {
    return {.id = types::ServiceId(id),
            .name = std::move(name),
            .methods = std::move(methods),
            .usage = "/<anything>, for a test"};
}

std::unique_ptr<sdk::Service> service(sdk::ServiceInfo info, Answering answering) {
    return std::make_unique<TestService>(std::move(info), std::move(answering));
}

sdk::Answer whole(std::string text) {
    return {.status = 200, .fields = {}, .body = sdk::share(std::move(text))};
}

// Says what it was asked.
std::unique_ptr<sdk::Service> echo(std::uint32_t id) {
    return service(
        info_of(id, "echo-" + std::to_string(id), {"GET", "HEAD", "POST"}),
        [id](const sdk::Request& request, const auto& /*host*/, sdk::AnswerCallback answer) {
            std::string text = std::to_string(id) + " " + std::string(request.method) + " " +
                               std::string(request.target) + " " +
                               std::string(request.target_as_sent);
            for (const sdk::FieldView& field : request.fields)
                text += " " + std::string(field.name) + "=" + std::string(field.value);
            text += " body=" + std::string(as_text(request.body));
            sdk::Answer made = whole(std::move(text));
            made.fields.push_back({.name = "X-Echo", .value = "yes"});
            answer(std::move(made));
        });
}

Gateway::Services list_of(auto... services) {
    Gateway::Services list;
    (list.push_back(std::move(services)), ...);
    return list;
}

TEST_F(GatewayOverHttp, GivesEachServiceItsRequests) {
    start(list_of(echo(7), echo(0), echo(4'000'000'000)));
    Client client = connect();
    EXPECT_EQ(body_of(client.get("/services/7/a%20b?c=/d", "X-A: 1\r\nx-b: 2\r\n")),
              "7 GET /a%20b?c=/d /services/7/a%20b?c=/d Host=a X-A=1 x-b=2 body=");
    EXPECT_EQ(body_of(client.get("/services/7")), "7 GET / /services/7 Host=a body=");
    EXPECT_EQ(body_of(client.get("/b3/x?y")), "0 GET /blake3/x?y /b3/x?y Host=a body=");
    const Response posted = client.ask("POST", "/services/4000000000/", "Content-Length: 0\r\n");
    EXPECT_EQ(body_of(posted),
              "4000000000 POST / /services/4000000000/ Host=a Content-Length=0 body=");
    EXPECT_EQ(field(posted, "X-Echo"), "yes");
    EXPECT_EQ(field(posted, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(field(posted, "Access-Control-Allow-Origin"), "*");
    const Response head = client.ask("HEAD", "/services/7/x");
    EXPECT_TRUE(head.body.empty());
    EXPECT_EQ(field(head, "Content-Length"),
              std::to_string(std::string("7 HEAD /x /services/7/x Host=a body=").size()));
}

TEST_F(GatewayOverHttp, GivesAServiceTheBody) {
    start(list_of(echo(7)));
    Client client = connect();
    client.send_text("POST /services/7/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_TRUE(body_of(client.receive().value()).ends_with(" body=hello"));
}

TEST_F(GatewayOverHttp, SaysWhichServicesThereAre) {
    start(list_of(echo(7), echo(9)));
    Client client = connect();
    const std::string both =
        "This node runs: echo-7 (GET, HEAD, POST /services/7/<anything>, for a test); echo-9 (GET, "
        "HEAD, POST /services/9/<anything>, for a test).\n";
    for (const auto& [target, said] : std::vector<std::pair<std::string, std::string>>{
             {"/", "there is nothing at /. "},
             {"/index.html?a", "there is nothing at /index.html. "},
             {"/services/x/y", "there is nothing at /services/x/y. "},
             {"/services/8/x", "this node does not run service 8. "},
             {"/b3/x", "this node does not run service 0. "}}) {
        const Response response = client.get(target);
        EXPECT_EQ(response.status, 404U);
        EXPECT_EQ(body_of(response), said + both);
        EXPECT_EQ(field(response, "Cache-Control"), "no-store");
    }
    start(list_of(echo(0)));
    EXPECT_TRUE(
        body_of(connect().get("/")).ends_with("). /b3/ is short for /services/0/blake3/.\n"));
    start({});
    EXPECT_EQ(body_of(connect().get("/")), "there is nothing at /. This node runs no services.\n");
}

TEST_F(GatewayOverHttp, EachServiceHasItsMethods) {
    start(list_of(echo(7),
                  service(info_of(8, "put", {"PUT"}),
                          [](const sdk::Request& /*request*/,
                             const auto& /*host*/,
                             sdk::AnswerCallback answer) { answer(whole("put")); })));
    Client client = connect();
    EXPECT_EQ(body_of(client.ask("PUT", "/services/8/", "Content-Length: 0\r\n")), "put");
    for (const auto& [method, target, allow] :
         std::vector<std::tuple<std::string, std::string, std::string>>{
             {"PUT", "/services/7/", "GET, HEAD, POST, OPTIONS"},
             {"get", "/services/7/", "GET, HEAD, POST, OPTIONS"},
             {"GET", "/services/8/", "PUT, OPTIONS"}}) {
        const Response refused = client.ask(method, target, "Content-Length: 0\r\n");
        EXPECT_EQ(refused.status, 405U);
        EXPECT_EQ(field(refused, "Allow"), allow);
        EXPECT_TRUE(body_of(refused).contains("use " + allow));
    }
    for (const auto& [target, methods] : std::vector<std::pair<std::string, std::string>>{
             {"/services/7/x", "GET, HEAD, POST, OPTIONS"},
             {"/services/8/x", "PUT, OPTIONS"},
             {"/nothing", "GET, HEAD, POST, PUT, OPTIONS"},
             {"*", "GET, HEAD, POST, PUT, OPTIONS"}}) {
        const Response preflight = client.ask("OPTIONS", target, "Origin: https://a.example\r\n");
        EXPECT_EQ(preflight.status, 204U);
        EXPECT_EQ(field(preflight, "Access-Control-Allow-Methods"), methods);
        EXPECT_EQ(field(preflight, "Access-Control-Allow-Origin"), "*");
    }
}

TEST_F(GatewayOverHttp, ServicesThatAreNoneAreRefused) {
    const auto refused = [&](Gateway::Services services) {
        const auto started = Gateway::start(std::move(services), source_, clock_, {});
        if (started) return std::string("started");
        EXPECT_EQ(started.error().code, Errc::InvalidArgument);
        return started.error().context;
    };
    const auto with = [&](const std::function<void(sdk::ServiceInfo&)>& change) {
        sdk::ServiceInfo info = info_of(1, "a", {"GET"});
        change(info);
        return refused(list_of(service(info, {})));
    };
    EXPECT_EQ(refused(list_of(echo(3), echo(3))), "two services have the number 3");
    EXPECT_TRUE(with([](auto& info) { info.name = ""; }).contains("name"));
    EXPECT_TRUE(with([](auto& info) { info.name = "A"; }).contains("name"));
    EXPECT_TRUE(with([](auto& info) { info.name = std::string(33, 'a'); }).contains("name"));
    EXPECT_TRUE(with([](auto& info) { info.usage = "x"; }).contains("usage"));
    EXPECT_TRUE(with([](auto& info) { info.usage = "/\n"; }).contains("usage"));
    EXPECT_TRUE(
        with([](auto& info) { info.usage = "/" + std::string(256, 'a'); }).contains("usage"));
    EXPECT_TRUE(with([](auto& info) { info.methods.clear(); }).contains("methods"));
    EXPECT_TRUE(with([](auto& info) { info.methods = {"OPTIONS"}; }).contains("methods"));
    EXPECT_TRUE(with([](auto& info) { info.methods = {"A B"}; }).contains("methods"));
    EXPECT_TRUE(with([](auto& info) {
                    info.methods = std::vector<std::string>(sdk::kServiceMethodsMax + 1, "A");
                }).contains("methods"));
    Gateway::Services many;
    for (std::uint32_t id = 0; id <= kServicesMax; ++id) many.push_back(echo(id));
    EXPECT_EQ(refused(std::move(many)), "a node runs at most 32 services, not 33");
    EXPECT_EQ(with([](auto&) {}), "started");
}

TEST_F(GatewayOverHttp, PromisesAreKeptByAnyThreadOrBroken) {
    std::vector<sdk::AnswerCallback> kept;
    std::atomic<std::size_t> count = 0;
    start(list_of(
        service(info_of(7, "later", {"GET"}),
                [&](const sdk::Request& request, const auto& /*host*/, sdk::AnswerCallback answer) {
                    if (request.target == "/drop") return;
                    kept.push_back(std::move(answer));
                    ++count;
                })));
    Client client = connect();
    EXPECT_EQ(client.get("/services/7/drop").status, 500U);
    client.send("GET", "/services/7/keep");
    while (count == 0) std::this_thread::yield();
    kept.front()(whole("later"));
    EXPECT_EQ(body_of(client.receive().value()), "later");
    client.send("GET", "/services/7/keep");
    while (count == 1) std::this_thread::yield();
    gateway_.reset();
    kept.back()(whole("too late"));
    EXPECT_FALSE(client.receive());
}

TEST_F(GatewayOverHttp, LimitsWhatOneClientGetsForNothing) {
    ManualClock clock;
    const GatewayOptions options{.limits = {.requests_per_s = 1,
                                            .bytes_per_s = 100'000,
                                            .requests_burst = 3,
                                            .bytes_burst = 100'000}};
    const std::string large(1'100'000, 'x');
    gateway_ =
        Gateway::start(list_of(service(info_of(7, "large", {"GET", "HEAD"}),
                                       [&](const sdk::Request& /*request*/,
                                           const auto& /*host*/,
                                           sdk::AnswerCallback answer) { answer(whole(large)); })),
                       source_,
                       clock,
                       options)
            .value();
    Client client = connect();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ask("HEAD", "/services/7/").status, 200U);
    const Response refused = client.get("/services/7/");
    EXPECT_EQ(refused.status, 429U);
    EXPECT_EQ(field(refused, "Retry-After"), "1");
    EXPECT_TRUE(body_of(refused).contains("Ask again in 1 s."));
    clock.advance(1s);
    // What was begun goes on; then the debt is paid.
    EXPECT_EQ(client.get("/services/7/").body.size(), large.size());
    const Response in_debt = client.get("/services/7/");
    EXPECT_EQ(in_debt.status, 429U);
    EXPECT_EQ(field(in_debt, "Retry-After"), "10");
    clock.advance(10s);
    EXPECT_EQ(client.ask("HEAD", "/services/7/").status, 200U);
    EXPECT_EQ(gateway_->counters().limited, 2U);
    gateway_.reset();
}

}  // namespace
}  // namespace draco::gateway
