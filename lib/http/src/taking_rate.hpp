#pragma once
// Whether a peer takes what it is offered fast enough.

#include "draco/base/clock.hpp"

#include <cstdint>

namespace draco::http {

// A balance of time. It begins at `window`, falls while the peer is behind, and rises by the time
// that what was taken may cost at `bytes_per_s_min`, up to `window` again. So a peer at that rate
// or above is never too slow, one that takes nothing is so after `window`, one at a share s of the
// rate after window / (1 - s). While the peer is not behind, because it has taken all there is, no
// time passes.
//
// Deterministic; O(1). Not thread-safe.
class TakingRate {
public:
    // At 0 bytes per second any byte restores the whole balance.
    TakingRate(std::uint64_t bytes_per_s_min, Duration window)
        : bytes_per_s_min_(bytes_per_s_min), window_(window), balance_(window) {}

    enum class Verdict : std::uint8_t { Fine, TookNothing, TooSlow };

    // `taken`: bytes in all up to now. `is_behind`: whether the peer is, from now on. `now` never
    // goes back.
    Verdict judge(Instant now, std::uint64_t taken, bool is_behind);

private:
    Duration earned_by(std::uint64_t bytes) const;

    std::uint64_t bytes_per_s_min_;
    Duration window_;
    Duration balance_;
    std::uint64_t taken_ = 0;
    bool is_behind_ = false;
    Instant judged_at_{};
    Instant took_at_{};  // or fell behind
};

}  // namespace draco::http
