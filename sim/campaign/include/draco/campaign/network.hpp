#pragma once
// A committee of consensus cores in virtual time: links with delay, breaks, one-way failures and
// partitions; disks with slow syncs that lose what was not synced in a crash, or are full; clocks
// that jump; members that lie; applications that execute blocks, and those who fetch blocks from
// them. Checkers watch every message and block. One seed, one history.
//
// A machine is a core with its disk; machine i runs member i. It may have worker processes, each
// with a disk and a link of its own. Twins are further machines that run the key of a member a
// second time, without workers. Time passes only in run() and run_until(). Not thread-safe.
//
// Real: the cores, their encodings, hashes and signatures. Left out: the check of a signature on
// what an honest machine sent, which cannot be forged here; what liars make up passes the whole
// gate.

#include "draco/base/clock.hpp"
#include "draco/consensus/core.hpp"
#include "draco/consensus/worker_core.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace draco::campaign {

using consensus::AuthorityIndex;
using consensus::AuthoritySet;
using consensus::Round;
using std::chrono::milliseconds;

class Adversary;
class Checker;
struct Forgery;

// What a member does beside, or instead of, what its core says. Each header of its own picks one.
enum class Lie : std::uint8_t {
    SecondHeader,       // another header for the round, to some; certified if it gets the votes
    VoteForAll,         // votes for whatever it is shown, twice in a round too
    WithholdBatches,    // sends its batches to some, and to nobody who asks
    FloodCertificates,  // everything again and again
    FarRounds,          // headers, votes and requests of rounds that are far away
    Garbage,            // bytes, and messages with some of them changed
    FewParents,         // a header with fewer parents than a quorum
    FalseParents,       // a header that names a vertex which does not exist
    RepeatedBatches,    // headers that name batches of earlier ones, its own and others'
};

// Bugs at the core's boundary, to see that the checkers find them.
enum class PlantedBug : std::uint8_t {
    None,
    VotesForgotten,     // a restart does not see the votes in the log
    HeadersForgotten,   // nor the headers
    SentBeforeDurable,  // what waits for the disk is sent at once
    GcDepthDiffers,     // member 1 garbage-collects one round earlier
    WindowDiffers,      // member 1 judges leaders by one round more or less
    ForgedTransaction,  // a transaction is handed over that nobody has submitted
};

struct NetworkOptions {
    std::size_t members = 4;
    std::uint64_t seed = 1;
    std::size_t workers = 0;        // of each member; 0: its core holds batches itself
    std::uint64_t bytes_per_s = 0;  // that a process can send to other members; 0: any
    std::size_t twins = 0;          // members 0, 1, ... run on a second machine too
    std::size_t liars = 0;          // members 0, 1, ... lie
    std::vector<Lie> lies{};        // what liars do
    Duration delay_min = std::chrono::microseconds(500);
    Duration delay_max = milliseconds(5);
    Duration sync_max = milliseconds(2);
    // Headers and certificates of the member whose turn it is to lead are so much slower.
    Duration leader_delay{};
    double link_breaks_per_s = 0;  // each loses what is in flight and is up again soon
    consensus::SignatureCheck signatures = consensus::SignatureCheck::Skipped;
    std::optional<std::uint64_t> last_height{};  // the application ends the epoch there
    std::size_t transaction_bytes = 108;
    consensus::Parameters parameters{};
    PlantedBug bug = PlantedBug::None;
    // Measures what steps of cores cost; outlives the network. Null: not measured. No effect on the
    // history.
    const Clock* stopwatch = nullptr;
};

// From a header's first sending to its block, on each machine.
struct CommitDelay {
    std::vector<Duration> samples;

    std::size_t count() const { return samples.size(); }

    double mean_ms() const;
    double median_ms() const;
};

// A transaction's way from its submission to its execution on the machine that took it.
struct Answered {
    Duration at;  // in virtual time
    Duration took;
};

// What the protocol costs, over all machines.
struct Costs {
    std::uint64_t messages = 0;  // to one receiver each
    std::uint64_t message_bytes = 0;
    std::uint64_t signatures_made = 0;
    std::uint64_t signatures_checked = 0;  // those that a node checks in its gate
    Duration cpu{};                        // of steps, by the stopwatch
};

class Network {
public:
    explicit Network(const NetworkOptions& options);
    ~Network();
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    // --- time ---

    // Runs until this much time has passed.
    void run(Duration duration);
    // Runs until the condition, a function of what cores did, holds; false if that takes longer
    // than `limit`.
    bool run_until(const std::function<bool()>& condition, Duration limit);

