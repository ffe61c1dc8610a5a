// Scenarios: the same seed gives the same run, hidden inputs are found out, planted bugs are found.

#include "draco/simulon/scenario.hpp"

#include "draco/simulon/fault_plan.hpp"
#include "draco/simulon/seeded_rng.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace draco::simulon {
namespace {

using namespace std::chrono_literals;

// ---- Gossip: every node tells a random peer, at random times, the largest number it knows
// ---------

// A hidden input that a planted bug lets into a node.
enum class Leak { None, StaticCounter, Pointer, ExtraDraw };

class Gossiper final : public Program, public TransportReceiver {
public:
    Gossiper(const Host& host, Leak leak) : host_(host), leak_(leak) {
        host.transport.set_receiver(this);
        if (auto file = host.disk.open("known", OpenMode::Create)) file_ = *std::move(file);
        tell();
    }

    void on_message(PeerId, Channel, ByteView message) override {
        if (message.size() != 8 || !file_) return;
        known_ = std::max(known_, load_le<std::uint64_t>(message.data()));
        static_cast<void>(file_->write_at(0, message));
        static_cast<void>(file_->sync());
    }

    void on_link_up(PeerId peer) override { peers_.insert(peer); }

    void on_link_down(PeerId peer) override { peers_.erase(peer); }

private:
    void tell() {
        known_ += 1 + leaked();
        if (!peers_.empty()) {
            const auto peer = std::next(
                peers_.begin(), static_cast<std::ptrdiff_t>(host_.rng.below(peers_.size())));
            Bytes message(8);
            store_le(message.data(), known_);
            static_cast<void>(host_.transport.send(*peer, Channel::Control, std::move(message)));
        }
        host_.executor.post_after(Duration(host_.rng.below(50'000'000)), [this] { tell(); });
    }

    std::uint64_t leaked() {
        static std::uint64_t counter = 0;
        switch (leak_) {
            case Leak::None:
                return 0;
            case Leak::StaticCounter:
                return ++counter % 1000 == 0 ? counter / 1000 : 0;
            case Leak::Pointer: {
                // Kept, so that no allocator can give the second run the addresses of the first.
                static std::vector<std::unique_ptr<std::uint64_t>> kept;
                kept.push_back(std::make_unique<std::uint64_t>());
                return (reinterpret_cast<std::uintptr_t>(kept.back().get()) >> 4) % 7;
            }
            case Leak::ExtraDraw: {
                static std::uint64_t calls = 0;
                if (++calls == 100) host_.rng.next();
                return 0;
            }
        }
        return 0;
    }

