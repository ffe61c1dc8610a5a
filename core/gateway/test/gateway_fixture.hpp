#pragma once
// A gateway over loopback before a source in memory, and clients of it.

#include "draco/base/text_encoding.hpp"
#include "draco/gateway/gateway.hpp"
#include "draco/http/parser.hpp"
#include "draco/io/file_descriptor.hpp"
#include "draco/io/system_clock.hpp"

#include "memory_source.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace draco::gateway {

using http::Response;

// One connection; requests one after the other.
class Client {
public:
    explicit Client(std::uint16_t port)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        EXPECT_EQ(
            ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
            0);
    }

    // `fields` are whole lines.
    void send(std::string_view method,
              std::string_view target,
              std::string_view fields = "") const {
        const std::string request = std::string(method) + " " + std::string(target) +
                                    " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
        send_text(request);
    }

    void send_text(std::string_view text) const {
        EXPECT_EQ(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }

    // Sends no more, and still reads.
    void end() const { ::shutdown(socket_.get(), SHUT_WR); }

    // nullopt when the server ends first.
    std::optional<Response> receive(bool head_only = false) {
        http::ResponseParser parser({.body_bytes_max = std::size_t{1} << 30}, head_only);
        while (true) {
            const auto taken = parser.feed(unread_);
            if (!taken) {
                ADD_FAILURE() << taken.error().what;
                return std::nullopt;
            }
            unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(*taken));
            if (parser.is_complete()) return parser.take();
            if (!read_some()) return std::nullopt;
        }
    }

    // Reads until so many bytes are here and not received.
    void wait_bytes(std::size_t bytes) {
        while (unread_.size() < bytes && read_some()) {
        }
    }

    std::size_t unread() const { return unread_.size(); }

    Response ask(std::string_view method, std::string_view target, std::string_view fields = "") {
        send(method, target, fields);
        return receive(method == "HEAD").value();
    }

    Response get(std::string_view target, std::string_view fields = "") {
        return ask("GET", target, fields);
    }

private:
    bool read_some() {
        std::array<std::uint8_t, 65536> buffer{};
        const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (count <= 0) return false;
        append(unread_, ByteView(buffer).first(static_cast<std::size_t>(count)));
        return true;
    }

    io::FileDescriptor socket_;
    Bytes unread_;
};

// Stands still unless it is told to go on.
class ManualClock final : public Clock {
public:
    Instant now() const override { return {Duration(ns_)}; }

    UnixTime unix_now() const override { return {1'700'000'000'000}; }

    void advance(Duration by) { ns_ += by.count(); }

private:
    std::atomic<Duration::rep> ns_ = 0;
};

inline Bytes random_bytes(std::mt19937_64& random, std::size_t size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bytes;
}

inline Bytes text(std::string_view text) {
    return to_bytes(as_bytes(text));
}

inline std::string b3(const types::ContentHash& hash, std::string_view path = "") {
    return "/b3/" + to_hex(hash.view()) + std::string(path);
}

inline std::string body_of(const Response& response) {
    return std::string(as_text(response.body));
}

inline std::string field(const Response& response, std::string_view name) {
    return std::string(response.fields.find(name).value_or("(none)"));
}

class GatewayOverHttp : public ::testing::Test {
protected:
    static RateLimits unlimited() { return {.requests_per_s = 0, .bytes_per_s = 0}; }

    void start(Gateway::Services services,
               const GatewayOptions& options = {.engine = {.thread_count = 2},
                                                .limits = unlimited()}) {
        gateway_ = Gateway::start(std::move(services), source_, clock_, options).value();
    }

    ~GatewayOverHttp() override {
        gateway_.reset();
        source_.release();
        pool_->stop();
    }

    Client connect() const { return Client(gateway_->port()); }

    const io::SystemClock clock_;
    std::unique_ptr<io::ThreadPool> pool_ =
        io::ThreadPool::start({.name = "source", .thread_count = 2}).value();
    MemorySource source_{pool_.get()};
    std::unique_ptr<Gateway> gateway_;
};

}  // namespace draco::gateway
