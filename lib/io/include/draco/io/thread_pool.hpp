#pragma once
// An Executor on a fixed number of threads. Any thread may call it.
//
// Posted tasks and due timers wait in one queue and start in its order; with one thread they also
// run in that order. A timer enters the queue when it is due; from then on cancel() answers false.
// Idle threads sleep: one until the next timer is due, the others until there is work.
//
// Waking a thread costs more than most tasks. So nobody is woken for the first task that a running
// task posts, nor for its timers: the thread of that task takes them when it has ended. A task must
// not wait for what it posts.
//
// Cost: post O(1), timers O(log n) in the pending timers, one mutex for all. The queue has no bound
// of its own: who posts bounds what it has outstanding (lib/affair: by its mailboxes).

#include "draco/base/executor.hpp"
#include "draco/base/result.hpp"
#include "draco/io/system_clock.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace draco::io {

class TimerHeap;

struct ThreadPoolOptions {
    std::string name = "pool";  // threads are called pool-0, pool-1, ... (15 bytes at most)
    std::size_t thread_count = 1;
};

struct ThreadPoolCounters {
    std::uint64_t tasks_started = 0;
    std::size_t tasks_queued = 0;
    std::size_t timers_pending = 0;
    std::size_t threads_busy = 0;

    bool operator==(const ThreadPoolCounters&) const = default;
};

class ThreadPool final : public Executor {
public:
    // InvalidArgument for no threads; Exhausted when the system refuses to start one.
    static Result<std::unique_ptr<ThreadPool>> start(const ThreadPoolOptions& options);
    ~ThreadPool() override;  // stops
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    void post(Task task) override;
    TimerId post_at(Instant when, Task task) override;
    bool cancel(TimerId timer) override;

    const Clock& clock() const override { return clock_; }

    // Destroys what is queued or pending, then returns when the running tasks have ended. May be
    // called again, from any thread that is not the pool's own (asserted).
    void stop();

    ThreadPoolCounters counters() const;

private:
    struct Sleeper;

    ThreadPool();
    void run_worker(Sleeper& self);
    void queue_due_timers();
    void run_first(std::unique_lock<std::mutex>& lock);
    void sleep(Sleeper& self, std::unique_lock<std::mutex>& lock);
    bool time_is_kept() const;
    // Whom to notify, after the mutex is released; null: nobody sleeps.
    Sleeper* take_sleeper();
    // The same, and null if enough threads come for what is queued: `others` beside the woken ones.
    Sleeper* take_sleeper_for_queue(std::size_t others);

    const SystemClock clock_;
    mutable std::mutex mutex_;
    std::deque<Task> queue_;
    std::unique_ptr<TimerHeap> timers_;
    std::uint64_t tasks_started_ = 0;
    std::size_t threads_busy_ = 0;
    std::size_t threads_waking_ = 0;  // taken from sleepers_, and not running yet
    std::vector<Sleeper*> sleepers_;
    bool stopping_ = false;
    std::mutex join_mutex_;
    std::vector<std::unique_ptr<Sleeper>> places_;  // one for each thread, fixed at the start
    std::vector<std::thread> threads_;              // guarded by join_mutex_ once started
};

}  // namespace draco::io
