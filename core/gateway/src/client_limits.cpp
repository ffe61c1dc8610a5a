#include "client_limits.hpp"

namespace draco::gateway {

ClientLimits::ClientLimits(const Clock& clock, RateLimits limits) : clock_(clock) {
    limits.clients_max /= kShards;
    for (auto& shard : shards_) shard = std::make_unique<Shard>(limits);
}

std::optional<Duration> ClientLimits::refuse(std::uint64_t client) {
    Shard& shard = shard_of(client);
    const std::lock_guard lock(shard.mutex);
    return shard.limiter.refuse(client, clock_.now());
}

void ClientLimits::charge_bytes(std::uint64_t client, std::uint64_t bytes) {
    Shard& shard = shard_of(client);
    const std::lock_guard lock(shard.mutex);
    shard.limiter.charge_bytes(client, bytes, clock_.now());
}

// Neighbours differ in the last bits of an IPv4 address, and of an IPv6 network.
ClientLimits::Shard& ClientLimits::shard_of(std::uint64_t client) {
    constexpr std::uint64_t kMix = 0x9E37'79B9'7F4A'7C15;
    return *shards_[(client * kMix) >> 60U];
}

}  // namespace draco::gateway
