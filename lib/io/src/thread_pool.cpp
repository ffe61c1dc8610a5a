#include "draco/io/thread_pool.hpp"

#include "draco/base/assert.hpp"

#include "timer_heap.hpp"

#include <pthread.h>

#include <algorithm>
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

Result<std::unique_ptr<ThreadPool>> ThreadPool::start(const ThreadPoolOptions& options) {
    if (options.thread_count == 0)
        return fail(Errc::InvalidArgument, "thread pool " + options.name + " needs a thread");
    std::unique_ptr<ThreadPool> pool(new ThreadPool);
    try {
        for (std::size_t i = 0; i < options.thread_count; ++i)
            pool->threads_.emplace_back(
                [pool = pool.get(), name = options.name + "-" + std::to_string(i)] {
                    name_this_thread(name);
                    pool->run_worker();
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
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back(std::move(task));
    if (threads_idle_ > 0) wake_.notify_one();
}

TimerId ThreadPool::post_at(Instant when, Task task) {
    when = std::max(when, clock_.now());
    const std::lock_guard lock(mutex_);
    if (stopping_) return {};
    const bool is_first = timers_->empty() || when < timers_->first_time();
    const TimerId id = timers_->add(when, std::move(task));
    if (is_first && threads_idle_ > 0) {
        if (has_timekeeper_)
            wake_.notify_all();  // among them the timekeeper, which waits too long now
        else
            wake_.notify_one();
    }
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
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        queued.swap(queue_);
        std::swap(pending, *timers_);
    }
    wake_.notify_all();
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

void ThreadPool::run_worker() {
    pool_of_this_thread() = this;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        queue_due_timers();
        if (queue_.empty())
            wait(lock);
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
    // This thread may have been the timekeeper, or have queued several due timers.
    const bool others_needed = !queue_.empty() || (!timers_->empty() && !has_timekeeper_);
    if (others_needed && threads_idle_ > 0) wake_.notify_one();
    lock.unlock();
    task();
    task = nullptr;  // destroyed without the mutex: its destructor may call this pool
    lock.lock();
    --threads_busy_;
}

void ThreadPool::wait(std::unique_lock<std::mutex>& lock) {
    ++threads_idle_;
    if (timers_->empty() || has_timekeeper_) {
        wake_.wait(lock);
    } else {
        has_timekeeper_ = true;
        wake_.wait_until(lock,
                         std::chrono::steady_clock::time_point(timers_->first_time().since_origin));
        has_timekeeper_ = false;
    }
    --threads_idle_;
}

}  // namespace draco::io
