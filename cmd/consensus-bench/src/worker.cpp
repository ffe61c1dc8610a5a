#include "draco/consensus/worker_driver.hpp"
#include "draco/consensus_bench/bench.hpp"

#include "client_port.hpp"
#include "population.hpp"
#include "process.hpp"

#include <iostream>

namespace draco::consensus_bench {
namespace {

struct Worker {
    Process process;
    std::unique_ptr<consensus::WorkerDriver> driver;
    std::unique_ptr<io::Listener> clients;

    Worker() = default;
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Tasks of the threads call what was made after them.
    ~Worker() {
        clients.reset();
        driver.reset();
        process.stop();
    }
};

}  // namespace

Result<> run_worker(const WorkerPlace& place, std::size_t threads, const std::string& directory) {
    const auto keys = validator_keys(place.validators);
    if (place.validator >= keys.size())
        return fail(Errc::InvalidArgument, "there is no such validator");
    const types::Genesis genesis = make_genesis(keys);
    const types::NodeKey node = keys[place.validator].public_key();
    Worker w;
    DRACO_TRY_VOID(
        w.process.make(worker_key(place.validator, place.worker), genesis, threads, directory));
    w.driver = std::make_unique<consensus::WorkerDriver>(
        consensus::WorkerParts{.executor = *w.process.threads,
                               .disk = *w.process.disk,
                               .registry = *w.process.registry,
                               .links = *w.process.links,
                               .log = *w.process.log},
        genesis.chain,
        consensus::Parameters{},
        consensus::WorkerOptions{.node = {node, "127.0.0.1", place.node_port}});
    DRACO_TRY(clients, listen_for_clients(*w.process.network, *w.process.threads, *w.driver));
    w.clients = std::move(clients);
    DRACO_TRY_VOID(w.driver->start());
    std::cout << "ports " << w.process.transport->listen_port() << ' ' << w.clients->port()
              << std::endl;
    std::string line;
    while (std::getline(std::cin, line) && line != "stop") {
        const bool is_member = w.driver->status().role == interfaces::ConsensusRole::Member;
        std::cout << "counts " << bytes_sent_far(*w.process.links, {node}) << ' '
                  << w.process.links->connected().size() << ' ' << (is_member ? 1 : 0) << std::endl;
    }
    return {};
}

}  // namespace draco::consensus_bench
