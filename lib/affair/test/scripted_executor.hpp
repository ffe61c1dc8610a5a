#pragma once
// An executor on one thread, in virtual time, that runs its ready tasks in an order drawn from a
// seed (or in the order of posting, without one). Timers that are due become ready in the order of
// their times. For tests that must see every interleaving of tasks, repeatably.

#include "draco/base/executor.hpp"

#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace draco::affair::testing {

class ScriptedExecutor final : public Executor, private Clock {
public:
    ScriptedExecutor() = default;

    explicit ScriptedExecutor(std::uint64_t seed) : random_(std::in_place, seed) {}

    ScriptedExecutor(const ScriptedExecutor&) = delete;
    ScriptedExecutor& operator=(const ScriptedExecutor&) = delete;

    ~ScriptedExecutor() override { stop(); }

    void post(Task task) override {
        if (!stopped_) ready_.push_back(std::move(task));
    }

    TimerId post_at(Instant when, Task task) override {
        const TimerId id(++timers_made_);
        if (!stopped_) timers_.emplace(std::pair(when, id), std::move(task));
        return id;
    }

    bool cancel(TimerId timer) override {
        for (auto it = timers_.begin(); it != timers_.end(); ++it) {
            if (it->first.second != timer) continue;
            const Task destroyed_last = std::move(it->second);
            timers_.erase(it);
            return true;
        }
        return false;
    }

    const Clock& clock() const override { return *this; }

    // Runs one task: a ready one, else the next timer. False when there is nothing to run.
    bool run_one() {
        if (ready_.empty()) {
            if (timers_.empty()) return false;
            fire_next_timer();
        }
        const std::size_t chosen = random_ ? (*random_)() % ready_.size() : 0;
        const auto at = ready_.begin() + static_cast<std::ptrdiff_t>(chosen);
        Task task = std::move(*at);
        ready_.erase(at);
        task();
        return true;
    }

    // Runs what is ready now, and what that makes ready; time stands still.
    void run_ready() {
        while (!ready_.empty()) run_one();
    }

    // Runs everything due up to and including `when`, then lets it be `when`.
    void run_until(Instant when) {
        for (run_ready(); !timers_.empty() && timers_.begin()->first.first <= when; run_ready())
            fire_next_timer();
        now_ = std::max(now_, when);
    }

    void run_for(Duration duration) { run_until(now_ + duration); }

    void run_all() {
        while (run_one()) {
        }
    }

    // Destroys what waits, as a stopping executor does.
    void stop() {
        stopped_ = true;
        while (!ready_.empty() || !timers_.empty()) {
            auto ready = std::exchange(ready_, {});
            auto timers = std::exchange(timers_, {});
        }
    }

    Instant now() const override { return now_; }

    std::size_t timers_pending() const { return timers_.size(); }

private:
    UnixTime unix_now() const override { return {}; }

    void fire_next_timer() {
        auto first = timers_.extract(timers_.begin());
        now_ = std::max(now_, first.key().first);
        ready_.push_back(std::move(first.mapped()));
    }

    std::optional<std::mt19937_64> random_;
    std::vector<Task> ready_;
    std::map<std::pair<Instant, TimerId>, Task> timers_;
    std::uint64_t timers_made_ = 0;
    Instant now_;
    bool stopped_ = false;
};

}  // namespace draco::affair::testing
