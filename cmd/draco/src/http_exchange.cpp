#include "http_exchange.hpp"

#include "draco/io/file_descriptor.hpp"
#include "draco/io/system_clock.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace draco {
namespace {

constexpr std::size_t kHeadBytesMax = std::size_t{64} << 10;

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// One connection with a deadline for all that is done on it.
class Exchange {
public:
    Exchange(const HttpUrl& url, Duration timeout)
        : where_(url.host + ":" + std::to_string(url.port)), deadline_(clock_.now() + timeout) {}

    Result<> connect(const HttpUrl& url) {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        const int error =
            ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
        if (error != 0)
            return fail(Errc::Unavailable,
                        "cannot find " + url.host + ": " + ::gai_strerror(error));
        const std::unique_ptr<addrinfo, FreeAddresses> list(found);
        Result<> outcome = fail(Errc::Unavailable, where_ + " has no address");
        for (const addrinfo* each = list.get(); each != nullptr; each = each->ai_next) {
            outcome = connect_to(*each);
            if (outcome) return outcome;
        }
        return outcome;
    }

    Result<> send(std::string_view bytes) {
        while (!bytes.empty()) {
            DRACO_TRY_VOID(wait(POLLOUT));
            const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count < 0 && errno != EAGAIN && errno != EINTR) return broken();
            if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        return {};
    }

    // False at the end of the stream.
    Result<bool> receive(std::string& into) {
        DRACO_TRY_VOID(wait(POLLIN));
        char buffer[16384];
        const ssize_t count = ::recv(socket_.get(), buffer, sizeof buffer, 0);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
        if (count < 0) return std::unexpected(broken().error());
        into.append(buffer, static_cast<std::size_t>(count));
        return count > 0;
    }

    std::unexpected<Error> corrupt(const std::string& what) const {
        return fail(Errc::Corrupt, where_ + " " + what + "; is it a Draco node?");
    }

private:
    Result<> connect_to(const addrinfo& address) {
        socket_ = io::FileDescriptor(
            ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (socket_.get() < 0) return broken();
        if (::connect(socket_.get(), address.ai_addr, address.ai_addrlen) == 0) return {};
        if (errno != EINPROGRESS) return broken();
        DRACO_TRY_VOID(wait(POLLOUT));
        int error = 0;
        socklen_t length = sizeof error;
        ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
        errno = error;
        return error == 0 ? Result<>() : broken();
    }

    Result<> wait(short events) {
        while (true) {
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - clock_.now());
            if (left.count() <= 0)
                return fail(Errc::DeadlineExceeded, where_ + " did not answer in time");
            pollfd waiting{.fd = socket_.get(), .events = events, .revents = 0};
            const int ready =
                ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
            if (ready > 0) return {};
            if (ready < 0 && errno != EINTR) return broken();
        }
    }

    Result<> broken() const {
        return fail(Errc::Unavailable,
                    "no node answers at " + where_ + ": " + std::strerror(errno));
    }

    const io::SystemClock clock_;
    const std::string where_;
    const Instant deadline_;
    io::FileDescriptor socket_;
};

struct Head {
    int status = 0;
    std::optional<std::size_t> content_length;
    bool chunked = false;
};

bool same_name(std::string_view a, std::string_view b) {
    return std::ranges::equal(
        a, b, [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x) == y; });
}

std::optional<Head> parse_head(std::string_view text) {
    Head head;
    if (!text.starts_with("HTTP/1.") || text.size() < 12) return std::nullopt;
    const auto status = std::from_chars(text.data() + 9, text.data() + 12, head.status);
    if (status.ec != std::errc()) return std::nullopt;
    while (true) {
        const auto end = text.find("\r\n");
        if (end == std::string_view::npos) return head;
        text.remove_prefix(end + 2);
        const std::string_view line = text.substr(0, text.find("\r\n"));
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        std::string_view value = line.substr(colon + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        if (same_name(line.substr(0, colon), "content-length")) {
            std::size_t length = 0;
            const auto parsed = std::from_chars(value.data(), value.data() + value.size(), length);
            if (parsed.ec != std::errc()) return std::nullopt;
            head.content_length = length;
        }
        if (same_name(line.substr(0, colon), "transfer-encoding")) head.chunked = true;
    }
}

Result<HttpAnswer> receive_answer(Exchange& exchange) {
    std::string bytes;
    std::size_t head_end = std::string::npos;
    bool open = true;
    while (head_end == std::string::npos) {
        if (!open || bytes.size() > kHeadBytesMax)
            return exchange.corrupt("does not answer in HTTP");
        DRACO_TRY(more, exchange.receive(bytes));
        open = more;
        head_end = bytes.find("\r\n\r\n");
    }
    const auto head = parse_head(std::string_view(bytes).substr(0, head_end + 2));
    if (!head || head->chunked) return exchange.corrupt("answers in HTTP that makes no sense");
    bytes.erase(0, head_end + 4);
    const std::size_t wanted = head->content_length.value_or(kAnswerBytesMax);
    if (wanted > kAnswerBytesMax) return exchange.corrupt("answers with too much");
    while (open && bytes.size() < wanted) {
        DRACO_TRY(more, exchange.receive(bytes));
        open = more;
        if (bytes.size() > kAnswerBytesMax) return exchange.corrupt("answers with too much");
    }
    if (head->content_length && bytes.size() < wanted)
        return fail(Errc::Unavailable, "the connection broke in the middle of the answer");
    if (head->content_length) bytes.resize(wanted);
    return HttpAnswer{.status = head->status, .body = std::move(bytes)};
}

}  // namespace

Result<HttpUrl> HttpUrl::parse(std::string_view text) {
    const auto refuse = [&] {
        return fail(Errc::InvalidArgument,
                    "\"" + std::string(text) +
                        "\" is no URL of a node; it looks like http://127.0.0.1:4240");
    };
    std::string_view rest = text;
    if (rest.starts_with("http://"))
        rest.remove_prefix(7);
    else if (rest.contains("://"))
        return refuse();
    HttpUrl url;
    const auto slash = rest.find('/');
    if (slash != std::string_view::npos) {
        url.path = rest.substr(slash);
        rest = rest.substr(0, slash);
    }
    const auto colon = rest.rfind(':');
    if (colon != std::string_view::npos && !rest.ends_with(']')) {
        const std::string_view port = rest.substr(colon + 1);
        const auto parsed = std::from_chars(port.data(), port.data() + port.size(), url.port);
        if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() || url.port == 0)
            return refuse();
        rest = rest.substr(0, colon);
    }
    if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
    if (rest.empty()) return refuse();
    url.host = rest;
    for (const char c : url.host + url.path)
        if (c <= 0x20 || c >= 0x7F) return refuse();
    return url;
}

Result<HttpAnswer> http_exchange(const HttpUrl& url,
                                 std::string_view path,
                                 std::string_view body,
                                 Duration timeout) {
    Exchange exchange(url, timeout);
    DRACO_TRY_VOID(exchange.connect(url));
    std::string request = (body.empty() ? "GET " : "POST ") + std::string(path) +
                          " HTTP/1.1\r\nHost: " + url.host + ":" + std::to_string(url.port) +
                          "\r\nUser-Agent: draco\r\nConnection: close\r\n";
    if (!body.empty())
        request +=
            "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n";
    request += "\r\n";
    request += body;
    DRACO_TRY_VOID(exchange.send(request));
    return receive_answer(exchange);
}

}  // namespace draco
