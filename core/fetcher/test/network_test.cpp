// Nodes that fetch from honest, lying, slow, dying and damaged ones over simulated links, with real
// stores on simulated disks: what is read is the truth or an error, and what can be got is got.
#include "fetch_network.hpp"

namespace draco::fetcher {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the vocabulary of the tests

TEST(FetchNetwork, FilesOfAllSizesComeWholeAndAreProvidedOn) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, kBlock, kBlock + 1, 2 * kBlock, 65 * kBlock - 7}) {
        const Known file = made_file(size, size);
        run([&](World& world) -> Result<> {
            Network network(world, 3);
            network.node(1).put(file);
            network.node(2).put(file);
            DRACO_TRY_VOID(network.gets(0, file));
            DRACO_TRY_VOID(world.run_for(1s));
            const auto counts = network.node(0).counts();
            DRACO_TRY_VOID(expect(counts.completed == 1 && counts.running == 0, "it is not over"));
            DRACO_TRY_VOID(expect(counts.asks_in_flight == 0, "asks are left"));
            DRACO_TRY_VOID(expect(counts.liars == 0, "honest peers were taken for liars"));
            std::uint64_t sold = 0;
            for (const auto& [peer, bytes] : network.node(0).sold_of) sold += bytes;
            DRACO_TRY_VOID(expect(sold == size && counts.bytes_received >= size, "bytes count"));
            return expect(network.table[file.info.hash].size() == 3, "it is not provided");
        });
    }
}

TEST(FetchNetwork, ALargeFileComesFromAllWhoHaveIt) {
    const Known file = made_file(1, 66 * kBlock);
    run([&](World& world) -> Result<> {
        Network network(world, 5);
        for (std::uint32_t i = 1; i < 5; ++i) network.node(i).put(file);
        DRACO_TRY_VOID(network.gets(0, file));
        DRACO_TRY_VOID(expect(network.node(0).sold_of.size() == 4, "some were not asked"));
        return expect(network.node(0).counts().blocks_received == 65, "blocks came twice");
    });
}

TEST(FetchNetwork, DirectoriesComeWhole) {
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{777}}) {
        const Known directory = made_directory(count, count);
        run([&](World& world) -> Result<> {
            Network network(world, 2);
            network.node(1).put(directory);
            return network.gets(0, directory);
        });
    }
}

