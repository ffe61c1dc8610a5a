// How many events of a gossiping network a core carries per second, at 1,000 and 10,000 nodes, and
// what a node costs in memory. The peer is the loop one would write by hand for the same gossip: a
// std::priority_queue of std::function, with no links, no order of messages, no faults, no trace.

#include "draco/simulon/scenario.hpp"
#include "draco/simulon/world.hpp"

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

namespace draco::simulon {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kDegree = 8;  // links a node makes; it gets as many from others
constexpr std::size_t kMessageBytes = 64;
constexpr std::uint8_t kHops = 4;  // a rumour is passed on so often
constexpr Duration kTick = 100ms;  // between the rumours of one node
constexpr Duration kLatencyMin = 5ms;
constexpr Duration kLatencyMax = 50ms;

class Gossiper final : public Program, public TransportReceiver {
public:
    explicit Gossiper(const Host& host) : host_(host) {
        host.transport.set_receiver(this);
        host.executor.post_after(Duration(host.rng.below(kTick.count())), [this] { tick(); });
    }

    void on_message(PeerId, Channel, ByteView message) override {
        if (message[0] > 1) tell(static_cast<std::uint8_t>(message[0] - 1));
    }

    void on_link_up(PeerId peer) override { peers_.push_back(peer); }

    void on_link_down(PeerId peer) override { std::erase(peers_, peer); }

private:
    void tick() {
        tell(kHops);
        host_.executor.post_after(kTick, [this] { tick(); });
    }

    void tell(std::uint8_t hops) {
        Bytes message(kMessageBytes, hops);
        static_cast<void>(host_.transport.send(
            peers_[host_.rng.below(peers_.size())], Channel::Control, std::move(message)));
    }

    const Host& host_;
    std::vector<PeerId> peers_;
};

std::unique_ptr<World> gossip_world(std::uint32_t nodes) {
    auto world = std::make_unique<World>(1);
    for (std::uint32_t i = 0; i < nodes; ++i)
        world->add_node([](const Host& host) { return std::make_unique<Gossiper>(host); });
    for (std::uint32_t i = 0; i < nodes; ++i)
        for (std::uint32_t k = 0; k < kDegree; ++k) {
            const std::uint32_t distance = 1 + k * (nodes / 2 / kDegree);
            world->connect(PeerId(i),
                           PeerId((i + distance) % nodes),
                           {.latency = Latency::uniform(kLatencyMin, kLatencyMax)});
        }
    world->start_all();
    static_cast<void>(world->run_for(1s));
    return world;
}

// The same gossip by hand.
class HandWrittenLoop {
public:
    explicit HandWrittenLoop(std::uint32_t nodes) : rng_(1), peers_(nodes) {
        for (std::uint32_t i = 0; i < nodes; ++i) {
            for (std::uint32_t k = 0; k < kDegree; ++k) {
                const std::uint32_t peer = (i + 1 + k * (nodes / 2 / kDegree)) % nodes;
                peers_[i].push_back(peer);
                peers_[peer].push_back(i);
            }
            at(Duration(rng_.below(kTick.count())), [this, i] { tick(i); });
        }
        run_for(1s);
    }

    std::uint64_t run_for(Duration duration) {
        const Duration end = now_ + duration;
        std::uint64_t events = 0;
        for (; queue_.top().when <= end; ++events) {
            now_ = queue_.top().when;
            // The usual trick for moving out of a priority queue.
            const std::function<void()> run =
                std::move(const_cast<Entry&>(queue_.top()).run);  // NOLINT(*-const-cast)
            queue_.pop();
            run();
        }
        now_ = end;
        return events;
    }

private:
    struct Entry {
        Duration when;
        std::uint64_t order;
        std::function<void()> run;

        bool operator<(const Entry& other) const {
            return std::pair(when, order) > std::pair(other.when, other.order);
        }
    };

    void at(Duration when, std::function<void()> run) {
        queue_.push({when, order_++, std::move(run)});
    }

