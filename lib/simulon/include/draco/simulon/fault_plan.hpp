#pragma once
// A random schedule of faults, drawn from a seed as plain data: it can be printed, kept and cut
// down. After `duration` everything is well again: nodes run, links are up with the options they
// had. What must hold always is checked throughout; what must come true in the end is checked after
// that.

#include "draco/simulon/world.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace draco::simulon {

enum class FaultKind : std::uint8_t {
    Crash,              // node, for `length`
    CrashInDiskChange,  // node, at its `count`-th disk change from then; restarted after `length`
    Pause,              // node, for `length`
    LinkFlap,           // link between node and peer, down for `length`
    OneWayCut,          // messages from node to peer vanish for `length`
    Partition,          // `group` against the rest for `length`; `count` odd: silent
    SlowNode,           // all links of node, `count` times slower for `length`
};

struct Fault {
    FaultKind kind = FaultKind::Crash;
    Instant at = {};
    Duration length{0};
    PeerId node = {};
    PeerId peer = {};
    std::uint32_t count = 0;
    std::vector<PeerId> group = {};
};

std::string to_string(const Fault& fault);

struct FaultPlanOptions {
    Duration duration = std::chrono::seconds(30);
    Duration interval_mean = std::chrono::milliseconds(500);  // between faults
    Duration length_max = std::chrono::seconds(3);            // of one fault
    std::uint32_t down_max = 1;  // nodes that are down, or about to be, at the same time
    // Which kinds occur.
    std::vector<FaultKind> kinds = {FaultKind::Crash,
                                    FaultKind::CrashInDiskChange,
                                    FaultKind::Pause,
                                    FaultKind::LinkFlap,
                                    FaultKind::OneWayCut,
                                    FaultKind::Partition,
                                    FaultKind::SlowNode};
};

// For the nodes and links that `world` has now; times count from its now(). Ascending by time.
std::vector<Fault> draw_faults(World& world, const FaultPlanOptions& options = {});

// Puts the faults into the world's script, and after `duration` the healing. Options of links that
// the scenario changes meanwhile are set back by it.
void schedule_faults(World& world, const std::vector<Fault>& faults, Duration duration);

}  // namespace draco::simulon
