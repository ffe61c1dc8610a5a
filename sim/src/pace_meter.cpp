#include "pace_meter.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>

namespace draco::sim {

Duration median(std::vector<Duration> durations) {
    DRACO_ASSERT(!durations.empty(), "there is something to take the median of");
    const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
    std::ranges::nth_element(durations, middle);
    return *middle;
}

Duration longest(const std::vector<Duration>& durations) {
    DRACO_ASSERT(!durations.empty(), "there is a longest one");
    return std::ranges::max(durations);
}

void PaceMeter::executed(std::size_t node, std::uint64_t height, bool ends_epoch, Instant now) {
    at_[node].try_emplace(height, now);
    if (ends_epoch) epoch_ends_.insert(height);
}

void PaceMeter::add_gaps(const Heights& member, Pace& pace) const {
    for (auto block = member.begin(); block != member.end(); ++block) {
        const auto next = std::next(block);
        if (next == member.end() || next->first != block->first + 1) continue;
        auto& gaps = epoch_ends_.contains(block->first) ? pace.epoch_gaps : pace.block_gaps;
        gaps.push_back(next->second - block->second);
    }
}

Pace PaceMeter::pace() const {
    Pace pace;
    for (std::size_t member = 0; member < members_; ++member) add_gaps(at_[member], pace);
    if (members_ == at_.size()) return pace;
    for (const auto& [height, first] : at_.front()) {
        std::vector<Duration> since;
        for (const Heights& node : at_) {
            const auto executed = node.find(height);
            if (executed == node.end()) break;
            since.push_back(executed->second - Instant{});
        }
        if (since.size() < at_.size()) continue;
        const auto followers = since.begin() + static_cast<std::ptrdiff_t>(members_);
        const Duration members = median({since.begin(), followers});
        for (auto follower = followers; follower != since.end(); ++follower)
            pace.follower_lags.push_back(*follower - members);
    }
    return pace;
}

}  // namespace draco::sim
