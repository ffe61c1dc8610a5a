#pragma once
// Two token buckets for each client, one of requests and one of bytes, in bounded memory.

#include "draco/base/clock.hpp"
#include "draco/gateway/rate_limits.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>

namespace draco::gateway {

// A bucket is kept as the time at which it will be full again (GCRA). Bytes are charged as they are
// sent, so their bucket may be overdrawn: what was begun goes on, and new requests wait until the
// debt is paid. The last clients_max / 2 newcomers, at least, are remembered; one that is forgotten
// has full buckets, so that very many addresses cost strictness and never memory.
//
// Deterministic; `now` never goes back. Not thread-safe. Costs O(1).
class RateLimiter {
public:
    explicit RateLimiter(const RateLimits& limits);

    // Takes a request's token; or says after how long the client may ask again.
    std::optional<Duration> refuse(std::uint64_t client, Instant now);
    void charge_bytes(std::uint64_t client, std::uint64_t bytes, Instant now);

    std::size_t remembered() const { return young_.size() + old_.size(); }

private:
    struct Buckets {
        Instant requests_full_at{Duration::min()};
        Instant bytes_full_at{Duration::min()};
    };

    Buckets& buckets_of(std::uint64_t client);

    const RateLimits limits_;
    const std::size_t generation_max_;
    std::unordered_map<std::uint64_t, Buckets> young_;
    std::unordered_map<std::uint64_t, Buckets> old_;
};

}  // namespace draco::gateway
