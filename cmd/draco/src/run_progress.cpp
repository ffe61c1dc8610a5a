#include "run_progress.hpp"

#include <algorithm>

namespace draco {

void RunProgress::at(Duration virtual_time) {
    tell(static_cast<std::uint64_t>(
        std::max<std::int64_t>(virtual_time / std::chrono::milliseconds(1), 0)));
}

void RunProgress::run_ended() {
    tell(run_ms_);
    told_ms_ = 0;
}

void RunProgress::tell(std::uint64_t ms) {
    ms = std::min(ms, run_ms_);
    if (ms <= told_ms_) return;
    advance_(ms - told_ms_);
    told_ms_ = ms;
}

}  // namespace draco
