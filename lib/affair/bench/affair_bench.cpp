// What a message costs. All objects and the strand run on one executor, an asio thread pool, so
// the ratios compare mailboxes and not schedulers. Peers: asio::post to a strand (unbounded, one
// allocation per message); a bounded std::mutex + std::condition_variable queue with its own
// thread.
//
// A figure is CPU time of the whole process per message; contenders take turns, medians are
// compared.

#include "draco/affair/registry.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <deque>
#include <functional>
#include <latch>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace draco::affair {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kCapacity = 4096;
constexpr std::uint64_t kMessages = 200'000;
constexpr std::uint64_t kRoundTrips = 50'000;

// Timers are kept and cancelled, as every deadline is that is met; none comes due in a benchmark.
class AsioExecutor final : public Executor, private Clock {
public:
    explicit AsioExecutor(std::size_t threads) : pool_(threads) {}

    AsioExecutor(const AsioExecutor&) = delete;
    AsioExecutor& operator=(const AsioExecutor&) = delete;

    ~AsioExecutor() override {
        pool_.stop();
        pool_.join();
    }

    void post(Task task) override { asio::post(pool_, std::move(task)); }

    TimerId post_at(Instant when, Task task) override {
        const std::scoped_lock lock(mutex_);
        const TimerId id(++made_);
        timers_.emplace(id, std::pair(when, std::move(task)));
        return id;
    }

    bool cancel(TimerId timer) override {
        std::unique_lock lock(mutex_);
        const auto node = timers_.extract(timer);
        lock.unlock();
        return !node.empty();
    }

    const Clock& clock() const override { return *this; }

    asio::thread_pool& pool() { return pool_; }

private:
    Instant now() const override { return {std::chrono::steady_clock::now().time_since_epoch()}; }

    UnixTime unix_now() const override { return {}; }

    asio::thread_pool pool_;
    std::mutex mutex_;
    std::map<TimerId, std::pair<Instant, Task>> timers_;
    std::uint64_t made_ = 0;
};

struct Add {
    std::uint64_t amount;
};

struct Ping {
    using Answer = std::uint64_t;
    std::uint64_t number;
};

class Sum {
public:
    using Messages = affair::Messages<Add, Ping>;

    Sum(std::uint64_t expected, std::latch& reached) : left_(expected), reached_(reached) {}

    void handle(Add add) {
        left_ -= add.amount;
        if (left_ == 0) reached_.count_down();
    }

    void handle(Ping ping, Promise<std::uint64_t> reply) { reply.answer(ping.number + 1); }

private:
    std::uint64_t left_;
    std::latch& reached_;
};

template <class Send>
void produce(std::size_t producers, Send send) {
    std::vector<std::thread> threads;
    for (std::size_t p = 0; p < producers; ++p) {
        threads.emplace_back([&] {
            for (std::uint64_t i = 0; i < kMessages / producers; ++i) send();
        });
    }
    for (auto& thread : threads) thread.join();
}

void tell_object(std::size_t producers) {
    AsioExecutor executor(1);
    Registry registry(executor);
    std::latch reached(1);
    const auto owner = registry.spawn<Sum>({.name = "sum", .capacity = kCapacity}, [&] {
        return std::make_unique<Sum>(kMessages, reached);
    });
    produce(producers, [&] {
        while (!owner->address().tell(Add{1})) std::this_thread::yield();
    });
    reached.wait();
}

void post_to_strand(std::size_t producers) {
    AsioExecutor executor(1);
    auto strand = asio::make_strand(executor.pool());
    std::latch reached(1);
    Sum sum(kMessages, reached);
    produce(producers, [&] { asio::post(strand, [&sum] { sum.handle(Add{1}); }); });
    reached.wait();
}

void push_to_locked_queue(std::size_t producers) {
    std::mutex mutex;
    std::condition_variable filled;
    std::condition_variable emptied;
    std::deque<Add> queue;
    std::latch reached(1);
    Sum sum(kMessages, reached);
    std::thread consumer([&] {
        for (std::uint64_t i = 0; i < kMessages; ++i) {
            std::unique_lock lock(mutex);
            filled.wait(lock, [&] { return !queue.empty(); });
            const Add add = queue.front();
            queue.pop_front();
            lock.unlock();
            emptied.notify_one();
            sum.handle(add);
        }
    });
    produce(producers, [&] {
        std::unique_lock lock(mutex);
        emptied.wait(lock, [&] { return queue.size() < kCapacity; });
        queue.push_back(Add{1});
        lock.unlock();
        filled.notify_one();
    });
    consumer.join();
}

