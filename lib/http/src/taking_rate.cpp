#include "taking_rate.hpp"

#include <algorithm>
#include <utility>

namespace draco::http {

TakingRate::Verdict TakingRate::judge(Instant now, std::uint64_t taken, bool is_behind) {
    if (is_behind_) balance_ -= now - judged_at_;
    if (taken > taken_) {
        balance_ = std::min(window_, balance_ + earned_by(taken - taken_));
        taken_ = taken;
        took_at_ = now;
    }
    judged_at_ = now;
    if (!std::exchange(is_behind_, is_behind)) took_at_ = now;
    if (!is_behind || balance_ > Duration{0}) return Verdict::Fine;
    return now - took_at_ >= window_ ? Verdict::TookNothing : Verdict::TooSlow;
}

// At most the window, so that no sum overflows.
Duration TakingRate::earned_by(std::uint64_t bytes) const {
    constexpr std::uint64_t kNsPerS = 1'000'000'000;
    const Duration most = window_;
    if (bytes_per_s_min_ == 0) return most;
    const std::uint64_t whole_s = bytes / bytes_per_s_min_;
    if (whole_s >= static_cast<std::uint64_t>(most / std::chrono::seconds(1)) + 1) return most;
    constexpr std::uint64_t kRateMax = std::uint64_t{1} << 33;  // times 10^9 is within 64 bits
    const std::uint64_t rest_ns =
        bytes_per_s_min_ > kRateMax ? 0 : bytes % bytes_per_s_min_ * kNsPerS / bytes_per_s_min_;
    return std::min(most, std::chrono::seconds(whole_s) + std::chrono::nanoseconds(rest_ns));
}

}  // namespace draco::http
