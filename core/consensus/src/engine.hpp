#pragma once
// One epoch's core at work: steps it and performs its effects, holding back sends that depend on
// records until these are durable. Knows no thread: the conductor calls it, and writes its log.

#include "draco/affair/registry.hpp"
#include "draco/consensus/core.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/log/log.hpp"

#include "record_log.hpp"
#include "worker_port.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace draco::consensus {

// What effects act on.
struct Surroundings {
    interfaces::Links& links;
    interfaces::Ledger& ledger;
    const Clock& clock;
    WorkerPort& workers;
    log::Logger log;
};

class Engine {
public:
    // What the conductor has to see to after a step.
    struct Requests {
        bool follow = false;
        bool lost_records = false;
        std::vector<types::TransactionBytes> resubmit;
    };

    // Without a writer nothing is kept: an observer's engine.
    Engine(Surroundings surroundings,
           types::Committee committee,
           std::unique_ptr<Core> core,
           std::optional<affair::Owner<LogWriter>> writer);

    const types::Committee& committee() const { return committee_; }

    types::Epoch epoch() const { return committee_.epoch(); }

    const Core& core() const { return *core_; }

    types::Height handed_over() const { return handed_over_; }

    // Core::votes_awaited_from() as of the last step, for any thread.
    const std::shared_ptr<std::atomic<std::uint64_t>>& votes_awaited_from() const {
        return votes_awaited_from_;
    }

    // Corrupt: two final blocks of one height. Then fork() says so too.
    Result<> step(const Event& event);
    // The block is executed, or, with `last`, the epoch's last.
    Result<> executed(types::Height height, bool last);
    // Tries again what the ledger had no room for.
    void hand_over();
    Requests take_requests();

    // Also found while handing over: nothing must be signed after it.
    const std::optional<Error>& fork() const { return fork_; }

    // Those that the core has no room for wait here for the next executed block.
    Result<> submit(std::vector<types::TransactionBytes> transactions);
    std::size_t own_bytes() const;

    // --- the log ---
    // What is to be written next: nothing while a write is under way, nor for records that nothing
    // waits for, until they are many. A sync costs more than most records are worth.
    std::optional<LogWriter::Write> begin_write();
    Result<> write(LogWriter::Write write);
    void written();
    void protect();

    bool is_writing() const { return writing_; }

    bool has_unprotected() const { return unprotected_ || !unwritten_.empty(); }

    // Nothing is signed any more, and nothing of the log is needed.
    void drop_writer();

    // --- time ---
    std::optional<Instant> wake() const { return wake_; }

    bool is_due(Instant now) const { return wake_ && *wake_ <= now; }

    // The epoch's last block is certified.
    bool is_settled() const { return last_ && core_->certified() >= *last_; }

private:
    struct HeldBack {
        std::uint64_t records;  // that must be durable
        Send send;
    };

    Result<> perform(Effects& effects);
    void keep(std::vector<Persist>& records);
    void transmit(const std::vector<Send>& sends);
    void release();
    Result<> certify(const types::BlockCertificate& certificate);
    Result<> stop_at_fork(Error error);

    bool is_void(const types::Block& block) const { return last_ && block.height > *last_; }

    Surroundings around_;
    types::Committee committee_;
    std::unique_ptr<Core> core_;
    std::optional<affair::Owner<LogWriter>> writer_;
    const std::shared_ptr<std::atomic<std::uint64_t>> votes_awaited_from_;

    Effects effects_;  // its memory is used again
    Requests requests_;
    std::vector<types::TransactionBytes> waiting_;
    std::size_t waiting_bytes_ = 0;

    std::vector<Persist> unwritten_;
    std::size_t unwritten_bytes_ = 0;
    bool writes_all_ = false;  // also what nothing waits for
    std::optional<Round> prune_below_;
    std::uint64_t appended_ = 0;  // records given out by the core
    std::uint64_t in_write_ = 0;  // of those, what will be durable after the write under way
    std::uint64_t durable_ = 0;
    bool writing_ = false;
    bool unprotected_ = false;
    std::deque<HeldBack> held_back_;
    std::deque<CommittedBlock> for_ledger_;

    std::optional<Instant> wake_;
    std::optional<types::Height> last_;  // of the epoch
    types::Height handed_over_;
    std::optional<Error> fork_;
};

}  // namespace draco::consensus
