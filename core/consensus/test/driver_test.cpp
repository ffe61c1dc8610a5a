#include "driver_world.hpp"

#include "draco/simulon/fault_plan.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

namespace draco::consensus::test {
namespace {

using simulon::Latency;
using simulon::World;

const simulon::LinkOptions kLan{.latency = Latency::uniform(milliseconds(1), milliseconds(5))};

Result<> expect_executed(World& world, const Cluster& cluster, Duration limit) {
    auto done = world.run_until_true([&] { return all_executed(world, cluster); }, limit);
    if (!done) return fail(done.error().code, "not executed:\n" + describe(world, cluster));
    return no_violations(cluster);
}

void expect_sound(const simulon::ScenarioReport& report) {
    EXPECT_TRUE(report.verdict) << to_string(report) << "\n"
                                << (report.verdict ? "" : to_string(report.verdict.error()));
}

TEST(Driver, OrdersAndExecutesOnFourNodes) {
    // In calm weather every accepted transaction is executed on all nodes, submitted once; then the
    // nodes fall silent.
    expect_sound(simulon::run_twice(
        [](World& world) -> Result<> {
            const auto cluster = make_cluster({});
            build(world, cluster, kLan);
            DRACO_TRY_VOID(expect_executed(world, *cluster, seconds(30)));
            if (cluster->resubmitted != 0) return fail(Errc::Corrupt, "a transaction got lost");
            DRACO_TRY_VOID(world.run_for(seconds(5)));
            std::uint64_t before = 0;
            for (std::size_t i = 0; i < 4; ++i) before += machine(world, i).messages_sent();
            DRACO_TRY_VOID(world.run_for(seconds(10)));
            std::uint64_t after = 0;
            for (std::size_t i = 0; i < 4; ++i) after += machine(world, i).messages_sent();
            if (before != after) return fail(Errc::Corrupt, "messages without payload");
            return no_violations(*cluster);
        },
        testing::test_seed(1)));
}

}  // namespace
}  // namespace draco::consensus::test
