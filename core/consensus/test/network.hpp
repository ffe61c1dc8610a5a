#pragma once
// A deterministic network of consensus cores: links with delay, breaks and partitions; disks with
// slow syncs that lose what was not synced in a crash; applications; block sync; and checkers that
// watch every message and block. One seed, one history.

#include "draco/consensus/core.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace draco::consensus::test {

using std::chrono::milliseconds;

struct NetworkOptions {
    std::size_t members = 4;
    std::uint64_t seed = 1;
    // Twins: this many extra machines that run member 0's key with a log of their own.
    std::size_t twins = 0;
    Duration delay_min = std::chrono::microseconds(500);
    Duration delay_max = milliseconds(5);
    Duration sync_max = milliseconds(2);
    double link_breaks_per_s = 0;  // each loses what is in flight and is up again soon
    SignatureCheck signatures = SignatureCheck::Skipped;
    std::optional<std::uint64_t> last_height{};  // the application ends the epoch there
    bool lose_votes_in_crash = false;            // planted bug
    std::size_t transaction_bytes = 108;
    Parameters parameters{};
};

// From a header's first sending to its block on each machine.
struct CommitDelay {
    std::uint64_t count = 0;
    Duration total{};

    double mean_ms() const {
        return std::chrono::duration<double, std::milli>(total).count() /
               static_cast<double>(std::max<std::uint64_t>(count, 1));
    }
};

class Network {
public:
    explicit Network(const NetworkOptions& options);

    // Runs until this much time has passed.
    void run(Duration duration);
    // Runs until the condition holds; false if that takes longer than `limit`.
    bool run_until(const std::function<bool()>& condition, Duration limit);

    // Submits a fresh transaction to a machine.
    void submit(std::size_t machine);
    void crash(std::size_t machine);
    void restart(std::size_t machine, RecoveryMode mode = RecoveryMode::Participant);
    // Machines in different groups cannot talk; nobody is left out.
    void partition(std::vector<std::vector<std::size_t>> groups);
    void heal();

    // No more link breaks from now on.
    void calm() { options_.link_breaks_per_s = 0; }

    // One line per machine, for failures.
    std::string describe() const;

    std::size_t machines() const { return machines_.size(); }

    bool is_up(std::size_t machine) const { return machines_[machine].core != nullptr; }

    Core& core(std::size_t machine) { return *machines_[machine].core; }

    std::uint64_t height(std::size_t machine) const { return machines_[machine].executed.size(); }

    // Whether every transaction that was accepted was executed by every machine that is up. Those
    // that were lost in the crash of the only machine that had them do not count.
    bool all_executed() const;
    // The same for the transactions of some machines on some machines.
    bool all_executed(const std::set<std::size_t>& by, const std::set<std::size_t>& on) const;
    bool same_height() const;

    std::size_t executed_transactions(std::size_t machine) const {
        return machines_[machine].transactions.size();
    }

    // Headers, votes and block signatures sent by a machine since its last start.
    std::uint64_t signed_by(std::size_t machine) const { return machines_[machine].signed_count; }

    std::uint64_t messages_sent() const { return messages_sent_; }

    std::uint64_t steps() const { return steps_; }

    // Each is a broken promise of the protocol.
    const std::vector<std::string>& violations() const { return violations_; }

    // Covers every message, block and record so far.
    std::string trace_hash() const;

    std::size_t certified_height(std::size_t machine) const { return machines_[machine].certified; }

    std::vector<types::TransactionBytes> resubmitted(std::size_t machine) const {
        return machines_[machine].resubmit;
    }

    std::size_t busy(std::size_t machine) const { return machines_[machine].busy; }

    // Of anchors, and of all vertices, that were ordered since the last reset.
    const CommitDelay& anchor_delay() const { return anchor_delay_; }

    const CommitDelay& vertex_delay() const { return vertex_delay_; }

    void reset_delays() { anchor_delay_ = vertex_delay_ = {}; }

    Duration elapsed() const { return now_.since_origin; }

private:
    struct Machine {
        AuthorityIndex member;
        std::unique_ptr<Core> core;
        std::uint64_t life = 0;  // events of earlier lives are void
        std::vector<Bytes> log;
        std::size_t durable = 0;
        bool syncing = false;
        std::vector<std::pair<std::size_t, std::function<void()>>> after_persist;
        std::vector<types::BlockDigest> executed;  // survives crashes
        std::vector<types::Block> blocks;
        std::vector<std::vector<std::shared_ptr<const types::Batch>>> contents;
        std::set<std::uint64_t> transactions;
        std::uint64_t certified = 0;
        std::optional<Instant> wake;
        bool following = false;
        std::vector<types::TransactionBytes> resubmit;
        std::size_t busy = 0;
        std::uint64_t signed_count = 0;
        std::int64_t clock_skew_ms = 0;
    };

    struct Scheduled {
        std::function<void()> run;
    };

    void at(Duration delay, std::function<void()> run);
    void start(std::size_t machine, Recovery recovery);
    void step(std::size_t machine, const Event& event);
    void perform(std::size_t machine, Effects effects);
    void transmit(std::size_t from, const Send& send);
    void deliver(std::size_t from, std::size_t to, const std::shared_ptr<const Bytes>& message);
    void sync_disk(std::size_t machine);
    void execute(std::size_t machine, const CommittedBlock& block);
    void follow(std::size_t machine);
    void arm(std::size_t machine);
    void break_some_link();
    bool connected(std::size_t a, std::size_t b) const;
    void link_up(std::size_t a, std::size_t b);
    void check_sent(const Bytes& message, std::size_t from);
    void measure(const types::Block& block);
    void note(std::string_view what, ByteView bytes);
    Duration draw(Duration min, Duration max);

    NetworkOptions options_;
    std::mt19937_64 random_;
    Instant now_;
    std::uint64_t next_event_ = 0;
    std::map<std::pair<Instant, std::uint64_t>, Scheduled> events_;
    std::vector<types::NodeSecretKey> keys_;
    std::optional<types::Committee> committee_;
    std::vector<Machine> machines_;
    std::vector<std::size_t> group_;
    std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> link_generation_;
    std::set<std::pair<std::size_t, std::size_t>> broken_;
    std::map<std::tuple<std::size_t, std::size_t, Channel>, Instant> fifo_;
    std::uint64_t next_transaction_ = 1;
    std::map<std::uint64_t, std::size_t> accepted_;  // by which machine
    std::map<std::uint64_t, types::BlockDigest> agreed_;
    std::map<std::tuple<std::uint16_t, std::uint16_t, std::uint64_t>, types::HeaderDigest> votes_;
    std::map<std::pair<std::uint16_t, std::uint64_t>, types::HeaderDigest> headers_;
    std::map<std::pair<std::uint16_t, std::uint64_t>, Instant> proposed_at_;
    CommitDelay anchor_delay_;
    CommitDelay vertex_delay_;
    std::uint64_t messages_sent_ = 0;
    std::map<std::size_t, std::uint64_t> sent_by_kind_;
    std::uint64_t steps_ = 0;
    std::vector<std::string> violations_;
    blake3_tree::Hasher trace_;
};

}  // namespace draco::consensus::test
