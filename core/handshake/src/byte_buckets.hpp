#pragma once
// Token buckets of bytes, one for each of many keys, in bounded memory.

#include "draco/base/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>

namespace draco::handshake {

// A bucket is kept as the time at which it will be full again (GCRA). It may be overdrawn by one
// charge; then its owner waits until the debt is paid. When more than buckets_max are known, those
// that are full again are forgotten, then any: very many keys cost strictness, never memory.
// Deterministic. Costs O(log buckets), amortized.
template <class Key>
class ByteBuckets {
public:
    ByteBuckets(std::uint64_t bytes_per_s, std::uint64_t burst_bytes, std::size_t buckets_max)
        : bytes_per_s_(std::clamp<std::uint64_t>(bytes_per_s, 1, kRateMax)),
          tolerance_(time_for(burst_bytes)),
          buckets_max_(std::max<std::size_t>(buckets_max, 1)) {}

    // How long until the key may have more; zero: now.
    Duration wait(const Key& key, Instant now) const {
        const auto found = full_at_.find(key);
        if (found == full_at_.end() || found->second <= now) return Duration{0};
        return std::max(found->second - now - tolerance_, Duration{0});
    }

    void charge(const Key& key, std::uint64_t bytes, Instant now) {
        auto found = full_at_.find(key);
        if (found == full_at_.end()) {
            if (full_at_.size() >= buckets_max_) make_room(now);
            found = full_at_.emplace(key, now).first;
        }
        found->second = std::max(found->second, now) + time_for(bytes);
    }

    std::size_t size() const { return full_at_.size(); }

private:
    static constexpr std::uint64_t kRateMax = std::uint64_t{1} << 33;  // times 10^9: in 64 bits
    static constexpr std::uint64_t kNsPerS = 1'000'000'000;
    static constexpr std::uint64_t kSecondsMax = 1'000'000'000;

    Duration time_for(std::uint64_t bytes) const {
        return std::chrono::seconds(std::min(bytes / bytes_per_s_, kSecondsMax)) +
               std::chrono::nanoseconds(bytes % bytes_per_s_ * kNsPerS / bytes_per_s_);
    }

    void make_room(Instant now) {
        std::erase_if(full_at_, [now](const auto& bucket) { return bucket.second <= now; });
        while (full_at_.size() > buckets_max_ / 2) full_at_.erase(full_at_.begin());
    }

    const std::uint64_t bytes_per_s_;
    const Duration tolerance_;
    const std::size_t buckets_max_;
    std::map<Key, Instant> full_at_;
};

}  // namespace draco::handshake
