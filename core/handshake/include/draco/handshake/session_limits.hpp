#pragma once
// The bounds within which a node serves client sessions.

#include "draco/base/clock.hpp"
#include "draco/blake3_tree/hash_tree.hpp"

#include <cstddef>
#include <cstdint>

namespace draco::handshake {

struct LaneLimits {
    // What is delivered and not acknowledged on one lane, over all its sessions: at most
    // window_bytes_min, and one more byte for each that was acknowledged, up to window_bytes_max.
    // At least two blocks, so that one is under way while the other is acknowledged.
    std::uint64_t window_bytes_min = 2 * blake3_tree::kBlockBytes;
    std::uint64_t window_bytes_max = std::uint64_t{4} << 20;
    // How fast what was under way when a lane's last session broke is written off.
    std::uint64_t lost_forgiven_per_s = std::uint64_t{16} << 10;
    std::size_t lanes_remembered_max = std::size_t{1} << 16;
    // Heads, trees and entries, which nobody pays for, over all sessions of a lane.
    std::uint64_t unpaid_bytes_per_s = std::uint64_t{1} << 20;
    std::uint64_t unpaid_burst_bytes = std::uint64_t{16} << 20;
    std::size_t sessions_max = 8;  // of one lane
};

// Of what nobody pays for, in sessions without a lane: blocks, heads, trees and entries.
struct FreeLimits {
    std::uint64_t bytes_per_s = std::uint64_t{1} << 20;  // of one client network
    std::uint64_t burst_bytes = std::uint64_t{16} << 20;
    std::size_t sessions_max = 256;  // so that strangers leave room for those who pay
    std::size_t sessions_per_network_max = 4;
    std::size_t networks_max = std::size_t{1} << 16;  // remembered
};

struct SessionLimits {
    LaneLimits lanes{};
    FreeLimits free{};
    std::size_t sessions_max = 512;
    std::size_t sessions_per_network_max = 32;
    std::size_t reads_max = 4;  // blocks of one session that are being read
    unsigned acks_refused_max = 8;
    Duration handshake_deadline = std::chrono::seconds(10);  // from the connection to the welcome
    Duration idle_deadline = std::chrono::seconds(60);       // neither side says anything
    Duration drain_deadline = std::chrono::seconds(60);      // for a full send queue to move on
    Duration open_deadline = std::chrono::seconds(30);       // of one content
    // How often a session that waits for money, or for lost bytes to be written off, looks again.
    Duration stall_interval = std::chrono::seconds(2);
    // After so long without a word a session may be given up for another one of its lane.
    Duration silent_after = std::chrono::seconds(10);
};

struct SessionCounters {
    std::uint64_t sessions = 0;       // now
    std::uint64_t lane_sessions = 0;  // welcomed since the start, as what follows
    std::uint64_t free_sessions = 0;
    std::uint64_t refused = 0;     // before the welcome
    std::uint64_t violations = 0;  // of the protocol; the session ended
    std::uint64_t paid_bytes = 0;  // blocks sent on lanes
    std::uint64_t free_bytes = 0;
    std::uint64_t acks_taken = 0;
    std::uint64_t acks_refused = 0;

    bool operator==(const SessionCounters&) const = default;
};

}  // namespace draco::handshake
