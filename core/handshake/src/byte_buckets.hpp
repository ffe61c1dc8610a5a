#pragma once
// A token bucket of bytes for each client network, in bounded memory.

#include "draco/base/clock.hpp"

#include <cstdint>
#include <map>

namespace draco::handshake {

// A bucket is kept as the time at which it will be full again (GCRA). It may be overdrawn by one
// charge; then the client waits until the debt is paid. When more than networks_max are known,
// those whose buckets are full again are forgotten, then any: very many addresses cost strictness,
// never memory. Deterministic. Costs O(log networks), amortized.
class ByteBuckets {
public:
    ByteBuckets(std::uint64_t bytes_per_s, std::uint64_t burst_bytes, std::size_t networks_max);

    // How long until the network may have more; zero: now.
    Duration wait(std::uint64_t network, Instant now) const;
    void charge(std::uint64_t network, std::uint64_t bytes, Instant now);

    std::size_t size() const { return full_at_.size(); }

private:
    Duration time_for(std::uint64_t bytes) const;
    void make_room(Instant now);

    const std::uint64_t bytes_per_s_;
    const Duration tolerance_;
    const std::size_t networks_max_;
    std::map<std::uint64_t, Instant> full_at_;
};

}  // namespace draco::handshake
