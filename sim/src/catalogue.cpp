#include "draco/sim/scenario.hpp"

#include <algorithm>
#include <array>

namespace draco::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const simulon::LinkOptions kLossy{
    .latency = simulon::Latency::uniform(milliseconds(1), milliseconds(15)),
    .loss = 0.02,
    .resend = 0.2};
const simulon::LinkOptions kCalm{.latency =
                                     simulon::Latency::uniform(milliseconds(1), milliseconds(8))};
const simulon::LinkOptions kFar{.latency = simulon::Latency::constant(milliseconds(50))};
const simulon::DiskOptions kDisk{};

// At most f nodes are down at a time.
simulon::FaultPlanOptions everything(std::uint32_t down_max) {
    return {
        .interval_mean = milliseconds(400), .length_max = milliseconds(2500), .down_max = down_max};
}

const std::array kScenarios{
    NetworkScenario{.name = "network/calm",
                    .what = "4 members and a follower, no faults, epochs of 4 s",
                    .members = 4,
                    .followers = 1,
                    .link = kCalm,
                    .disk = kDisk,
                    .faults = {.kinds = {}}},
    NetworkScenario{.name = "network/epochs",
                    .what = "7 members, no faults, load, epochs of 1 s: the gap between two epochs",
                    .members = 7,
                    .epoch = seconds(1),
                    .duration = seconds(12),
                    .transfer_interval_mean = milliseconds(10),
                    .link = kCalm,
                    .disk = kDisk,
                    .faults = {.kinds = {}},
                    .is_measured = true},
    NetworkScenario{.name = "network/far",
                    .what = "4 members and 2 followers, 50 ms apart: epochs, and who follows",
                    .members = 4,
                    .followers = 2,
                    .duration = seconds(20),
                    .link = kFar,
                    .disk = kDisk,
                    .faults = {.kinds = {}},
                    .is_measured = true},
    NetworkScenario{.name = "network/four",
                    .what = "4 members: crashes, pauses, partitions, loss, repeats, torn disks",
                    .members = 4,
                    .link = kLossy,
                    .disk = kDisk,
                    .faults = everything(1)},
    NetworkScenario{.name = "network/seven",
                    .what = "7 members, two of them down at a time, the same faults",
                    .members = 7,
                    .link = kLossy,
                    .disk = kDisk,
                    .faults = everything(2)},
    NetworkScenario{.name = "network/followers",
                    .what = "4 members and 2 followers that crash and fall behind",
                    .members = 4,
                    .followers = 2,
                    .link = kLossy,
                    .disk = kDisk,
                    .faults = everything(2)},
    NetworkScenario{.name = "network/blackout",
                    .what = "4 members of which up to all are down at a time",
                    .members = 4,
                    .link = kLossy,
                    .disk = kDisk,
                    .faults = everything(4)},
    NetworkScenario{.name = "delivery/calm",
                    .what = "4 members and a follower deliver, no faults",
                    .members = 4,
                    .followers = 1,
                    .readers = 3,
                    .contents = 6,
                    .link = kCalm,
                    .disk = kDisk,
                    .faults = {.kinds = {}}},
    NetworkScenario{.name = "delivery/four",
                    .what = "4 members deliver: crashes, pauses, partitions, loss, torn disks",
                    .members = 4,
                    .readers = 3,
                    .contents = 6,
                    .link = kLossy,
                    .disk = kDisk,
                    .faults = everything(1)},
    NetworkScenario{.name = "delivery/liars",
                    .what = "7 members deliver, two of which send wrong blocks, with faults",
                    .members = 7,
                    .readers = 3,
                    .contents = 6,
                    .liars = 2,
                    .link = kLossy,
                    .disk = kDisk,
                    .faults = everything(1)},
};

}  // namespace

std::span<const NetworkScenario> scenarios() {
    return kScenarios;
}

const NetworkScenario* find_scenario(std::string_view name) {
    const auto found = std::ranges::find(kScenarios, name, &NetworkScenario::name);
    return found == kScenarios.end() ? nullptr : &*found;
}

}  // namespace draco::sim
