#pragma once
// One epoch's WorkerCore at work: steps it and performs its effects, holding back what depends on
// records until these are durable. Knows no thread: the conductor calls it, and writes its log.

#include "draco/base/clock.hpp"
#include "draco/consensus/worker_core.hpp"
#include "draco/interfaces/links.hpp"

#include "record_log.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace draco::consensus {

// Keys of the workers of the same index, by member of the committee; absent while unknown.
using WorkerKeys = std::vector<std::optional<types::NodeKey>>;

class WorkerEngine {
public:
    WorkerEngine(interfaces::Links& links,
                 const Clock& clock,
                 const types::NodeKey& node,
                 types::Committee committee,
                 std::unique_ptr<WorkerCore> core,
                 affair::Owner<LogWriter> writer);

    const types::Committee& committee() const { return committee_; }

    types::Epoch epoch() const { return committee_.epoch(); }

    void set_peers(WorkerKeys peers) { peers_ = std::move(peers); }

    void step(const WorkerEvent& event);
    // Those that the core has no room for wait here for the node's next word.
    void submit(std::vector<types::TransactionBytes> transactions);

    std::size_t own_bytes() const { return core_->own_bytes() + waiting_bytes_; }

    // The link to the node broke: what it has not got is told when it asks.
    void node_is_down() { to_node_.clear(); }

    // What the link to the node had no room for; false if it still has none.
    bool tell_node();

    // --- the log ---
    // What is to be written next: nothing while a write is under way, nor, unless it is much, soon
    // after another: a sync costs more than a few batches are worth.
    std::optional<LogWriter::Write> begin_write(Instant now);
    Result<> write(LogWriter::Write write);
    void written();

    bool is_writing() const { return writing_; }

    // --- time ---
    std::optional<Instant> wake() const;

private:
    struct HeldBack {
        std::uint64_t records;  // that must be durable
        NodeSend send;
    };

    void perform(WorkerEffects& effects);
    void transmit(const Send& send);

    interfaces::Links& links_;
    const Clock& clock_;
    const types::NodeKey node_;
    types::Committee committee_;
    std::unique_ptr<WorkerCore> core_;
    affair::Owner<LogWriter> writer_;
    WorkerKeys peers_;

    std::vector<types::TransactionBytes> waiting_;
    std::size_t waiting_bytes_ = 0;
    std::vector<Persist> unwritten_;
    std::size_t unwritten_bytes_ = 0;
    std::optional<Instant> last_write_;
    std::optional<Round> prune_below_;
    std::uint64_t appended_ = 0;  // records given out by the core
    std::uint64_t in_write_ = 0;  // of those, what will be durable after the write under way
    std::uint64_t durable_ = 0;
    bool writing_ = false;
    std::deque<HeldBack> held_back_;
    std::deque<NodeSend> to_node_;
    std::optional<Instant> wake_;
};

}  // namespace draco::consensus
