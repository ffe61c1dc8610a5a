#include "worker_world.hpp"

#include "simulated_links.hpp"

namespace draco::consensus::test {
namespace {

const simulon::LinkOptions kNear{
    .latency =
        simulon::Latency::uniform(std::chrono::microseconds(50), std::chrono::microseconds(500))};

class WorkerProgram final : public WorkerMachine {
public:
    WorkerProgram(const simulon::Host& host, std::shared_ptr<Cluster> cluster)
        : host_(host),
          cluster_(std::move(cluster)),
          number_(host.id.value() - cluster_->keys.size()),
          node_(number_ / cluster_->workers_each),
          person_{.number = cluster_->people_at_nodes + number_},
          registry_(
              host.executor,
              [this](const affair::Escalation& escalation) {
                  escalations_.push_back(escalation.name + ": " + to_string(escalation.error));
              }),
          links_(host, cluster_->key_of(host.id), *cluster_),
          driver_({host.executor, host.disk, registry_, links_, log_},
                  cluster_->genesis.chain,
                  cluster_->parameters,
                  options()) {
        if (const auto started = driver_.start(); !started)
            cluster_->audit.violations.push_back("start: " + to_string(started.error()));
        tick();
    }

    WorkerDriver& driver() override { return driver_; }

    const std::vector<std::string>& escalations() const override { return escalations_; }

    std::uint64_t messages_sent() const override { return links_.messages_sent(); }

private:
    WorkerOptions options() const {
        WorkerOptions options;
        options.node = {cluster_->keys[node_].public_key(), "node", 4500};
        options.linger = seconds(5);
        options.log_segment_bytes = std::uint64_t{4} << 20;
        return options;
    }

    void tick() {
        host_.executor.post_after(milliseconds(20), [this] {
            if (const auto* ledger = cluster_->ledgers[node_])
                if (auto transaction =
                        cluster_->next_transaction(person_, *ledger, host_.clock.now()))
                    submit(*std::move(transaction));
            tick();
        });
    }

    // One that it does not take is sent anew at the next tick.
    void submit(Bytes transaction) {
        if (!driver_.submit(types::TransactionBytes::make(std::move(transaction)).value()))
            person_.submitted = 0;
    }

    const simulon::Host& host_;
    std::shared_ptr<Cluster> cluster_;
    const std::size_t number_;
    const std::size_t node_;
    Cluster::Person person_;
    std::vector<std::string> escalations_;
    log::NullLog log_;
    affair::Registry registry_;
    SimulatedLinks links_;
    WorkerDriver driver_;
};

}  // namespace

WorkerMachine& worker(simulon::World& world,
                      const Cluster& cluster,
                      std::size_t node,
                      std::size_t index) {
    return dynamic_cast<WorkerMachine&>(world.program(cluster.worker_machine(node, index)));
}

std::string describe_workers(simulon::World& world, const Cluster& cluster) {
    std::string text;
    for (std::size_t node = 0; node < cluster.keys.size(); ++node)
        for (std::size_t index = 0; index < cluster.workers_each; ++index) {
            text += "worker " + std::to_string(index) + " of " + std::to_string(node) + ": ";
            if (!world.running(cluster.worker_machine(node, index))) {
                text += "down\n";
                continue;
            }
            WorkerMachine& w = worker(world, cluster, node, index);
            const auto status = w.driver().status();
            text += "epoch " + std::to_string(status.epoch.value()) + " role " +
                    std::to_string(static_cast<int>(status.role)) + " " + status.reason +
                    " refused " + std::to_string(status.messages_refused) + " waiting " +
                    std::to_string(status.transactions_waiting_bytes);
            for (const std::string& escalation : w.escalations())
                text += " ESCALATED " + escalation;
            text += "\n";
        }
    return text;
}

void build_with_workers(simulon::World& world,
                        const std::shared_ptr<Cluster>& cluster,
                        const simulon::LinkOptions& links,
                        const simulon::NodeOptions& node) {
    const std::size_t nodes = cluster->keys.size();
    for (std::size_t i = 0; i < nodes; ++i) world.add_node(machine_factory(cluster), node);
    for (std::size_t i = 0; i < nodes * cluster->workers_each; ++i)
        world.add_node(
            [cluster](const simulon::Host& host) {
                return std::make_unique<WorkerProgram>(host, cluster);
            },
            node);
    for (std::uint32_t i = 0; i < nodes; ++i) {
        for (std::uint32_t j = i + 1; j < nodes; ++j) world.connect(PeerId(i), PeerId(j), links);
        for (std::size_t index = 0; index < cluster->workers_each; ++index) {
            const PeerId own = cluster->worker_machine(i, index);
            world.connect(PeerId(i), own, kNear);
            for (std::size_t j = i + 1; j < nodes; ++j)
                world.connect(own, cluster->worker_machine(j, index), links);
        }
    }
    world.start_all();
}

}  // namespace draco::consensus::test
