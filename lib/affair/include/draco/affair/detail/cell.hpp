#pragma once
// The part of an object's shell that does not depend on its type: life cycle, scheduling, counts.
// A cell outlives its object for as long as an address, a promise or a posted task refers to it.
//
// Locking: one mutex per cell. Nothing of the object's (its code, its destructor, its messages'
// destructors) and nothing of the executor's is called with it held.

#include "draco/affair/detail/activity.hpp"
#include "draco/affair/options.hpp"
#include "draco/affair/snapshot.hpp"
#include "draco/base/executor.hpp"
#include "draco/base/result.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace draco::affair::detail {

class AskBase;

enum class Admission { Accepted, Full, Closed };

class Cell : public std::enable_shared_from_this<Cell> {
public:
    using Lock = std::unique_lock<std::mutex>;

    struct Workers {
        std::size_t max;
        // A message whose reply is held still occupies its worker's place.
        bool held_replies_count;
    };

    Cell(Executor& executor,
         ObjectOptions options,
         Workers workers,
         std::shared_ptr<EscalationHandler> escalation);
    Cell(const Cell&) = delete;
    Cell& operator=(const Cell&) = delete;
    virtual ~Cell() = default;

    const std::string& name() const { return options_.name; }

    Executor& executor() const { return executor_; }

    // Creates the first incarnation.
    Result<> start();
    // `ended` is posted once the object is gone; also when it already is.
    void stop(StopPolicy policy, Executor::Task ended);
    // Returns when no code of the object runs and the object is destroyed.
    void close();
    ObjectSnapshot snapshot() const;
    Error rejection(Admission why) const;

    void count_late_reply() { late_replies_.fetch_add(1, std::memory_order_relaxed); }

    void count_expired() { expired_.fetch_add(1, std::memory_order_relaxed); }

    void count_abandoned() { abandoned_.fetch_add(1, std::memory_order_relaxed); }

    void release_held(AskBase& ask);

    // A turn is a continuation of the object's own; its place is reserved before it is made.
    // Returns the incarnation that reserves it, the only one it will run in.
    std::optional<std::uint64_t> reserve_turn();
    void release_turn();
    Error turns_exhausted() const;

    // True inside a handler, a turn, a factory or a destructor of this cell's (on this thread),
    // also through other cells entered since.
    bool entered_here() const;
    static bool any_entered_here();

protected:
    // Marks this thread as inside the object's code. The marks of a thread are a stack, as its
    // calls are: an object may make or destroy another, whose code then runs inside of its own.
    class Entered {
    public:
        explicit Entered(const Cell& cell);
        Entered(const Entered&) = delete;
        Entered& operator=(const Entered&) = delete;
        ~Entered();

    private:
        friend class Cell;
        static thread_local const Entered* innermost;

        const Cell& cell_;
        const Entered* outer_;
    };

    virtual Result<> create_object() = 0;
    virtual void destroy_object() = 0;
    virtual void discard_queue() = 0;
    // The body of a posted task; begins with `enter` and ends with `leave`.
    virtual void work() = 0;
    virtual bool queue_empty(const Lock& lock) const = 0;

    // Under the lock, before a message goes in.
    Admission admit(const Lock& lock);
    // Under the lock, before a continuation goes in.
    bool accepts_turn(const Lock& lock, std::uint64_t incarnation) const;

    // Asked by a worker inside the object: incarnations change only when none is.
    bool is_current(std::uint64_t incarnation) const { return incarnation == incarnation_; }

    // After something went into the queue; unlocks.
    void wake(Lock lock);
    // A worker's first step. False: there is nothing it may do now (and it has left).
    bool enter(Lock& lock);
    // A worker's last step, with the lock held. Posts the worker again if there is more to do.
    void leave(Lock lock);
    // The handler ended with an error; no further message is handled by this incarnation.
    void fail_incarnation(const Lock& lock, Error error);
    void hold_if_kept(const std::shared_ptr<AskBase>& ask, Instant handled_at);

    bool interrupted() const { return interrupted_.load(std::memory_order_relaxed); }

    Instant now() const { return executor_.clock().now(); }

    // Whoever takes messages out: the one worker, or a worker under the lock.
    void count_taken() { bump(taken_); }

    void count_handled() { bump(handled_); }

    void count_lapsed() { bump(lapsed_); }

    mutable std::mutex mutex_;
    std::vector<Activity> activities_;  // one for each worker that can be inside the object

private:
    enum class Phase { Starting, Running, BackingOff, Stopped, Failed };

    // For counters with one writer at a time: cheaper than a read-modify-write.
    static void bump(std::atomic<std::uint64_t>& counter) {
        counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    std::uint64_t queued(const Lock& lock) const;
    bool take_worker(const Lock& lock);
    void post_worker();
    void post_workers_for_queue(Lock lock);
    bool ended(const Lock& lock) const;
    bool drained(const Lock& lock) const;
    ObjectState state(const Lock& lock) const;
    void settle(Lock lock);
    void recover(Lock lock);
    // Calls the factory, without the lock. What arrives meanwhile waits, a stop too.
    Result<> create(Lock& lock);
    void restart();
    void end(Lock lock, Phase phase);
    std::optional<Duration> next_backoff(const Lock& lock);

    Executor& executor_;
    const ObjectOptions options_;
    const Workers workers_limit_;
    std::shared_ptr<EscalationHandler> escalation_;

    // Guarded by mutex_.
    std::condition_variable left_;
    Phase phase_ = Phase::Starting;
    bool accepting_ = true;
    bool closed_ = false;
    std::optional<StopPolicy> stopping_;
    std::vector<Executor::Task> on_ended_;
    std::optional<Error> failure_;
    std::uint64_t incarnation_ = 0;
    std::deque<Instant> recent_restarts_;
    std::size_t workers_ = 0;  // posted or inside
    std::size_t inside_ = 0;   // threads inside the object's code
    std::size_t turns_ = 0;    // continuations reserved
    std::vector<std::shared_ptr<AskBase>> held_;
    std::uint64_t accepted_ = 0;
    std::uint64_t rejected_ = 0;
    std::uint64_t discarded_ = 0;
    std::uint64_t failures_ = 0;
    std::uint64_t restarts_ = 0;
    std::size_t queued_max_ = 0;

    std::atomic<bool> interrupted_ = false;  // a worker must not begin another message
    std::atomic<std::uint64_t> late_replies_ = 0;
    std::atomic<std::uint64_t> expired_ = 0;
    std::atomic<std::uint64_t> abandoned_ = 0;
    // Written by the worker at every message, so kept away from what the senders write.
    alignas(64) std::atomic<std::uint64_t> taken_ = 0;
    std::atomic<std::uint64_t> handled_ = 0;
    std::atomic<std::uint64_t> lapsed_ = 0;
};

}  // namespace draco::affair::detail
