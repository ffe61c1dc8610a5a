// Objects under real threads: what is counted on both sides must agree. The thread sanitizer runs
// these too.

#include "draco/affair/registry.hpp"
#include "draco/io/thread_pool.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <random>
#include <thread>
#include <vector>

namespace draco::affair {
namespace {

using namespace std::chrono_literals;
using draco::testing::scaled;

struct Item {
    std::size_t producer;
    std::uint64_t number;
};

struct Echo {
    using Answer = std::uint64_t;
    std::uint64_t number;
};

struct Later {  // answered by another object
    using Answer = std::uint64_t;
    std::uint64_t number;
};

struct Forward {
    std::uint64_t number;
    Promise<std::uint64_t> reply;
};

// What the object saw; outlives its incarnations.
struct Tally {
    explicit Tally(std::size_t producers) : next(producers, 0) {}

    std::vector<std::uint64_t> next;  // of each producer, touched only inside the object
    std::atomic<int> inside = 0;
    std::atomic<int> inside_max = 0;
    std::atomic<std::uint64_t> handled = 0;
    std::atomic<std::uint64_t> out_of_order = 0;
};

class Visit {
public:
    explicit Visit(Tally& tally) : tally_(tally) {
        const int now = ++tally_.inside;
        for (int seen = tally_.inside_max; seen < now;)
            if (tally_.inside_max.compare_exchange_weak(seen, now)) break;
        ++tally_.handled;
    }

    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

    ~Visit() { --tally_.inside; }

private:
    Tally& tally_;
};

class Counter {
public:
    using Messages = affair::Messages<Item>;

    Counter(Tally& tally, std::uint64_t fails_every) : tally_(tally), fails_every_(fails_every) {}

