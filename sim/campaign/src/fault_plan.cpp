#include "fault_plan.hpp"

#include <algorithm>

namespace draco::campaign {

namespace {

constexpr Duration kDownMax = milliseconds(600);
constexpr Duration kCutMax = milliseconds(700);
constexpr Duration kSlowMax = milliseconds(400);
constexpr Duration kLateMin = milliseconds(100);
constexpr Duration kSyncMax = milliseconds(800);
constexpr Duration kFullMax = milliseconds(1000);
constexpr std::uint64_t kPointsMax = 60;
constexpr std::int64_t kJumpMaxMs = 5000;

}  // namespace

Duration FaultPlan::span(Duration longest) {
    return Duration(
        static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(longest.count()) + 1));
}

void FaultPlan::tick() {
    const Duration now = network_.elapsed();
    if (now >= heal_at_) {
        network_.heal();
        heal_at_ = Duration::max();
    }
    std::erase_if(full_disks_, [&](const auto& full) {
        if (now < full.first) return false;
        network_.empty_disk(full.second);
        return true;
    });
    if (scenario_.faults.empty() || now < next_) return;
    next_ = now + span(scenario_.fault_interval_max);
    strike(scenario_.faults[random_() % scenario_.faults.size()]);
}

void FaultPlan::strike(Fault fault) {
    const std::size_t machine = random_() % network_.machines();
    switch (fault) {
        case Fault::Crash:
            return crash(machine);
        case Fault::PowerCut:
            if (random_() % 3 == 0) cut_power();
            return;
        case Fault::CrashPoint:
            return network_.crash_at_point(machine, 1 + random_() % kPointsMax, span(kDownMax));
        case Fault::Partition:
            return partition();
        case Fault::OneWay:
            return block_directions();
        case Fault::SlowMachine:
            return network_.slow_down(machine, random_() % 2 == 0 ? span(kSlowMax) : Duration{});
        case Fault::LateCertificates:
            return network_.delay_certificates(
                machine, random_() % 2 == 0 ? kLateMin + span(kSlowMax) : Duration{});
        case Fault::SlowDisk:
            return network_.set_sync_max(machine, span(kSyncMax));
        case Fault::FullDisk:
            network_.fill_disk(machine);
            full_disks_.emplace_back(network_.elapsed() + span(kFullMax), machine);
            return;
        case Fault::ClockJump:
            return network_.set_clock(
                machine, static_cast<std::int64_t>(random_() % (2 * kJumpMaxMs + 1)) - kJumpMaxMs);
        case Fault::WorkerCrash:
            return network_.crash_worker(random_() % network_.workers(), span(kDownMax));
        case Fault::WorkerLink:
            return network_.break_worker_link(random_() % network_.workers(), span(kDownMax));
    }
}

void FaultPlan::crash(std::size_t machine) {
    std::size_t down = 0;
    for (std::size_t i = 0; i < network_.machines(); ++i) down += network_.is_up(i) ? 0U : 1U;
    if (down >= (network_.members() - 1) / 3 || !network_.is_up(machine)) return;
    network_.crash(machine);
    network_.restart_after(machine, span(kDownMax));
}

void FaultPlan::cut_power() {
    for (std::size_t i = 0; i < network_.machines(); ++i) {
        if (!network_.is_up(i)) continue;
        network_.crash(i);
        network_.restart_after(i, span(kDownMax));
    }
}

void FaultPlan::partition() {
    std::vector<std::vector<std::size_t>> groups(2);
    for (std::size_t i = 0; i < network_.machines(); ++i) groups[random_() % 2].push_back(i);
    network_.partition(groups);
    heal_at_ = network_.elapsed() + span(kCutMax);
}

void FaultPlan::block_directions() {
    for (std::size_t count = 1 + random_() % network_.machines(); count > 0; --count)
        network_.block_direction(random_() % network_.machines(), random_() % network_.machines());
    heal_at_ = network_.elapsed() + span(kCutMax);
}

}  // namespace draco::campaign
