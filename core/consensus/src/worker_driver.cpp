#include "draco/consensus/worker_driver.hpp"

#include "worker_conductor.hpp"
#include "worker_intake.hpp"

#include <utility>

namespace draco::consensus {
namespace {

constexpr std::size_t kWorkerReserve = 1024;

}  // namespace

class WorkerDriver::State {
public:
    State(WorkerParts parts,
          types::ChainId chain,
          const Parameters& parameters,
          WorkerOptions options)
        : parts_(parts),
          chain_(chain),
          parameters_(parameters),
          options_(std::move(options)),
          intake_(options_, parameters_.own_bytes_max) {}

    ~State() {
        if (!conductor_) return;
        parts_.links.set_receiver(interfaces::Protocol::Worker, nullptr);
        parts_.links.set_receiver(interfaces::Protocol::Consensus, nullptr);
    }

    State(const State&) = delete;
    State& operator=(const State&) = delete;

    Result<> start() {
        if (conductor_) return fail(Errc::AlreadyExists, "the worker was started already");
        DRACO_TRY_VOID(check(parameters_));
        const WorkerConductor::Setting setting{parts_, chain_, parameters_, options_, intake_};
        const std::size_t capacity =
            types::kCommitteeMax * options_.inbox_messages_max + kWorkerReserve;
        DRACO_TRY(conductor,
                  parts_.registry.spawn<WorkerConductor>(
                      {.name = "worker", .capacity = capacity},
                      [setting](affair::Self<WorkerConductor> self) {
                          return std::make_unique<WorkerConductor>(setting, std::move(self));
                      }));
        intake_.set_poke([address = affair::Address<WorkerConductor::Poke>(conductor.address())] {
            return address.tell(WorkerConductor::Poke{}).has_value();
        });
        conductor_ = std::move(conductor);
        parts_.links.set_receiver(interfaces::Protocol::Worker, &intake_);
        parts_.links.set_receiver(interfaces::Protocol::Consensus, &intake_);
        parts_.links.set_peers({options_.node});
        return {};
    }

    WorkerIntake& intake() { return intake_; }

private:
    const WorkerParts parts_;
    const types::ChainId chain_;
    const Parameters parameters_;
    const WorkerOptions options_;
    WorkerIntake intake_;
    std::optional<affair::Owner<WorkerConductor>> conductor_;
};

WorkerDriver::WorkerDriver(WorkerParts parts,
                           types::ChainId chain,
                           Parameters parameters,
                           WorkerOptions options)
    : state_(std::make_unique<State>(parts, chain, parameters, std::move(options))) {}

WorkerDriver::~WorkerDriver() = default;

Result<> WorkerDriver::start() {
    return state_->start();
}

Result<> WorkerDriver::submit(types::TransactionBytes transaction) {
    return state_->intake().submit(std::move(transaction));
}

interfaces::ConsensusStatus WorkerDriver::status() const {
    return state_->intake().status();
}

}  // namespace draco::consensus
