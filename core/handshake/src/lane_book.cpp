#include "lane_book.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>

namespace draco::handshake {

void LaneBook::enter(const LaneId& lane, const interfaces::LaneStanding& standing, Instant now) {
    if (!accounts_.contains(lane) && accounts_.size() >= limits_.lanes_remembered_max) forget_one();
    Account& account = accounts_[lane];
    forgive(account, now);
    ++account.sessions;
    update(lane, standing);
}

void LaneBook::leave(const LaneId& lane, Instant now) {
    Account& account = at(lane);
    forgive(account, now);
    account.lost = account.delivered - account.acknowledged;
    account.lost_at = now;
    if (--account.sessions == 0 && account.lost == 0) accounts_.erase(lane);
}

void LaneBook::update(const LaneId& lane, const interfaces::LaneStanding& standing) {
    Account& account = at(lane);
    account.acknowledged = std::max(account.acknowledged, standing.acknowledged);
    account.delivered = std::max(account.delivered, account.acknowledged);
    account.lost = std::min(account.lost, account.delivered - account.acknowledged);
    account.units_max = standing.units_max;
    account.is_closing = standing.lane.closes.has_value();
}

LaneBook::Grant LaneBook::reserve(const LaneId& lane, std::uint64_t bytes, Instant now) {
    Account& account = at(lane);
    forgive(account, now);
    // Nothing more is begun: what is acknowledged late may not be settled.
    if (account.is_closing) return Grant::Closing;
    const std::uint64_t ahead = account.reserved + bytes;
    if (account.delivered > account.units_max || ahead > account.units_max - account.delivered)
        return Grant::ReserveUsedUp;
    if (account.delivered - account.acknowledged + ahead > window(account))
        return Grant::Unacknowledged;
    account.reserved = ahead;
    return Grant::Granted;
}

void LaneBook::release(const LaneId& lane, std::uint64_t bytes, std::uint64_t sent_bytes) {
    Account& account = at(lane);
    DRACO_ASSERT(account.reserved >= bytes && sent_bytes <= bytes, "what is read was reserved");
    account.reserved -= bytes;
    account.delivered += sent_bytes;
}

void LaneBook::unsend(const LaneId& lane, std::uint64_t bytes) {
    Account& account = at(lane);
    account.delivered -= std::min(bytes, account.delivered - account.acknowledged);
    account.lost = std::min(account.lost, account.delivered - account.acknowledged);
}

const LaneBook::Account& LaneBook::account(const LaneId& lane) const {
    const auto found = accounts_.find(lane);
    DRACO_ASSERT(found != accounts_.end(), "a session's lane has an account");
    return found->second;
}

std::uint64_t LaneBook::window(const Account& account) const {
    const std::uint64_t floor = std::min(limits_.window_bytes_min, limits_.window_bytes_max);
    const std::uint64_t room = limits_.window_bytes_max - floor;
    return floor + std::min(account.acknowledged, room);
}

LaneBook::Account& LaneBook::at(const LaneId& lane) {
    const auto found = accounts_.find(lane);
    DRACO_ASSERT(found != accounts_.end(), "a session's lane has an account");
    return found->second;
}

void LaneBook::forgive(Account& account, Instant now) const {
    if (account.lost == 0 || limits_.lost_forgiven_per_s == 0) return;
    const auto elapsed_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now - account.lost_at).count());
    constexpr std::uint64_t kMsMax = 1'000'000'000;  // with any rate up to 2^33, within 64 bits
    const std::uint64_t forgiven =
        std::min(account.lost, std::min(elapsed_ms, kMsMax) * limits_.lost_forgiven_per_s / 1000);
    if (forgiven == 0) return;
    account.lost -= forgiven;
    account.delivered -= forgiven;
    account.lost_at = now;
}

void LaneBook::forget_one() {
    auto oldest = accounts_.end();
    for (auto at = accounts_.begin(); at != accounts_.end(); ++at)
        if (at->second.sessions == 0 &&
            (oldest == accounts_.end() || at->second.lost_at < oldest->second.lost_at))
            oldest = at;
    if (oldest != accounts_.end()) accounts_.erase(oldest);
}

}  // namespace draco::handshake
