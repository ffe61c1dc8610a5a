#include "lanes.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/checked.hpp"

#include <limits>
#include <vector>

namespace draco::application {
namespace {

using types::Address;
using types::Lane;
using types::LaneKey;
using types::Revert;
using types::UsdAmount;

// Into a lane's hands: Revert::None, and the account has it not any more.
Result<Revert> take(WorkingState& state, const Address& payer, UsdAmount amount) {
    if (amount.is_zero()) return Revert::ZeroAmount;
    DRACO_TRY(account, state.account(payer));
    const auto left = account.usd.minus(amount);
    if (!left) return Revert::InsufficientBalance;
    account.usd = *left;
    state.set(payer, account);
    return Revert::None;
}

Result<> give_back(WorkingState& state, const LaneKey& key, const Lane& lane) {
    DRACO_TRY(account, state.account(key.payer));
    const auto more = account.usd.plus(lane.reserve);
    DRACO_ASSERT(more, "a part of the supply fits, as the supply does");
    account.usd = *more;
    state.set(key.payer, account);
    state.end(key, lane);
    return state.keep();
}

}  // namespace

Result<Revert> open_lane(WorkingState& state, const Address& payer, const types::OpenLane& method) {
    DRACO_TRY(node, state.node(method.node));
    if (!node) return Revert::UnknownNode;
    DRACO_TRY(service, state.service(method.service));
    if (!service) return Revert::UnknownService;
    const LaneKey key{payer, method.node, method.lane};
    DRACO_TRY(open, state.lane(key));
    if (open) return Revert::LaneInUse;
    if (!crypto::check_public_key(method.session_key)) return Revert::UnsoundSessionKey;
    DRACO_TRY(price, state.price(service->commodity));
    DRACO_ASSERT(price, "what a service sells has a price");
    DRACO_TRY(taken, take(state, payer, method.reserve));
    if (taken != Revert::None) return taken;
    DRACO_TRY(account, state.account(payer));
    state.set(key,
              Lane{.instance = types::LaneInstance(account.nonce.value()),
                   .service = method.service,
                   .commodity = service->commodity,
                   .price = *price,
                   .session_key = method.session_key,
                   .reserve = method.reserve});
    return Revert::None;
}

Result<Revert> top_up_lane(WorkingState& state,
                           const Address& payer,
                           const types::TopUpLane& method) {
    const LaneKey key{payer, method.node, method.lane};
    DRACO_TRY(found, state.lane(key));
    if (!found) return Revert::NoLane;
    Lane lane = *found;
    if (lane.closes) return Revert::LaneCloses;
    DRACO_TRY(taken, take(state, payer, method.amount));
    if (taken != Revert::None) return taken;
    const auto reserve = lane.reserve.plus(method.amount);
    DRACO_ASSERT(reserve, "a part of the supply fits, as the supply does");
    lane.reserve = *reserve;
    state.set(key, lane);
    return Revert::None;
}

Result<Revert> close_lane(WorkingState& state,
                          const Address& payer,
                          const types::CloseLane& method,
                          UnixTime block_time) {
    const LaneKey key{payer, method.node, method.lane};
    DRACO_TRY(found, state.lane(key));
    if (!found) return Revert::NoLane;
    Lane lane = *found;
    if (lane.closes) return Revert::LaneCloses;
    lane.closes = UnixTime{checked_add(block_time.ms, state.chain().parameters.lane_challenge_ms)
                               .value_or(std::numeric_limits<std::uint64_t>::max())};
    state.set(key, lane);
    return Revert::None;
}

Result<> end_due_lanes(const Writes& committed, WorkingState& state, UnixTime block_time) {
    std::vector<LaneKey> due;
    auto ends = committed.scan(kLaneEnds);
    while (due.size() < kLaneEndsMax) {
        DRACO_TRY(entry, ends.next());
        if (!entry || entry->key.due > block_time) break;
        due.push_back(entry->key.lane);
    }
    for (const LaneKey& key : due) {
        DRACO_TRY(lane, state.lane(key));
        DRACO_ASSERT(lane, "a lane that is to end is open");
        DRACO_TRY_VOID(give_back(state, key, *lane));
    }
    return {};
}

types::AckReceipt settle_lane(Lane& lane, std::uint64_t cumulative) {
    if (cumulative <= lane.settled) return {.outcome = types::AckOutcome::NotIncreasing};
    const auto all = cost(lane.price, cumulative);
    const auto paid = cost(lane.price, lane.settled);
    DRACO_ASSERT(all && paid, "the price of a lane is sound");
    const UsdAmount due = all->minus(*paid).value();
    const auto left = lane.reserve.minus(due);
    if (!left) return {.outcome = types::AckOutcome::OverReserve};
    lane.reserve = *left;
    lane.settled = cumulative;
    return {.outcome = types::AckOutcome::Settled, .usd = due};
}

}  // namespace draco::application
