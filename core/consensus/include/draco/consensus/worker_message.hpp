#pragma once
// What a node and its worker processes say to each other, over a link of their own
// (interfaces::Protocol::Worker). Encoded as BCS variants: ULEB128 tag, then the value, which
// begins with its epoch. Each believes the other, as it believes its own disk; bounds hold all the
// same. Everything may be said again: a link that broke loses what was under way.
//
// Beside these, a worker sends the contents that it was asked for, each as a Batch in
// Channel::Bulk.

#include "draco/base/bytes.hpp"
#include "draco/consensus/verify.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace draco::consensus {

inline constexpr std::size_t kWorkersMax = 16;  // of one node
inline constexpr std::size_t kWorkerBatchesMax = 512;
inline constexpr std::size_t kWorkerTransactionsMax = 1024;

// A batch without its transactions.
struct BatchHead {
    types::BatchDigest digest;
    AuthorityIndex author;
    types::WorkerIndex worker;
    std::uint64_t sequence = 0;
    std::uint32_t bytes = 0;  // of the encoded batch
    Round kept_until;         // the worker forgets it when the floor is above this

    bool operator==(const BatchHead&) const = default;
};

// --- from the worker ---

// Of `held`, own batches are ready to be proposed and the others' are what votes may rest on: all
// are durable.
struct WorkerReport {
    Epoch epoch;
    std::uint64_t own_bytes = 0;  // of own transactions that are not executed
    bcs::Bounded<std::vector<BatchHead>, kWorkerBatchesMax> held;
    // Own batches, settled as the node said: it need not say so again.
    bcs::Bounded<std::vector<types::BatchDigest>, kWorkerBatchesMax> settled;

    bool operator==(const WorkerReport&) const = default;
};

// The answer to the ReportAll of this number is complete.
struct AllReported {
    Epoch epoch;
    std::uint64_t number = 0;

    bool operator==(const AllReported&) const = default;
};

// Own transactions that no batch of this worker carries any more, or that it has no room for.
struct TransactionsReturned {
    Epoch epoch;
    bcs::Bounded<std::vector<types::TransactionBytes>, kWorkerTransactionsMax> transactions;

    bool operator==(const TransactionsReturned&) const = default;
};

// Alternatives are numbered by position: only ever append.
using FromWorker = std::variant<types::Batch, WorkerReport, AllReported, TransactionsReturned>;

// --- to the worker ---

// The links are up: say what you hold, then AllReported.
struct ReportAll {
    Epoch epoch;
    std::uint64_t number = 0;  // never twice
    Round round;               // of the node: what is held is of now

    bool operator==(const ReportAll&) const = default;
};

// New batches are sealed in `round`; what was to be held until below `floor` may be forgotten, and
// what was logged below `prune_below`.
struct Progress {
    Epoch epoch;
    Round round;
    Round floor;
    Round prune_below;

    bool operator==(const Progress&) const = default;
};

struct BatchName {
    types::BatchDigest digest;
    AuthorityIndex author;  // who should have it
    Round round;            // of what names it

    bool operator==(const BatchName&) const = default;
};

using BatchNames = bcs::Bounded<std::vector<BatchName>, kWorkerBatchesMax>;
using BatchDigests = bcs::Bounded<std::vector<types::BatchDigest>, kWorkerBatchesMax>;

// Get them, from others if need be, and report them.
struct HoldBatches {
    Epoch epoch;
    BatchNames batches;

    bool operator==(const HoldBatches&) const = default;
};

// The same, and send them: they are about to be executed.
struct FetchBatches {
    Epoch epoch;
    BatchNames batches;

    bool operator==(const FetchBatches&) const = default;
};

// They are held at least until the floor is above `round`.
struct KeepBatches {
    Epoch epoch;
    Round round;
    BatchDigests batches;

    bool operator==(const KeepBatches&) const = default;
};

// Own batches. Executed: forget them. Dissolved: give their transactions back first.
enum class Settlement : std::uint8_t { Executed, Dissolved };

struct SettleBatches {
    Epoch epoch;
    Settlement how = Settlement::Executed;
    BatchDigests batches;

    bool operator==(const SettleBatches&) const = default;
};

// Own batches that others may have forgotten: send them again.
struct AnnounceBatches {
    Epoch epoch;
    BatchDigests batches;

    bool operator==(const AnnounceBatches&) const = default;
};

struct SubmitTransactions {
    Epoch epoch;
    bcs::Bounded<std::vector<types::TransactionBytes>, kWorkerTransactionsMax> transactions;

    bool operator==(const SubmitTransactions&) const = default;
};

// No batch is ordered any more: give back what is not settled.
struct EpochOver {
    Epoch epoch;

    bool operator==(const EpochOver&) const = default;
};

// Alternatives are numbered by position: only ever append.
using ToWorker = std::variant<ReportAll,
                              Progress,
                              HoldBatches,
                              FetchBatches,
                              KeepBatches,
                              SettleBatches,
                              AnnounceBatches,
                              SubmitTransactions,
                              EpochOver>;

// --- between the drivers ---

inline constexpr std::size_t kHostBytesMax = 253;  // RFC 1035 2.3.4

// To the worker, when the link is up or an epoch begins: before any other message of the epoch.
struct BeginEpoch {
    Epoch epoch;
    types::WorkerIndex worker;                                                // which one this is
    bcs::Bounded<std::vector<types::NodeKey>, types::kCommitteeMax> members;  // ascending
    types::NodeKey self;  // whose worker this is: one of them

    bool operator==(const BeginEpoch&) const = default;
};

struct WorkerAddress {
    types::NodeKey key;
    bcs::Bounded<std::string, kHostBytesMax> host;
    std::uint16_t port = 0;

    bool operator==(const WorkerAddress&) const = default;
};

struct PeerWorker {
    types::NodeKey member;
    WorkerAddress worker;

    bool operator==(const PeerWorker&) const = default;
};

// To the worker: where the workers of its index are. Replaces what was said before.
struct PeerWorkers {
    bcs::Bounded<std::vector<PeerWorker>, types::kCommitteeMax> workers;

    bool operator==(const PeerWorkers&) const = default;
};

using ToWorkerProcess = std::variant<BeginEpoch, PeerWorkers, ToWorker>;

// To other members, when the link is up: the own workers, by index.
struct OwnWorkers {
    bcs::Bounded<std::vector<WorkerAddress>, kWorkersMax> workers;

    bool operator==(const OwnWorkers&) const = default;
};

template <class M>
Bytes encode_from_worker(const M& message) {
    return detail::encode_alternative<FromWorker>(message);
}

// As a ToWorkerProcess.
template <class M>
Bytes encode_to_worker(const M& message) {
    constexpr std::uint8_t kTag = 2;
    Bytes bytes = {kTag};
    append(bytes, detail::encode_alternative<ToWorker>(message));
    return bytes;
}

template <class M>
Bytes encode_to_process(const M& message) {
    return detail::encode_alternative<ToWorkerProcess>(message);
}

// What the head says, as a batch without content.
CheckedBatch hollow(Epoch epoch, const BatchHead& head);
BatchHead head_of(const CheckedBatch& batch, Round kept_until);

}  // namespace draco::consensus
