#pragma once
// A client without lib/http's or lib/io's help, for whatever a real one may do.

#include "draco/io/file_descriptor.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace draco::http {

// A client that sends and reads bytes as it likes.
class RawClient {
public:
    explicit RawClient(std::uint16_t port)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        EXPECT_EQ(
            ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
            0);
    }

    // False when the other side takes no more: gone, or `flags` has MSG_DONTWAIT.
    bool send(std::string_view bytes, int flags = 0) const {
        while (!bytes.empty()) {
            const ssize_t sent =
                ::send(socket_.get(), bytes.data(), bytes.size(), flags | MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    void end() const { ::shutdown(socket_.get(), SHUT_WR); }

    void reset() const {
        const linger now{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }

    // Blocks until the bytes read hold `what`, or the other side ends. Returns them.
    std::string read_until(std::string_view what) const {
        std::string all;
        char buffer[4096];
        while (!all.contains(what)) {
            const ssize_t count = ::recv(socket_.get(), buffer, sizeof(buffer), 0);
            if (count <= 0) break;
            all.append(buffer, static_cast<std::size_t>(count));
        }
        return all;
    }

    // Blocks until there is something; empty when the other side has ended.
    std::string read_some() const {
        std::string some(std::size_t{64} << 10, '\0');
        const ssize_t count = ::recv(socket_.get(), some.data(), some.size(), 0);
        some.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return some;
    }

    // Blocks until the other side has ended.
    std::string read_all() const {
        std::string all;
        char buffer[4096];
        for (ssize_t count = 0; (count = ::recv(socket_.get(), buffer, sizeof(buffer), 0)) > 0;)
            all.append(buffer, static_cast<std::size_t>(count));
        return all;
    }

private:
    io::FileDescriptor socket_;
};

inline std::string get(std::string_view target, std::string_view fields = "") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

inline std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; ++at) ++found;
    return found;
}

}  // namespace draco::http
