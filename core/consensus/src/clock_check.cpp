#include "draco/consensus/clock_check.hpp"

#include <algorithm>

namespace draco::consensus {
namespace {

constexpr std::size_t kPassedOverMin = 2;

}  // namespace

void ClockCheck::heard(types::AuthorityIndex author,
                       types::Round round,
                       UnixTime created,
                       UnixTime now) {
    Heard& heard = heard_[author.value()];
    if (heard.round && round <= *heard.round) return;
    heard = {round, now.ms > lead_ms_max_ && created.ms < now.ms - lead_ms_max_};
}

bool ClockCheck::is_ahead() const {
    if (passed_over_ < kPassedOverMin) return false;
    const auto old = std::ranges::count_if(heard_, &Heard::was_old);
    return static_cast<std::size_t>(old) > faulty_max_;
}

}  // namespace draco::consensus
