#pragma once
// One worker process of one member, for one epoch: gathers transactions into batches, sends them to
// the workers of the same index of the other members, holds theirs, and tells its own node what it
// holds durably. A deterministic state machine (docs/decisions/004), beside the node's Core, which
// decides what is ordered and never sees a transaction before it is.
//
//     clients -> batches -> the others' workers
//                        -> log -> "held" -> node: headers, votes
//     node: "fetch" -> contents, from here or from the others
//
// Rules for the driver: those of Core, with to_node effects beside sends; every batch of a peer's
// worker has passed verify(). Memory is bounded by the byte bounds in Parameters; what the node
// orders is trusted to be bounded by its Core. Not thread-safe.

#include "draco/consensus/batch_maker.hpp"
#include "draco/consensus/batch_store.hpp"
#include "draco/consensus/effects.hpp"
#include "draco/consensus/synchronizer.hpp"
#include "draco/consensus/worker_message.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace draco::consensus {

struct WorkerSeat {
    types::ChainId chain;
    types::Committee committee;
    AuthorityIndex self;
    types::WorkerIndex worker;
};

// --- events; TransactionsSubmitted and WakeUp are those of Core ---

// From the worker of the same index of another member.
struct PeerMessage {
    AuthorityIndex from;
    std::variant<CheckedBatch, BatchStored, BatchRequest> message;
};

struct NodeMessage {
    ToWorker message;
};

using WorkerEvent = std::variant<TransactionsSubmitted, WakeUp, PeerMessage, NodeMessage>;

struct NodeSend {
    Channel channel;
    std::shared_ptr<const Bytes> message;  // of FromWorker
    Release release;
};

// Owned and cleared by the driver; a step only appends, and sets `wake`.
struct WorkerEffects {
    std::vector<Persist> persist;
    std::vector<Send> sends;  // to the others' workers
    std::vector<NodeSend> to_node;
    std::vector<types::TransactionBytes> busy;  // of clients: tell them to come back
    std::optional<Instant> wake;
    std::optional<Round> prune_below;
};

class WorkerCore {
public:
    // `records` are the log's, in order: batches and BatchSettled. InvalidArgument: a parameter is
    // out of range, or `self` is not of the committee. Corrupt: a record is of another log.
    static Result<std::unique_ptr<WorkerCore>> make(WorkerSeat seat,
                                                    Parameters parameters,
                                                    std::vector<Record> records);

    WorkerCore(const WorkerCore&) = delete;
    WorkerCore& operator=(const WorkerCore&) = delete;

    void step(const WorkerEvent& event, Now now, WorkerEffects& out);

    // Own transactions that are not executed; at most Parameters::own_bytes_max.
    std::size_t own_bytes() const { return maker_.bytes(); }

    std::size_t batches_held() const { return store_.size(); }

private:
    struct Turn {
        Now now;
        WorkerEffects& out;
    };

    // By the node.
    struct Awaited {
        Round round;  // of what names it
        bool content = false;
        Instant until;  // then the node has lost interest, or says it again
    };

    WorkerCore(WorkerSeat seat, const Parameters& parameters);

    Result<> recover(std::vector<Record> records);

    void on(const TransactionsSubmitted& event, Turn& turn);
    void on(const WakeUp& event, Turn& turn);
    void on(const PeerMessage& event, Turn& turn);
    void on(const NodeMessage& event, Turn& turn);

    void receive(AuthorityIndex from, const CheckedBatch& batch, Turn& turn);
    void receive(AuthorityIndex from, const BatchStored& stored, Turn& turn);
    void receive(AuthorityIndex from, const BatchRequest& request, Turn& turn);

    void obey(const ReportAll& order, Turn& turn);
    void obey(const Progress& order, Turn& turn);
    void obey(const HoldBatches& order, Turn& turn);
    void obey(const FetchBatches& order, Turn& turn);
    void obey(const KeepBatches& order, Turn& turn);
    void obey(const SettleBatches& order, Turn& turn);
    void obey(const AnnounceBatches& order, Turn& turn);
    void obey(const SubmitTransactions& order, Turn& turn);
    void obey(const EpochOver& order, Turn& turn);

    void announce(const CheckedBatch& batch, Turn& turn);
    void log_batch(const CheckedBatch& batch, Turn& turn);
    void report(const CheckedBatch& batch, Turn& turn);
    void report_ready(Turn& turn);
    void flush_report(Turn& turn, bool even_if_empty);
    void send_content(const CheckedBatch& batch, Turn& turn);
    void give_back(const std::vector<types::TransactionBytes>& transactions, Turn& turn);
    void settle(const types::BatchDigest& digest, Settlement how, Turn& turn);
    void want(const BatchName& name, bool content, Turn& turn);
    const CheckedBatch* find(const types::BatchDigest& digest) const;
    Round keep_fresh() const;
    Round round_of_record(const types::Batch& batch) const;
    void ask_others(Turn& turn);
    void set_wake(Turn& turn) const;

    template <class M>
    void send(std::optional<AuthorityIndex> to, const M& message, Turn& turn);
    template <class M>
    void tell_node(Channel channel, const M& message, Release release, Turn& turn);

    const Parameters parameters_;
    const types::ChainId chain_;
    const types::Committee committee_;
    const AuthorityIndex self_;
    const types::WorkerIndex worker_;

    BatchMaker maker_;
    BatchStore store_;
    Synchronizer synchronizer_;
    ServeBudget serving_;
    std::map<types::BatchDigest, Awaited> awaited_;
    // Own batches that the node has settled: not to be reported again.
    std::map<types::BatchDigest, Round> settled_;
    WorkerReport report_;  // gathered in this step
    std::uint64_t reported_own_bytes_ = 0;
    Round round_;
    Round floor_;
    bool over_ = false;
};

}  // namespace draco::consensus
