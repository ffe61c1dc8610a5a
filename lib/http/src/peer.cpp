#include "draco/http/peer.hpp"

#include "draco/base/bytes.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace draco::http {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool is_ipv4(const std::array<std::uint8_t, 16>& address) {
    return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
}

}  // namespace

// The last 64 bits of a mapped IPv4 address, 0000:ffff:..., are no /64 network that is routed.
std::uint64_t Peer::network() const {
    return load_be<std::uint64_t>(address.data() + (is_ipv4(address) ? 8 : 0));
}

std::string Peer::text() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool v4 = is_ipv4(address);
    const std::uint8_t* const bytes = address.data() + (v4 ? kMappedPrefix.size() : 0);
    ::inet_ntop(v4 ? AF_INET : AF_INET6, bytes, text.data(), text.size());
    return text.data();
}

}  // namespace draco::http
