#include "listening_socket.hpp"

#include "draco/base/bytes.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace draco::http {
namespace {

struct Endpoint {
    sockaddr_storage storage{};
    socklen_t size = 0;

    const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Result<Endpoint> endpoint_of(const std::string& address, std::uint16_t port) {
    Endpoint endpoint;
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&endpoint.storage);
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&endpoint.storage);
    if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        endpoint.size = sizeof(*v4);
    } else if (::inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        endpoint.size = sizeof(*v6);
    } else {
        return fail(Errc::InvalidArgument,
                    "listening on '" + address +
                        "': this is no IP address; give one of this "
                        "machine, or 0.0.0.0 or :: for all of them");
    }
    return endpoint;
}

std::unexpected<Error> listen_error(const std::string& address, std::uint16_t port, int number) {
    const std::string text = "listening on " + address + " port " + std::to_string(port) + ": " +
                             std::generic_category().message(number);
    switch (number) {
        case EADDRINUSE:
            return fail(Errc::AlreadyExists, text + "; choose another port or end who has it");
        case EADDRNOTAVAIL:
        case EAFNOSUPPORT:
        case EINVAL:
            return fail(Errc::InvalidArgument, text + "; give an IP address of this machine");
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            return fail(Errc::Exhausted, text + "; raise the limit on open files (ulimit -n)");
        case EACCES:
            return fail(Errc::Io, text + "; ports below 1024 need the right to bind them");
        default:
            return fail(Errc::Io, text);
    }
}

// 0 or an errno.
int open_bound(const Endpoint& endpoint, bool shared, io::FileDescriptor& socket) {
    socket = io::FileDescriptor(
        ::socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) return errno;
    const int on = 1;
    // A port that a connection of an earlier process still holds is free to listen on.
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) return errno;
    if (shared && ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
        return errno;
    return ::bind(socket.get(), endpoint.raw(), endpoint.size) == 0 ? 0 : errno;
}

}  // namespace

// Another program of this user that shares its port would take a part of our connections without
// anybody noticing; listening alone first finds it.
Result<std::vector<io::FileDescriptor>> listen_on(const std::string& address,
                                                  std::uint16_t port,
                                                  std::size_t count) {
    DRACO_TRY(endpoint, endpoint_of(address, port));
    if (port != 0) {
        io::FileDescriptor alone;
        if (const int number = open_bound(endpoint, false, alone); number != 0)
            return listen_error(address, port, number);
    }
    std::vector<io::FileDescriptor> sockets;
    while (sockets.size() < count) {
        io::FileDescriptor socket;
        if (const int number = open_bound(endpoint, true, socket); number != 0)
            return listen_error(address, port, number);
        if (::listen(socket.get(), SOMAXCONN) != 0) return listen_error(address, port, errno);
        sockets.push_back(std::move(socket));
        DRACO_TRY(bound, endpoint_of(address, local_port(sockets.front())));
        endpoint = bound;
    }
    return sockets;
}

std::uint16_t local_port(const io::FileDescriptor& socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    return peer_of(address).port;
}

Peer peer_of(const sockaddr_storage& address) {
    Peer peer;
    if (address.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof(v4));
        peer.address[10] = 0xFF;
        peer.address[11] = 0xFF;
        std::memcpy(peer.address.data() + 12, &v4.sin_addr, 4);
        peer.port = ntohs(v4.sin_port);
    } else if (address.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof(v6));
        std::memcpy(peer.address.data(), &v6.sin6_addr, peer.address.size());
        peer.port = ntohs(v6.sin6_port);
    }
    return peer;
}

}  // namespace draco::http
