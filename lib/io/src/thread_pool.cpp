#include "draco/io/thread_pool.hpp"

#include "draco/base/assert.hpp"

#include "timer_heap.hpp"

#include <pthread.h>
#include <semaphore.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <system_error>
#include <utility>

namespace draco::io {
namespace {

const ThreadPool*& pool_of_this_thread() {
    static thread_local const ThreadPool* pool = nullptr;
    return pool;
}

void name_this_thread(const std::string& name) {
    constexpr std::size_t kNameBytesMax = 15;
    pthread_setname_np(pthread_self(), name.substr(0, kNameBytesMax).c_str());
}

}  // namespace

// A semaphore, because a thread that returns from a condition variable's wait has marked the mutex
// as contended, and its next unlock enters the kernel for nobody.
struct ThreadPool::Sleeper {
    Sleeper() { DRACO_ASSERT(::sem_init(&wakes, 0, 0) == 0, "a count of 0 is within bounds"); }

    ~Sleeper() { ::sem_destroy(&wakes); }

    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    void wake() { ::sem_post(&wakes); }

    // May return early.
    void sleep() {
        if (until) {
            const auto since_origin = until->since_origin;
            const auto whole = std::chrono::floor<std::chrono::seconds>(since_origin);
            const timespec when{whole.count(), (since_origin - whole).count()};
            ::sem_clockwait(&wakes, CLOCK_MONOTONIC, &when);
        } else {
            ::sem_wait(&wakes);
        }
    }

    sem_t wakes{};
    std::optional<Instant> until;  // it keeps the time: of the first timer, when it lay down
    bool is_woken = false;
};

Result<std::unique_ptr<ThreadPool>> ThreadPool::start(const ThreadPoolOptions& options) {
    if (options.thread_count == 0)
        return fail(Errc::InvalidArgument, "thread pool " + options.name + " needs a thread");
    std::unique_ptr<ThreadPool> pool(new ThreadPool);
    try {
        for (std::size_t i = 0; i < options.thread_count; ++i)
            pool->places_.push_back(std::make_unique<Sleeper>());
        for (std::size_t i = 0; i < options.thread_count; ++i)
            pool->threads_.emplace_back([pool = pool.get(),
                                         place = pool->places_[i].get(),
                                         name = options.name + "-" + std::to_string(i)] {
                name_this_thread(name);
                pool->run_worker(*place);
            });
    } catch (const std::system_error& error) {
        return fail(Errc::Exhausted,
                    "starting thread " + std::to_string(pool->threads_.size() + 1) + " of " +
                        std::to_string(options.thread_count) + " of pool " + options.name + ": " +
                        error.what() + "; raise the limit on threads (ulimit -u) or use fewer");
    }
    return pool;
}

ThreadPool::ThreadPool() : timers_(std::make_unique<TimerHeap>()) {}

ThreadPool::~ThreadPool() {
    stop();
}

void ThreadPool::post(Task task) {
    const std::size_t own_threads = pool_of_this_thread() == this ? 1 : 0;
    Sleeper* woken = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        queue_.push_back(std::move(task));
        woken = take_sleeper_for_queue(own_threads);
    }
    if (woken != nullptr) woken->wake();
}

TimerId ThreadPool::post_at(Instant when, Task task) {
    when = std::max(when, clock_.now());
    TimerId id;
    Sleeper* woken = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return {};
        id = timers_->add(when, std::move(task));
        if (pool_of_this_thread() != this && threads_waking_ == 0 && !time_is_kept())
            woken = take_sleeper();
    }
    if (woken != nullptr) woken->wake();
    return id;
}

bool ThreadPool::cancel(TimerId timer) {
    std::optional<Task> cancelled;  // destroyed after the mutex is released
    const std::lock_guard lock(mutex_);
    cancelled = timers_->remove(timer);
    return cancelled.has_value();
}

void ThreadPool::stop() {
    DRACO_ASSERT(pool_of_this_thread() != this, "a pool's own task does not stop the pool");
    std::deque<Task> queued;
    TimerHeap pending;
    std::vector<Sleeper*> sleepers;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        queued.swap(queue_);
        std::swap(pending, *timers_);
        while (Sleeper* sleeper = take_sleeper()) sleepers.push_back(sleeper);
    }
    for (Sleeper* sleeper : sleepers) sleeper->wake();
    // Before joining: a running task may wait for what these tasks hold, and learn that it is gone.
    queued.clear();
    pending = {};
    const std::lock_guard lock(join_mutex_);
    for (std::thread& thread : threads_)
        if (thread.joinable()) thread.join();
}

ThreadPoolCounters ThreadPool::counters() const {
    const std::lock_guard lock(mutex_);
    return {.tasks_started = tasks_started_,
            .tasks_queued = queue_.size(),
            .timers_pending = timers_->size(),
            .threads_busy = threads_busy_};
}

ThreadPool::Sleeper* ThreadPool::take_sleeper() {
    if (sleepers_.empty()) return nullptr;
    // Who lay down last is the warmest; who keeps the time is disturbed last.
    const auto found = std::ranges::find_if(
        sleepers_.rbegin(), sleepers_.rend(), [](const Sleeper* each) { return !each->until; });
    const auto chosen =
        found == sleepers_.rend() ? std::prev(sleepers_.end()) : std::prev(found.base());
    Sleeper* sleeper = *chosen;
    sleepers_.erase(chosen);
    sleeper->is_woken = true;
    ++threads_waking_;
    return sleeper;
}

ThreadPool::Sleeper* ThreadPool::take_sleeper_for_queue(std::size_t others) {
    return queue_.size() > threads_waking_ + others ? take_sleeper() : nullptr;
}

bool ThreadPool::time_is_kept() const {
    return timers_->empty() || std::ranges::any_of(sleepers_, [&](const Sleeper* each) {
               return each->until && *each->until <= timers_->first_time();
           });
}

void ThreadPool::run_worker(Sleeper& self) {
    pool_of_this_thread() = this;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        queue_due_timers();
        if (queue_.empty())
            sleep(self, lock);
        else
            run_first(lock);
    }
}

void ThreadPool::queue_due_timers() {
    if (timers_->empty()) return;
    const Instant now = clock_.now();
    while (!timers_->empty() && timers_->first_time() <= now)
        queue_.push_back(timers_->take_first());
}

void ThreadPool::run_first(std::unique_lock<std::mutex>& lock) {
    Task task = std::move(queue_.front());
    queue_.pop_front();
    ++tasks_started_;
    ++threads_busy_;
    // Several timers may have become due, or this thread have kept the time.
    Sleeper* woken = take_sleeper_for_queue(0);
    if (woken == nullptr && threads_waking_ == 0 && !time_is_kept()) woken = take_sleeper();
    lock.unlock();
    if (woken != nullptr) woken->wake();
    task();
    task = nullptr;  // destroyed without the mutex: its destructor may call this pool
    lock.lock();
    --threads_busy_;
}

void ThreadPool::sleep(Sleeper& self, std::unique_lock<std::mutex>& lock) {
    self.is_woken = false;
    self.until = time_is_kept() ? std::optional<Instant>{} : timers_->first_time();
    sleepers_.push_back(&self);
    lock.unlock();
    self.sleep();
    lock.lock();
    if (self.is_woken)
        --threads_waking_;
    else
        std::erase(sleepers_, &self);
}

}  // namespace draco::io
