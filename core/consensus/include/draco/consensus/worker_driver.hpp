#pragma once
// A worker process: WorkerCores for the running epoch and the one before it, their logs, their
// links. Everything it is and does follows from what its node says over the link between them; a
// worker whose node is away takes transactions, holds batches and serves them as before.
//
//     the others' workers -> inbox per peer (decode, hash) -> conductor -> Links
//     node ------------------------------------------------->     |  ^
//     clients ---------------------------------------------->    log writer

#include "draco/affair/registry.hpp"
#include "draco/base/disk.hpp"
#include "draco/base/executor.hpp"
#include "draco/consensus/parameters.hpp"
#include "draco/interfaces/consensus.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/log/log.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace draco::consensus {

struct WorkerOptions {
    interfaces::PeerAddress node;  // whose worker this is
    // Which of the node's workers it was set up as. One that the node takes for another stops with
    // InvalidArgument: its log is of this index. Absent: whichever the node says.
    std::optional<types::WorkerIndex> index{};
    std::string directory = "worker";  // of the logs, on the Disk
    // How long the core of an ended epoch goes on answering.
    Duration linger = std::chrono::seconds(60);
    std::uint64_t log_segment_bytes = std::uint64_t{64} << 20;
    // Of one peer, not yet stepped; what comes beyond is dropped.
    std::size_t inbox_messages_max = 1024;
    std::size_t inbox_bytes_max = std::size_t{32} << 20;
};

// All outlive the driver. The links are the worker's own, under a key of its own: nothing is sent
// in the node's name, and the node's key is not here.
struct WorkerParts {
    Executor& executor;
    Disk& disk;
    affair::Registry& registry;
    interfaces::Links& links;
    log::Log& log;
};

// Thread-safe. The receiver of Protocol::Consensus and Protocol::Worker between start() and the
// destructor. An error of the log is escalated through the registry; nothing is told or sent after
// it.
class WorkerDriver final : public interfaces::Consensus {
public:
    WorkerDriver(WorkerParts parts,
                 types::ChainId chain,
                 Parameters parameters,
                 WorkerOptions options);
    ~WorkerDriver() override;
    WorkerDriver(const WorkerDriver&) = delete;
    WorkerDriver& operator=(const WorkerDriver&) = delete;

    // InvalidArgument: a parameter is out of range. AlreadyExists: called twice.
    Result<> start();

    // interfaces::Consensus. Unavailable before the node has said which epoch it is. Of the status,
    // `committed` stays 0; Follower means that the node is not of the committee, or, with a
    // `reason`, that it has not said; Observer that the worker has ended, with the reason.
    Result<> submit(types::TransactionBytes transaction) override;
    interfaces::ConsensusStatus status() const override;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace draco::consensus
