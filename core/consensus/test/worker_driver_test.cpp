#include "draco/simulon/fault_plan.hpp"
#include "draco/testing/seed.hpp"

#include "worker_world.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace draco::consensus::test {
namespace {

using simulon::Latency;
using simulon::World;

const simulon::LinkOptions kLinks{.latency = Latency::uniform(milliseconds(1), milliseconds(5))};
const simulon::NodeOptions kMachine{.disk = {.sync_latency = milliseconds(2)}};

PeerId node(std::size_t index) {
    return PeerId(static_cast<std::uint32_t>(index));
}

std::string describe_all(World& world, const Cluster& cluster) {
    return describe(world, cluster) + describe_workers(world, cluster);
}

// Everything that people send, at nodes and at workers, is executed on every node, in one order.
Result<> expect_all_executed(World& world, const Cluster& cluster, Duration limit) {
    const auto done = world.run_until_true([&] { return all_executed(world, cluster); }, limit);
    if (!done) return fail(done.error().code, "not executed:\n" + describe_all(world, cluster));
    return no_violations(cluster);
}

void expect_sound_run(const simulon::ScenarioReport& report) {
    EXPECT_TRUE(report.verdict) << to_string(report) << "\n"
                                << (report.verdict ? "" : to_string(report.verdict.error()));
}

std::uint64_t messages_of_all(World& world, const Cluster& cluster) {
    std::uint64_t sent = 0;
    for (std::size_t i = 0; i < cluster.keys.size(); ++i) {
        sent += machine(world, i).messages_sent();
        for (std::size_t index = 0; index < cluster.workers_each; ++index)
            sent += worker(world, cluster, i, index).messages_sent();
    }
    return sent;
}

TEST(WorkerDriver, OrdersWhatComesInAtNodesAndAtWorkers) {
    // In calm weather everything is executed on all nodes, submitted once; every worker carries
    // batches and no node does; then all fall silent.
    expect_sound_run(simulon::run_twice(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.workers = 2});
            build_with_workers(world, cluster, kLinks, kMachine);
            DRACO_TRY_VOID(expect_all_executed(world, *cluster, seconds(30)));
            if (cluster->resubmitted != 0) return fail(Errc::Corrupt, "a transaction got lost");
            for (const auto& key : cluster->worker_keys)
                if (!cluster->audit.batch_senders.contains(key.public_key()))
                    return fail(Errc::Corrupt, "a worker has sent no batch");
            if (cluster->audit.batch_senders.size() != cluster->worker_keys.size())
                return fail(Errc::Corrupt, "a node has sent a batch");
            DRACO_TRY_VOID(world.run_for(seconds(5)));
            const std::uint64_t before = messages_of_all(world, *cluster);
            DRACO_TRY_VOID(world.run_for(seconds(10)));
            if (before != messages_of_all(world, *cluster))
                return fail(Errc::Corrupt, "messages without payload");
            return no_violations(*cluster);
        },
        testing::test_seed(1)));
}

TEST(WorkerDriver, AWorkerComesBack) {
    // It loses its power under load, again and again. Its node cannot read the batches of that
    // index meanwhile; the others execute on, and when it is back, what it held durably is
    // reported, and everything is executed.
    expect_sound_run(simulon::run_seeds(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.transactions_each = 60, .workers = 2});
            build_with_workers(world, cluster, kLinks, kMachine);
            DRACO_TRY_VOID(world.run_for(milliseconds(700)));
            const PeerId first = cluster->worker_machine(0, 0);
            for (int crash = 0; crash < 3; ++crash) {
                world.crash(first);
                const std::uint64_t height = height_of(world, 1);
                DRACO_TRY_VOID(world.run_for(milliseconds(300)));
                if (height_of(world, 1) == height)
                    return fail(Errc::Corrupt, "the others wait for one worker");
                world.start(first);
                DRACO_TRY_VOID(world.run_for(milliseconds(200)));
            }
            return expect_all_executed(world, *cluster, seconds(30));
        },
        testing::test_seed(1),
        testing::scaled(2)));
}

