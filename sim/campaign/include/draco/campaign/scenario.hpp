#pragma once
// Scenarios of consensus: committees of cores under faults and lies. A scenario is data; a seed
// decides everything else, and replays it.

#include "draco/campaign/network.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace draco::campaign {

// What happens to machines and links, again and again while there is load.
enum class Fault : std::uint8_t {
    Crash,             // of at most f at a time
    PowerCut,          // all machines at once
    CrashPoint,        // in the middle of persisting, at a point that is drawn
    Partition,         // two groups
    OneWay,            // some directions of some links
    SlowMachine,       // its messages are late
    LateCertificates,  // of a machine, until they come all at once
    SlowDisk,
    FullDisk,
    ClockJump,
    WorkerCrash,
    WorkerLink,  // between a worker and its node
};

// Load and faults for `load`; then everything is healed, and within `heal_limit` every honest
// machine must have executed every transaction that an honest one has taken.
struct Scenario {
    std::string_view name;                   // "consensus/default"
    std::string_view what;                   // one line for people
    std::vector<std::size_t> members{4, 7};  // the seed picks one
    Duration load = milliseconds(1500);
    Duration transaction_interval_max = milliseconds(16);
    Duration heal_limit = std::chrono::seconds(60);
    Duration delay_min = std::chrono::microseconds(500);
    Duration delay_max = milliseconds(15);
    Duration sync_max = milliseconds(5);
    Duration leader_delay{};
    double link_breaks_per_s = 0;
    std::vector<Fault> faults{};
    Duration fault_interval_max = milliseconds(200);
    std::size_t workers = 0;  // of each member
    bool has_twins = false;   // of at most f members
    std::vector<Lie> lies{};  // of f members
    // Garbage collection and reputation windows are drawn from the seed, down to the shortest.
    bool has_short_memory = true;
    std::optional<std::uint64_t> gc_depth_rounds{};  // not drawn
    // Instead of faults that are drawn: the seed is the point of persistence at which a machine
    // crashes; seeds count the points of member 0, 1, ... in turn.
    bool crashes_at_seed = false;
    // Instead of them: all links fail for so long, once.
    std::optional<Duration> blip{};
    // Instead of faults: latency and cost are measured.
    bool is_measured = false;
    // Instead of faults: clients submit whatever is taken, where each process can send so much to
    // other members.
    std::uint64_t bytes_per_s = 0;
    std::size_t transaction_bytes = 108;
};

// All that can be run by name.
std::span<const Scenario> scenarios();
// Null if there is none of this name.
const Scenario* find_scenario(std::string_view name);

// Of a scenario that is measured, in one-way delays; per round and member.
struct Figures {
    std::size_t members = 0;
    std::uint64_t rounds = 0;
    double anchor_median = 0;
    double anchor_mean = 0;
    double vertex_median = 0;
    double vertex_mean = 0;
    double cpu_ms = 0;  // steps of the core, signing included; 0 without a stopwatch
    double signatures_made = 0;
    double signatures_checked = 0;
    double messages = 0;
    double kilobytes = 0;
};

// What is ordered where processes' links are the limit.
struct Throughput {
    std::size_t members = 0;
    std::size_t workers = 0;             // of each; 0: the member itself is the process
    double process_megabytes_per_s = 0;  // that each can send
    double ordered_megabytes_per_s = 0;  // of transactions, by all members together
    double transactions_per_s = 0;
    double rounds_per_s = 0;
    double mean_ms = 0;  // from submission to execution
};

// What clients wait in a span of time.
struct Interval {
    Duration from;  // after the blip's end; negative: before its beginning
    std::uint64_t answered = 0;
    double mean_ms = 0;
    double longest_ms = 0;
};

struct Report {
    std::uint64_t seed = 0;
    Result<> verdict{};  // Corrupt: a promise is broken. DeadlineExceeded: not live
    std::string trace;   // covers every message, record and block
    std::uint64_t events = 0;
    std::uint64_t messages = 0;
    std::uint64_t blocks = 0;
    std::uint64_t transactions = 0;
    Duration virtual_time{};
    std::optional<Figures> figures{};
    std::optional<Throughput> throughput{};
    std::vector<Interval> intervals{};
};

struct RunOptions {
    PlantedBug bug = PlantedBug::None;
    const Clock* stopwatch = nullptr;  // for Figures::cpu_ms
};

Report run(const Scenario& scenario, std::uint64_t seed, const RunOptions& options = {});

// Each seed twice; the first report that is not good, Corrupt too if the two runs differ, else the
// last. The counts of the last report are those of all seeds. `done` hears of each seed.
// Precondition: count > 0.
Report run_seeds(const Scenario& scenario,
                 std::uint64_t first,
                 std::uint64_t count,
                 const RunOptions& options = {},
                 const std::function<void(std::uint64_t seed)>& done = {});

// "seed 7: Corrupt: fork at height 12 (1,234 events, 5.6 s of virtual time)"
std::string to_string(const Report& report);

}  // namespace draco::campaign
