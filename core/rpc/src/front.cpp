#include "draco/rpc/front.hpp"

#include "client_limits.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <mutex>
#include <string_view>

namespace draco::rpc {
namespace {

namespace json = boost::json;

constexpr std::string_view kJson = "application/json";
constexpr std::array<std::string_view, 3> kJsonTypes = {
    kJson, "application/json-rpc", "application/jsonrequest"};
constexpr std::array<std::string_view, 2> kCallPaths = {"/rpc/v0", "/"};
constexpr std::array<std::string_view, 3> kReadPaths = {"/health", "/metrics", "/version"};
constexpr std::string_view kCallMethods = "POST, OPTIONS";
constexpr std::string_view kReadMethods = "GET, HEAD, OPTIONS";

template <std::size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& texts) {
    return std::ranges::find(texts, text) != texts.end();
}

FrontResponse answer(int status, std::string_view type, std::string body) {
    FrontResponse made{.status = status, .headers = {}, .body = std::move(body)};
    if (!type.empty()) made.headers.emplace_back("Content-Type", type);
    made.headers.emplace_back("Access-Control-Allow-Origin", "*");
    made.headers.emplace_back("Cache-Control", "no-store");
    return made;
}

FrontResponse refusal(int status, std::string_view error, std::string_view hint) {
    return answer(
        status, kJson, json::serialize(json::object{{"error", error}, {"hint", hint}}) + "\n");
}

FrontResponse preflight(std::string_view methods) {
    FrontResponse made = answer(204, {}, {});
    made.headers.emplace_back("Allow", methods);
    made.headers.emplace_back("Access-Control-Allow-Methods", methods);
    made.headers.emplace_back("Access-Control-Allow-Headers", "Content-Type");
    made.headers.emplace_back("Access-Control-Max-Age", "86400");
    return made;
}

FrontResponse wrong_method(std::string_view methods, std::string_view hint) {
    FrontResponse made = refusal(405, "this path does not take the request's method", hint);
    made.headers.emplace_back("Allow", methods);
    return made;
}

FrontResponse too_many(Duration wait) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
    FrontResponse made = refusal(429,
                                 "too many requests from this address",
                                 "wait as Retry-After says; each call of a batch counts");
    made.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(seconds, 1)));
    return made;
}

// The media type without parameters, in lower case.
std::string media_type(std::string_view content_type) {
    std::string type(content_type.substr(0, content_type.find(';')));
    const auto end = type.find_last_not_of(" \t");
    type.resize(end == std::string::npos ? 0 : end + 1);
    type.erase(0, std::min(type.find_first_not_of(" \t"), type.size()));
    std::ranges::transform(
        type, type.begin(), [](unsigned char letter) { return std::tolower(letter); });
    return type;
}

}  // namespace

class RpcFront::Clients {
public:
    explicit Clients(const FrontOptions& options) {
        if (options.requests_per_second > 0)
            limits_.emplace(options.requests_per_second,
                            std::max<std::uint32_t>(options.requests_burst, 1),
                            options.clients_max);
    }

    std::optional<Duration> refuse(const std::string& client, Instant now) {
        if (!limits_) return std::nullopt;
        const std::scoped_lock lock(mutex_);
        return limits_->refuse(client, now);
    }

    // Who was let in with one call may owe the others of its batch; only those who send many bodies
    // at once are refused here.
    std::optional<Duration> charge(const std::string& client,
                                   std::size_t calls,
                                   Instant now,
                                   std::size_t owed_max) {
        if (!limits_) return std::nullopt;
        const std::scoped_lock lock(mutex_);
        return limits_->take(client, now, calls, owed_max);
    }

private:
    std::mutex mutex_;
    std::optional<ClientLimits> limits_;
};

RpcFront::RpcFront(RpcService& service, const Clock& clock, FrontOptions options)
    : service_(service), clock_(clock), clients_(std::make_shared<Clients>(options)) {}

RpcFront::~RpcFront() = default;

std::size_t RpcFront::body_bytes_max() const {
    return service_.limits().body_bytes_max;
}

FrontResponse RpcFront::body_too_long() const {
    return refusal(413,
                   "the body is longer than " + std::to_string(body_bytes_max()) + " bytes",
                   "send fewer calls in one batch");
}

void RpcFront::handle(const FrontRequest& request, Done done) {
    const std::string path = request.target.substr(0, request.target.find('?'));
    const bool calls = one_of(path, kCallPaths);
    if (!calls && !one_of(path, kReadPaths))
        return done(refusal(404,
                            "there is nothing at this path",
                            "POST JSON-RPC to /rpc/v0; GET /health, /metrics or /version"));
    if (request.method == "OPTIONS") return done(preflight(calls ? kCallMethods : kReadMethods));
    if (path != "/health")
        if (const auto wait = clients_->refuse(client_of(request.client), clock_.now()))
            return done(too_many(*wait));
    if (calls) {
        if (request.method == "POST") return call(request, std::move(done));
        return done(wrong_method(
            kCallMethods,
            R"(POST {"jsonrpc":"2.0","id":1,"method":"flk_methods"} lists what can be called)"));
    }
    if (request.method != "GET" && request.method != "HEAD")
        return done(wrong_method(kReadMethods, "GET it"));
    done(read(path));
}

void RpcFront::call(const FrontRequest& request, Done done) {
    const std::string type = media_type(request.content_type);
    if (!type.empty() && !one_of(std::string_view(type), kJsonTypes))
        return done(refusal(
            415, "the body's content type is not JSON", "send Content-Type: application/json"));
    if (request.body.size() > body_bytes_max()) return done(body_too_long());
    const std::string client = client_of(request.client);
    service_.handle(request.body,
                    [done = std::move(done)](std::string response) mutable {
                        if (response.empty()) return done(answer(204, {}, {}));
                        done(answer(200, kJson, std::move(response)));
                    },
                    {.authorization = request.authorization,
                     .client = client,
                     .charge = [clients = clients_, client, owed_max = service_.limits().batch_max](
                                   std::size_t calls, Instant now) {
                         return clients->charge(client, calls, now, owed_max);
                     }});
}

FrontResponse RpcFront::read(std::string_view path) const {
    if (path == "/metrics")
        return answer(200, "text/plain; version=0.0.4; charset=utf-8", service_.metrics());
    if (path == "/version")
        return answer(
            200,
            kJson,
            json::serialize(json::object{{"name", "draco"}, {"version", service_.version()}}) +
                "\n");
    const Health health = service_.health();
    if (health.ok) return answer(200, "text/plain; charset=utf-8", "OK");
    return answer(
        503,
        kJson,
        json::serialize(json::object{{"status", "unavailable"}, {"reason", health.reason}}) + "\n");
}

}  // namespace draco::rpc
