#pragma once
// Says that the epoch's time is over: once the epoch has lasted epoch_ms, a signing member sends
// EndEpoch, once per epoch, and again after a pause where the chain says TooEarly or the
// transaction could not be sent. At most one timer is pending.

#include "draco/affair/registry.hpp"
#include "draco/base/executor.hpp"
#include "draco/interfaces/consensus.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/signer.hpp"
#include "draco/log/log.hpp"

#include <memory>

namespace draco::consensus {

struct EpochTimerOptions {
    Duration retry = std::chrono::milliseconds(500);
};

// Its own LedgerObserver from start() to the destructor. All that it refers to outlives it.
class EpochTimer {
public:
    EpochTimer(Executor& executor,
               affair::Registry& registry,
               interfaces::Ledger& ledger,
               interfaces::Consensus& consensus,
               interfaces::NodeSigner& signer,
               const types::NodeKey& self,
               log::Log& log,
               EpochTimerOptions options = {});
    ~EpochTimer();
    EpochTimer(const EpochTimer&) = delete;
    EpochTimer& operator=(const EpochTimer&) = delete;

    // AlreadyExists: called twice.
    Result<> start();

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace draco::consensus
