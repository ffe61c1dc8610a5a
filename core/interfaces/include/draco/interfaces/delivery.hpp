#pragma once
// What paying clients have acknowledged to this node (docs/decisions/017). An acknowledgement that
// was taken is durable, and is brought to the chain until the chain has judged it.

#include "draco/base/result.hpp"
#include "draco/types/lane.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace draco::interfaces {

// Where a lane to this node stands.
struct LaneStanding {
    types::Lane lane;  // as the chain has it
    // The latest word of the client that is durable here; at least lane.settled.
    std::uint64_t acknowledged = 0;
    std::optional<types::SignedDeliveryAck> latest{};  // that word; none: nothing, or only settled
    // The units that the whole reserve pays for, counted as `acknowledged` is: what is delivered
    // beyond cannot be paid.
    std::uint64_t units_max = 0;

    bool operator==(const LaneStanding&) const = default;
};

struct DeliveryStatus {
    std::uint64_t lanes = 0;  // with an acknowledgement that is kept
    std::uint64_t taken = 0;  // acknowledgements since the start, or the last failure of the disk,
                              // as what follows
    std::uint64_t refused = 0;
    std::uint64_t settlements = 0;      // executed
    std::uint64_t settled_units = 0;    // that the chain has counted
    std::uint64_t unsettled_units = 0;  // now: acknowledged, and not counted by the chain yet

    bool operator==(const DeliveryStatus&) const = default;
};

// Thread-safe. Callbacks are called once, each as a task of its own.
class Acknowledgements {
public:
    using StandingCallback = std::move_only_function<void(Result<LaneStanding>)>;

    virtual ~Acknowledgements() = default;
    // NotFound: the chain has no such lane to this node. Unavailable: its payer has closed it, or
    // the node is stopping.
    virtual void standing(const types::LaneKey& lane, StandingCallback callback) = 0;
    // Durable when `callback` hears of success. Refused, each with a reason: Unauthenticated (not
    // signed by the lane's session key), NotFound (no such lane, another node, another instance),
    // InvalidArgument (fewer units than before), Exhausted (more than the reserve pays for),
    // Unavailable (too many wait, or the node is stopping: send it again), Io. Taken also on a lane
    // that its payer has closed, until it ends. The same word again succeeds.
    virtual void acknowledge(const types::SignedDeliveryAck& ack, StandingCallback callback) = 0;
    // So many bytes that were sold had come from this peer; it gets its share. Never blocks. Each
    // byte is named to the chain at most once; a crash loses what the last seconds brought.
    virtual void had_from_peer(const types::NodeKey& peer, std::uint64_t bytes) = 0;
    // Of all lanes with a kept acknowledgement, ascending, those after `after`.
    virtual std::vector<types::SignedDeliveryAck> kept(const std::optional<types::LaneKey>& after,
                                                       std::size_t count_max) const = 0;
    virtual DeliveryStatus status() const = 0;
};

}  // namespace draco::interfaces
