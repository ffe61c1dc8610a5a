#include "draco/campaign/network.hpp"

#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <random>

namespace draco::consensus::test {
namespace {

using campaign::Network;
using campaign::NetworkOptions;
using campaign::PlantedBug;
using std::chrono::milliseconds;

using std::chrono::seconds;

void expect_clean(const Network& network) {
    for (const std::string& violation : network.violations()) ADD_FAILURE() << violation;
}

TEST(Network, OrdersTransactionsAndFallsSilent) {
    // Committees of 1 to 7 execute every transaction in the same order; then no message is sent any
    // more.
    for (const std::size_t members : {1U, 2U, 3U, 4U, 5U, 7U}) {
        Network network({.members = members});
        network.run(milliseconds(50));
        for (std::size_t i = 0; i < 20; ++i) {
            network.submit(i % members);
            network.run(milliseconds(7));
        }
        EXPECT_TRUE(network.run_until([&] { return network.all_executed(); }, seconds(10)))
            << members << " members";
        network.run(seconds(10));
        const std::uint64_t quiet = network.messages_sent();
        const std::uint64_t steps = network.steps();
        network.run(seconds(60));
        EXPECT_EQ(network.messages_sent(), quiet) << members << " members";
        EXPECT_EQ(network.steps(), steps) << members << " members";
        EXPECT_TRUE(network.same_height());
        for (std::size_t i = 0; i < members; ++i)
            EXPECT_EQ(network.certified_height(i), network.height(i));
        expect_clean(network);
    }
}

TEST(Network, VerifiesEverySignature) {
    // The same with every signature checked: cores send only what the gate lets through, and the
    // block certificates they make verify.
    Network network({.signatures = SignatureCheck::Required});
    for (std::size_t i = 0; i < 8; ++i) {
        network.submit(i % 4);
        network.run(milliseconds(5));
    }
    EXPECT_TRUE(network.run_until([&] { return network.all_executed(); }, seconds(10)));
    network.run(seconds(5));
    EXPECT_EQ(network.certified_height(2), network.height(2));
    expect_clean(network);
}

// Every member has something to say every 20 ms.
void keep_busy(Network& network, std::size_t members, Duration duration) {
    const Duration end = network.elapsed() + duration;
    while (network.elapsed() < end) {
        for (std::size_t i = 0; i < members; ++i)
            if (network.is_up(i)) network.submit(i);
        network.run(milliseconds(20));
    }
}

TEST(Network, CommitsAnchorsInFourDelaysAndAllElseInSeven) {
    // Links of exactly 50 ms and disks that take no time: from its header to its block an anchor
    // takes 4 delays, and the mean of all vertices is at most 7.
    for (const std::size_t members : {4U, 10U}) {
        Network network({.members = members,
                         .delay_min = milliseconds(50),
                         .delay_max = milliseconds(50),
                         .sync_max = Duration(0)});
        keep_busy(network, members, seconds(3));
        network.reset_measures();
        keep_busy(network, members, seconds(10));
        EXPECT_LE(network.anchor_delay().mean_ms() / 50, 4.1) << members << " members";
        EXPECT_LE(network.vertex_delay().mean_ms() / 50, 7.0) << members << " members";
        EXPECT_GT(network.anchor_delay().count(), members * 60) << "an anchor in each round";
        expect_clean(network);
    }
}

TEST(Network, DoesNotWaitForACrashedLeaderForLong) {
    // Once the window of rounds has seen that a member is away, nobody waits for it any more.
    Network network({.members = 4,
                     .delay_min = milliseconds(50),
                     .delay_max = milliseconds(50),
                     .sync_max = Duration(0)});
    keep_busy(network, 4, seconds(3));
    network.crash(2);
    keep_busy(network, 4, seconds(20));
    network.reset_measures();
    keep_busy(network, 4, seconds(10));
    EXPECT_LE(network.vertex_delay().mean_ms() / 50, 7.5);
    EXPECT_LE(network.anchor_delay().mean_ms() / 50, 4.5);
    network.restart(2);
    keep_busy(network, 4, seconds(20));
    network.reset_measures();
    keep_busy(network, 4, seconds(10));
    EXPECT_LE(network.vertex_delay().mean_ms() / 50, 7.0) << "it leads again, and nobody waits";
    expect_clean(network);
}

// Crashes, breaks and partitions, up to f members down at a time, under load; then all is well
// again.
void stress(Network& network, std::uint64_t seed, Duration duration) {
    std::mt19937_64 random(seed);
    const std::size_t members = network.machines();
    const std::size_t f = (members - 1) / 3;
    const Duration end = network.elapsed() + duration;
    while (network.elapsed() < end) {
        network.run(milliseconds(random() % 20));
        const std::size_t machine = random() % members;
        if (network.is_up(machine)) network.submit(machine);
        if (random() % 40 != 0) continue;
        std::vector<std::size_t> down;
        for (std::size_t i = 0; i < members; ++i)
            if (!network.is_up(i)) down.push_back(i);
        switch (random() % 4) {
            case 0:
            case 1:
                if (down.size() < f)
                    network.crash(machine);
                else if (!down.empty())
                    network.restart(down[random() % down.size()]);
                break;
            case 2:
                network.heal();
                break;
            default: {
                std::vector<std::vector<std::size_t>> groups(2);
                for (std::size_t i = 0; i < members; ++i) groups[random() % 2].push_back(i);
                network.partition(groups);
            }
        }
    }
    network.calm();
    network.heal();
    for (std::size_t i = 0; i < members; ++i)
        if (!network.is_up(i)) network.restart(i);
}

void expect_recovery(Network& network) {
    EXPECT_TRUE(network.run_until([&] { return network.all_executed() && network.same_height(); },
                                  seconds(60)))
        << "not live after healing\n"
        << network.describe();
    network.run(seconds(30));
    const std::uint64_t quiet = network.messages_sent();
    const std::string before = network.describe();
    network.run(seconds(60));
    EXPECT_EQ(network.messages_sent(), quiet) << before << "messages without payload\n"
                                              << network.describe();
    expect_clean(network);
}

TEST(Network, SurvivesCrashesBreaksAndPartitions) {
    // Whatever happens to up to f members and to all links: no fork, no double vote, nothing
    // executed twice; after healing every transaction of a member that did not crash is executed
    // everywhere, and the network falls silent. Each seed twice: the same history to the byte.
    const std::uint64_t first = testing::test_seed(1);
    for (std::uint64_t seed = first; seed < first + testing::scaled(12); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::string hash;
        for (int run = 0; run < 2; ++run) {
            Network network(
                {.members = seed % 3 == 0 ? 7U : 4U, .seed = seed, .link_breaks_per_s = 3});
            stress(network, seed, seconds(5));
            expect_recovery(network);
            if (run == 0)
                hash = network.trace_hash();
            else
                EXPECT_EQ(hash, network.trace_hash());
        }
        if (::testing::Test::HasFailure()) return;
    }
}

TEST(Network, CatchesUpFromFarBehind) {
    // A member that was down for longer than the garbage collection depth follows blocks, joins the
    // DAG again and takes part.
    Network network({});
    network.run(milliseconds(100));
    network.crash(3);
    for (std::size_t i = 0; i < 400; ++i) {
        network.submit(i % 3);
        network.run(milliseconds(10));
    }
    EXPECT_GT(network.core(0).dag().floor().value(), 20U);
    network.restart(3);
    for (std::size_t i = 0; i < 50; ++i) {
        network.submit(i % 4);
        network.run(milliseconds(10));
    }
    EXPECT_TRUE(network.run_until([&] { return network.all_executed(); }, seconds(20)));
    network.crash(0);
    network.submit(3);
    EXPECT_TRUE(network.run_until([&] { return network.all_executed(); }, seconds(20)))
        << "needs the member that came back";
    expect_clean(network);
}

TEST(Network, StopsWithoutAQuorumAndGoesOnWithOne) {
    // f + 1 members down: no block, and a trickle of messages at most. One back: everything goes
    // on.
    Network network({});
    network.submit(0);
    EXPECT_TRUE(network.run_until([&] { return network.all_executed(); }, seconds(5)));
    network.crash(2);
    network.crash(3);
    network.run(seconds(10));
    const std::uint64_t height = network.height(0);
    for (std::size_t i = 0; i < 10; ++i) network.submit(i % 2);
    network.run(seconds(10));
    const std::uint64_t messages = network.messages_sent();
    const std::uint64_t steps = network.steps();
    network.run(seconds(100));
    EXPECT_EQ(network.height(0), height);
    EXPECT_LT(network.messages_sent() - messages, 500U);
    EXPECT_LT(network.steps() - steps, 1000U);
    network.restart(2);
    EXPECT_TRUE(network.run_until([&] { return network.all_executed(); }, seconds(5)));
    network.restart(3);
    EXPECT_TRUE(network.run_until([&] { return network.all_executed(); }, seconds(10)));
    expect_clean(network);
}

TEST(Network, SurvivesThePowerCutOfAll) {
    // All machines stop at once, with half-written logs, again and again: they come back to one
    // history and go on.
    const std::uint64_t first = testing::test_seed(50);
    for (std::uint64_t seed = first; seed < first + testing::scaled(6); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Network network({.members = 4, .seed = seed, .sync_max = milliseconds(20)});
        for (std::size_t cut = 0; cut < 5; ++cut) {
            for (std::size_t i = 0; i < 40; ++i) {
                network.submit(i % 4);
                network.run(milliseconds(5));
            }
            for (std::size_t i = 0; i < 4; ++i) network.crash(i);
            network.run(seconds(1));
            for (std::size_t i = 0; i < 4; ++i) network.restart(i);
        }
        network.submit(1);
        expect_recovery(network);
    }
}

TEST(Network, AnObserverFollowsAndSignsNothing) {
    // A member without its log executes every block and sends no header, vote or signature.
    Network network({});
    network.crash(1);
    network.restart(1, RecoveryMode::Observer);
    for (std::size_t i = 0; i < 40; ++i) {
        network.submit(i % 4 == 1 ? 0 : i % 4);
        network.run(milliseconds(10));
    }
    EXPECT_TRUE(network.run_until([&] { return network.all_executed(); }, seconds(10)));
    EXPECT_EQ(network.signed_by(1), 0U);
    const std::size_t busy = network.busy(1);
    network.submit(1);
    EXPECT_EQ(network.busy(1), busy + 1) << "an observer takes no transactions";
    expect_clean(network);
}

TEST(Network, TwinsDoNotForkTheHonest) {
    // One key runs on two machines that equivocate: the others agree, and order what honest members
    // take in.
    const std::uint64_t first = testing::test_seed(100);
    for (std::uint64_t seed = first; seed < first + testing::scaled(8); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Network network({.members = 4, .seed = seed, .twins = 1, .link_breaks_per_s = 2});
        std::mt19937_64 random(seed);
        for (std::size_t i = 0; i < 200; ++i) {
            network.submit(random() % 5);
            network.run(milliseconds(random() % 15));
            if (random() % 30 == 0) {
                std::vector<std::vector<std::size_t>> groups(2);
                for (std::size_t machine = 0; machine < 5; ++machine)
                    groups[random() % 2].push_back(machine);
                network.partition(groups);
            }
            if (random() % 15 == 0) network.heal();
        }
        network.calm();
        network.heal();
        EXPECT_TRUE(network.run_until([&] { return network.all_executed({1, 2, 3}, {1, 2, 3}); },
                                      seconds(60)))
            << network.describe();
        expect_clean(network);
    }
}

TEST(Network, FindsVotesThatWereNotDurable) {
    // Planted bug: crashes forget votes. With an equivocating author some member votes twice, and
    // the checker says so. (Also the proof that the checker can fail.)
    bool found = false;
    for (std::uint64_t seed = 1; seed < 60 && !found; ++seed) {
        Network network(
            {.members = 4, .seed = seed, .twins = 1, .bug = PlantedBug::VotesForgotten});
        std::mt19937_64 random(seed);
        for (std::size_t i = 0; i < 200 && !found; ++i) {
            network.submit(random() % 2 == 0 ? 0 : 4);
            network.run(milliseconds(random() % 10));
            if (random() % 10 == 0) {
                const std::size_t victim = 1 + random() % 3;
                network.crash(victim);
                network.restart(victim);
            }
            found = !network.violations().empty();
        }
    }
    EXPECT_TRUE(found);
}

TEST(Network, EndsTheEpochAtOneHeight) {
    // The application ends the epoch at a height: nobody executes more, everybody gets there, and
    // what own transactions were not executed come back from the core that took them in.
    Network network({.last_height = 6});
    std::size_t submitted = 0;
    for (; submitted < 120; ++submitted) {
        network.submit(submitted % 4);
        network.run(milliseconds(4));
    }
    network.run(seconds(20));
    std::size_t returned = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(network.height(i), 6U);
        EXPECT_EQ(network.certified_height(i), 6U);
        returned += network.resubmitted(i).size();
    }
    EXPECT_EQ(returned + network.executed_transactions(0), submitted);
    const std::uint64_t quiet = network.messages_sent();
    network.run(seconds(60));
    EXPECT_EQ(network.messages_sent(), quiet);
    expect_clean(network);
}

TEST(Network, WaitsForAnApplicationThatStandsStill) {
    // What nobody executes piles up to its bounds, on the way to the application and from clients,
    // who are told; when the application goes on, all that was taken is executed.
    NetworkOptions options;
    options.parameters.own_bytes_max = std::size_t{1} << 20;
    options.parameters.blocks_ahead_max = 8;
    options.transaction_bytes = 32 << 10;
    Network network(options);
    for (std::size_t i = 0; i < 4; ++i) network.halt_application(i);
    for (std::size_t i = 0; i < 400; ++i) {
        network.submit(i % 4);
        network.run(milliseconds(10));
    }
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(network.height(i), 0U);
        EXPECT_EQ(network.blocks_waiting(i), 8U);
        EXPECT_GT(network.busy(i), 50U);
        EXPECT_LE(network.core(i).own_bytes(), options.parameters.own_bytes_max);
    }
    for (std::size_t i = 0; i < 4; ++i) network.resume_application(i);
    EXPECT_TRUE(network.run_until([&] { return network.all_executed(); }, seconds(10)))
        << network.describe();
    expect_clean(network);
}

