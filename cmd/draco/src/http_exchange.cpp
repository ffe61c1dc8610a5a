#include "http_exchange.hpp"

#include "draco/http/client.hpp"

namespace draco {
namespace {

// Started with the first request; a command that asks nobody has no threads.
Result<io::Network*> network() {
    static const Result<std::unique_ptr<io::Network>> kNetwork = io::Network::start({});
    if (!kNetwork) return std::unexpected(kNetwork.error());
    return kNetwork->get();
}

Result<HttpAnswer> answered(const HttpUrl& url, Result<http::Response> answer) {
    if (!answer)
        return fail(answer.error().code,
                    "no node answers at " + url.text() + ": " + answer.error().context);
    return HttpAnswer{.status = answer->status, .body = std::string(as_text(answer->body))};
}

http::Exchange exchange_of(const HttpUrl& url,
                           std::string_view path,
                           std::string_view body,
                           Duration timeout,
                           std::string_view bearer) {
    http::Exchange exchange;
    exchange.url = {.host = url.host, .port = url.port, .target = std::string(path)};
    exchange.deadline = timeout;
    if (!body.empty()) {
        exchange.method = "POST";
        exchange.fields.add("Content-Type", "application/json");
        exchange.body = to_bytes(as_bytes(body));
    }
    if (!bearer.empty()) exchange.fields.add("Authorization", "Bearer " + std::string(bearer));
    return exchange;
}

}  // namespace

Result<HttpUrl> HttpUrl::parse(std::string_view text) {
    const std::string full =
        text.contains("://") ? std::string(text) : "http://" + std::string(text);
    auto parsed = http::parse_url(full);
    if (!parsed)
        return fail(Errc::InvalidArgument,
                    "\"" + std::string(text) + "\" is no URL of a node (" + parsed.error().context +
                        "); it looks like http://127.0.0.1:4240");
    const std::string authority = full.substr(7, full.find('/', 7) - 7);
    const bool has_port = authority.rfind(':') != std::string::npos && !authority.ends_with(']');
    return HttpUrl{.host = parsed->host, .port = has_port ? parsed->port : kRpcPort};
}

std::string HttpUrl::text() const {
    const bool is_ipv6 = host.contains(':');
    return "http://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<HttpAnswer> http_exchange(const HttpUrl& url,
                                 std::string_view path,
                                 std::string_view body,
                                 Duration timeout,
                                 std::string_view bearer) {
    DRACO_TRY(net, network());
    return answered(url, http::send_and_wait(*net, exchange_of(url, path, body, timeout, bearer)));
}

Result<HttpAnswer> http_request(const HttpUrl& url, HttpCall call, Duration timeout) {
    DRACO_TRY(net, network());
    http::Exchange exchange;
    exchange.url = {.host = url.host, .port = url.port, .target = std::move(call.target)};
    exchange.method = std::move(call.method);
    exchange.deadline = timeout;
    if (!call.body.empty()) exchange.fields.add("Content-Type", std::move(call.content_type));
    exchange.body = std::move(call.body);
    if (!call.bearer.empty()) exchange.fields.add("Authorization", "Bearer " + call.bearer);
    return answered(url, http::send_and_wait(*net, exchange));
}

void begin_http_exchange(const HttpUrl& url,
                         std::string_view path,
                         std::string_view body,
                         Duration timeout,
                         std::move_only_function<void(Result<HttpAnswer>)> done) {
    const auto net = network();
    if (!net) return done(std::unexpected(net.error()));
    http::send(**net,
               exchange_of(url, path, body, timeout, {}),
               [url, done = std::move(done)](Result<http::Response> answer) mutable {
                   done(answered(url, std::move(answer)));
               });
}

}  // namespace draco