    Duration elapsed() const { return now_.since_origin; }

    // --- what happens ---

    enum class Door : std::uint8_t {
        Any,     // the node or one of its workers
        Worker,  // if there are any
    };

    // Submits a fresh transaction to a machine that is up. False if it was refused.
    bool submit(std::size_t machine, Door door = Door::Any);
    // What was written and not synced survives in part.
    void crash(std::size_t machine);
    void restart(std::size_t machine,
                 consensus::RecoveryMode mode = consensus::RecoveryMode::Participant);
    // When this time has passed, unless it is up by then.
    void restart_after(std::size_t machine, Duration down);
    // The machine crashes at its n-th point of persistence from now (a record written; a sync done;
    // an effect released) and is back after `down`.
    void crash_at_point(std::size_t machine, std::uint64_t n, Duration down);
    // What the worker process has not synced survives in part; it is back after `down`.
    void crash_worker(std::size_t worker, Duration down);
    // Between a worker and its node.
    void break_worker_link(std::size_t worker, Duration down);
    // Machines in different groups cannot talk; nobody is left out.
    void partition(const std::vector<std::vector<std::size_t>>& groups);
    // What `from` sends does not come to `to`; the other way it does.
    void block_direction(std::size_t from, std::size_t to);
    // All partitions and one-way failures end.
    void heal();

    // All messages of the machine are so much slower from now on.
    void slow_down(std::size_t machine, Duration extra) { machines_[machine].extra_delay = extra; }

    // Its certificates, which are all that is late then: its headers get their votes in time.
    void delay_certificates(std::size_t machine, Duration extra) {
        machines_[machine].certificate_delay = extra;
    }

    void set_sync_max(std::size_t machine, Duration longest) {
        machines_[machine].sync_max = longest;
    }

    // The next write fails, which stops the machine; it tries again every now and then.
    void fill_disk(std::size_t machine) { machines_[machine].disk_full = true; }

    void empty_disk(std::size_t machine) { machines_[machine].disk_full = false; }

    // Blocks that are handed over are not executed until it goes on.
    void halt_application(std::size_t machine) { machines_[machine].application_halts = true; }

    void resume_application(std::size_t machine);

    // The machine's clock is so far ahead from now on.
    void set_clock(std::size_t machine, std::int64_t ahead_ms) {
        machines_[machine].clock_skew_ms = ahead_ms;
    }

    // No more link breaks, slow links, slow or full disks and crash points from now on; clocks are
    // set right.
    void calm();

    // Liars say nothing more that their cores do not.
    void silence_liars() { liars_are_silent_ = true; }

    // --- what there is to see ---

    std::size_t machines() const { return machines_.size(); }

    // Numbered by machine, then by lane.
    std::size_t workers() const { return workers_.size(); }

    std::size_t members() const { return options_.members; }

    std::size_t twins() const { return options_.twins; }

    std::size_t liars() const { return options_.liars; }

    // Neither a twin, nor run twice, nor a liar.
    bool is_honest(std::size_t machine) const;

    bool is_up(std::size_t machine) const { return machines_[machine].core != nullptr; }

    consensus::Core& core(std::size_t machine) { return *machines_[machine].core; }

    std::uint64_t height(std::size_t machine) const { return machines_[machine].executed.size(); }

    std::size_t certified_height(std::size_t machine) const { return machines_[machine].certified; }

    // Whether every transaction that was accepted was executed by every machine that is up. Those
    // that a crash took from the only machine that had them, with its log, do not count.
    bool all_executed() const;
    // The same for the transactions of some machines on some machines.
    bool all_executed(const std::set<std::size_t>& by, const std::set<std::size_t>& on) const;
    // The same for what honest machines took in, on all of them.
    bool all_honest_executed() const;
    bool same_height() const;
    // No honest member's worker has own transactions that are not settled.
    bool workers_are_done() const;

    std::size_t executed_transactions(std::size_t machine) const {
        return machines_[machine].transactions.size();
    }

    std::vector<types::TransactionBytes> resubmitted(std::size_t machine) const {
        return machines_[machine].resubmit;
    }

    // Blocks that its application has not executed.
    std::size_t blocks_waiting(std::size_t machine) const {
        return machines_[machine].for_ledger.size();
    }

    // Records in a machine's log that it may not forget yet, and all that were ever written.
    std::size_t records_needed(std::size_t machine) const;

    std::size_t records_written(std::size_t machine) const {
        return machines_[machine].records_written;
    }