TEST(FetchNetwork, TheLargestDirectoryComesWhole) {
    std::vector<types::DirectoryEntry> entries;
    for (std::size_t i = 0; i < blake3_tree::kDirectoryEntriesMax; ++i)
        entries.push_back(blockstore::made_symlink(std::to_string(100'000 + i), "t"));
    const Known directory = made_directory(std::move(entries));
    run([&](World& world) -> Result<> {
        Network network(world, 2);
        network.node(1).put(directory);
        return network.gets(0, directory);
    });
}

TEST(FetchNetwork, LiarsOfEveryKindAreSeenThrough) {
    const Known file = made_file(3, 20 * kBlock + 100);
    for (std::uint8_t lie = 0; lie < static_cast<std::uint8_t>(Lie::Count); ++lie) {
        SCOPED_TRACE(static_cast<int>(lie));
        run([&](World& world) -> Result<> {
            Network network(world, 2, {}, &file, {Lie{lie}, Lie{lie}});
            network.node(1).put(file);
            return network.gets(0, file);
        });
    }
}

TEST(FetchNetwork, WhoSendsWhatDoesNotVerifyIsCalledALiarOnce) {
    const Known file = made_file(3, 20 * kBlock + 100);
    for (const Lie lie : {Lie::WrongBlock,
                          Lie::WrongLastBlock,
                          Lie::WrongTree,
                          Lie::LongerFile,
                          Lie::ShorterFile,
                          Lie::TooManyBlocks,
                          Lie::Garbage,
                          Lie::OtherDirectory}) {
        SCOPED_TRACE(static_cast<int>(lie));
        run([&](World& world) -> Result<> {
            Network network(world, 1, {}, &file, {lie});
            const auto opened = network.node(0).open(file.info.hash, 100s);
            DRACO_TRY_VOID(world.run_until_true([&] { return opened->is_done(); }, 100s));
            DRACO_TRY_VOID(world.run_for(1s));
            DRACO_TRY_VOID(expect(network.node(0).counts().liars == 1, "it was not seen"));
            // It is remembered: nobody is left who could be asked.
            const auto again = network.node(0).open(made_file(9, 9).info.hash, 100s);
            network.table[made_file(9, 9).info.hash] = {network.keys[1]};
            DRACO_TRY_VOID(world.run_until_true([&] { return again->is_done(); }, 100s));
            return expect(!again->is_open() && again->code() == Errc::Unavailable, "asked again");
        });
    }
}

TEST(FetchNetwork, NobodyButLiarsIsAnError) {
    const Known file = made_file(3, 20 * kBlock + 100);
    run([&](World& world) -> Result<> {
        Network network(world, 1, {}, &file, {Lie::Stalls, Lie::Garbage, Lie::Drops});
        const auto opened = network.node(0).open(file.info.hash);
        DRACO_TRY_VOID(world.run_until_true([&] { return opened->is_done(); }, 300s));
        return expect(!opened->is_open() && opened->code() == Errc::Unavailable, "no error");
    });
}

TEST(FetchNetwork, WhatNobodyHasIsNotFound) {
    run([](World& world) -> Result<> {
        Network network(world, 2);
        const ContentHash hash = made_file(8, 8).info.hash;
        const auto opened = network.node(0).open(hash);
        DRACO_TRY_VOID(world.run_until_true([&] { return opened->is_done(); }, 10s));
        DRACO_TRY_VOID(expect(opened->code() == Errc::NotFound, "another error"));
        // Who says so, and does not have it.
        network.table[hash] = {network.keys[1]};
        const auto again = network.node(0).open(hash);
        DRACO_TRY_VOID(world.run_until_true([&] { return again->is_done(); }, 10s));
        return expect(again->code() == Errc::NotFound, "another error");
    });
}

TEST(FetchNetwork, AProviderThatDiesMidwayIsReplaced) {
    const Known file = made_file(4, 40 * kBlock);
    run([&](World& world) -> Result<> {
        Network network(world, 3);
        network.node(1).put(file);
        const auto opened = network.node(0).open(file.info.hash);
        DRACO_TRY_VOID(network.open(opened));
        DRACO_TRY_VOID(world.run_until_true(
            [&] { return network.node(0).counts().blocks_received > 5; }, 100s));
        network.node(2).put(file);
        world.crash(PeerId(1));
        const auto late = network.node(0).counts().blocks_received;
        DRACO_TRY_VOID(expect(late < 39, "it was too fast to die midway"));
        return network.reads(opened->content(), file, 300s);
    });
}

TEST(FetchNetwork, WhenTheLastProviderDiesReadersHearIt) {
    const Known file = made_file(4, 40 * kBlock);
    run([&](World& world) -> Result<> {
        Network network(world, 2);
        network.node(1).put(file);
        const auto opened = network.node(0).open(file.info.hash);
        DRACO_TRY_VOID(network.open(opened));
        world.crash(PeerId(1));
        const auto read = network.reads(opened->content(), file, 300s);
        return expect(!read && read.error().code == Errc::Unavailable, "no error, or another");
    });
}

TEST(FetchNetwork, DamageAtAServerIsNotPassedOn) {
    const Known file = made_file(5, 10 * kBlock);
    run([&](World& world) -> Result<> {
        Network network(world, 3);
        network.node(1).put(file);
        DRACO_TRY_VOID(world.disk(PeerId(1)).flip_bit(
            blockstore::Layout("blockstore").object(file.info.hash), 8 * (3 * kBlock + 17)));
        const auto opened = network.node(0).open(file.info.hash);
        DRACO_TRY_VOID(network.open(opened));
        network.node(2).put(file);
        DRACO_TRY_VOID(network.reads(opened->content(), file, 300s));
        DRACO_TRY_VOID(expect(network.node(0).counts().liars == 0, "damage is no lie"));
        const auto& said = network.table[file.info.hash];
        return expect(std::ranges::find(said, network.keys[1]) == said.end(),
                      "the damaged one is still a provider");
    });
}

TEST(FetchNetwork, DamageHereIsGotAgainWhileTheReaderWaits) {
    const Known file = made_file(6, 5 * kBlock + 1);
    run([&](World& world) -> Result<> {
        Network network(world, 2);
        network.node(0).put(file);
        network.node(1).put(file);
        const auto opened = network.node(0).open(file.info.hash);
        DRACO_TRY_VOID(network.open(opened));
        DRACO_TRY_VOID(world.disk(PeerId(0)).flip_bit(
            blockstore::Layout("blockstore").object(file.info.hash), 8 * (2 * kBlock + 17)));
        DRACO_TRY_VOID(network.reads(opened->content(), file, 300s));
        DRACO_TRY_VOID(expect(network.node(0).counts().refetched == 1, "nothing was damaged"));
        opened->result.reset();
        return network.gets(0, file);
    });
}

TEST(FetchNetwork, AFileIsServedWhileItComesIn) {
    const Known file = made_file(7, 30 * kBlock);
    run([&](World& world) -> Result<> {
        Network network(world, 3);
        network.node(1).put(file);
        const auto first = network.node(0).open(file.info.hash);
        DRACO_TRY_VOID(network.open(first));
        network.table[file.info.hash] = {network.keys[0]};
        const auto second = network.node(2).open(file.info.hash);
        DRACO_TRY_VOID(network.open(second));
        DRACO_TRY_VOID(expect(!network.node(0).store().has(file.info.hash), "it was here already"));
        return network.reads(second->content(), file, 300s);
    });
}

TEST(FetchNetwork, ThoseWhoAskForTheSameShareOneFetch) {
    const Known file = made_file(8, 12 * kBlock);
    run([&](World& world) -> Result<> {
        Network network(world, 2);
        network.node(1).put(file);
        std::vector<std::shared_ptr<Opened>> opened;
        for (int i = 0; i < 5; ++i) opened.push_back(network.node(0).open(file.info.hash));
        DRACO_TRY_VOID(network.open(opened[0]));
        opened.push_back(network.node(0).open(file.info.hash));
        for (const auto& one : opened) {
            DRACO_TRY_VOID(network.open(one));
            DRACO_TRY_VOID(network.reads(one->content(), file, 100s));
        }
        const auto counts = network.node(0).counts();
        return expect(counts.completed == 1 && counts.blocks_received == 11, "fetched twice");
    });
}

TEST(FetchNetwork, AStoreWithoutRoomIsToldToAllWhoWait) {
    const Known file = made_file(9, 12 * kBlock);
    run([&](World& world) -> Result<> {
        NodeSetup setup;
        setup.store.bytes_max = 4 * kBlock;
        Network network(world, 2, setup);
        network.node(1).put(file);
        const auto first = network.node(0).open(file.info.hash);
        const auto second = network.node(0).open(file.info.hash);
        DRACO_TRY_VOID(world.run_until_true([&] { return second->is_done(); }, 60s));
        DRACO_TRY_VOID(expect(first->is_done() && first->code() == Errc::Exhausted, "the first"));
        return expect(second->code() == Errc::Exhausted, "the second");
    });
}

TEST(FetchNetwork, AnOpenEndsAtItsDeadline) {
    const Known file = made_file(10, 12 * kBlock);
    run([&](World& world) -> Result<> {
        Network network(world, 1, {}, &file, {Lie::Stalls});
        const auto start = world.now();
        const auto soon = network.node(0).open(file.info.hash, 2s);
        const auto later = network.node(0).open(file.info.hash, 8s);
        DRACO_TRY_VOID(world.run_until_true([&] { return soon->is_done(); }, 60s));
        DRACO_TRY_VOID(expect(soon->code() == Errc::DeadlineExceeded, "another error"));
        DRACO_TRY_VOID(expect(world.now() < start + 3s && !later->is_done(), "not in time"));
        DRACO_TRY_VOID(world.run_until_true([&] { return later->is_done(); }, 60s));
        DRACO_TRY_VOID(world.run_for(1s));
        const auto counts = network.node(0).counts();
        return expect(counts.dropped == 1 && counts.running == 0, "it goes on for nobody");
    });
}

TEST(FetchNetwork, ABlockThatIsWaitedForComesFirst) {
    const Known file = made_file(11, 60 * kBlock);
    run([&](World& world) -> Result<> {
        Network network(world, 2);
        network.node(1).put(file);
        const auto opened = network.node(0).open(file.info.hash);
        DRACO_TRY_VOID(network.open(opened));
        const auto box = std::make_shared<bool>(false);
        opened->content().read_block(50, [box](auto block) { *box = block.has_value(); });
        DRACO_TRY_VOID(world.run_until_true([&] { return *box; }, 100s));
        return expect(network.node(0).counts().blocks_received < 40, "it came in its turn");
    });
}

TEST(FetchNetwork, WhatNobodyHoldsAnyMoreIsDropped) {
    const Known file = made_file(12, 100 * kBlock);  // half of it is not under way at once
    run([&](World& world) -> Result<> {
        Network network(world, 2);
        network.node(1).put(file);
        const auto opened = network.node(0).open(file.info.hash);
        DRACO_TRY_VOID(network.open(opened));
        opened->result.reset();
        DRACO_TRY_VOID(world.run_for(60s));
        const auto counts = network.node(0).counts();
        DRACO_TRY_VOID(expect(counts.dropped == 1 && counts.running == 0, "it goes on"));
        DRACO_TRY_VOID(expect(network.node(0).store().usage().bytes == 0, "something is left"));
        return network.gets(0, file);
    });
}

TEST(FetchNetwork, WhatIsInTheStoreIsProvidedAndWhatLeftItIsNot) {
    const Known file = made_file(14, 3);
    const Known other = made_directory(14, 3);
    run([&](World& world) -> Result<> {
        Network network(world, 1);
        network.node(0).put(file);
        DRACO_TRY_VOID(world.run_for(1s));
        // A start begins with what the disk has.
        network.table.clear();
        world.crash(PeerId(0));
        world.start(PeerId(0));
        DRACO_TRY_VOID(world.run_for(1s));
        const auto is_said = [&](const Known& known) {
            return !network.table[known.info.hash].empty();
        };
        DRACO_TRY_VOID(expect(is_said(file), "not provided after a start"));
        DRACO_TRY_VOID(network.node(0).store().remove(file.info.hash));
        DRACO_TRY_VOID(
            expect(blockstore::put(network.node(0).store(), other).has_value(), "cannot put"));
        DRACO_TRY_VOID(world.run_for(61s));
        return expect(!is_said(file) && is_said(other), "the list is not looked at again");
    });
}

// Whatever crashes and parts, what is read is true, and at last all is here.
TEST(FetchNetwork, CrashesAndPartitionsOnlyDelayIt) {
    const Known file = made_file(13, 33 * kBlock + 5);
    run(
        [&](World& world) -> Result<> {
            Network network(world, 4, {}, &file, {Lie::WrongBlock, Lie::StallsOnBlocks});
            SeededRng rng = world.rng("faults");
            for (std::uint32_t i = 1; i < 4; ++i) network.node(i).put(file);
            static_cast<void>(network.node(0).open(file.info.hash));
            for (int i = 0; i < 8; ++i) {
                DRACO_TRY_VOID(world.run_for(Duration(std::chrono::milliseconds(rng.below(400)))));
                const PeerId victim(static_cast<std::uint32_t>(rng.below(4)));
                if (rng.below(2) == 0) {
                    world.crash(victim);
                    DRACO_TRY_VOID(world.run_for(100ms));
                    world.start(victim);
                    if (victim == PeerId(0))
                        static_cast<void>(network.node(0).open(file.info.hash));
                } else {
                    const std::vector<std::vector<PeerId>> groups{{PeerId(0), victim}};
                    world.partition(
                        groups,
                        rng.below(2) == 0 ? World::Partition::Noticed : World::Partition::Silent);
                    DRACO_TRY_VOID(world.run_for(300ms));
                    world.heal();
                }
            }
            for (std::uint32_t i = 1; i < 4; ++i)
                if (!world.running(PeerId(i))) world.start(PeerId(i));
            return network.gets(0, file);
        },
        3);
}

}  // namespace
}  // namespace draco::fetcher
