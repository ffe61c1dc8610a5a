#pragma once
// The limits of all clients, for all threads.

#include "draco/base/clock.hpp"
#include "draco/gateway/rate_limits.hpp"

#include "rate_limiter.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace draco::gateway {

// Thread-safe. Clients are dealt to independent limiters, so that threads seldom meet.
class ClientLimits {
public:
    // `clock` outlives the limits.
    ClientLimits(const Clock& clock, RateLimits limits);

    // As those of RateLimiter.
    std::optional<Duration> refuse(std::uint64_t client);
    void charge_bytes(std::uint64_t client, std::uint64_t bytes);

private:
    static constexpr std::size_t kShards = 16;

    struct Shard {
        explicit Shard(const RateLimits& limits) : limiter(limits) {}

        std::mutex mutex;
        RateLimiter limiter;
    };

    Shard& shard_of(std::uint64_t client);

    const Clock& clock_;
    std::array<std::unique_ptr<Shard>, kShards> shards_;
};

}  // namespace draco::gateway
