#pragma once
// The other end of a connection, as the system names it.

#include <array>
#include <cstdint>
#include <string>

namespace draco::http {

// Value type.
struct Peer {
    // IPv6; an IPv4 address a.b.c.d is ::ffff:a.b.c.d (RFC 4291 2.5.5.2).
    std::array<std::uint8_t, 16> address{};
    std::uint16_t port = 0;

    // What counts as one client: an IPv4 address, or the 64 bits of an IPv6 address that one
    // customer of a provider gets at least.
    std::uint64_t network() const;
    // "192.0.2.1" or "2001:db8::1".
    std::string text() const;

    bool operator==(const Peer&) const = default;
};

}  // namespace draco::http
