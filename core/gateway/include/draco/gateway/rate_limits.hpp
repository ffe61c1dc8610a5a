#pragma once
// What one client may take for nothing. A client is an IPv4 address or an IPv6 /64
// (http::Peer::network).

#include <cstddef>
#include <cstdint>

namespace draco::gateway {

struct RateLimits {
    // 0: unbounded.
    std::uint32_t requests_per_s = 100;
    std::uint64_t bytes_per_s = std::uint64_t{16} << 20;
    // Beyond that rate, at once.
    std::uint32_t requests_burst = 1'000;
    std::uint64_t bytes_burst = std::uint64_t{256} << 20;
    // Remembered at a time, at least half of them.
    std::size_t clients_max = 65'536;
};

}  // namespace draco::gateway
