#pragma once
// Whole networks in one thread: nodes as they run in production (core/node), on simulated links,
// disks and clocks, under load and faults, watched by checkers. A scenario is data; the seed
// decides everything else.

#include "draco/sim/pace.hpp"
#include "draco/simulon/fault_plan.hpp"
#include "draco/simulon/scenario.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace draco::sim {

// Phases: load and faults for `duration`; then everything is healed, and within `heal_limit` every
// node must have executed every transaction that a client still holds.
struct NetworkScenario {
    std::string_view name;  // "network/four-crash"
    std::string_view what;  // one line for people
    std::size_t members = 4;
    std::size_t followers = 0;  // nodes without stake, which follow
    std::size_t accounts = 8;
    Duration epoch = std::chrono::seconds(4);
    Duration duration = std::chrono::seconds(8);
    Duration transfer_interval_mean = std::chrono::milliseconds(40);
    Duration heal_limit = std::chrono::seconds(60);
    // Who pay for what they read; none: no content.
    std::size_t readers = 0;
    std::size_t contents = 0;
    Duration read_interval_mean = std::chrono::milliseconds(400);
    std::size_t liars = 0;  // of the nodes, the last ones: they send wrong blocks
    simulon::LinkOptions link{};
    simulon::DiskOptions disk{};
    simulon::FaultPlanOptions faults{};  // `duration` is the scenario's; no kinds: no faults
    bool is_measured = false;            // its pace is worth to be shown
};

// All that can be run by name.
std::span<const NetworkScenario> scenarios();
// Null if there is none of this name.
const NetworkScenario* find_scenario(std::string_view name);

// Planted bugs: each must make its checker fail, or the checker is worth nothing.
enum class PlantedBug : std::uint8_t {
    None,
    ForkedState,  // one node's answers are taken for another block than it executed
    MintedMoney,  // the naive model loses a coin
    StalledNode,  // one node is never told that it is healed
    HiddenInput,  // the run depends on something outside the seed
    WrongByte,    // a reader expects another byte than was published
    LostWord,     // a reader believes that a node took more than it did
};

// For simulon::run, run_twice and run_seeds. Checked throughout: all nodes execute the same block
// with the same state root at each height; no node executes a height twice in a life; money is
// conserved; no reader gets a wrong byte. Checked at the end: every held transaction is executed
// everywhere, once; all balances are those of a naive model of the executed transfers; the books of
// every node add up; every content can be read from every node; what a reader has acknowledged to a
// node is settled, and it has paid exactly the price of that.
//
// `watch`, if there is one, is called after every event with the time in the world; quick, and
// without effect on it. `paced` gets the pace of the run.
using Watch = std::function<void(Duration virtual_time)>;

simulon::Scenario make_scenario(const NetworkScenario& scenario,
                                PlantedBug bug = PlantedBug::None,
                                Watch watch = {},
                                PaceReport paced = {});

}  // namespace draco::sim
