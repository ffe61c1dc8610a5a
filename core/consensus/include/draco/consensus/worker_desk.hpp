#pragma once
// A core's side of its worker processes: what they are told and have not answered yet, and what is
// said again when one comes back. Batches of worker index i are held by process i modulo their
// number: its lane. Nothing is said to a lane that is down; what matters is said when it is up.

#include "draco/consensus/effects.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <vector>

namespace draco::consensus {

class WorkerDesk {
public:
    WorkerDesk(Epoch epoch, std::size_t workers) : epoch_(epoch), lanes_(workers) {}

    std::size_t lanes() const { return lanes_.size(); }

    std::size_t lane_of(types::WorkerIndex worker) const { return worker.value() % lanes_.size(); }

    // --- links ---
    void up(std::size_t lane, UnixTime now);
    void down(std::size_t lane);
    bool any_up() const;

    // --- what the worker says ---
    void reported(std::size_t lane, const WorkerReport& report);
    // Whether the batch has been named since the lane came up.
    bool has_reported(std::size_t lane, const types::BatchDigest& digest) const;
    // Whether this is the answer that is awaited.
    bool awaits(std::size_t lane, const AllReported& all) const;
    // It has said all; from here on it hears of progress.
    void all_reported(std::size_t lane);
    // An own batch that the worker must settle and has not said it did: it is told again.
    bool settles(std::size_t lane, const types::BatchDigest& digest);

    // --- what it is told ---
    void hold(std::size_t lane, const BatchName& batch);
    void fetch(std::size_t lane, const BatchName& batch);
    void keep(const CheckedBatch& batch, Round round);
    void settle(const CheckedBatch& own, Settlement how);
    void announce(const CheckedBatch& own);
    void progress(Round round, Round floor, Round prune_below);
    // To the workers in turn. False if none is up.
    bool submit(const std::vector<types::TransactionBytes>& transactions);
    void end_epoch();

    // Own transactions that are not executed, as far as is known here.
    std::size_t own_bytes() const;

    // Everything since the last call, lane by lane, in an order in which no worker forgets what it
    // is told to keep.
    void flush(std::vector<WorkerSend>& out);

private:
    struct Lane {
        bool up = false;
        bool knows_all = false;  // AllReported has come
        std::set<types::BatchDigest> reported;
        std::map<types::BatchDigest, Settlement> unsettled;
        std::uint64_t own_bytes = 0;
        std::uint64_t given_bytes = 0;  // submitted since the last report

        bool asks_all = false;
        std::uint64_t asked_all = 0;  // the number of the last ReportAll
        std::map<Round, std::vector<types::BatchDigest>> keep;
        bool has_progress = false;
        std::vector<BatchName> hold;
        std::vector<BatchName> fetch;
        std::map<Settlement, std::vector<types::BatchDigest>> settle;
        std::vector<types::BatchDigest> announce;
        std::vector<SubmitTransactions> submit;
        bool ends = false;
    };

    void flush(std::size_t index, std::vector<WorkerSend>& out);

    Epoch epoch_;
    std::vector<Lane> lanes_;
    std::size_t next_ = 0;  // lane to submit to
    Progress progress_{};
    bool over_ = false;
};

}  // namespace draco::consensus
