#include "rate_limiter.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace draco::gateway {
namespace {

// How long a bucket of `per_s` tokens a second takes to get `count` of them, at most 31 years.
Duration time_for(std::uint64_t count, std::uint64_t per_s) {
    constexpr std::uint64_t kPerSMax = std::uint64_t{1} << 33;  // times 10^9 is within 64 bits
    constexpr std::uint64_t kNsPerS = 1'000'000'000;
    constexpr std::uint64_t kSecondsMax = 1'000'000'000;
    per_s = std::min(per_s, kPerSMax);
    return std::chrono::seconds(std::min(count / per_s, kSecondsMax)) +
           std::chrono::nanoseconds(count % per_s * kNsPerS / per_s);
}

// How long until a bucket that is full at `full_at` has a token, if it takes `tolerance` to fill.
Duration wait_of(Instant full_at, Duration tolerance, Instant now) {
    return std::max(full_at, now) - now - tolerance;
}

}  // namespace

RateLimiter::RateLimiter(const RateLimits& limits)
    : limits_(limits), generation_max_(std::max<std::size_t>(limits.clients_max / 2, 1)) {}

std::optional<Duration> RateLimiter::refuse(std::uint64_t client, Instant now) {
    Buckets& buckets = buckets_of(client);
    Duration wait{0};
    if (limits_.bytes_per_s > 0)
        wait =
            wait_of(buckets.bytes_full_at, time_for(limits_.bytes_burst, limits_.bytes_per_s), now);
    const Duration interval =
        limits_.requests_per_s > 0 ? time_for(1, limits_.requests_per_s) : Duration{0};
    if (limits_.requests_per_s > 0) {
        const std::uint32_t burst = std::max<std::uint32_t>(limits_.requests_burst, 1);
        wait = std::max(wait, wait_of(buckets.requests_full_at, interval * (burst - 1), now));
    }
    if (wait > Duration{0}) return wait;
    buckets.requests_full_at = std::max(buckets.requests_full_at, now) + interval;
    return std::nullopt;
}

void RateLimiter::charge_bytes(std::uint64_t client, std::uint64_t bytes, Instant now) {
    if (limits_.bytes_per_s == 0) return;
    Instant& full_at = buckets_of(client).bytes_full_at;
    full_at = std::max(full_at, now) + time_for(bytes, limits_.bytes_per_s);
}

RateLimiter::Buckets& RateLimiter::buckets_of(std::uint64_t client) {
    const auto known = young_.find(client);
    if (known != young_.end()) return known->second;
    if (young_.size() >= generation_max_) old_ = std::exchange(young_, {});
    Buckets buckets;
    if (const auto before = old_.find(client); before != old_.end()) {
        buckets = before->second;
        old_.erase(before);
    }
    return young_.emplace(client, buckets).first->second;
}

}  // namespace draco::gateway
