#pragma once
// One validator's consensus for one epoch: Narwhal's certified DAG, ordered by Bullshark, cut into
// blocks. A deterministic state machine (docs/decisions/004): the same events give the same
// effects, byte for byte. README.md tells the protocol.
//
// A step handles its event and then does whatever has become possible, in this order:
//
//     certificates -> DAG -> anchors -> blocks -> hand-over and block signature
//     headers      -> votes
//     DAG, batches -> own header -> own certificate
//     what is missing -> requests;  what may be lost -> again
//
// Rules for the driver:
//   1. Effects::sends with Release::AfterPersist leave only when the Persist effects of this and
//      all earlier steps are durable, in the order appended.
//   2. Every message from a peer passes verify() before it becomes an event.
//   3. After a crash the core is rebuilt from the log's records, in order, with the blocks above
//      them that the application has executed. A log that may have lost
//      a durable record (damaged, restored from a backup, another machine's) is recovered as
//      Observer: this member then follows the epoch and signs nothing in it.
//   4. Nothing waits for a wake-up later than Effects::wake.
//
// Memory is bounded by the window of rounds, the committee's size and the byte bounds in
// Parameters. Not thread-safe.

#include "draco/consensus/batch_maker.hpp"
#include "draco/consensus/batch_store.hpp"
#include "draco/consensus/block_builder.hpp"
#include "draco/consensus/block_signatures.hpp"
#include "draco/consensus/clock_check.hpp"
#include "draco/consensus/committer.hpp"
#include "draco/consensus/dag.hpp"
#include "draco/consensus/effects.hpp"
#include "draco/consensus/proposer.hpp"
#include "draco/consensus/synchronizer.hpp"
#include "draco/consensus/vote_aggregator.hpp"
#include "draco/consensus/voter.hpp"
#include "draco/consensus/worker_desk.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace draco::consensus {

// One epoch, one member.
struct Seat {
    types::ChainId chain;
    types::Committee committee;
    types::NodeSecretKey key;
    types::WorkerIndex worker;
    Tip start;  // the block before the epoch's first
    // Processes that gather transactions and hold batches for this member (worker_core.hpp), at
    // most kWorkersMax. None: the core does it, as `worker`. Equal on all members.
    std::size_t workers = 0;
};

enum class RecoveryMode : std::uint8_t { Participant, Observer };

// What is left of an earlier life in this epoch; empty at the epoch's start.
struct Recovery {
    RecoveryMode mode = RecoveryMode::Participant;
    std::vector<Record> records;
    types::Height executed;  // by the application; below Seat::start: none of this epoch
};

class Core {
public:
    // InvalidArgument if the key is not of the committee or a parameter is out of range. Corrupt if
    // the records contradict each other: start again as Observer, without them.
    static Result<std::unique_ptr<Core>> make(Seat seat, Parameters parameters, Recovery recovery);

    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    void step(const Event& event, Now now, Effects& out);

    AuthorityIndex self() const { return self_; }

    const Tip& tip() const { return builder_.tip(); }

    const Dag& dag() const { return dag_; }

    const RefusalCounts& refusals() const { return refusals_; }

    // The highest block known to be certified; once the epoch has ended, none that is void.
    types::Height certified() const { return signatures_.certified(); }

    // Whether it signs: a participant whose epoch has not ended.
    bool participates() const { return mode_ == RecoveryMode::Participant && !ended_; }

    // Whether it proposes and votes: a participant whose epoch has not ended, or has at a block
    // that others may still have to commit.
    bool upholds_dag() const {
        return mode_ == RecoveryMode::Participant &&
               (!ended_ || signatures_.certified() < last_height_);
    }

    // Votes for own headers of lower rounds are of no use any more.
    Round votes_awaited_from() const {
        const auto& last = proposer_.last();
        if (!last) return Round(0);
        return Round(last->header.header.round.value() + (aggregator_.is_open() ? 0 : 1));
    }

    // What it takes from clients would wait until the others' clocks have come so far.
    bool clock_is_ahead() const { return participates() && clock_check_.is_ahead(); }

    // Own transactions that are not executed; at most Parameters::own_bytes_max.
    std::size_t own_bytes() const { return desk_ ? desk_->own_bytes() : maker_.bytes(); }

private:
    // The event's time and the place for what it causes.
    struct Turn {
        Now now;
        Effects& out;
    };

    struct Undelivered {
        types::Block block;
        types::BlockDigest digest;
    };

    struct Unsecured {
        types::Height height;
        Round lowest;  // round of its vertices
    };

    Core(Seat seat, Parameters parameters, AuthorityIndex self, CommitRule rule);

    // core_messages.cpp: one handler per event and per message.
    void on(const TransactionsSubmitted& event, Turn& turn);
    void on(const MessageReceived& event, Turn& turn);
    void on(const LinkUp& event, Turn& turn);
    void on(const WakeUp& event, Turn& turn);
    void on(const BlockExecuted& event, Turn& turn);
    void on(const EpochEnded& event, Turn& turn);
    void on(const BlockFollowed& event, Turn& turn);
    void on(const WorkerLink& event, Turn& turn);
    void on(const WorkerSaid& event, Turn& turn);
    void receive(AuthorityIndex from, const CheckedBatch& batch, Turn& turn);
    void receive(AuthorityIndex from, const CheckedHeader& header, Turn& turn);
    void receive(AuthorityIndex from, const types::Vote& vote, Turn& turn);
    void receive(AuthorityIndex from, const CheckedCertificate& certificate, Turn& turn);
    void receive(AuthorityIndex from, const BatchStored& stored, Turn& turn);
    void receive(AuthorityIndex from, const BatchRequest& request, Turn& turn);
    void receive(AuthorityIndex from, const CertificateRequest& request, Turn& turn);
    void receive(AuthorityIndex from, const CheckedResponse& response, Turn& turn);
    void receive(AuthorityIndex from, const BlockSignature& signature, Turn& turn);

