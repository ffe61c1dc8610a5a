#pragma once
// Leads a worker's engines through the epochs, as its node says, and writes their logs. A
// sequential object: everything of a WorkerCore happens here.

#include "draco/consensus/worker_driver.hpp"

#include "worker_engine.hpp"
#include "worker_intake.hpp"

#include <map>
#include <memory>
#include <optional>

namespace draco::consensus {

class WorkerConductor {
public:
    struct Poke {};  // there is news, or a timer is due

    using Messages = affair::Messages<Poke, Verified>;

    struct Setting {
        WorkerParts parts;
        types::ChainId chain;
        Parameters parameters;
        const WorkerOptions& options;
        WorkerIntake& intake;
    };

    WorkerConductor(const Setting& setting, affair::Self<WorkerConductor> self);
    ~WorkerConductor();
    WorkerConductor(const WorkerConductor&) = delete;
    WorkerConductor& operator=(const WorkerConductor&) = delete;

    Result<> handle(Poke poke);
    Result<> handle(Verified verified);

private:
    Result<> judged(Result<> outcome);
    Result<> turn(std::optional<Verified> verified);
    Result<> take_news();
    Result<> hear_node(const Bytes& message);
    Result<> check_index(types::WorkerIndex told) const;
    Result<> obey(const BeginEpoch& order);
    Result<> obey(const PeerWorkers& order);
    Result<> obey(const ToWorker& order);
    void step(Verified verified);
    Result<std::unique_ptr<WorkerEngine>> open_engine(const BeginEpoch& order,
                                                      types::Committee committee,
                                                      AuthorityIndex self);
    Result<OpenedLog> open_log(types::Epoch epoch);
    Result<> write(WorkerEngine& engine);
    Result<> on_written(types::Epoch epoch, Result<> outcome);
    void use_peers();
    void open_routes();
    void retire(Instant now);
    void arm();
    void publish();
    WorkerEngine* engine_of(types::Epoch epoch);

    const Setting setting_;
    const affair::Self<WorkerConductor> self_;
    log::Logger log_;
    RecordLogs logs_;

    bool told_of_epoch_ = false;
    types::Epoch epoch_;  // the running one
    std::unique_ptr<WorkerEngine> running_;
    std::unique_ptr<WorkerEngine> previous_;
    std::optional<Instant> retire_at_;
    std::optional<Instant> retry_at_;                  // what the link to the node had no room for
    std::map<types::NodeKey, WorkerAddress> workers_;  // by member
    std::map<types::NodeKey, affair::Owner<Inbox>> inboxes_;
    std::map<types::NodeKey, PeerPort> ports_;
    std::optional<Instant> armed_for_;
    std::optional<TimerId> timer_;
};

}  // namespace draco::consensus
