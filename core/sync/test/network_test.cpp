// Followers among honest and lying peers, in virtual time: whatever crashes, parts and lies,
// nothing but the certified chain reaches the ledger, and the follower catches up over epochs.

#include "simulated_followers.hpp"

namespace draco::sync {
namespace {

using namespace draco::sync::testing;

TEST(SyncNetwork, CatchesUpOverEpochsAndThenRests) {
    run(
        [](World& world) -> Result<> {
            Network network(world, 2, 501, {});
            DRACO_TRY_VOID(network.catches_up(world, 501, 60s));
            const auto status = static_cast<Peer&>(world.program(PeerId(0))).sync().status();
            if (status.liars != 0 || status.blocks_fetched < 501)
                return fail(Errc::Corrupt, "honest peers were taken for liars");
            DRACO_TRY_VOID(world.run_for(60s));
            const auto before = world.counts().events;
            DRACO_TRY_VOID(world.run_for(3600s));
            // Each of the three asks for a tail once in 30 s, and is told that there is nothing.
            constexpr std::uint64_t kEventsPerTail = 20;
            if (world.counts().events > before + 3 * (3600 / 30 + 1) * kEventsPerTail)
                return fail(Errc::Corrupt, "it polls while nothing is missing");
            return {};
        },
        2);
}

TEST(SyncNetwork, HearsOfNewBlocksByGossip) {
    run(
        [](World& world) -> Result<> {
            Network network(world, 2, 30, {});
            DRACO_TRY_VOID(network.catches_up(world, 30, 30s));
            for (std::uint64_t height = 31; height <= 60; ++height) {
                for (std::uint32_t i = 1; i <= 2; ++i)
                    DRACO_TRY_VOID(
                        static_cast<Peer&>(world.program(PeerId(i))).make(height, height));
                DRACO_TRY_VOID(world.run_for(50ms));
            }
            return network.catches_up(world, 60, 10s);
        },
        2);
}

TEST(SyncNetwork, LiarsOfEveryKindAreSeenThrough) {
    run(
        [](World& world) -> Result<> {
            std::vector<Lie> lies;
            for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(Lie::Count); ++i)
                lies.push_back(static_cast<Lie>(i));
            Network network(world, 1, 240, lies);
            // The honest one comes late.
            world.crash(PeerId(1));
            DRACO_TRY_VOID(world.run_for(20s));
            const auto liars = static_cast<Peer&>(world.program(PeerId(0))).sync().status().liars;
            if (liars < lies.size() - 1)
                return fail(Errc::Corrupt, "only " + std::to_string(liars) + " liars were seen");
            world.start(PeerId(1));
            return network.catches_up(world, 240, 120s);
        },
        3);
}

TEST(SyncNetwork, PartitionsAndCrashesOnlyDelayIt) {
    run(
        [](World& world) -> Result<> {
            Network network(world, 2, 600, {Lie::WrongBlock});
            SeededRng rng = world.rng("faults");
            for (int i = 0; i < 8; ++i) {
                DRACO_TRY_VOID(world.run_for(Duration(std::chrono::milliseconds(rng.below(300)))));
                const PeerId victim(static_cast<std::uint32_t>(rng.below(2)));
                if (rng.below(2) == 0) {
                    world.crash(victim);
                    DRACO_TRY_VOID(world.run_for(100ms));
                    world.start(victim);
                } else {
                    const std::vector<std::vector<PeerId>> groups{{PeerId(0)}};
                    world.partition(groups, World::Partition::Noticed);
                    DRACO_TRY_VOID(world.run_for(200ms));
                    world.heal();
                }
            }
            return network.catches_up(world, 600, 120s);
        },
        5);
}

TEST(SyncNetwork, PrunedPeersAreNoHelpAndTheOthersAreAsked) {
    run(
        [](World& world) -> Result<> {
            Network network(world, 2, 90, {});
            network.disks[1].lowest = 50;
            return network.catches_up(world, 90, 30s);
        },
        2);
}

}  // namespace
}  // namespace draco::sync
