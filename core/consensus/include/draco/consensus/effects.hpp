#pragma once
// What goes into a consensus core and what comes out of it.

#include "draco/consensus/worker_message.hpp"

#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace draco::consensus {

// The driver's clocks, read once per step.
struct Now {
    Instant instant;
    UnixTime unix;
};

// --- events ---

// From clients of this validator. Those that do not fit come back in Effects::busy.
struct TransactionsSubmitted {
    std::vector<types::TransactionBytes> transactions;
};

struct MessageReceived {
    AuthorityIndex from;
    CheckedMessage message;
};

// A link is up (again): whatever was in flight on the old one is lost.
struct LinkUp {
    AuthorityIndex peer;
};

// The time asked for by Effects::wake has come. Too early or too often does no harm.
struct WakeUp {};

// The application has durably executed this block and all before it.
struct BlockExecuted {
    types::Height height;
};

// The application marks this block as the epoch's last: later ones are void.
struct EpochEnded {
    types::Height height;
};

// A block that a quorum's signatures, which the driver has verified, make final. The application
// has it from the driver already, with its content.
struct BlockFollowed {
    types::Block block;
};

// The link to an own worker process, by its number, is up (again), or down.
struct WorkerLink {
    std::size_t lane = 0;
    bool up = false;
};

struct WorkerSaid {
    std::size_t lane = 0;
    std::variant<CheckedBatch, WorkerReport, AllReported> message;
};

using Event = std::variant<TransactionsSubmitted,
                           MessageReceived,
                           LinkUp,
                           WakeUp,
                           BlockExecuted,
                           EpochEnded,
                           BlockFollowed,
                           WorkerLink,
                           WorkerSaid>;

// --- effects ---

// Append to the log. Not needed any more once Effects::prune_below is above `round`.
struct Persist {
    Round round;
    Bytes record;  // of a batch, what is before its transactions
    std::shared_ptr<const types::Batch> batch{};

    ByteView rest() const { return batch ? batch->transactions.encoded_elements() : ByteView{}; }

    std::size_t bytes() const { return record.size() + rest().size(); }
};

// The batch's record, without a copy of it.
Persist persist_batch(Round round, std::shared_ptr<const types::Batch> batch);

enum class Release : std::uint8_t {
    AtOnce,
    AfterPersist,  // when all Persist effects of this and all earlier steps are durable
};

struct Send {
    std::optional<AuthorityIndex> to;  // absent: to every other member
    Channel channel;
    std::shared_ptr<const Bytes> message;
    Release release;
};

// To an own worker process, in order; at once.
struct WorkerSend {
    std::size_t lane = 0;
    std::shared_ptr<const Bytes> message;  // of ToWorker
};

// To be executed in the order handed over, and at once: no signature of this member rests on it
// being in the log. After a restart blocks may come again from the first one that was not reported
// as executed; those that were and that the log has not got are given to the core with its records.
struct CommittedBlock {
    types::Block block;
    types::BlockDigest digest;
    std::vector<std::shared_ptr<const types::Batch>> batches;  // as block.batches
};

// Owned and cleared by the driver; a step only appends, and sets `wake`.
struct Effects {
    std::vector<Persist> persist;
    std::vector<Send> sends;
    std::vector<WorkerSend> to_workers;
    std::vector<CommittedBlock> blocks;
    std::vector<types::BlockCertificate> certificates;  // of blocks handed over, for followers
    std::vector<types::TransactionBytes> busy;          // refused: tell the client to come back
    std::vector<types::TransactionBytes> resubmit;      // void with this epoch: submit to the next
    std::optional<Instant> wake;       // the next time this core has something to do by itself
    std::optional<Round> prune_below;  // records of lower rounds may be forgotten
    bool fork = false;                 // two final blocks of one height: stop, and call people
    // Too far behind for the DAG: get certified blocks from elsewhere and feed BlockFollowed, from
    // the one after the last executed, or after the core's tip if that is lower, on. Those that the
    // core does not need are ignored.
    bool follow_blocks = false;
    // A quorum certified a header of this member that its log does not have: the log lost records,
    // and maybe votes with them. The core signs nothing more in this epoch; nor must what it has
    // signed and the driver still holds back be sent.
    bool lost_records = false;
};

}  // namespace draco::consensus
