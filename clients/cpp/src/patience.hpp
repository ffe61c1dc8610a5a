#pragma once
// How long a node is waited for, told by what comes from it.

#include "draco/client/client.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace draco::client {

// Progress gives the node all its time again. A part of what is verified only when it is whole
// gives it as much as the part may take at the least rate, and never more than all its time: what
// came fast buys no standstill. Deterministic.
class Patience {
public:
    explicit Patience(const ClientOptions& options)
        : all_(options.answer_deadline),
          slow_bytes_(options.unverified_slow_bytes),
          slow_bytes_per_s_min_(options.unverified_slow_bytes_per_s_min),
          bytes_per_s_min_(options.unverified_bytes_per_s_min),
          left_(all_) {}

    Duration left() const { return left_; }

    void waited(Duration time) { left_ = std::max<Duration>(left_ - time, Duration::zero()); }

    void progressed() {
        left_ = all_;
        unverified_bytes_ = 0;
    }

    void unverified(std::uint64_t bytes) {
        left_ = std::min<Duration>(left_ + time_of(bytes, bytes_per_s_min()), all_);
        unverified_bytes_ += bytes;
    }

    // Since there was progress.
    std::uint64_t unverified_bytes() const { return unverified_bytes_; }

    // Of the part that is awaited.
    std::uint64_t bytes_per_s_min() const {
        return unverified_bytes_ < slow_bytes_ ? slow_bytes_per_s_min_ : bytes_per_s_min_;
    }

private:
    // Precondition: a message is far shorter than the 18 GB that overflow.
    static Duration time_of(std::uint64_t bytes, std::uint64_t bytes_per_s) {
        return std::chrono::nanoseconds(bytes * std::uint64_t{1'000'000'000} / bytes_per_s);
    }

    Duration all_;
    std::uint64_t slow_bytes_;
    std::uint64_t slow_bytes_per_s_min_;
    std::uint64_t bytes_per_s_min_;
    Duration left_;
    std::uint64_t unverified_bytes_ = 0;
};

}  // namespace draco::client