    // Transactions that a machine refused.
    std::size_t busy(std::size_t machine) const { return machines_[machine].busy; }

    // Headers, votes and block signatures sent by a machine since its last start.
    std::uint64_t signed_by(std::size_t machine) const { return machines_[machine].signed_count; }

    // Points of persistence that a machine has passed since the beginning.
    std::uint64_t points_passed(std::size_t machine) const {
        return machines_[machine].points_passed;
    }

    bool waits_for_crash_point(std::size_t machine) const {
        return machines_[machine].crash_point.has_value();
    }

    std::uint64_t messages_sent() const { return costs_.messages; }

    std::uint64_t steps() const { return steps_; }

    // Messages that liars made up, and how many of them the gate refused.
    std::uint64_t lies_told() const { return lies_told_; }

    std::uint64_t lies_refused() const { return lies_refused_; }

    const Costs& costs() const { return costs_; }

    // The highest round in which some machine has a vertex.
    std::uint64_t highest_round() const;

    // Of anchors, and of all vertices, that were ordered since the last reset.
    const CommitDelay& anchor_delay() const { return anchor_delay_; }

    const CommitDelay& vertex_delay() const { return vertex_delay_; }

    const std::vector<Answered>& answered() const { return answered_; }

    void reset_measures();

    // Each is a broken promise of the protocol.
    const std::vector<std::string>& violations() const;
    // Promises about a calm network's end: nobody honest was accused by anybody honest.
    void check_end();

    // One line per machine, for failures.
    std::string describe() const;
    // Covers every message, block and record so far.
    std::string trace_hash() const;

private:
    struct LogEntry {
        Round round;
        Bytes record;
    };

    struct HeldBack {
        std::size_t records;  // that must be durable
        std::function<void()> run;
    };

    struct Machine {
        Machine();
        Machine(Machine&&) noexcept;
        Machine& operator=(Machine&&) noexcept;
        ~Machine();

        AuthorityIndex member;
        bool syncing = false;
        bool handing_over = false;
        bool following = false;
        bool disk_full = false;
        bool application_halts = false;
        std::unique_ptr<consensus::Core> core;
        std::unique_ptr<Adversary> adversary;
        std::uint64_t life = 0;  // events of earlier lives are void
        std::vector<LogEntry> log;
        std::size_t durable = 0;
        Round prune_below;  // what the core says
        Round prunable;     // and what the disk may do, as of the last sync
        std::vector<HeldBack> held_back;
        std::deque<consensus::CommittedBlock> for_ledger;
        std::vector<types::BlockDigest> executed;  // survives crashes
        std::vector<types::Block> blocks;
        std::vector<std::vector<std::shared_ptr<const types::Batch>>> contents;
        std::set<std::uint64_t> transactions;
        std::uint64_t certified = 0;
        std::optional<Instant> wake;
        std::vector<types::TransactionBytes> resubmit;
        std::size_t busy = 0;
        std::uint64_t signed_count = 0;
        std::int64_t clock_skew_ms = 0;
        Duration extra_delay{};
        Duration certificate_delay{};
        std::optional<Duration> sync_max;
        std::size_t records_written = 0;
        std::uint64_t points_passed = 0;
        std::optional<std::uint64_t> crash_point;
        Duration crash_down{};
        Instant link_free;
    };

    // One worker process.
    struct Worker {
        Worker();
        Worker(Worker&&) noexcept;
        Worker& operator=(Worker&&) noexcept;
        ~Worker();

        std::size_t machine = 0;
        std::size_t lane = 0;
        std::unique_ptr<consensus::WorkerCore> core;
        std::uint64_t life = 0;
        std::uint64_t link = 0;  // to its node; what was sent on an earlier one is lost
        std::vector<LogEntry> log;
        std::size_t durable = 0;
        Round prune_below;
        Round prunable;
        std::vector<HeldBack> held_back;
        bool syncing = false;
        std::optional<Instant> wake;
        std::size_t busy = 0;
        std::map<Channel, Instant> to_node;  // when the last message comes
        Instant from_node;
        Instant link_free;
    };

    // A message on its way, decoded and judged once for all receivers.
    struct Parcel {
        consensus::CheckedMessage checked;
    };

    void at(Duration delay, std::function<void()> run);
    void start(std::size_t machine, consensus::Recovery recovery);
    void step(std::size_t machine, const consensus::Event& event);
    void perform(std::size_t machine, consensus::Effects effects);
    void stand_by_lie(std::size_t machine);
    void check_bounds(std::size_t machine);
    void arm(std::size_t machine);

