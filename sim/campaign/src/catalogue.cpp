#include "draco/campaign/scenario.hpp"

#include <algorithm>
#include <array>

namespace draco::campaign {

namespace {

using std::chrono::seconds;

const std::vector<Fault> kUsual = {
    Fault::Crash, Fault::Crash, Fault::CrashPoint, Fault::Partition, Fault::PowerCut};

Scenario latency(std::string_view name, std::string_view what, std::size_t members, Duration load) {
    return {.name = name,
            .what = what,
            .members = {members},
            .load = load,
            .transaction_interval_max = milliseconds(10),
            .delay_min = milliseconds(50),
            .delay_max = milliseconds(50),
            .sync_max = Duration(0),
            .has_short_memory = false,
            .is_measured = true};
}

Scenario blip(std::string_view name, std::string_view what, Duration length) {
    return {.name = name,
            .what = what,
            .members = {4},
            .load = seconds(10),
            .delay_min = milliseconds(45),
            .delay_max = milliseconds(55),
            .has_short_memory = false,
            .blip = length};
}

// 25 Mbit/s for each process, as if each had a machine of its own; nodes 10 ms apart.
Scenario scale_out(std::string_view name, std::string_view what, std::size_t workers) {
    return {.name = name,
            .what = what,
            .members = {4},
            .load = seconds(4),
            .delay_min = milliseconds(10),
            .delay_max = milliseconds(10),
            .workers = workers,
            .has_short_memory = false,
            .bytes_per_s = 3'125'000,
            .transaction_bytes = 4096};
}

const std::array kScenarios{
    Scenario{.name = "consensus/default",
             .what = "4 or 7 members: crashes, power cuts, partitions, link breaks, twins",
             .link_breaks_per_s = 3,
             .faults = kUsual,
             .has_twins = true},
    Scenario{.name = "consensus/persistence",
             .what = "a crash at every point of persistence, which the seed counts",
             .members = {4},
             .load = milliseconds(600),
             .crashes_at_seed = true},
    Scenario{.name = "consensus/delays",
             .what = "delays of up to 150 ms, the leader's longer, and slow machines",
             .load = seconds(4),
             .delay_max = milliseconds(150),
             .leader_delay = milliseconds(250),
             .faults = {Fault::SlowMachine, Fault::SlowMachine, Fault::Crash}},
    Scenario{.name = "consensus/stragglers",
             .what = "certificates that come when their rounds are being forgotten",
             .load = seconds(4),
             .faults = {Fault::LateCertificates, Fault::LateCertificates, Fault::Crash},
             .fault_interval_max = milliseconds(800),
             .gc_depth_rounds = 5},
    Scenario{.name = "consensus/partitions",
             .what = "partitions that heal, with little time between them",
             .load = seconds(3),
             .link_breaks_per_s = 3,
             .faults = {Fault::Partition}},
    Scenario{.name = "consensus/one-way",
             .what = "links that carry messages in one direction only",
             .load = seconds(3),
             .faults = {Fault::OneWay, Fault::OneWay, Fault::Crash}},
    Scenario{.name = "consensus/slow-disk",
             .what = "disks that take up to 800 ms to sync, with crashes",
             .load = seconds(3),
             .faults = {Fault::SlowDisk, Fault::SlowDisk, Fault::Crash, Fault::CrashPoint}},
    Scenario{.name = "consensus/full-disk",
             .what = "disks that are full for a while, and stop their machines",
             .load = seconds(3),
             .faults = {Fault::FullDisk, Fault::FullDisk, Fault::Crash}},
    Scenario{.name = "consensus/clocks",
             .what = "clocks that jump by up to 5 s, with crashes",
             .load = seconds(3),
             .faults = {Fault::ClockJump, Fault::ClockJump, Fault::Crash}},
    Scenario{.name = "consensus/twins",
             .what = "f members run on two machines each, through partitions and crashes",
             .load = seconds(3),
             .link_breaks_per_s = 2,
             .faults = {Fault::Partition, Fault::Partition, Fault::Crash, Fault::CrashPoint},
             .has_twins = true},
    Scenario{.name = "consensus/equivocation",
             .what = "f authors sign two headers a round, vote for all, and name false parents",
             .link_breaks_per_s = 2,
             .faults = {Fault::Crash, Fault::CrashPoint, Fault::Partition},
             .lies = {Lie::SecondHeader, Lie::VoteForAll, Lie::FewParents, Lie::FalseParents}},
    Scenario{.name = "consensus/withheld",
             .what = "f authors send their batches to some and answer nobody",
             .faults = {Fault::Crash, Fault::Partition},
             .lies = {Lie::WithholdBatches, Lie::VoteForAll}},
    Scenario{.name = "consensus/floods",
             .what = "f members send certificates again and again",
             .faults = {Fault::Crash},
             .lies = {Lie::FloodCertificates}},
    Scenario{.name = "consensus/far-rounds",
             .what = "f members talk of rounds and heights that are far away",
             .faults = {Fault::Crash},
             .lies = {Lie::FarRounds}},
    Scenario{.name = "consensus/garbage",
             .what = "f members send bytes that mean nothing, and messages with bits flipped",
             .faults = {Fault::Crash},
             .lies = {Lie::Garbage}},
    Scenario{.name = "consensus/repeats",
             .what = "f authors propose batches again that were ordered long ago, or are others'",
             .load = seconds(4),
             .faults = {Fault::Crash, Fault::Partition, Fault::LateCertificates},
             .fault_interval_max = milliseconds(800),
             .lies = {Lie::RepeatedBatches}},
    Scenario{.name = "consensus/workers",
             .what = "two workers a member, in processes of their own: they crash, and so do nodes",
             .load = seconds(3),
             .link_breaks_per_s = 3,
             .faults = {Fault::WorkerCrash,
                        Fault::WorkerCrash,
                        Fault::WorkerLink,
                        Fault::Crash,
                        Fault::PowerCut,
                        Fault::Partition},
             .workers = 2},
    Scenario{.name = "consensus/workers-withheld",
             .what = "the same, and the workers of f members keep batches back",
             .load = seconds(3),
             .faults = {Fault::WorkerCrash, Fault::WorkerLink, Fault::Crash},
             .workers = 2,
             .lies = {Lie::WithholdBatches}},
    Scenario{.name = "consensus/everything",
             .what = "4, 7 or 10 members: all faults and all lies together",
             .members = {4, 7, 10},
             .load = seconds(3),
             .link_breaks_per_s = 3,
             .faults = {Fault::Crash,
                        Fault::PowerCut,
                        Fault::CrashPoint,
                        Fault::Partition,
                        Fault::OneWay,
                        Fault::SlowMachine,
                        Fault::SlowDisk,
                        Fault::FullDisk,
                        Fault::ClockJump},
             .lies = {Lie::SecondHeader,
                      Lie::VoteForAll,
                      Lie::WithholdBatches,
                      Lie::FloodCertificates,
                      Lie::FarRounds,
                      Lie::Garbage,
                      Lie::FewParents,
                      Lie::FalseParents,
                      Lie::RepeatedBatches}},
    blip("consensus/blip-1s",
         "all links fail for 1 s; what clients wait before and after",
         seconds(1)),
    blip("consensus/blip-20s", "the same for 20 s", seconds(20)),
    latency("consensus/latency-4", "4 members, 50 ms one way: latency and cost", 4, seconds(10)),
    latency("consensus/latency-10", "the same with 10 members", 10, seconds(10)),
    latency("consensus/latency-50", "the same with 50 members", 50, seconds(3)),
    latency("consensus/latency-100", "the same with 100 members", 100, seconds(2)),
    scale_out("consensus/scale-0", "what 4 members order whose links are 25 Mbit/s", 0),
    scale_out("consensus/scale-1", "the same, each with a worker process on its own link", 1),
    scale_out("consensus/scale-2", "the same with 2 workers each", 2),
    scale_out("consensus/scale-4", "the same with 4 workers each", 4),
};

}  // namespace

std::span<const Scenario> scenarios() {
    return kScenarios;
}

const Scenario* find_scenario(std::string_view name) {
    const auto found = std::ranges::find(kScenarios, name, &Scenario::name);
    return found == kScenarios.end() ? nullptr : &*found;
}

}  // namespace draco::campaign