    Result<> handle(Item item) {
        const Visit visit(tally_);
        if (tally_.next[item.producer]++ != item.number) ++tally_.out_of_order;
        if (fails_every_ != 0 && tally_.handled % fails_every_ == 0)
            return fail(Errc::Io, "planned");
        return {};
    }

private:
    Tally& tally_;
    const std::uint64_t fails_every_;
};

// Sends items 0..count-1, again when the mailbox is full; returns how many were accepted.
std::uint64_t produce(const Address<Item>& to, std::size_t producer, std::uint64_t count) {
    for (std::uint64_t number = 0; number < count; ++number) {
        while (true) {
            auto told = to.tell(Item{producer, number});
            if (told) break;
            if (told.error().error.code == Errc::Unavailable) return number;
            EXPECT_EQ(told.error().message.number, number);
            std::this_thread::yield();
        }
    }
    return count;
}

std::unique_ptr<io::ThreadPool> pool_of(std::size_t thread_count) {
    return io::ThreadPool::start({.name = "test", .thread_count = thread_count}).value();
}

template <class F>
void on_threads(std::size_t count, F body) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back(body, i);
    for (auto& thread : threads) thread.join();
}

StopReport stop(Registry& registry, Executor& executor, StopPolicy policy) {
    StopReport report;
    std::latch stopped(1);
    registry.stop_all(policy, executor.clock().now() + 60s, [&](StopReport r) {
        report = std::move(r);
        stopped.count_down();
    });
    stopped.wait();
    return report;
}

// Every accepted message is handled exactly once, in its sender's order, one at a time, with a
// mailbox that is nearly always full; also when the object fails over and over.
void many_producers(std::uint64_t fails_every) {
    constexpr std::size_t kProducers = 4;
    const std::uint64_t count = scaled(5000);
    Tally tally(kProducers);
    const auto pool = pool_of(3);
    Executor& executor = *pool;
    Registry registry(executor);
    const auto owner =
        registry.spawn<Counter>({.name = "counter",
                                 .capacity = 16,
                                 .supervision = {.restarts_max = 1'000'000, .backoff_first = 0ns}},
                                [&] { return std::make_unique<Counter>(tally, fails_every); });
    ASSERT_TRUE(owner);
    on_threads(kProducers,
               [&](std::size_t i) { EXPECT_EQ(produce(owner->address(), i, count), count); });
    EXPECT_TRUE(stop(registry, executor, StopPolicy::Drain).unfinished.empty());
    EXPECT_EQ(tally.handled, kProducers * count);
    EXPECT_EQ(tally.out_of_order, 0U);
    EXPECT_EQ(tally.inside_max, 1);
    const auto seen = owner->snapshot();
    EXPECT_EQ(seen.accepted, kProducers * count);
    EXPECT_EQ(seen.handled, kProducers * count);
    EXPECT_LE(seen.queued_max, 16U);
    if (fails_every != 0) EXPECT_EQ(seen.failures, kProducers * count / fails_every);
}

// See many_producers.
TEST(Threads, EveryMessageOnceAndInOrder) {
    many_producers(0);
}

// See many_producers.
TEST(Threads, RestartDuringLoadLosesNothing) {
    many_producers(50);
}

// A stop in the middle of the load: accepted = handled + discarded, and every sender is told.
TEST(Threads, StopDuringLoad) {
    constexpr std::size_t kProducers = 3;
    std::mt19937_64 random(draco::testing::test_seed(1));
    for (std::uint64_t round = 0; round < scaled(60); ++round) {
        Tally tally(kProducers);
        const auto pool = pool_of(2);
        Executor& executor = *pool;
        Registry registry(executor);
        auto spawned = registry.spawn<Counter>({.name = "counter", .capacity = 64},
                                               [&] { return std::make_unique<Counter>(tally, 0); });
        ASSERT_TRUE(spawned);
        std::optional<Owner<Counter>> owner = *std::move(spawned);
        const auto address = owner->address();
        std::atomic<std::uint64_t> accepted = 0;
        const std::uint64_t stop_after = random() % 500;
        std::thread stopper([&] {
            while (tally.handled < stop_after) std::this_thread::yield();
            if (round % 3 == 0) {
                EXPECT_TRUE(stop(registry, executor, StopPolicy::Drain).unfinished.empty());
                EXPECT_EQ(owner->snapshot().discarded, 0U);
            } else if (round % 3 == 1) {
                EXPECT_TRUE(stop(registry, executor, StopPolicy::Discard).unfinished.empty());
            } else {
                owner.reset();
                return;
            }
            const auto seen = owner->snapshot();
            EXPECT_EQ(seen.accepted, seen.handled + seen.discarded);
            EXPECT_EQ(seen.handled, tally.handled);
        });
        on_threads(kProducers,
                   [&](std::size_t i) { accepted += produce(address, i, 1'000'000'000); });
        stopper.join();
        EXPECT_EQ(tally.out_of_order, 0U);
        if (round % 3 == 0) EXPECT_EQ(tally.handled, accepted);
        EXPECT_LE(tally.handled, accepted);
    }
}

class Back {
public:
    using Messages = affair::Messages<Forward>;

    void handle(Forward forward) { forward.reply.answer(forward.number + 1); }
};

class Front {
public:
    using Messages = affair::Messages<Echo, Later>;

    explicit Front(Address<Forward> back) : back_(std::move(back)) {}

    void handle(Echo echo, Promise<std::uint64_t> reply) const { reply.answer(echo.number + 1); }

    // A full mailbox drops the promise with the message: Abandoned.
    void handle(Later later, Promise<std::uint64_t> reply) const {
        (void)back_.tell(Forward{.number = later.number, .reply = std::move(reply)}).has_value();
    }

private:
    Address<Forward> back_;
};

// Answers race with deadlines of the same length: each ask has exactly one outcome, the answer is
// the right one, and the counters tell the same story.
template <class Spawn>
void ask_race(Spawn spawn_front) {
    constexpr std::size_t kAskers = 3;
    const std::uint64_t count = scaled(3000);
    const std::uint64_t seed = draco::testing::test_seed(2);
    const auto pool = pool_of(2);
    Executor& executor = *pool;
    Registry registry(executor);
    const auto back = registry.spawn<Back>({.name = "back", .capacity = 4},
                                           [] { return std::make_unique<Back>(); });
    const Result<Owner<Front>> front =
        spawn_front(registry, [&] { return std::make_unique<Front>(back->address()); });
    std::vector<std::atomic<int>> outcomes(kAskers * count);
    std::atomic<std::uint64_t> answered = 0;
    std::atomic<std::uint64_t> expired = 0;
    std::atomic<std::uint64_t> abandoned = 0;
    const auto record = [&](std::uint64_t id, const Result<std::uint64_t>& outcome) {
        ++outcomes[id];
        if (outcome) {
            EXPECT_EQ(*outcome, id + 1);
            ++answered;
        } else if (outcome.error().code == Errc::DeadlineExceeded) {
            ++expired;
        } else {
            EXPECT_EQ(outcome.error().code, Errc::Abandoned);
            ++abandoned;
        }
    };
    std::atomic<std::uint64_t> asked = 0;
    on_threads(kAskers, [&](std::size_t asker) {
        std::mt19937_64 random(seed + asker);
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t id = asker * count + i;
            const Instant deadline =
                executor.clock().now() + std::chrono::microseconds(random() % 200);
            const auto take = [&](auto reply) {
                if (!reply) return;
                ++asked;
                if (random() % 4 == 0) {
                    record(id, std::move(*reply).wait());
                } else {
                    std::move(*reply).then([&, id](auto outcome) { record(id, outcome); });
                }
            };
            if (random() % 2 == 0) {
                take(front->address().ask(Echo{id}, deadline));
            } else {
                take(front->address().ask(Later{id}, deadline));
            }
        }
    });
    EXPECT_TRUE(stop(registry, executor, StopPolicy::Drain).unfinished.empty());
    // The last outcomes are tasks that were posted before this one.
    while (answered + expired + abandoned < asked) std::this_thread::yield();
    for (const auto& times : outcomes) EXPECT_LE(times, 1);
    const auto seen = front->snapshot();
    EXPECT_EQ(seen.accepted, asked);
    EXPECT_EQ(seen.expired, expired);
    EXPECT_EQ(seen.abandoned, abandoned);
    EXPECT_EQ(seen.accepted, seen.handled + seen.lapsed);
    EXPECT_EQ(seen.handled - answered - abandoned, seen.expired - seen.lapsed);
    EXPECT_LE(seen.late_replies, seen.expired);
}

// See ask_race.
TEST(Threads, AskRacesItsDeadline) {
    ask_race([](Registry& registry, auto make) {
        return registry.spawn<Front>({.name = "front", .capacity = 32}, make);
    });
}

// See ask_race.
TEST(Threads, AskOfAConcurrentObjectRacesItsDeadline) {
    ask_race([](Registry& registry, auto make) {
        return registry.spawn_concurrent<Front>({.name = "front", .capacity = 32}, {2}, make);
    });
}

class Crowd {
public:
    using Messages = affair::Messages<Item>;

    explicit Crowd(Tally& tally) : tally_(tally) {}

    Result<> handle(Item item) const {
        const Visit visit(tally_);
        std::this_thread::yield();
        if (item.number % 100 == 99) return fail(Errc::Io, "planned");
        return {};
    }

private:
    Tally& tally_;
};

// A concurrent object handles every message once, never more than its bound at a time, through
// restarts.
TEST(Threads, ConcurrentObjectUnderLoad) {
    constexpr std::size_t kProducers = 3;
    const std::uint64_t count = scaled(3000);
    Tally tally(kProducers);
    const auto pool = pool_of(4);
    Executor& executor = *pool;
    Registry registry(executor);
    const auto owner = registry.spawn_concurrent<Crowd>(
        {.name = "crowd",
         .capacity = 16,
         .supervision = {.restarts_max = 1'000'000, .backoff_first = 0ns}},
        {2},
        [&] { return std::make_unique<Crowd>(tally); });
    ASSERT_TRUE(owner);
    on_threads(kProducers,
               [&](std::size_t i) { EXPECT_EQ(produce(owner->address(), i, count), count); });
    EXPECT_TRUE(stop(registry, executor, StopPolicy::Drain).unfinished.empty());
    EXPECT_EQ(tally.handled, kProducers * count);
    EXPECT_LE(tally.inside_max, 2);
    EXPECT_EQ(owner->snapshot().handled, kProducers * count);
}

// Snapshots taken while everything works are consistent enough to print, and race with nothing.
TEST(Threads, SnapshotsDuringLoad) {
    Tally tally(1);
    const auto pool = pool_of(2);
    Executor& executor = *pool;
    Registry registry(executor);
    const auto owner = registry.spawn<Counter>({.name = "counter", .capacity = 64},
                                               [&] { return std::make_unique<Counter>(tally, 0); });
    ASSERT_TRUE(owner);
    std::atomic<bool> done = false;
    std::thread watcher([&] {
        while (!done) {
            for (const auto& seen : registry.snapshot()) {
                EXPECT_LE(seen.queued, seen.capacity);
                EXPECT_LE(seen.occupations.size(), 1U);
                for (const auto& occupation : seen.occupations)
                    EXPECT_NE(occupation.message.find("Item"), std::string_view::npos);
            }
        }
    });
    produce(owner->address(), 0, scaled(20000));
    done = true;
    watcher.join();
}

}  // namespace
}  // namespace draco::affair