TEST(Network, GoesOnForMinutesAndForgetsWhatItOrdered) {
    // Under steady load rounds neither stop nor slow down, and what a log must keep does not grow.
    NetworkOptions options;
    options.parameters.gc_depth_rounds = 8;
    options.parameters.reputation_rounds = 8;
    options.parameters.window_rounds = 32;
    Network network(options);
    std::uint64_t round_before = 0;
    std::vector<std::uint64_t> rounds_each_minute;
    for (std::size_t minute = 0; minute < 3; ++minute) {
        for (std::size_t i = 0; i < 3'000; ++i) {
            network.submit(i % 4);
            network.run(milliseconds(20));
        }
        const std::uint64_t round = network.highest_round();
        rounds_each_minute.push_back(round - round_before);
        round_before = round;
        for (std::size_t i = 0; i < 4; ++i)
            EXPECT_LT(network.records_needed(i), 1'000U) << network.describe();
    }
    EXPECT_GT(network.records_written(0), 20'000U);
    EXPECT_GT(2 * rounds_each_minute[2], rounds_each_minute[0]);
    EXPECT_TRUE(network.run_until([&] { return network.all_executed(); }, seconds(10)));
    expect_clean(network);
}

TEST(Network, TellsClientsWhenItIsFull) {
    // Without a quorum nothing is executed: what does not fit is refused, memory stays bounded, and
    // all that was accepted is executed in the end.
    NetworkOptions options;
    options.parameters.own_bytes_max = std::size_t{1} << 20;
    options.transaction_bytes = 32 << 10;
    Network network(options);
    network.crash(2);
    network.crash(3);
    for (std::size_t i = 0; i < 100; ++i) {
        network.submit(0);
        network.run(milliseconds(2));
    }
    EXPECT_GT(network.busy(0), 50U);
    network.restart(2);
    network.restart(3);
    EXPECT_TRUE(network.run_until([&] { return network.all_executed(); }, seconds(10)))
        << network.describe();
    expect_clean(network);
}

}  // namespace
}  // namespace draco::consensus::test
