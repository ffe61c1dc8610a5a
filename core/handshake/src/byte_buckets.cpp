#include "byte_buckets.hpp"

#include <algorithm>
#include <chrono>

namespace draco::handshake {
namespace {

constexpr std::uint64_t kRateMax = std::uint64_t{1} << 33;  // times 10^9 is within 64 bits
constexpr std::uint64_t kNsPerS = 1'000'000'000;
constexpr std::uint64_t kSecondsMax = 1'000'000'000;

}  // namespace

ByteBuckets::ByteBuckets(std::uint64_t bytes_per_s,
                         std::uint64_t burst_bytes,
                         std::size_t networks_max)
    : bytes_per_s_(std::clamp<std::uint64_t>(bytes_per_s, 1, kRateMax)),
      tolerance_(time_for(burst_bytes)),
      networks_max_(std::max<std::size_t>(networks_max, 1)) {}

Duration ByteBuckets::wait(std::uint64_t network, Instant now) const {
    const auto found = full_at_.find(network);
    if (found == full_at_.end() || found->second <= now) return Duration{0};
    return std::max(found->second - now - tolerance_, Duration{0});
}

void ByteBuckets::charge(std::uint64_t network, std::uint64_t bytes, Instant now) {
    auto found = full_at_.find(network);
    if (found == full_at_.end()) {
        if (full_at_.size() >= networks_max_) make_room(now);
        found = full_at_.emplace(network, now).first;
    }
    found->second = std::max(found->second, now) + time_for(bytes);
}

Duration ByteBuckets::time_for(std::uint64_t bytes) const {
    return std::chrono::seconds(std::min(bytes / bytes_per_s_, kSecondsMax)) +
           std::chrono::nanoseconds(bytes % bytes_per_s_ * kNsPerS / bytes_per_s_);
}

void ByteBuckets::make_room(Instant now) {
    std::erase_if(full_at_, [now](const auto& bucket) { return bucket.second <= now; });
    while (full_at_.size() > networks_max_ / 2) full_at_.erase(full_at_.begin());
}

}  // namespace draco::handshake
