#include "draco/consensus/clock_check.hpp"

#include <algorithm>

namespace draco::consensus {
namespace {

constexpr std::size_t kPassedOverMin = 2;

}  // namespace

void ClockCheck::voted(types::AuthorityIndex author, types::Round round, UnixTime now) {
    auto& votes = authors_[author.value()].votes;
    votes[round.value() % votes.size()] = Vote{round, now};
}

void ClockCheck::followed(types::AuthorityIndex author, types::Round round, UnixTime created) {
    Author& known = authors_[author.value()];
    const auto& vote = known.votes[round.value() % known.votes.size()];
    if (!vote || vote->round != round || (known.judged && round <= *known.judged)) return;
    known.judged = round;
    known.is_behind = vote->time.ms > lead_ms_max_ && created.ms < vote->time.ms - lead_ms_max_;
}

bool ClockCheck::is_ahead() const {
    if (passed_over_ < kPassedOverMin) return false;
    const auto behind = std::ranges::count_if(authors_, &Author::is_behind);
    return static_cast<std::size_t>(behind) > faulty_max_;
}

}  // namespace draco::consensus
