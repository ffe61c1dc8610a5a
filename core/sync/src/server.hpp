#pragma once
// The serving side: answers requests for blocks as messages of a concurrent object, one block at a
// time, so that reading never holds up a link and few read at once. A tail that has come to the
// newest certified block waits for the next one, without holding more than its own few bytes.

#include "draco/affair/registry.hpp"
#include "draco/base/executor.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/interfaces/links.hpp"
#include "draco/log/log.hpp"
#include "draco/sync/messages.hpp"
#include "draco/sync/sync.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace draco::sync {

// Who is served, and how fast. Thread-safe.
class ServeBudget {
public:
    explicit ServeBudget(const ServeLimits& limits) : limits_(limits) {}

    // False: this peer, or the node, has enough to do.
    bool begin(const types::NodeKey& peer, bool is_tail);
    void end(const types::NodeKey& peer, bool is_tail);
    // Of a tail that must wait with a block in its hands. False: too many do.
    bool begin_hold_up();
    void end_hold_up();
    // Takes the bytes; how long to wait before the next ones.
    Duration spend(const types::NodeKey& peer, std::size_t bytes, Instant now);

private:
    struct Use {
        std::size_t serves = 0;
        std::size_t tails = 0;
        Instant paid_until{};
    };

    ServeLimits limits_;
    std::mutex mutex_;
    // At most serves_max, tails_max and those still paying.
    std::map<types::NodeKey, Use> uses_;
    std::size_t serves_ = 0;
    std::size_t tails_ = 0;
    std::size_t held_up_ = 0;
};

// A timer that ends with its owner.
class Alarm {
public:
    Alarm(Executor& executor, TimerId timer) : executor_(executor), timer_(timer) {}

    ~Alarm() { executor_.cancel(timer_); }

    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

private:
    Executor& executor_;
    TimerId timer_;
};

// One answer. Of several things that it may wait for, the first one to come takes the turn, and
// the others find it taken. Not thread-safe, but for is_tail() and peer(): see mutex.
class Serve {
public:
    Serve(std::shared_ptr<ServeBudget> budget,
          types::NodeKey peer,
          Request request,
          std::unique_ptr<interfaces::Responder> responder)
        : budget_(std::move(budget)),
          peer_(peer),
          request_(request),
          responder_(std::move(responder)) {}

    ~Serve() {
        end_hold_up();
        budget_->end(peer_, is_tail());
    }

    Serve(const Serve&) = delete;
    Serve& operator=(const Serve&) = delete;

    enum class Turn : std::uint8_t { Done, GoOn, WaitForCredit, WaitForBudget, WaitForBlock };

    // Reads one more block if all of the last one is written, and writes what there is.
    Turn go_on(const interfaces::Ledger& ledger, const ServeLimits& limits, Instant now);
    // What it waited for did not come in time.
    void give_up();

    // True for one caller only.
    bool take_turn(std::uint64_t number) {
        if (number != turn_) return false;
        ++turn_;
        alarm.reset();
        return true;
    }

    std::uint64_t turn() const { return turn_; }

    interfaces::Responder& responder() { return *responder_; }

    const types::NodeKey& peer() const { return peer_; }

    bool is_tail() const { return std::holds_alternative<TailRequest>(request_); }

    Duration pause() const { return pause_; }

    // Of a tail: the highest block that it knows to be certified, and how long it waits for more.
    types::Height last() const { return last_; }

    Duration wait(const ServeLimits& limits) const;

    std::mutex mutex;            // for all of a step
    std::optional<Alarm> alarm;  // of the wait, if there is one

private:
    Turn write_some(Instant now);
    void begin(const interfaces::Ledger& ledger);
    Result<> read_next(const interfaces::Ledger& ledger, const ServeLimits& limits);
    bool ends_after(bool is_certified, const ServeLimits& limits) const;
    void end_hold_up();

    std::shared_ptr<ServeBudget> budget_;
    types::NodeKey peer_;
    Request request_;
    std::unique_ptr<interfaces::Responder> responder_;
    std::uint64_t turn_ = 0;
    Bytes unwritten_;
    std::size_t written_ = 0;
    bool has_begun_ = false;
    bool is_complete_ = false;  // nothing more is to be read
    bool is_held_up_ = false;
    types::Height next_;
    types::Height last_;  // the highest one that a certificate can reach
    std::optional<types::Epoch> epoch_;
    std::uint32_t blocks_ = 0;  // of a tail: since the last certified one
    std::size_t bytes_ = 0;
    Duration pause_{0};
};

struct ServeStep {
    std::shared_ptr<Serve> serve;
    std::uint64_t turn = 0;
    bool is_late = false;  // the time of a wait is over
};

// Tails that wait for a block, at most one of each peer. Thread-safe.
class WaitingTails {
public:
    // Keeps the step until certified() or drop(), instead of an earlier one of its peer. False:
    // there is a certificate above what the tail knows, so it has to look again.
    bool keep(ServeStep step);
    // Those that go on.
    std::vector<ServeStep> certified(types::Height height);
    void drop(const types::NodeKey& peer);
    // If it is still this one that waits.
    void forget(const Serve& serve);

private:
    std::mutex mutex_;
    std::map<types::NodeKey, ServeStep> waiting_;
    types::Height certified_;
};

// Goes on with a Serve, and sees to it that it goes on when it has to wait.
class Server {
public:
    using Messages = affair::Messages<ServeStep>;

    Server(affair::Self<const Server> self,
           const interfaces::Ledger& ledger,
           const ServeLimits& limits,
           std::shared_ptr<WaitingTails> tails)
        : self_(std::move(self)), ledger_(ledger), limits_(limits), tails_(std::move(tails)) {}

    void handle(const ServeStep& step) const;

private:
    Executor::Task go_on_with(const std::shared_ptr<Serve>& serve) const;
    void wait_for_credit(const std::shared_ptr<Serve>& serve) const;
    void wait_for_block(const std::shared_ptr<Serve>& serve) const;
    void arm(const std::shared_ptr<Serve>& serve, Duration delay) const;

    affair::Self<const Server> self_;
    const interfaces::Ledger& ledger_;
    ServeLimits limits_;
    std::shared_ptr<WaitingTails> tails_;
};

}  // namespace draco::sync
