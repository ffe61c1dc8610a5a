#pragma once
// Gets transactions to a member of the committee: to the own worker if this node signs, else by a
// request to one member after the other, beginning at one that the transaction's hash chooses. The
// answering side of those requests, too.
//
// A request of Protocol::Transactions is the encoded transaction; the answer has no content, only
// an outcome: success once the member's worker has it, else its error.

#include "draco/affair/registry.hpp"
#include "draco/base/executor.hpp"
#include "draco/interfaces/consensus.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/log/log.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace draco::consensus {

struct ForwarderOptions {
    std::size_t forwarding_max = 1024;      // own submissions under way; beyond: Exhausted
    std::size_t serving_per_peer_max = 64;  // requests of one peer under way; beyond: Exhausted
    std::size_t attempts_max = 8;           // members asked for one transaction
    Duration attempt_deadline = std::chrono::seconds(2);
    Duration deadline = std::chrono::seconds(8);  // of a submission
    // A transaction that was handed over so recently is not handed over again; 0 for never.
    Duration duplicate_window = std::chrono::seconds(1);
    std::size_t duplicates_max = 4096;
    std::size_t in_flight_max = 4;  // admissions checked at once
};

// Whether a transaction may enter the pool: Application::admit. Thread-safe.
using Admit = std::function<Result<types::TransactionHash>(ByteView transaction)>;

// Thread-safe. Its own handler of Protocol::Transactions from start() to the destructor. All that
// it refers to outlives it. A submission that is under way at the end is answered Unavailable.
class Forwarder final : public interfaces::TransactionForwarder {
public:
    Forwarder(Executor& executor,
              affair::Registry& registry,
              interfaces::Links& links,
              interfaces::Ledger& ledger,
              interfaces::Consensus& consensus,
              Admit admit,
              log::Log& log,
              ForwarderOptions options = {});
    ~Forwarder() override;
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    // AlreadyExists: called twice. InvalidArgument: an option is zero.
    Result<> start();

    void submit(Bytes transaction, Done done) override;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace draco::consensus