    // False if the machine crashed on the way.
    bool write(std::size_t machine, std::vector<consensus::Persist>& records);
    void hold_back(std::size_t machine, std::function<void()> release);
    void sync_disk(std::size_t machine);
    void synced(std::size_t machine, std::size_t records, Round prune_below);
    bool crashes_here(std::size_t machine);
    void stop(std::size_t machine);
    void forget_lost(std::size_t machine);
    void prune_log(Machine& m);
    std::vector<consensus::Record> read_log(Machine& m);
    static void restore_blocks(Machine& m);

    // network_workers.cpp
    void start_workers();
    void restart_worker(std::size_t worker);
    void link_to_node(std::size_t worker);
    bool submit_to_worker(std::size_t machine, const types::TransactionBytes& transaction);
    void step_worker(std::size_t worker, const consensus::WorkerEvent& event);
    void perform_worker(std::size_t worker, consensus::WorkerEffects effects);
    void sync_worker(std::size_t worker);
    Instant leaves(Instant& free, Channel channel, std::size_t bytes) const;
    void transmit_to_workers(std::size_t worker, const consensus::Send& send);
    void transmit_to_worker(std::size_t worker, std::size_t machine, const consensus::Send& send);
    void tell_node(std::size_t worker, const consensus::NodeSend& send);
    void hear_worker(std::size_t machine, std::size_t lane, const consensus::FromWorker& message);
    void tell_worker(std::size_t machine, const consensus::WorkerSend& send);

    void transmit(std::size_t from, const consensus::Send& send);
    void transmit_forgeries(std::size_t from, const std::vector<Forgery>& forgeries);
    std::shared_ptr<const Parcel> judge(AuthorityIndex from, const Bytes& forged);
    void put_on_links(std::size_t from,
                      AuthoritySet to,
                      Channel channel,
                      const std::shared_ptr<const Parcel>& parcel,
                      std::size_t bytes,
                      Duration extra);
    void deliver(std::size_t from, std::size_t to, const Parcel& parcel);
    AuthoritySet receivers(std::size_t from, std::optional<AuthorityIndex> to) const;
    Duration leader_delay(const consensus::Message& message) const;
    void break_some_link();
    bool connected(std::size_t a, std::size_t b) const;
    void link_up(std::size_t a, std::size_t b);

    void execute(std::size_t machine, const consensus::CommittedBlock& block);
    void hand_over(std::size_t machine);
    void execute_new(std::size_t machine, const consensus::CommittedBlock& block);
    void follow(std::size_t machine);
    void note_sent(std::size_t from, const consensus::Message& message);
    void count(const consensus::Message& message, std::size_t bytes, std::size_t receivers);
    void measure(const types::Block& block);
    void note(std::string_view what, ByteView bytes);
    Duration draw(Duration min, Duration max);

    NetworkOptions options_;
    std::mt19937_64 random_;
    Instant now_;
    std::uint64_t next_event_ = 0;
    std::uint64_t changes_ = 0;  // of what conditions may ask for
    std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
    std::vector<types::NodeSecretKey> keys_;
    std::optional<types::Committee> committee_;
    std::vector<Machine> machines_;
    std::vector<Worker> workers_;
    std::map<std::tuple<std::size_t, std::size_t, Channel>, Instant> worker_fifo_;
    std::vector<std::size_t> group_;
    std::set<std::pair<std::size_t, std::size_t>> one_way_;  // from, to: nothing comes
    std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> link_generation_;
    std::set<std::pair<std::size_t, std::size_t>> broken_;
    std::map<std::tuple<std::size_t, std::size_t, Channel>, Instant> fifo_;
    std::uint64_t next_transaction_ = 1;
    std::map<std::uint64_t, std::size_t> accepted_;  // by which machine
    std::map<std::uint64_t, Instant> submitted_at_;  // not answered yet
    std::map<std::pair<std::uint16_t, std::uint64_t>, Instant> proposed_at_;
    CommitDelay anchor_delay_;
    CommitDelay vertex_delay_;
    std::vector<Answered> answered_;
    Costs costs_;
    std::map<std::size_t, std::uint64_t> sent_by_kind_;
    std::uint64_t steps_ = 0;
    std::uint64_t lies_told_ = 0;
    std::uint64_t lies_refused_ = 0;
    bool liars_are_silent_ = false;
    std::map<std::pair<std::uint16_t, Bytes>, std::shared_ptr<const Parcel>> judged_;  // forgeries
    std::unique_ptr<Checker> checker_;
    blake3_tree::Hasher trace_;
};

}  // namespace draco::campaign
