#include "settlement.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/checked.hpp"

#include "lanes.hpp"

#include <limits>
#include <map>

namespace draco::application {
namespace {

using types::AckOutcome;
using types::AckReceipt;
using types::NodeKey;
using types::Revert;
using types::UsdAmount;

UsdAmount sum(UsdAmount a, UsdAmount b) {
    const auto both = a.plus(b);
    DRACO_ASSERT(both, "a part of the supply fits, as the supply does");
    return *both;
}

// What still stands behind the node, if it should turn out to be dishonest.
bool has_stake(const WorkingState& state, const types::NodeRecord& node) {
    const auto waiting = node.unbonding ? node.unbonding->amount : types::FlkAmount{};
    const auto all = node.stake.plus(waiting);
    return !all || *all >= state.chain().parameters.stake_min;
}

Result<Revert> name_peers(WorkingState& state,
                          const NodeKey& node,
                          const std::vector<types::PeerShare>& named) {
    if (named.empty()) return Revert::None;
    DRACO_TRY(revenue, state.revenue(node));
    std::map<NodeKey, std::uint64_t> bytes;
    for (const auto& [peer, count] : *revenue.peers) bytes[peer] = count;
    for (const auto& [peer, count] : named) {
        if (count == 0) return Revert::ZeroAmount;
        if (peer == node) return Revert::SharesWithItself;
        DRACO_TRY(known, state.node(peer));
        if (!known) return Revert::UnknownNode;
        const auto more = checked_add(bytes[peer], count);
        if (!more) return Revert::AmountTooLarge;
        bytes[peer] = *more;
    }
    types::PeerShares peers;
    for (const auto& [peer, count] : bytes)
        if (!peers.try_push_back(types::PeerShare{peer, count})) return Revert::TooManyPeers;
    revenue.peers = std::move(peers);
    state.set(node, revenue);
    return Revert::None;
}

Result<> book(WorkingState& state,
              const NodeKey& node,
              const types::Lane& lane,
              std::uint64_t units,
              UsdAmount usd) {
    DRACO_TRY(of_node, state.revenue(node));
    of_node.usd = sum(of_node.usd, usd);
    // The price may be so small that all bytes of an epoch are more than a number holds.
    of_node.bytes =
        checked_add(of_node.bytes, units).value_or(std::numeric_limits<std::uint64_t>::max());
    state.set(node, of_node);
    DRACO_TRY(of_service, state.revenue(lane.service));
    state.set(lane.service, sum(of_service, usd));
    state.set_pot(sum(state.pot(), usd));
    return {};
}

// What costs little is judged first.
Result<AckReceipt> settle(WorkingState& state,
                          const NodeKey& node,
                          const types::SignedDeliveryAck& signed_ack) {
    const types::DeliveryAck& ack = signed_ack.ack;
    if (ack.node != node) return AckReceipt{.outcome = AckOutcome::ForeignNode};
    const types::LaneKey key{ack.payer, ack.node, ack.lane};
    DRACO_TRY(found, state.lane(key));
    if (!found) return AckReceipt{.outcome = AckOutcome::NoLane};
    types::Lane lane = *found;
    if (ack.instance != lane.instance) return AckReceipt{.outcome = AckOutcome::WrongInstance};
    if (ack.cumulative <= lane.settled) return AckReceipt{.outcome = AckOutcome::NotIncreasing};
    if (!verify(state.chain().chain, lane.session_key, signed_ack))
        return AckReceipt{.outcome = AckOutcome::ForgedSignature};
    const std::uint64_t units = ack.cumulative - lane.settled;
    const AckReceipt receipt = settle_lane(lane, ack.cumulative);
    if (receipt.outcome != AckOutcome::Settled) return receipt;
    state.set(key, lane);
    DRACO_TRY_VOID(book(state, node, lane, units, receipt.usd));
    return receipt;
}

}  // namespace

Result<Settlement> settle_lanes(WorkingState& state,
                                const NodeKey& node,
                                const types::SettleLanes& method) {
    if (method.acks->empty() && method.peers->empty())
        return Settlement{.revert = Revert::NothingToSettle};
    DRACO_TRY(record, state.node(node));
    DRACO_ASSERT(record, "a node that sends is known");
    if (!has_stake(state, *record)) return Settlement{.revert = Revert::InsufficientStake};
    DRACO_TRY(named, name_peers(state, node, *method.peers));
    if (named != Revert::None) return Settlement{.revert = named};
    Settlement settlement;
    for (const types::SignedDeliveryAck& ack : *method.acks) {
        DRACO_TRY(receipt, settle(state, node, ack));
        const bool room = settlement.acks.try_push_back(receipt);
        DRACO_ASSERT(room, "a receipt has room for as many acknowledgements as a settlement");
    }
    return settlement;
}

}  // namespace draco::application