    // core_workers.cpp: batches that worker processes hold.
    void hear(std::size_t lane, const CheckedBatch& content, Turn& turn);
    void hear(std::size_t lane, const WorkerReport& report, Turn& turn);
    void hear(std::size_t lane, const AllReported& all, Turn& turn);
    void adopt_own(std::size_t lane, const CheckedBatch& batch);
    void forget_lost(std::size_t lane, Turn& turn);
    void fetch_contents();
    void watch_contents(Turn& turn);
    void fetch(const types::BatchDigest& digest, Round round);
    void forget_contents(const types::Block& block);
    const CheckedBatch* content_of(const types::BatchDigest& digest) const;
    void hold_missing(Turn& turn);
    void tell_workers(Turn& turn);

    // core.cpp: what has become possible.
    void settle(Turn& turn);
    void count_proposals();
    void commit_anchors(Turn& turn);
    void deliver_blocks(Turn& turn);
    void committed(const types::Block& block, const types::BlockStatement& statement, Turn& turn);
    void sign_last_block(Turn& turn);
    void cast_votes(Turn& turn);
    bool propose(Turn& turn);
    void certify_own(Turn& turn);
    void request_missing(Turn& turn);
    void retry(Turn& turn);
    void forget(Turn& turn);
    void set_wake(Turn& turn) const;

    bool wants_round(Round round);
    bool is_busy() const;
    bool lacks_certificates() const;
    bool own_header_is_uncertified() const;
    Round floor_after(Round anchor) const;
    bool has_sound_rounds(const types::Block& block) const;
    void settle_vertices(const types::Block& block, std::vector<VertexId>& accepted);
    static Round lowest_round(const types::Block& block);
    Round batch_floor() const;
    Duration patience_for(const types::BatchReference& batch) const;
    void keep_until(const types::BatchDigest& digest, Round round);
    void settle_executed();

    void announce(const CheckedBatch& batch, Turn& turn);
    void announce_with_header(const CheckedBatch& batch, Turn& turn);
    void log_batch(const types::BatchDigest& digest, Round round, Turn& turn);
    void add_certificate(AuthorityIndex from, const CheckedCertificate& certificate, Turn& turn);
    bool is_forgotten_own(const CheckedCertificate& certificate) const;
    void stop_signing(Turn& turn);
    void on_accepted(std::span<const VertexId> accepted, Turn& turn);
    void check_clock(const types::Certificate& certificate);
    void advance_to(const types::Block& block, Turn& turn);
    void send_vote(AuthorityIndex author, Round round, types::HeaderDigest header, Turn& turn);
    void send_block_signature(std::optional<AuthorityIndex> to,
                              const types::BlockStatement& statement,
                              Reply reply,
                              Turn& turn);
    void ask_for_certificates(AuthorityIndex peer, Turn& turn);
    void send_own_vertex(std::optional<AuthorityIndex> to, Turn& turn);

    template <class M>
    void send(std::optional<AuthorityIndex> to, const M& message, Release release, Turn& turn);

    // core_recovery.cpp
    Result<> recover(Recovery recovery);
    Result<> recover_blocks(const std::vector<types::Block>& blocks, types::Height executed);
    void restore_own(std::vector<CheckedBatch> batches);
    void return_own();
    void recover_dag(const std::vector<CheckedMessage>& records);

    const Parameters parameters_;
    const types::ChainId chain_;
    const types::Committee committee_;
    const types::NodeSecretKey key_;
    const AuthorityIndex self_;
    RecoveryMode mode_ = RecoveryMode::Participant;

    BatchMaker maker_;
    BatchStore batches_;
    Voter voter_;
    ClockCheck clock_check_;
    VoteAggregator aggregator_;
    Dag dag_;
    Proposer proposer_;
    PipelinedCommitter committer_;
    BlockBuilder builder_;
    BlockSignatures signatures_;
    Synchronizer synchronizer_;
    std::optional<WorkerDesk> desk_;  // absent: there are no worker processes
    ServeBudget serving_;
    RefusalCounts refusals_;

    std::deque<Undelivered> undelivered_;  // committed; content may be missing
    std::deque<Unsecured> unsecured_;      // committed, not both executed and certified
    // Of batches that worker processes hold: asked for, and come, for blocks to be delivered.
    std::set<types::BatchDigest> asked_contents_;
    std::map<types::BatchDigest, CheckedBatch> contents_;
    types::Height awaited_;                          // the block that waits for contents
    std::optional<Instant> contents_due_;            // then it is asked for elsewhere
    std::vector<types::TransactionBytes> returned_;  // at the first step
    types::Height delivered_;
    types::Height executed_;
    UnixTime delivered_time_{};                   // of the last block that was delivered
    std::optional<Instant> block_signed_at_;      // when this member signed one last
    std::optional<Instant> block_signature_due_;  // of the last block, while it is not signed
    bool ended_ = false;
    types::Height last_height_;  // of the epoch, once it has ended

    std::optional<Round> voted_round_;  // the highest of a header that was voted for
    std::optional<Instant> proposal_deadline_;
    std::optional<Instant> lacking_since_;
    std::optional<Instant> retry_at_;
    Duration retry_delay_;
    bool progressed_ = false;  // in this step
    Round pruned_below_;
};

}  // namespace draco::consensus