    void tick(std::uint32_t node) {
        tell(node, kHops);
        at(now_ + kTick, [this, node] { tick(node); });
    }

    void tell(std::uint32_t node, std::uint8_t hops) {
        const std::uint32_t to = peers_[node][rng_.below(peers_[node].size())];
        const Duration latency(rng_.between(kLatencyMin.count(), kLatencyMax.count()));
        at(now_ + latency, [this, to, message = Bytes(kMessageBytes, hops)] {
            if (message[0] > 1) tell(to, static_cast<std::uint8_t>(message[0] - 1));
        });
    }

    SeededRng rng_;
    std::vector<std::vector<std::uint32_t>> peers_;
    std::priority_queue<Entry> queue_;
    std::uint64_t order_ = 0;
    Duration now_{0};
};

std::uint64_t run_world(World& world, Duration duration) {
    const std::uint64_t before = world.counts().events;
    static_cast<void>(world.run_for(duration));
    return world.counts().events - before;
}

void BM_World_Gossip(benchmark::State& state) {
    const auto world = gossip_world(static_cast<std::uint32_t>(state.range(0)));
    std::uint64_t events = 0;
    for (auto _ : state) events += run_world(*world, 100ms);
    state.SetItemsProcessed(static_cast<std::int64_t>(events));
}

BENCHMARK(BM_World_Gossip)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

void BM_HandWrittenLoop_Gossip(benchmark::State& state) {
    HandWrittenLoop loop(static_cast<std::uint32_t>(state.range(0)));
    std::uint64_t events = 0;
    for (auto _ : state) events += loop.run_for(100ms);
    state.SetItemsProcessed(static_cast<std::int64_t>(events));
}

BENCHMARK(BM_HandWrittenLoop_Gossip)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

void BM_SimulatedDisk_AppendSync(benchmark::State& state) {
    SimulatedDisk disk(1);
    const auto file = disk.open("log", OpenMode::Create).value_or(nullptr);
    const Bytes record(static_cast<std::size_t>(state.range(0)), 1);
    std::uint64_t size = 0;
    for (auto _ : state) {
        static_cast<void>(file->write_at(size, record));
        static_cast<void>(file->sync());
        size = (size + record.size()) % (std::uint64_t{64} << 20);
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

BENCHMARK(BM_SimulatedDisk_AppendSync)->Arg(100)->Arg(65536);

double cpu_seconds() {
    std::timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <class F>
double events_per_s(F run) {
    const double start = cpu_seconds();
    const auto events = static_cast<double>(run());
    return events / (cpu_seconds() - start);
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void print_ratio(std::uint32_t nodes) {
    const auto world = gossip_world(nodes);
    HandWrittenLoop loop(nodes);
    const Duration slice = Duration(1000s) / nodes;
    std::vector<double> ours;
    std::vector<double> theirs;
    for (int i = 0; i < 7; ++i) {
        ours.push_back(events_per_s([&] { return run_world(*world, slice); }));
        theirs.push_back(events_per_s([&] { return loop.run_for(slice); }));
    }
    std::printf("%u nodes: %.2f million events/s per core\n", nodes, median(ours) / 1e6);
    std::printf("ratio events_per_s/%u: %.2f (target reported) peer=priority_queue of function\n",
                nodes,
                median(ours) / median(theirs));
}

void print_memory(std::uint32_t nodes) {
    const auto before = ::mallinfo2().uordblks;
    const auto world = gossip_world(nodes);
    const auto after = ::mallinfo2().uordblks;
    std::printf("%u nodes: %zu bytes of heap per node with %u links each\n",
                nodes,
                (after - before) / nodes,
                2 * kDegree);
}

}  // namespace
}  // namespace draco::simulon

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    for (const std::uint32_t nodes : {1000U, 10000U}) draco::simulon::print_ratio(nodes);
    draco::simulon::print_memory(10000);
}
