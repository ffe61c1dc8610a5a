#include "draco/consensus/leader_schedule.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace draco::consensus {
namespace {

// So few rounds say nothing about anybody.
constexpr std::size_t kRoundsToJudge = 8;

}  // namespace

using types::AuthorityIndex;
using types::AuthoritySet;
using types::Round;

LeaderSchedule::LeaderSchedule(std::size_t committee_size,
                               std::size_t faulty_max,
                               std::uint64_t window_rounds,
                               types::Height epoch_start)
    : size_(committee_size),
      faulty_max_(faulty_max),
      window_rounds_(window_rounds),
      epoch_start_(epoch_start),
      kept_up_(committee_size) {
    judge();
}

void LeaderSchedule::ordered(const types::Block& block) {
    DRACO_ASSERT(!last_ || *last_ < block.anchor_round, "anchors come in ascending rounds");
    if (!first_) {
        first_ = block.height;
        first_round_ = block.anchor_round;
    }
    record(block);
    last_ = block.anchor_round;
    last_anchor_ = block.vertices->empty() ? AuthoritySet{} : block.vertices->front();
    judge();
}

// The rounds from the last anchor's up to the one below this anchor: what of them is in this block
// is there because this anchor, the first above, reaches it.
void LeaderSchedule::record(const types::Block& block) {
    const std::uint64_t anchor = block.anchor_round.value();
    const std::uint64_t oldest = anchor - std::min(anchor, window_rounds_);
    const std::uint64_t from = std::max(last_ ? last_->value() : std::uint64_t{0}, oldest);
    for (std::uint64_t round = from; round < anchor; ++round) {
        const std::uint64_t depth = anchor - round;
        AuthoritySet authors =
            depth < block.vertices->size() ? (*block.vertices)[depth] : AuthoritySet{};
        if (last_ && round == last_->value()) authors = authors.united(last_anchor_);
        authors.for_each([&](AuthorityIndex author) { ++kept_up_[author.value()]; });
        attendance_.push_back({Round(round), authors});
    }
    while (!attendance_.empty() && attendance_.front().round.value() < oldest) {
        attendance_.front().authors.for_each(
            [&](AuthorityIndex author) { --kept_up_[author.value()]; });
        attendance_.pop_front();
    }
}

void LeaderSchedule::judge() {
    std::vector<std::pair<std::size_t, AuthorityIndex>> suspects;  // the worst first
    for (std::size_t i = 0; i < size_; ++i)
        if (attendance_.size() >= kRoundsToJudge && 2 * kept_up_[i] < attendance_.size())
            suspects.emplace_back(kept_up_[i], static_cast<std::uint16_t>(i));
    std::ranges::sort(suspects);
    if (suspects.size() > faulty_max_) suspects.resize(faulty_max_);
    passed_over_ = {};
    for (const auto& [rounds, member] : suspects) passed_over_.insert(member);
    eligible_.clear();
    for (std::size_t i = 0; i < size_; ++i) {
        const AuthorityIndex member(static_cast<std::uint16_t>(i));
        if (!passed_over_.contains(member)) eligible_.push_back(member);
    }
}

bool LeaderSchedule::is_known() const {
    if (!first_ || first_->value() == epoch_start_.value() + 1) return true;
    // Judged by rounds that all lie above the first block seen: its own are a part of the story.
    return last_->value() >= first_round_.value() + window_rounds_;
}

}  // namespace draco::consensus