TEST(WorkerDriver, AWorkerComesBackWithAnEmptyDisk) {
    // What it held for blocks and headers under way comes from the other members' workers, and its
    // node takes part as before.
    expect_sound_run(simulon::run_seeds(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.transactions_each = 60, .workers = 2});
            build_with_workers(world, cluster, kLinks, kMachine);
            DRACO_TRY_VOID(world.run_for(milliseconds(700)));
            const PeerId lost = cluster->worker_machine(0, 0);
            world.crash(lost);
            DRACO_TRY_VOID(world.run_for(milliseconds(50)));
            auto& disk = world.disk(lost);
            disk.restart();
            DRACO_TRY_VOID(disk.rename("worker", "elsewhere"));
            DRACO_TRY_VOID(disk.sync_directory(""));
            disk.crash();
            world.start(lost);
            DRACO_TRY_VOID(expect_all_executed(world, *cluster, seconds(30)));
            const auto status = machine(world, 0).driver().status();
            if (status.role != interfaces::ConsensusRole::Member)
                return fail(Errc::Corrupt,
                            "its node signs no more:\n" + describe_all(world, *cluster));
            return no_violations(*cluster);
        },
        testing::test_seed(1),
        testing::scaled(2)));
}

TEST(WorkerDriver, ADamagedLogOfAWorkerIsSetAside) {
    // A flipped bit amid it: what it held comes from the others, nothing is executed twice or lost
    // for good, and the node signs on.
    expect_sound_run(simulon::run_twice(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.transactions_each = 80, .workers = 2});
            build_with_workers(world, cluster, kLinks, kMachine);
            DRACO_TRY_VOID(world.run_for(milliseconds(900)));
            const PeerId damaged = cluster->worker_machine(0, 0);
            world.crash(damaged);
            DRACO_TRY_VOID(world.run_for(milliseconds(50)));
            auto& disk = world.disk(damaged);
            disk.restart();
            DRACO_TRY(files, disk.list("worker/epoch-0"));
            DRACO_TRY_VOID(disk.flip_bit("worker/epoch-0/" + files.back().name, 5'000 * 8));
            disk.crash();
            world.start(damaged);
            DRACO_TRY_VOID(expect_all_executed(world, *cluster, seconds(30)));
            DRACO_TRY(aside, disk.exists("worker/epoch-0.aside-1"));
            return aside ? Result<>{} : fail(Errc::NotFound, "the damaged log is not set aside");
        },
        testing::test_seed(1)));
}

TEST(WorkerDriver, ANodeComesBackToItsWorkers) {
    // They live on, take transactions and hold batches; the node asks them what they hold.
    expect_sound_run(simulon::run_seeds(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.transactions_each = 60, .workers = 2});
            build_with_workers(world, cluster, kLinks, kMachine);
            for (int crash = 0; crash < 3; ++crash) {
                DRACO_TRY_VOID(world.run_for(milliseconds(400)));
                world.crash(node(1));
                DRACO_TRY_VOID(world.run_for(milliseconds(300)));
                world.start(node(1));
            }
            return expect_all_executed(world, *cluster, seconds(30));
        },
        testing::test_seed(1),
        testing::scaled(2)));
}

