#pragma once
// The node's part in ordering transactions, across epochs: a member of the committee in some, a
// follower in others.

#include "draco/base/result.hpp"
#include "draco/types/block.hpp"
#include "draco/types/transaction.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace draco::interfaces {

enum class ConsensusRole : std::uint8_t {
    Follower,  // not of this epoch's committee
    Member,
    Observer,  // of the committee, but signs nothing in this epoch; `reason` says why
};

struct ConsensusStatus {
    types::Epoch epoch{};
    ConsensusRole role = ConsensusRole::Follower;
    std::string reason;         // of Observer
    types::Round round{};       // the highest one with a quorum here
    types::Height committed{};  // the last block that the own core handed over
    std::uint64_t messages_refused = 0;
    std::uint64_t transactions_waiting_bytes = 0;
    std::uint32_t workers = 0;         // processes that gather and hold batches for this node
    std::uint32_t workers_linked = 0;  // of these
    bool fork = false;  // two final blocks of one height were seen; the node has stopped signing
};

class Consensus {
public:
    virtual ~Consensus() = default;

    // Into a batch of the own worker. Thread-safe. Unavailable if this node is no signing member
    // now; Exhausted: busy, come back later. Success is no promise of execution.
    virtual Result<> submit(types::TransactionBytes transaction) = 0;
    virtual ConsensusStatus status() const = 0;
};

// Gets transactions of clients and of this node to a member of the committee, here or elsewhere.
class TransactionForwarder {
public:
    using Done = std::move_only_function<void(Result<types::TransactionHash>)>;

    virtual ~TransactionForwarder() = default;

    // Thread-safe. Checks the transaction against the newest state (Application::admit), then hands
    // it to the own worker or to one member after the other until one takes it. `done` is called
    // once, as a task of its own: the hash once a member has it; admit's error; Exhausted: all are
    // busy, come back; Unavailable: no member can be reached.
    virtual void submit(Bytes transaction, Done done) = 0;
};

}  // namespace draco::interfaces
