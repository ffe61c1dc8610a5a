#pragma once
// Draws faults from a seed and lets them happen.

#include "draco/campaign/scenario.hpp"

#include <random>
#include <utility>
#include <vector>

namespace draco::campaign {

class FaultPlan {
public:
    FaultPlan(const Scenario& scenario, Network& network, std::mt19937_64& random)
        : scenario_(scenario), network_(network), random_(random) {}

    // Called often while time passes: strikes, and ends what has lasted long enough.
    void tick();

private:
    void strike(Fault fault);
    void crash(std::size_t machine);
    void cut_power();
    void partition();
    void block_directions();
    Duration span(Duration longest);

    const Scenario& scenario_;
    Network& network_;
    std::mt19937_64& random_;
    Duration next_{};
    Duration heal_at_ = Duration::max();
    std::vector<std::pair<Duration, std::size_t>> full_disks_;  // until when
};

}  // namespace draco::campaign
