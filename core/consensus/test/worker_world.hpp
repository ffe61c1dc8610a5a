#pragma once
// The nodes of driver_world.hpp with worker processes on machines of their own: real WorkerDrivers
// over keys, disks and links of their own, and people who submit there.

#include "draco/consensus/worker_driver.hpp"

#include "driver_world.hpp"

namespace draco::consensus::test {

class WorkerMachine : public simulon::Program {
public:
    virtual WorkerDriver& driver() = 0;
    virtual const std::vector<std::string>& escalations() const = 0;
    virtual std::uint64_t messages_sent() const = 0;
};

WorkerMachine& worker(simulon::World& world,
                      const Cluster& cluster,
                      std::size_t node,
                      std::size_t index);

// One line per worker.
std::string describe_workers(simulon::World& world, const Cluster& cluster);

// Connects what has to do with each other: nodes with nodes, with their own workers, and workers of
// the same index.
void build_with_workers(simulon::World& world,
                        const std::shared_ptr<Cluster>& cluster,
                        const simulon::LinkOptions& links,
                        const simulon::NodeOptions& node = {});

}  // namespace draco::consensus::test
