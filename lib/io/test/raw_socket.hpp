#pragma once
// Sockets without lib/io's help, for peers that misbehave.

#include "draco/base/bytes.hpp"
#include "draco/io/file_descriptor.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

namespace draco::io {

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

inline FileDescriptor raw_socket() {
    return FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

inline void raw_connect(const FileDescriptor& socket, std::uint16_t port) {
    const sockaddr_in address = loopback(port);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              0);
}

inline FileDescriptor raw_connect(std::uint16_t port) {
    FileDescriptor socket = raw_socket();
    raw_connect(socket, port);
    return socket;
}

inline void raw_send(const FileDescriptor& socket, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
}

// Blocks until the other side has closed or reset. Returns what it sent before.
inline Bytes raw_receive_all(const FileDescriptor& socket) {
    Bytes all;
    std::uint8_t buffer[4096];
    for (ssize_t count = 0; (count = ::recv(socket.get(), buffer, sizeof(buffer), 0)) > 0;)
        append(all, ByteView(buffer, static_cast<std::size_t>(count)));
    return all;
}

// Listens, and leaves whoever connects alone.
class RawListener {
public:
    RawListener() : socket_(raw_socket()) {
        sockaddr_in address = loopback(0);
        EXPECT_EQ(
            ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
        EXPECT_EQ(::listen(socket_.get(), 16), 0);
    }

    std::uint16_t port() const {
        sockaddr_in address{};
        socklen_t size = sizeof(address);
        EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        return ntohs(address.sin_port);
    }

    FileDescriptor accept() const {
        return FileDescriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }

private:
    FileDescriptor socket_;
};

// While it lives, this process opens no descriptor.
class NoNewDescriptors {
public:
    NoNewDescriptors() {
        EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        rlimit none = before_;
        none.rlim_cur = 0;
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    }

    ~NoNewDescriptors() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

    NoNewDescriptors(const NoNewDescriptors&) = delete;
    NoNewDescriptors& operator=(const NoNewDescriptors&) = delete;

private:
    rlimit before_{};
};

}  // namespace draco::io
