#include "draco/io/thread_pool.hpp"

#include "draco/base/rng.hpp"
#include "draco/testing/executor_contract.hpp"

#include <gmock/gmock.h>
#include <pthread.h>

#include <latch>
#include <set>

namespace draco::testing {
namespace {

class PoolUnderTest final : public ExecutorUnderTest {
public:
    explicit PoolUnderTest(std::size_t thread_count)
        : pool_(io::ThreadPool::start({.name = "test", .thread_count = thread_count}).value()),
          thread_count_(thread_count) {}

    Executor& executor() override { return *pool_; }

    void run_until(const std::function<bool()>& done) override {
        while (!done()) std::this_thread::yield();
    }

    void stop() override { pool_->stop(); }

    bool is_sequential() const override { return thread_count_ == 1; }

private:
    std::unique_ptr<io::ThreadPool> pool_;
    std::size_t thread_count_;
};

ExecutorMaker pool_of(std::size_t thread_count) {
    return {std::to_string(thread_count) + "_threads",
            [thread_count] { return std::make_unique<PoolUnderTest>(thread_count); }};
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(ThreadPool, ExecutorContract, ::testing::Values(pool_of(1), pool_of(4)));

}  // namespace draco::testing

namespace draco::io {
namespace {

std::unique_ptr<ThreadPool> start(std::size_t thread_count) {
    return ThreadPool::start({.name = "test", .thread_count = thread_count}).value();
}

// All threads run tasks at the same time, under their own names.
TEST(ThreadPool, RunsTasksOnAllItsNamedThreads) {
    constexpr std::size_t kThreads = 3;
    std::mutex mutex;
    std::set<std::string> names;
    std::latch all_running(kThreads + 1);
    const auto pool = start(kThreads);
    for (std::size_t i = 0; i < kThreads; ++i)
        pool->post([&] {
            char name[16];
            pthread_getname_np(pthread_self(), name, sizeof(name));
            {
                const std::lock_guard lock(mutex);
                names.insert(name);
            }
            all_running.arrive_and_wait();
        });
    all_running.arrive_and_wait();
    EXPECT_THAT(names, ::testing::ElementsAre("test-0", "test-1", "test-2"));
}

// The counters tell what runs, what waits and what has started.
TEST(ThreadPool, CountsItsWork) {
    std::latch running(1);
    std::latch release(1);
    const auto pool = start(1);
    EXPECT_EQ(pool->counters(), ThreadPoolCounters{});
    pool->post([&] {
        running.count_down();
        release.wait();
    });
    running.wait();
    pool->post([] {});
    pool->post_after(std::chrono::hours(1), [] {});
    EXPECT_EQ(pool->counters(),
              (ThreadPoolCounters{
                  .tasks_started = 1, .tasks_queued = 1, .timers_pending = 1, .threads_busy = 1}));
    release.count_down();
}

// stop() waits for the running task, which learns from a destroyed task that its answer will never
// come, and does not run the queued one.
TEST(ThreadPool, StopEndsARunningTaskThatWaitsForAQueuedOne) {
    std::latch running(1);
    std::latch answer(1);
    bool ended = false;
    bool ran = false;
    const auto pool = start(1);
    const auto finally = [](std::latch* latch) { latch->count_down(); };
    pool->post([&] {
        running.count_down();
        answer.wait();
        ended = true;
    });
    pool->post([&, held = std::unique_ptr<std::latch, decltype(finally)>(&answer, finally)] {
        ran = true;
    });
    running.wait();
    pool->stop();
    EXPECT_TRUE(ended);
    EXPECT_FALSE(ran);
    pool->stop();
}

// Posting, timers and cancelling from many threads lose nothing: every task is destroyed, and each
// timer either ran or was cancelled.
TEST(ThreadPool, SurvivesUseFromManyThreads) {
    constexpr int kThreads = 4;
    constexpr int kRounds = 500;
    std::atomic<int> done{0};
    auto token = std::make_shared<int>(0);
    auto pool = start(2);
    {
        std::vector<std::jthread> clients;
        clients.reserve(kThreads);
        for (int client = 0; client < kThreads; ++client)
            clients.emplace_back([&] {
                for (int i = 0; i < kRounds; ++i) {
                    pool->post([&, token] { ++done; });
                    const auto delay = std::chrono::microseconds(i % 50);
                    const TimerId timer = pool->post_after(delay, [&, token] { ++done; });
                    if (i % 2 == 0 && pool->cancel(timer)) ++done;
                }
            });
    }
    while (done < 2 * kThreads * kRounds) std::this_thread::yield();
    EXPECT_EQ(pool->counters().timers_pending, 0);
    pool->stop();
    EXPECT_EQ(token.use_count(), 1);
}

// The first task that a running task posts runs on the same thread when that has ended, and nobody
// is woken for it; the second one has a thread that slept.
TEST(ThreadPool, ATaskWakesNobodyForTheFirstTaskThatItPosts) {
    for (const int posted : {1, 2}) {
        std::latch done(posted + 1);
        std::latch all_run(posted);
        std::mutex mutex;
        std::vector<std::thread::id> threads;
        const auto pool = start(2);
        pool->post([&] {
            const std::thread::id self = std::this_thread::get_id();
            for (int i = 0; i < posted; ++i)
                pool->post([&] {
                    {
                        const std::lock_guard lock(mutex);
                        threads.push_back(std::this_thread::get_id());
                    }
                    all_run.count_down();
                    done.count_down();
                });
            if (posted == 2) all_run.wait();
            const std::lock_guard lock(mutex);
            if (posted == 2)
                EXPECT_NE(threads.at(0), self) << "another one, while this one is busy";
            threads.assign(1, self);
            done.count_down();
        });
        done.wait();
        if (posted == 1) {
            EXPECT_EQ(threads, std::vector(2, threads.at(0)));
        }
    }
}

// A task is not late because the thread that kept the time is busy: another one keeps it.
TEST(ThreadPool, TimersAreKeptWhileATaskRuns) {
    std::latch timer_ran(1);
    std::latch done(1);
    const auto pool = start(2);
    pool->post_after(std::chrono::milliseconds(1), [&] {
        timer_ran.wait();
        done.count_down();
    });
    pool->post_after(std::chrono::milliseconds(3), [&] { timer_ran.count_down(); });
    done.wait();
}

// A pool without threads would never run anything, and is refused.
TEST(ThreadPool, RefusesToHaveNoThreads) {
    const auto pool = ThreadPool::start({.name = "none", .thread_count = 0});
    ASSERT_FALSE(pool);
    EXPECT_EQ(pool.error().code, Errc::InvalidArgument);
}

// A pool's own task that stops it would wait for itself: a bug, caught at once.
TEST(ThreadPoolDeathTest, AssertsThatNoTaskStopsItsPool) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            const auto pool = start(1);
            const std::latch never(1);
            pool->post([&] { pool->stop(); });
            never.wait();
        },
        "does not stop the pool");
}

}  // namespace
}  // namespace draco::io
