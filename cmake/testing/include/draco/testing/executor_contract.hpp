#pragma once
// What every draco::Executor does, as tests. An implementation runs them with
//     INSTANTIATE_TEST_SUITE_P(ThreadPool, ExecutorContract,
//     ::testing::Values(MakeExecutor(make)));
// in namespace draco::testing, in one .cpp that includes this header.

#include "draco/base/executor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

namespace draco::testing {

// An executor and the ways to make it run and stop.
class ExecutorUnderTest {
public:
    virtual ~ExecutorUnderTest() = default;
    virtual Executor& executor() = 0;
    // Lets tasks run (and, in a simulation, time pass) until done() holds.
    virtual void run_until(const std::function<bool()>& done) = 0;
    virtual void stop() = 0;
    // Whether at most one task runs at a time, so that the order of starting can be observed.
    virtual bool is_sequential() const = 0;
};

struct ExecutorMaker {
    std::string name;
    std::function<std::unique_ptr<ExecutorUnderTest>()> make;

    friend std::ostream& operator<<(std::ostream& out, const ExecutorMaker& maker) {
        return out << maker.name;
    }
};

class ExecutorContract : public ::testing::TestWithParam<ExecutorMaker> {
protected:
    Executor& executor() { return subject_->executor(); }

    void stop() { subject_->stop(); }

    void run_until(const std::function<bool()>& done) { subject_->run_until(done); }

    bool is_sequential() const { return subject_->is_sequential(); }

    Instant now() { return executor().clock().now(); }

private:
    std::unique_ptr<ExecutorUnderTest> subject_ = GetParam().make();
};

inline constexpr Duration kSoon = std::chrono::milliseconds(2);
inline constexpr Duration kNever = std::chrono::hours(1);

// Each posted task runs exactly once, also those posted by tasks, and is destroyed.
TEST_P(ExecutorContract, RunsEachTaskOnce) {
    constexpr int kTasks = 200;
    std::atomic<int> runs{0};
    auto token = std::make_shared<int>(0);
    for (int i = 0; i < kTasks; ++i)
        executor().post([&, token] {
            ++runs;
            executor().post([&, token] { ++runs; });
        });
    run_until([&] { return runs == 2 * kTasks && token.use_count() == 1; });
    EXPECT_EQ(runs, 2 * kTasks);
}

// A task never runs inside the call that submits it, not even one that is due already.
TEST_P(ExecutorContract, NeverRunsATaskInsideTheCall) {
    static thread_local bool inside_call = false;
    std::atomic<int> runs{0};
    const auto check = [&] {
        EXPECT_FALSE(inside_call);
        ++runs;
    };
    const auto submit = [&] {
        inside_call = true;
        executor().post(check);
        executor().post_at(now() - kNever, check);
        inside_call = false;
    };
    submit();
    executor().post(submit);
    run_until([&] { return runs == 4; });
}

// A timer does not run before its time; one in the past runs as soon as possible.
TEST_P(ExecutorContract, TimersRunAtOrAfterTheirTime) {
    std::atomic<int> runs{0};
    const Instant start = now();
    for (const Duration delay : {Duration(kSoon), Duration(0), -kNever, 2 * kSoon}) {
        const Instant when = start + delay;
        executor().post_at(when, [&, when] {
            EXPECT_GE(now(), when);
            ++runs;
        });
    }
    run_until([&] { return runs == 4; });
}

// Timers that are due run in the order of their times, equal ones in that of creation; those of
// the past count as made for the present.
TEST_P(ExecutorContract, DueTimersRunInOrder) {
    if (!is_sequential()) GTEST_SKIP() << "tasks run at the same time here";
    constexpr int kTimers = 60;
    std::mutex mutex;
    std::vector<int> order;
    bool in_time = false;
    const auto size = [&] {
        const std::lock_guard lock(mutex);
        return order.size();
    };
    // A timer that is set after its time counts as of then, so a machine that stalls the task below
    // is given more time.
    for (Duration ahead = kSoon; !in_time; ahead *= 2) {
        order.clear();
        executor().post([&] {
            for (int i = 0; i < 3; ++i)
                executor().post_at(now() - i * kSoon, [&, i] {
                    const std::lock_guard lock(mutex);
                    order.push_back(i - 3);
                });
            const Instant base = now() + ahead;
            for (int i = 0; i < kTimers; ++i) {
                const int time = (i * 7) % 10;
                executor().post_at(base + std::chrono::microseconds(time),
                                   [&, value = time * 100 + i] {
                                       const std::lock_guard lock(mutex);
                                       order.push_back(value);
                                   });
            }
            in_time = now() < base;
        });
        run_until([&] { return size() == kTimers + 3; });
    }
    EXPECT_TRUE(std::ranges::is_sorted(order));
}

// cancel() destroys a pending task that then never runs; for any other timer it answers false.
TEST_P(ExecutorContract, CancelDestroysAPendingTimer) {
    std::atomic<int> runs{0};
    auto token = std::make_shared<int>(0);
    const TimerId cancelled = executor().post_after(kNever, [&, token] { runs += 100; });
    const TimerId ran = executor().post_after(kSoon, [&] { ++runs; });
    EXPECT_NE(cancelled, ran);
    EXPECT_EQ(token.use_count(), 2);
    EXPECT_TRUE(executor().cancel(cancelled));
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_FALSE(executor().cancel(cancelled));
    run_until([&] { return runs == 1; });
    EXPECT_FALSE(executor().cancel(ran));
    EXPECT_FALSE(executor().cancel(TimerId(~std::uint64_t{0})));
}

// Timers due while they are cancelled either run or are cancelled, never both, never neither.
TEST_P(ExecutorContract, EachTimerRunsOrIsCancelled) {
    constexpr int kTimers = 500;
    std::atomic<int> runs{0};
    std::vector<TimerId> timers;
    const Instant start = now();
    for (int i = 0; i < kTimers; ++i)
        timers.push_back(executor().post_at(start + std::chrono::microseconds(i), [&] { ++runs; }));
    const auto cancelled =
        std::ranges::count_if(timers, [&](TimerId timer) { return executor().cancel(timer); });
    run_until([&] { return runs + cancelled == kTimers; });
    EXPECT_EQ(runs + cancelled, kTimers);
}

// A later timer does not hide an earlier one that is created after it.
TEST_P(ExecutorContract, AnEarlierTimerOvertakesALaterOne) {
    std::atomic<bool> ran{false};
    const TimerId later = executor().post_after(kNever, [] {});
    executor().post_after(kSoon, [&] { ran = true; });
    run_until([&] { return ran.load(); });
    EXPECT_TRUE(executor().cancel(later));
}

// Delays and times of any size are no undefined behaviour: those beyond the end of the time line
// wait, those before its beginning are due, and neither disturbs other timers.
TEST_P(ExecutorContract, TakesTimesOfAnySize) {
    std::atomic<int> runs{0};
    const std::vector<TimerId> never = {
        executor().post_after(Duration::max(), [] { ADD_FAILURE(); }),
        executor().post_after(Duration::max() - kSoon, [] { ADD_FAILURE(); }),
        executor().post_at(Instant{Duration::max()}, [] { ADD_FAILURE(); })};
    executor().post_after(Duration::min(), [&] { ++runs; });
    executor().post_at(Instant{Duration::min()}, [&] { ++runs; });
    executor().post_after(kSoon, [&] { ++runs; });
    run_until([&] { return runs == 3; });
    for (const TimerId timer : never) EXPECT_TRUE(executor().cancel(timer));
}

// Calls the executor when it is destroyed, in every way; counts itself.
class CallsWhenDestroyed {
public:
    CallsWhenDestroyed(Executor& executor, TimerId other, std::atomic<int>& destroyed)
        : executor_(executor), other_(other), destroyed_(destroyed) {}