TEST(WorkerDriver, LosesNothingWhereEpochsChange) {
    // Epochs end under load, again and again. What is void with one is executed in the next without
    // anybody sending it again, and the logs of old epochs go.
    expect_sound_run(simulon::run_twice(
        [](World& world) -> Result<> {
            const auto cluster =
                make_cluster({.epoch_ms = 1'500, .transactions_each = 150, .workers = 2});
            build_with_workers(world, cluster, kLinks, kMachine);
            DRACO_TRY_VOID(
                world.run_until_true([&] { return epoch_of(world, 0) >= 3; }, seconds(60)));
            if (all_executed(world, *cluster)) return fail(Errc::Corrupt, "no load at the ends");
            DRACO_TRY_VOID(expect_all_executed(world, *cluster, seconds(60)));
            if (cluster->resubmitted != 0)
                return fail(Errc::Corrupt,
                            std::to_string(cluster->resubmitted) + " transactions got lost");
            for (const std::size_t each : {0U, 1U})
                if (world.disk(cluster->worker_machine(2, each))
                        .exists("worker/epoch-0")
                        .value_or(true))
                    return fail(Errc::Corrupt, "the log of an old epoch is still there");
            return no_violations(*cluster);
        },
        testing::test_seed(1)));
}

TEST(WorkerDriver, AWorkerThatWasAwayFindsTheEpochThatRuns) {
    // Down while one epoch ended and another began, it takes part in the one that its node names.
    expect_sound_run(simulon::run_twice(
        [](World& world) -> Result<> {
            const auto cluster =
                make_cluster({.epoch_ms = 1'500, .transactions_each = 100, .workers = 2});
            build_with_workers(world, cluster, kLinks, kMachine);
            DRACO_TRY_VOID(world.run_for(seconds(1)));
            world.crash(cluster->worker_machine(3, 1));
            DRACO_TRY_VOID(
                world.run_until_true([&] { return epoch_of(world, 3) >= 2; }, seconds(60)));
            world.start(cluster->worker_machine(3, 1));
            DRACO_TRY_VOID(world.run_for(milliseconds(200)));
            const auto status = worker(world, *cluster, 3, 1).driver().status();
            if (status.epoch.value() < 2 || status.role != interfaces::ConsensusRole::Member)
                return fail(Errc::Corrupt, describe_all(world, *cluster));
            return expect_all_executed(world, *cluster, seconds(60));
        },
        testing::test_seed(1)));
}

TEST(WorkerDriver, SurvivesThePowerCutOfAll) {
    // Nodes and workers stop at once, again and again, with logs half written, also while epochs
    // change: all go on.
    expect_sound_run(simulon::run_seeds(
        [](World& world) -> Result<> {
            const auto cluster =
                make_cluster({.epoch_ms = 1'500, .transactions_each = 60, .workers = 2});
            build_with_workers(world, cluster, kLinks, kMachine);
            simulon::SeededRng rng = world.rng("power cuts");
            for (int cut = 0; cut < 4; ++cut) {
                DRACO_TRY_VOID(world.run_for(
                    milliseconds(static_cast<std::int64_t>(rng.between(300, 1'200)))));
                for (std::uint32_t i = 0; i < world.node_count(); ++i) world.crash(PeerId(i));
                DRACO_TRY_VOID(world.run_for(milliseconds(100)));
                for (std::uint32_t i = 0; i < world.node_count(); ++i) world.start(PeerId(i));
            }
            return expect_all_executed(world, *cluster, seconds(120));
        },
        testing::test_seed(40),
        testing::scaled(2)));
}

TEST(WorkerDriver, SurvivesCrashesPausesAndBrokenLinks) {
    // Of nodes and workers, one machine at a time, amid disk changes too; messages between members
    // vanish, and epochs go on ending.
    expect_sound_run(simulon::run_seeds(
        [](World& world) -> Result<> {
            const auto cluster =
                make_cluster({.epoch_ms = 2'000, .transactions_each = 60, .workers = 2});
            simulon::LinkOptions links = kLinks;
            links.loss = 0.02;
            build_with_workers(world, cluster, links, kMachine);
            simulon::FaultPlanOptions plan;
            plan.duration = seconds(5);
            plan.interval_mean = milliseconds(200);
            plan.length_max = seconds(1);
            using enum simulon::FaultKind;
            plan.kinds = {Crash, CrashInDiskChange, Pause, LinkFlap, SlowNode};
            simulon::schedule_faults(world, simulon::draw_faults(world, plan), plan.duration);
            DRACO_TRY_VOID(world.run_for(plan.duration + seconds(1)));
            return expect_all_executed(world, *cluster, seconds(120));
        },
        testing::test_seed(1),
        testing::scaled(2)));
}

TEST(WorkerDriver, SaysThatAMemberHasAnotherNumberOfWorkers) {
    // Both sides say so, in the log; the members that agree go on without it.
    expect_sound_run(simulon::run_twice(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({.workers = 2});
            cluster->workers_told[3] = 1;
            build_with_workers(world, cluster, kLinks, kMachine);
            DRACO_TRY_VOID(world.run_for(seconds(3)));
            constexpr std::string_view kMessage =
                "a member has another number of worker processes than this node: their batches do "
                "not reach each other, and neither votes for the other's; all members need the "
                "same number";
            const std::array<std::size_t, 4> expected{1, 1, 1, 3};
            for (std::size_t i = 0; i < expected.size(); ++i)
                if (machine(world, i).log().count(kMessage) < expected[i])
                    return fail(Errc::Corrupt, "node " + std::to_string(i) + " does not say so");
            const std::uint64_t height = height_of(world, 0);
            if (height == 0) return fail(Errc::Corrupt, describe_all(world, *cluster));
            return no_violations(*cluster);
        },
        testing::test_seed(1)));
}

}  // namespace
}  // namespace draco::consensus::test