    const Host& host_;
    const Leak leak_;
    std::unique_ptr<File> file_;
    std::set<PeerId> peers_;
    std::uint64_t known_ = 0;
};

Scenario gossip(Leak leak, Duration duration = 5s) {
    return [=](World& world) -> Result<> {
        for (int i = 0; i < 10; ++i)
            world.add_node(
                [leak](const Host& host) { return std::make_unique<Gossiper>(host, leak); },
                {.clock_drift_ppm = 10 * i});
        world.connect_all({.latency = Latency::normal(20ms, 10ms, 1ms, 80ms),
                           .loss = 0.02,
                           .resend = 0.5,
                           .bandwidth_bytes_per_s = 10'000});
        world.start_all();
        schedule_faults(
            world, draw_faults(world, {.duration = duration, .interval_mean = 100ms}), duration);
        return world.run_for(duration);
    };
}

// Proves the point of the module: the same seed gives the same run to the byte, with all faults on;
// different seeds give different runs.
TEST(Scenario, SameSeedSameBytes) {
    const std::uint64_t first = testing::test_seed(1);
    std::set<std::uint64_t> digests;
    for (std::uint64_t seed = first; seed < first + testing::scaled(10); ++seed) {
        const ScenarioReport report = run_twice(gossip(Leak::None), seed);
        EXPECT_TRUE(report.verdict) << to_string(report);
        EXPECT_GT(report.counts.events, 1000U);
        digests.insert(report.digest);
    }
    EXPECT_EQ(digests.size(), testing::scaled(10));
}

// Proves that the digest of a seed does not depend on the machine or the build: a golden value,
// which changes only with the meaning of seeds.
TEST(Scenario, ASeedMeansTheSameEverywhere) {
    EXPECT_EQ(run(gossip(Leak::None, 1s), 42).digest, 9047209266621910719U);
}

// Proves that run_twice finds hidden inputs, and says where the runs part.
TEST(Scenario, FindsPlantedNondeterminism) {
    for (const Leak leak : {Leak::StaticCounter, Leak::Pointer, Leak::ExtraDraw}) {
        const ScenarioReport report = run_twice(gossip(leak), testing::test_seed(1));
        ASSERT_FALSE(report.verdict) << static_cast<int>(leak);
        EXPECT_EQ(report.verdict.error().code, Errc::Corrupt);
        EXPECT_TRUE(report.verdict.error().context.starts_with("not deterministic: "));
        EXPECT_TRUE(to_string(report).starts_with("seed ")) << to_string(report);
    }
}

// Proves that a difference of traces is located: equal ones have none, and after thinning out, the
// place named is at most a stride before the true one.
TEST(Trace, LocatesTheFirstDifference) {
    const auto trace = [](std::uint64_t events, std::uint64_t odd_event) {
        Trace result;
        for (std::uint64_t i = 0; i < events; ++i) {
            result.event({Duration(i)}, 0, 3);
            if (i == odd_event) result.note(1);
        }
        return result;
    };
    EXPECT_EQ(Trace::difference(trace(100, 7), trace(100, 7)), "");
    EXPECT_EQ(Trace::difference(trace(100, 100), trace(90, 41)),
              "the runs have 100 and 90 events and part at or after event 41 (node 3 at 41 ns), at "
              "most 1 events later");
    EXPECT_EQ(Trace::difference(trace(200000, 1), trace(200000, 150001)),
              "the runs have 200000 and 200000 events and part at or after event 0 (node 3 at 0 "
              "ns), at most 4 events later");
    EXPECT_EQ(Trace::difference(trace(200000, 200000), trace(200000, 150001)),
              "the runs have 200000 and 200000 events and part at or after event 150000 (node 3 at "
              "150000 ns), at most 4 events later");
}

// ---- A replicated counter: a primary counts requests and has a backup store the count first
// -------

// Ways in which the planted bug breaks the rule "durable, then answer".
enum class Bug { None, AnswerBeforeSync, NoSync, NoDirectorySync };

constexpr PeerId kBackup{1};

// Keeps a count in a file of two slots written in turn, each with a check word, so that a torn or
// lost write never destroys the last good one.
class DurableCount {
public:
    DurableCount(Disk& disk, Bug bug) : bug_(bug) {
        auto file = disk.open("count", OpenMode::Create);
        if (!file) return;
        if (bug != Bug::NoDirectorySync && !disk.sync_directory("")) return;
        file_ = *std::move(file);
        for (std::uint64_t slot = 0; slot < 2; ++slot) {
            Bytes bytes(16);
            if (file_->read_at(512 * slot, bytes).value_or(0) != bytes.size()) continue;
            const auto count = load_le<std::uint64_t>(bytes.data());
            if (load_le<std::uint64_t>(bytes.data() + 8) == ~count)
                count_ = std::max(count_, count);
        }
    }

    std::uint64_t count() const { return count_; }

    // True when it is durable, or the bug says so.
    bool store(std::uint64_t count, const std::function<void()>& answer) {
        if (!file_) return false;
        Bytes bytes(16);
        store_le(bytes.data(), count);
        store_le(bytes.data() + 8, ~count);
        if (!file_->write_at(512 * (count % 2), bytes)) return false;
        if (bug_ == Bug::AnswerBeforeSync) answer();
        if (bug_ != Bug::NoSync && !file_->sync()) return false;
        if (bug_ != Bug::AnswerBeforeSync) answer();
        count_ = count;
        return true;
    }

private:
    const Bug bug_;
    std::unique_ptr<File> file_;
    std::uint64_t count_ = 0;
};

Bytes number(std::uint64_t value) {
    Bytes bytes(8);
    store_le(bytes.data(), value);
    return bytes;
}

// Stores what the primary says and confirms it.
class Replica final : public Program, public TransportReceiver {
public:
    Replica(const Host& host, Bug bug) : host_(host), stored_(host.disk, bug) {
        host.transport.set_receiver(this);
    }

    void on_message(PeerId from, Channel channel, ByteView message) override {
        const auto value = load_le<std::uint64_t>(message.data());
        const auto answer = [&] {
            static_cast<void>(host_.transport.send(from, channel, number(value)));
        };
        if (value <= stored_.count())
            answer();
        else if (value == stored_.count() + 1)
            stored_.store(value, answer);
    }

    void on_link_up(PeerId) override {}

    void on_link_down(PeerId) override {}

    std::uint64_t count() const { return stored_.count(); }

private:
    const Host& host_;
    DurableCount stored_;
};

// Counts up, one step each time the backup has confirmed the last; resends every 20 ms.
class Counter final : public Program, public TransportReceiver {
public:
    Counter(const Host& host, std::uint64_t& confirmed) : host_(host), confirmed_(confirmed) {
        host.transport.set_receiver(this);
        tell();
    }

    void on_message(PeerId, Channel, ByteView message) override {
        confirmed_ = std::max(confirmed_, load_le<std::uint64_t>(message.data()));
    }

    void on_link_up(PeerId) override {}

    void on_link_down(PeerId) override {}

private:
    void tell() {
        static_cast<void>(
            host_.transport.send(kBackup, Channel::Consensus, number(confirmed_ + 1)));
        host_.executor.post_after(20ms, [this] { tell(); });
    }

    const Host& host_;
    std::uint64_t& confirmed_;
};

// What was confirmed is never forgotten, checked every 100 ms; once all is well there is progress.
Scenario confirmed_is_kept(Bug bug) {
    return [=](World& world) -> Result<> {
        std::uint64_t confirmed = 0;
        world.add_node(
            [&](const Host& host) { return std::make_unique<Counter>(host, confirmed); });
        world.add_node([bug](const Host& host) { return std::make_unique<Replica>(host, bug); });
        world.connect_all({.latency = Latency::uniform(1ms, 10ms)});
        world.start_all();
        schedule_faults(
            world,
            draw_faults(world, {.duration = 10s, .interval_mean = 300ms, .length_max = 1s}),
            10s);
        const auto check = [&]() -> Result<> {
            if (!world.running(kBackup)) return {};
            const auto stored = dynamic_cast<Replica&>(world.program(kBackup)).count();
            if (stored >= confirmed) return {};
            return fail(Errc::Corrupt,
                        "the backup has " + std::to_string(stored) + " of " +
                            std::to_string(confirmed) + " confirmed");
        };
        for (int i = 0; i < 100; ++i) {
            DRACO_TRY_VOID(world.run_for(100ms));
            DRACO_TRY_VOID(check());
        }
        const std::uint64_t before = confirmed;
        return world.run_until_true([&] { return confirmed > before; }, 5s);
    };
}

// Proves that a correct protocol passes under random faults, with a deterministic run for each
// seed.
TEST(Scenario, ACorrectCounterSurvivesFaults) {
    const ScenarioReport report =
        run_seeds(confirmed_is_kept(Bug::None), testing::test_seed(1), testing::scaled(60));
    EXPECT_TRUE(report.verdict) << to_string(report);
}

// Proves that each planted bug is found within 200 seeds, as a lost confirmation, and that the seed
// named replays it.
TEST(Scenario, PlantedDurabilityBugsAreFound) {
    for (const Bug bug : {Bug::AnswerBeforeSync, Bug::NoSync, Bug::NoDirectorySync}) {
        const ScenarioReport report = run_seeds(confirmed_is_kept(bug), testing::test_seed(1), 200);
        ASSERT_FALSE(report.verdict) << static_cast<int>(bug);
        EXPECT_TRUE(report.verdict.error().context.starts_with("the backup has"))
            << to_string(report);
        EXPECT_EQ(run(confirmed_is_kept(bug), report.seed).verdict, report.verdict);
    }
}

// Proves that the correct counter survives a crash of the backup at each of its disk changes.
TEST(Scenario, ACrashAtEveryDiskChange) {
    for (std::uint64_t n = 1; n <= 60; ++n) {
        const auto scenario = [n](World& world) -> Result<> {
            std::uint64_t confirmed = 0;
            world.add_node(
                [&](const Host& host) { return std::make_unique<Counter>(host, confirmed); });
            world.add_node(
                [](const Host& host) { return std::make_unique<Replica>(host, Bug::None); });
            world.connect_all();
            world.disk(kBackup).crash_at_change(n);
            world.start_all();
            DRACO_TRY_VOID(world.run_until_true([&] { return !world.running(kBackup); }, 10s));
            const std::uint64_t before = confirmed;
            world.start(kBackup);
            if (dynamic_cast<Replica&>(world.program(kBackup)).count() < before)
                return fail(Errc::Corrupt, "a confirmed count was lost");
            return world.run_until_true([&] { return confirmed > before; }, 1s);
        };
        const ScenarioReport report = run(scenario, n);
        EXPECT_TRUE(report.verdict) << "change " << n << ", " << to_string(report);
    }
}

// ---- Fault plans -------------------------------------------------------------------------------

// Proves that a plan keeps its promises: within the duration, sorted, never more nodes down than
// allowed, all kinds drawn, the same for the same seed, and readable.
TEST(FaultPlan, KeepsItsPromises) {
    const FaultPlanOptions options{.duration = 60s, .interval_mean = 50ms, .down_max = 2};
    const auto draw = [&](std::uint64_t seed) {
        World world(seed);
        for (int i = 0; i < 5; ++i)
            world.add_node([](const Host&) { return std::make_unique<Program>(); });
        world.connect_all();
        world.start_all();
        return draw_faults(world, options);
    };
    const std::vector<Fault> faults = draw(testing::test_seed(1));
    std::set<FaultKind> kinds;
    for (const Fault& fault : faults) {
        kinds.insert(fault.kind);
        EXPECT_LE(fault.at.since_origin + fault.length, options.duration);
        int down = 0;
        for (const Fault& other : faults)
            if ((other.kind == FaultKind::Crash || other.kind == FaultKind::CrashInDiskChange) &&
                other.at <= fault.at && fault.at <= other.at + other.length)
                ++down;
        EXPECT_LE(down, 2);
    }
    EXPECT_EQ(kinds.size(), 7U);
    EXPECT_TRUE(std::ranges::is_sorted(faults, {}, &Fault::at));
    const std::vector<Fault> again = draw(testing::test_seed(1));
    EXPECT_TRUE(std::ranges::equal(
        faults,
        again,
        {},
        [](const Fault& f) { return to_string(f); },
        [](const Fault& f) { return to_string(f); }));
    EXPECT_EQ(to_string(Fault{.kind = FaultKind::SlowNode,
                              .at = {5ms},
                              .length = 1us,
                              .node = PeerId(3),
                              .count = 4}),
              "5000000 ns: slow node for 1000 ns, node 3, count 4");
}

// Proves that after the plan's duration all nodes run, and all links work as before.
TEST(FaultPlan, EndsInHealth) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        World world(seed);
        for (int i = 0; i < 4; ++i)
            world.add_node(
                [](const Host& host) { return std::make_unique<Gossiper>(host, Leak::None); });
        world.connect_all({.latency = Latency::constant(7ms)});
        world.start_all();
        schedule_faults(world, draw_faults(world, {.duration = 5s, .interval_mean = 50ms}), 5s);
        ASSERT_TRUE(world.run_for(6s));
        SeededRng rng(1);
        for (const std::uint32_t from : {0U, 1U, 2U, 3U}) {
            EXPECT_TRUE(world.running(PeerId(from)));
            for (const PeerId to : world.peers(PeerId(from))) {
                EXPECT_EQ(world.link_options(PeerId(from), to).latency.draw(rng), 7ms);
                EXPECT_TRUE(world.host(PeerId(from)).transport.send(to, Channel::Bulk, {}));
            }
        }
        const std::uint64_t before = world.counts().messages_delivered;
        ASSERT_TRUE(world.run_for(10ms));
        EXPECT_GE(world.counts().messages_delivered - before, 12U);
    }
}

}  // namespace
}  // namespace draco::simulon