    CallsWhenDestroyed(const CallsWhenDestroyed&) = delete;
    CallsWhenDestroyed& operator=(const CallsWhenDestroyed&) = delete;

    ~CallsWhenDestroyed() {
        executor_.post([] {});
        executor_.cancel(executor_.post_after(kNever, [] {}));
        EXPECT_FALSE(executor_.cancel(other_));
        ++destroyed_;
    }

private:
    Executor& executor_;
    const TimerId other_;
    std::atomic<int>& destroyed_;
};

// A task's destructor may call the executor: after the task has run, when it is cancelled, while
// the executor stops, and when it comes too late. One that held a lock then would wait for itself
// for ever.
TEST_P(ExecutorContract, ATasksDestructorMayCallIt) {
    std::atomic<int> destroyed{0};
    TimerId other;  // names no timer
    const auto task = [&] {
        return [held = std::make_unique<CallsWhenDestroyed>(executor(), other, destroyed)] {};
    };
    executor().post(task());
    executor().post_after(kSoon, task());
    run_until([&] { return destroyed == 2; });
    EXPECT_TRUE(executor().cancel(executor().post_after(kNever, task())));
    EXPECT_EQ(destroyed, 3);
    other = executor().post_after(kNever, [] { ADD_FAILURE(); });
    executor().post_after(kNever / 2, task());
    executor().post_after(2 * kNever, task());
    stop();
    EXPECT_EQ(destroyed, 5);
    executor().post(task());
    executor().post_after(kNever, task());
    EXPECT_EQ(destroyed, 7);
}

// stop() destroys what has not run without running it; later tasks are destroyed at once.
TEST_P(ExecutorContract, StopDestroysWhatHasNotRun) {
    auto token = std::make_shared<int>(0);
    const TimerId timer = executor().post_after(kNever, [token] { ADD_FAILURE(); });
    executor().post_after(2 * kNever, [token] { ADD_FAILURE(); });
    EXPECT_EQ(token.use_count(), 3);
    stop();
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_FALSE(executor().cancel(timer));
    executor().post([token] { ADD_FAILURE(); });
    executor().post_after(Duration(0), [token] { ADD_FAILURE(); });
    EXPECT_EQ(token.use_count(), 1);
}

}  // namespace draco::testing