// One ask at a time; the answer's callback makes the next one.
void ask_object() {
    AsioExecutor executor(1);
    Registry registry(executor);
    std::latch reached(1);
    const auto owner = registry.spawn<Sum>({.name = "sum", .capacity = 4},
                                           [&] { return std::make_unique<Sum>(0, reached); });
    std::function<void(std::uint64_t)> ask = [&](std::uint64_t number) {
        if (number == kRoundTrips) {
            reached.count_down();
            return;
        }
        auto reply =
            owner->address().ask(Ping{number}, executor.clock().now() + std::chrono::seconds(10));
        std::move(*reply).then([&ask](const Result<std::uint64_t>& next) { ask(*next); });
    };
    ask(0);
    reached.wait();
}

// There and back between two strands; no deadline, no promise, nothing counted.
void bounce_between_strands() {
    AsioExecutor executor(1);
    auto here = asio::make_strand(executor.pool());
    auto there = asio::make_strand(executor.pool());
    std::latch reached(1);
    std::function<void(std::uint64_t)> ask = [&](std::uint64_t number) {
        if (number == kRoundTrips) {
            reached.count_down();
            return;
        }
        asio::post(there, [&, number] { asio::post(here, [&, number] { ask(number + 1); }); });
    };
    ask(0);
    reached.wait();
}

double cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

using Work = std::function<void()>;

// Median CPU nanoseconds per unit of each contender, taking turns.
std::vector<double> compare(const std::vector<Work>& contenders, std::uint64_t units) {
    constexpr std::size_t kRounds = 9;
    std::vector<std::vector<double>> taken(contenders.size());
    for (std::size_t round = 0; round < kRounds; ++round) {
        for (std::size_t i = 0; i < contenders.size(); ++i) {
            const double before = cpu_ns();
            contenders[i]();
            taken[i].push_back((cpu_ns() - before) / static_cast<double>(units));
        }
    }
    std::vector<double> medians;
    for (auto& times : taken) {
        std::ranges::nth_element(times, times.begin() + kRounds / 2);
        medians.push_back(times[kRounds / 2]);
    }
    return medians;
}

void print_ratio(const char* name, double own_ns, double peer_ns, const char* peer) {
    std::printf("%s: %.0f ns, %s %.0f ns (CPU time)\n", name, own_ns, peer, peer_ns);
    std::printf("ratio %s: %.2f (target >= 1.00) peer=%s\n", name, peer_ns / own_ns, peer);
}

void print_ratios() {
    for (const std::size_t producers : {std::size_t{1}, std::size_t{2}}) {
        const auto ns = compare({[=] { tell_object(producers); },
                                 [=] { post_to_strand(producers); },
                                 [=] { push_to_locked_queue(producers); }},
                                kMessages);
        const std::string name = "affair_tell_" + std::to_string(producers) + "_producer";
        std::printf("%s: %.1f million messages per CPU second\n", name.c_str(), 1e3 / ns[0]);
        print_ratio(name.c_str(), ns[0], ns[1], "asio-strand");
        print_ratio(name.c_str(), ns[0], ns[2], "mutex-condvar-queue");
    }
    const auto ns = compare({ask_object, bounce_between_strands}, kRoundTrips);
    std::printf(
        "affair_ask: %.0f ns a round trip with deadline, asio-strand there and back "
        "without one %.0f ns (CPU time)\n",
        ns[0],
        ns[1]);
    std::printf("ratio affair_ask: %.2f (target >= 0.50) peer=asio-strand-there-and-back\n",
                ns[1] / ns[0]);
}

void BM_Address_tell(benchmark::State& state) {
    for (auto _ : state) tell_object(static_cast<std::size_t>(state.range(0)));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kMessages));
}

void BM_Address_ask(benchmark::State& state) {
    for (auto _ : state) ask_object();
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRoundTrips));
}

BENCHMARK(BM_Address_tell)->Arg(1)->Arg(2)->MeasureProcessCPUTime();
BENCHMARK(BM_Address_ask)->MeasureProcessCPUTime();

}  // namespace
}  // namespace draco::affair

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    draco::affair::print_ratios();
    return 0;
}
