#pragma once
// The node's part in consensus, across epochs: an engine (a Core, its log, its wiring) for the
// running epoch and, for stragglers, the one before it. README.md says when a member may sign.
//
//     Links -> inbox per peer (decode, verify) -> conductor (steps the cores) -> Links, Ledger
//                                                  |  ^
//                                     log writer (append, sync)
//
// What depends on a record leaves when the record is durable; while one sync runs, the core steps
// on and the next records gather. An error of the log or the ledger's fork ends the conductor: it
// is escalated through the registry, and nothing is sent or signed any more.

#include "draco/affair/registry.hpp"
#include "draco/base/disk.hpp"
#include "draco/base/executor.hpp"
#include "draco/consensus/parameters.hpp"
#include "draco/consensus/verify.hpp"
#include "draco/interfaces/consensus.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/interfaces/sync.hpp"
#include "draco/log/log.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace draco::consensus {

struct DriverOptions {
    std::string directory = "consensus";  // of the logs, on the Disk; epoch-<n>/ inside it
    // The first start ever of a key that has signed nowhere: the home's past is known to be empty.
    // To be true once only, also over a home that is wiped.
    bool home_is_new = false;
    // The key may have signed elsewhere (a restored backup, another machine's): logs that are here
    // are set aside, nothing is signed in the epoch in which this process starts, and in a later
    // one only if it begins in this process.
    bool signed_elsewhere = false;
    // Skipped: of simulations, whose members cannot forge.
    SignatureCheck signatures = SignatureCheck::Required;
    // Processes that gather transactions and hold batches for this node (worker_driver.hpp), at
    // most kWorkersMax, in the order of their indices: their keys, and where other members' workers
    // find them. The links have them among their peers. None: the node does it itself. All members
    // of a committee need the same number.
    std::vector<interfaces::PeerAddress> workers{};
    // How long the engine of an ended epoch goes on answering once its last block is certified.
    Duration linger = std::chrono::seconds(60);
    // Of an epoch's log: files of this size are made ahead, and looked through at a start. At least
    // 4 MiB, so that a batch fits.
    std::uint64_t log_segment_bytes = std::uint64_t{64} << 20;
    // Of one peer, not yet stepped; what comes beyond is dropped.
    std::size_t inbox_messages_max = 4096;
    std::size_t inbox_bytes_max = std::size_t{32} << 20;
    // Messages of the epoch to come, until its engine starts: of one peer, and of all.
    std::size_t early_bytes_per_peer_max = std::size_t{1} << 20;
    std::size_t early_bytes_max = std::size_t{16} << 20;
};

// All outlive the driver.
struct DriverParts {
    Executor& executor;
    Disk& disk;
    affair::Registry& registry;
    interfaces::Links& links;
    interfaces::Ledger& ledger;
    log::Log& log;
};

// Thread-safe. Its own LedgerObserver and receiver of Protocol::Consensus between start() and the
// destructor, which waits for calls under way.
class ConsensusDriver final : public interfaces::Consensus {
public:
    ConsensusDriver(DriverParts parts,
                    types::NodeSecretKey key,
                    types::ChainId chain,
                    Parameters parameters,
                    DriverOptions options = {});
    ~ConsensusDriver() override;
    ConsensusDriver(const ConsensusDriver&) = delete;
    ConsensusDriver& operator=(const ConsensusDriver&) = delete;

    // Late, because they are built on a Consensus. Both before start(), and both outlive it or are
    // taken back (null) first. Without a follower, nobody is called when the core is too far
    // behind; without a forwarder, own transactions that are void with an epoch are lost unless
    // this node is a member of the next one.
    void set_follower(interfaces::BlockFollower* follower);
    void set_forwarder(interfaces::TransactionForwarder* forwarder);

    // Recovers the running epoch's engine from its log and the ledger, in a task; what fails there
    // is escalated. InvalidArgument: a parameter is out of range. AlreadyExists: called twice.
    Result<> start();

    // interfaces::Consensus
    Result<> submit(types::TransactionBytes transaction) override;
    interfaces::ConsensusStatus status() const override;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace draco::consensus
