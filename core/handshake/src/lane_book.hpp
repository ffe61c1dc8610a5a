#pragma once
// How far delivery on each lane is ahead of what its client has acknowledged, over all its
// sessions.

#include "draco/base/clock.hpp"
#include "draco/handshake/session_limits.hpp"
#include "draco/interfaces/delivery.hpp"

#include <cstdint>
#include <map>
#include <utility>

namespace draco::handshake {

using LaneId = std::pair<types::LaneKey, types::LaneInstance>;

// For each lane: acknowledged <= delivered, and delivered + reserved never passes
// acknowledged + window, nor units_max. `delivered` is never less than what was acknowledged (after
// a restart, clients acknowledge what an earlier life has sent).
//
// What counts as delivered: all that was handed to a session's transport, as long as the session
// lives, since it will leave; and when it has ended, what the transport had passed on to TLS or the
// system. What it still had never left, and is taken back (unsend). What was passed on counts even
// if the network, or TCP, says that it did not arrive: a client can take bytes and deny them.
//
// What was passed on and is not acknowledged when a session ends may be lost: the honest client
// will not acknowledge it, the other one says so too. It stays in `delivered`, and leaves it at
// lost_forgiven_per_s, whether the lane has other sessions or not: however often a client
// reconnects, it gets no more than a window and this rate without paying. If some of it was under
// way in another session and is acknowledged after all, it counts as acknowledged. A lane without
// sessions is remembered while bytes of it are lost, at most lanes_remembered_max; the one that was
// used longest ago is forgotten first.
//
// Deterministic. Costs O(log lanes), a forgotten lane O(lanes).
class LaneBook {
public:
    enum class Grant : std::uint8_t { Granted, Unacknowledged, ReserveUsedUp, Closing };

    struct Account {
        std::uint64_t acknowledged = 0;
        std::uint64_t delivered = 0;
        std::uint64_t reserved = 0;  // being read
        std::uint64_t units_max = 0;
        bool is_closing = false;
        std::uint64_t lost = 0;  // of delivered - acknowledged
        Instant lost_at{};       // when `lost` was last brought up to date
        std::size_t sessions = 0;
    };

    explicit LaneBook(const LaneLimits& limits) : limits_(limits) {}

    // A session of the lane begins, of which the node knows this.
    void enter(const LaneId& lane, const interfaces::LaneStanding& standing, Instant now);
    // What it has sent, and was not taken back, may be lost.
    void leave(const LaneId& lane, Instant now);

    // Precondition of what follows (asserted): the lane has a session.
    void update(const LaneId& lane, const interfaces::LaneStanding& standing);
    Grant reserve(const LaneId& lane, std::uint64_t bytes, Instant now);
    // What was reserved is not read any more; `sent_bytes` of it were sent.
    void release(const LaneId& lane, std::uint64_t bytes, std::uint64_t sent_bytes);
    // Was counted as sent, and never left this node.
    void unsend(const LaneId& lane, std::uint64_t bytes);

    const Account& account(const LaneId& lane) const;
    // A client that has paid for nothing yet is trusted with little.
    std::uint64_t window(const Account& account) const;

    std::size_t size() const { return accounts_.size(); }

private:
    Account& at(const LaneId& lane);
    void forgive(Account& account, Instant now) const;
    void forget_one();

    const LaneLimits limits_;
    std::map<LaneId, Account> accounts_;
};

}  // namespace draco::handshake
