#pragma once
// An executor on real threads, as plain as it can be, to put objects under real concurrency.

#include "draco/base/executor.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace draco::affair::testing {

class ThreadExecutor final : public Executor, private Clock {
public:
    explicit ThreadExecutor(std::size_t threads) {
        for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
    }

    ThreadExecutor(const ThreadExecutor&) = delete;
    ThreadExecutor& operator=(const ThreadExecutor&) = delete;

    ~ThreadExecutor() override {
        {
            const std::scoped_lock lock(mutex_);
            stopped_ = true;
        }
        wake_.notify_all();
        for (auto& thread : threads_) thread.join();
        tasks_.clear();
    }

    void post(Task task) override { post_at(Instant{}, std::move(task)); }

    TimerId post_at(Instant when, Task task) override {
        const std::scoped_lock lock(mutex_);
        const TimerId id(++made_);
        if (stopped_) return id;
        tasks_.emplace(std::pair(when, id), std::move(task));
        times_.emplace(id, when);
        wake_.notify_one();
        return id;
    }

    bool cancel(TimerId timer) override {
        Task destroyed_unlocked;
        const std::scoped_lock lock(mutex_);
        const auto time = times_.find(timer);
        if (time == times_.end()) return false;
        const auto task = tasks_.find({time->second, timer});
        times_.erase(time);
        if (task == tasks_.end()) return false;
        destroyed_unlocked = std::move(task->second);
        tasks_.erase(task);
        return true;
    }

    const Clock& clock() const override { return *this; }

private:
    Instant now() const override { return {std::chrono::steady_clock::now().time_since_epoch()}; }

    UnixTime unix_now() const override { return {}; }

    void run() {
        std::unique_lock lock(mutex_);
        while (!stopped_) {
            if (tasks_.empty()) {
                wake_.wait(lock);
            } else if (const auto wait = tasks_.begin()->first.first - now(); wait > Duration{0}) {
                wake_.wait_for(lock, wait);
            } else {
                auto first = tasks_.extract(tasks_.begin());
                times_.erase(first.key().second);
                lock.unlock();
                std::exchange(first.mapped(), {})();
                lock.lock();
            }
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::map<std::pair<Instant, TimerId>, Task> tasks_;
    std::map<TimerId, Instant> times_;
    std::uint64_t made_ = 0;
    bool stopped_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace draco::affair::testing
