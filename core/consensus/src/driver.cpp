#include "draco/consensus/driver.hpp"

#include "conductor.hpp"
#include "intake.hpp"

#include <utility>

namespace draco::consensus {
namespace {

// Beside the peers' messages, of which each has its credit.
constexpr std::size_t kConductorReserve = 1024;
constexpr std::uint64_t kLogSegmentBytesMin = std::uint64_t{4} << 20;

}  // namespace

class ConsensusDriver::State {
public:
    State(DriverParts parts,
          types::NodeSecretKey key,
          types::ChainId chain,
          const Parameters& parameters,
          DriverOptions options)
        : parts_(parts),
          key_(std::move(key)),
          chain_(chain),
          parameters_(parameters),
          options_(std::move(options)),
          intake_(options_, parameters_.own_bytes_max),
          workers_(parts_.links, options_.workers) {}

    ~State() {
        if (!conductor_) return;
        parts_.links.set_receiver(interfaces::Protocol::Worker, nullptr);
        parts_.links.set_receiver(interfaces::Protocol::Consensus, nullptr);
        parts_.ledger.remove_observer(intake_);
    }

    State(const State&) = delete;
    State& operator=(const State&) = delete;

    Result<> start() {
        if (conductor_) return fail(Errc::AlreadyExists, "consensus was started already");
        DRACO_TRY_VOID(check(parameters_));
        if (options_.workers.size() > kWorkersMax)
            return fail(Errc::InvalidArgument,
                        "a node has at most " + std::to_string(kWorkersMax) + " worker processes");
        if (options_.log_segment_bytes < kLogSegmentBytesMin)
            return fail(Errc::InvalidArgument, "log_segment_bytes is less than 4 MiB");
        const Conductor::Setting setting{
            parts_, key_, chain_, parameters_, options_, intake_, workers_, late_};
        const std::size_t capacity =
            types::kCommitteeMax * options_.inbox_messages_max + kConductorReserve;
        DRACO_TRY(conductor,
                  parts_.registry.spawn<Conductor>({.name = "consensus", .capacity = capacity},
                                                   [setting](affair::Self<Conductor> self) {
                                                       return std::make_unique<Conductor>(
                                                           setting, std::move(self));
                                                   }));
        intake_.set_poke([address = affair::Address<Conductor::Poke>(conductor.address())] {
            return address.tell(Conductor::Poke{}).has_value();
        });
        workers_.set_poke([this] { intake_.poke(); });
        const affair::Address<Conductor::Begin> begin = conductor.address();
        conductor_ = std::move(conductor);
        parts_.ledger.add_observer(intake_);
        DRACO_TRY_VOID(begin.tell(Conductor::Begin{}));
        parts_.links.set_receiver(interfaces::Protocol::Consensus, &intake_);
        parts_.links.set_receiver(interfaces::Protocol::Worker, &workers_);
        return {};
    }

    LateParts& late() { return late_; }

    Intake& intake() { return intake_; }

    const Intake& intake() const { return intake_; }

private:
    const DriverParts parts_;
    const types::NodeSecretKey key_;
    const types::ChainId chain_;
    const Parameters parameters_;
    const DriverOptions options_;
    Intake intake_;
    WorkerPort workers_;
    LateParts late_;
    std::optional<affair::Owner<Conductor>> conductor_;
};

ConsensusDriver::ConsensusDriver(DriverParts parts,
                                 types::NodeSecretKey key,
                                 types::ChainId chain,
                                 Parameters parameters,
                                 DriverOptions options)
    : state_(
          std::make_unique<State>(parts, std::move(key), chain, parameters, std::move(options))) {}

ConsensusDriver::~ConsensusDriver() = default;

void ConsensusDriver::set_follower(interfaces::BlockFollower* follower) {
    state_->late().follower.store(follower);
}

void ConsensusDriver::set_forwarder(interfaces::TransactionForwarder* forwarder) {
    state_->late().forwarder.store(forwarder);
}

Result<> ConsensusDriver::start() {
    return state_->start();
}

Result<> ConsensusDriver::submit(types::TransactionBytes transaction) {
    return state_->intake().submit(std::move(transaction));
}

interfaces::ConsensusStatus ConsensusDriver::status() const {
    return state_->intake().status();
}

}  // namespace draco::consensus
