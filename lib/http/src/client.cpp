#include "draco/http/client.hpp"

#include "draco/http/parser.hpp"

#include <charconv>
#include <future>
#include <memory>
#include <utility>

namespace draco::http {
namespace {

std::unexpected<Error> bad_url(std::string_view url, const std::string& what) {
    return fail(Errc::InvalidArgument,
                "'" + std::string(url) + "' is no URL like http://127.0.0.1:4240: " + what);
}

Bytes serialize(const Exchange& exchange) {
    const Url& url = exchange.url;
    const bool is_ipv6 = url.host.contains(':');
    std::string head = exchange.method + " " + url.target +
                       " HTTP/1.1\r\nHost: " + (is_ipv6 ? "[" + url.host + "]" : url.host) + ":" +
                       std::to_string(url.port) + "\r\nConnection: close\r\n";
    for (const Field& field : exchange.fields.list)
        head += field.name + ": " + field.value + "\r\n";
    if (!exchange.body.empty() || exchange.method == "POST")
        head += "Content-Length: " + std::to_string(exchange.body.size()) + "\r\n";
    head += "\r\n";
    Bytes bytes = to_bytes(as_bytes(head));
    append(bytes, exchange.body);
    return bytes;
}

class ClientReceiver final : public io::StreamReceiver {
public:
    ClientReceiver(const Exchange& exchange, std::move_only_function<void(Result<Response>)> done)
        : request_(serialize(exchange)),
          parser_({.body_bytes_max = exchange.response_bytes_max}, exchange.method == "HEAD"),
          done_(std::move(done)) {}

    ClientReceiver(const ClientReceiver&) = delete;
    ClientReceiver& operator=(const ClientReceiver&) = delete;

    ~ClientReceiver() override { finish(fail(Errc::Abandoned, "the exchange was dropped")); }

    void on_open(const io::Stream& stream) override {
        stream_ = stream;
        if (const auto written = stream.write(std::move(request_)); !written) {
            finish(std::unexpected(written.error()));
            stream.abort();
        }
    }

    std::size_t on_bytes(ByteView bytes) override {
        if (const auto taken = parser_.feed(bytes); !taken)
            finish(fail(Errc::Corrupt, "the answer is no HTTP response: " + taken.error().what));
        else if (parser_.is_complete())
            finish(parser_.take());
        if (!done_) stream_->close();
        return bytes.size();
    }

    void on_end() override {
        if (!done_) return;
        if (parser_.end())
            finish(parser_.take());
        else
            finish(fail(Errc::Unavailable, "the connection ended in the middle of the answer"));
        stream_->close();
    }

    void on_writable() override {}

    void on_close(const Result<>& why) override {
        finish(fail(why ? Errc::Unavailable : why.error().code,
                    why ? "the connection was closed without an answer" : why.error().context));
    }

private:
    void finish(Result<Response> outcome) {
        if (auto done = std::exchange(done_, nullptr)) done(std::move(outcome));
    }

    Bytes request_;
    ResponseParser parser_;
    std::optional<io::Stream> stream_;
    std::move_only_function<void(Result<Response>)> done_;
};

}  // namespace

Result<Url> parse_url(std::string_view text) {
    constexpr std::string_view kScheme = "http://";
    if (text.starts_with("https://")) return bad_url(text, "only http is spoken here");
    if (!text.starts_with(kScheme)) return bad_url(text, "it does not begin with http://");
    std::string_view rest = text.substr(kScheme.size());
    const std::size_t slash = rest.find('/');
    Url url;
    if (slash != std::string_view::npos) url.target = rest.substr(slash);
    for (const char c : url.target)
        if (c <= 0x20 || c >= 0x7F) return bad_url(text, "the path has characters to be encoded");
    rest = rest.substr(0, slash);
    const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
    if (bracket == std::string_view::npos) return bad_url(text, "a '[' without its ']'");
    const std::size_t colon = rest.find(':', bracket);
    if (colon != std::string_view::npos) {
        const std::string_view digits = rest.substr(colon + 1);
        const auto [stop, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
        if (error != std::errc{} || stop != digits.data() + digits.size() || url.port == 0)
            return bad_url(text, "the port is no number from 1 to 65535");
    }
    url.host = rest.substr(0, colon);
    if (bracket > 0) {
        if (!url.host.ends_with(']')) return bad_url(text, "something follows the ']'");
        url.host = rest.substr(1, bracket - 1);
    }
    if (url.host.empty()) return bad_url(text, "the host is missing");
    for (const char c : url.host)
        if (c <= 0x20 || c >= 0x7F || std::string_view("@?#[]").contains(c))
            return bad_url(text, "the host has characters that do not belong there");
    return url;
}

void send(io::Network& network,
          const Exchange& exchange,
          std::move_only_function<void(Result<Response>)> done) {
    // Connecting may fail at once, and then the receiver, with `done`, is gone.
    auto shared =
        std::make_shared<std::move_only_function<void(Result<Response>)>>(std::move(done));
    auto receiver = std::make_unique<ClientReceiver>(
        exchange, [shared](Result<Response> outcome) { (*shared)(std::move(outcome)); });
    const std::size_t request_bytes = exchange.body.size() + (std::size_t{64} << 10);
    static_cast<void>(network.connect(
        {.host = exchange.url.host,
         .port = exchange.url.port,
         .deadline = exchange.deadline,
         .stream = {.send_bytes_max = request_bytes, .idle_deadline = exchange.deadline}},
        std::move(receiver)));
}

Result<Response> send_and_wait(io::Network& network, const Exchange& exchange) {
    std::promise<Result<Response>> answered;
    auto answer = answered.get_future();
    send(network, exchange, [&answered](Result<Response> outcome) {
        answered.set_value(std::move(outcome));
    });
    return answer.get();
}

}  // namespace draco::http
