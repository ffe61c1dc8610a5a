// Whatever a crash leaves, the ledger comes back with every block that its observers were told of,
// and the same state; what it cannot repair is an error that says what to do.
#include "draco/atomo/rocks_storage.hpp"
#include "draco/testing/seed.hpp"

#include "ledger_fixture.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace draco::ledger {
namespace {

enum class Backend { Memory, Rocks };

std::unique_ptr<interfaces::Application> must(Result<std::unique_ptr<interfaces::Application>> r) {
    return std::move(r).value();
}

Result<std::unique_ptr<interfaces::Application>> open_application(const MadeChain& made,
                                                                  Disk& disk,
                                                                  Backend backend) {
    if (backend == Backend::Memory)
        return application::open(atomo::open_memory_storage(), made.chain.genesis);
    DRACO_TRY(storage,
              atomo::open_rocks_storage({.path = "state",
                                         .disk = &disk,
                                         .durability = atomo::Durability::Buffered,
                                         .block_cache_bytes = 1U << 20,
                                         .write_buffer_bytes = 64U << 10}));
    return application::open(std::move(storage), made.chain.genesis);
}

Options options_for(Backend backend) {
    Options options = small_options();
    options.segment_bytes = 8 << 10;
    options.state_is_durable = backend == Backend::Rocks;
    return options;
}

// Lives of a node that hands over the same blocks until all are executed, on a disk that crashes.
class Node {
public:
    Node(const MadeChain& made, Backend backend, std::uint64_t seed)
        : made_(made), backend_(backend), disk_(seed) {}

    simulon::SimulatedDisk& disk() { return disk_; }

    // What is wrong; "" if nothing. Ends early at a crash.
    std::string live(bool expect_crash) {
        Life life;
        auto application = open_application(made_, disk_, backend_);
        if (!application) return crashed_or(application.error(), expect_crash);
        const auto opened = life.open(std::move(*application), disk_, options_for(backend_));
        if (!opened) return crashed_or(opened.error(), expect_crash);
        const std::uint64_t begin = life.head();
        if (begin < told_) return "block " + std::to_string(told_) + " is lost";
        if (begin > 0 && life.ledger->view()->state_root() != made_.roots[begin - 1])
            return "another state at " + std::to_string(begin);
        while (life.escalations.empty() && life.head() < made_.blocks.size()) {
            for (std::uint64_t h = life.head() + 1;
                 h <=
                 std::min<std::uint64_t>(life.head() + 1 + life.head() % 4, made_.blocks.size());
                 ++h) {
                if (!life.ledger->append(made_.blocks[h - 1], BlockOrigin::Consensus))
                    return "block " + std::to_string(h) + " is refused";
                if (h % 3 == 0 && !life.ledger->certify(made_.certificate(h)))
                    return "certificate " + std::to_string(h) + " is refused";
            }
            life.executor.run_all();
        }
        for (std::size_t i = 0; i < life.observer.blocks.size(); ++i) {
            const auto& block = *life.observer.blocks[i];
            if (block.result.head.height.value() != begin + 1 + i) return "told out of order";
            if (block.result.state_root != made_.roots[begin + i]) return "told of another state";
        }
        told_ = begin + life.observer.blocks.size();
        const bool crashed = disk_.crashed();
        if (crashed && life.escalations.size() > 1) return "escalated more than once";
        if (!crashed && told_ != made_.blocks.size()) return "stopped without a crash";
        if (!crashed && life.ledger->latest_certificate()->statement.height.value() !=
                            made_.blocks.size() / 3 * 3)
            return "the latest certificate is lost";
        return "";
    }

private:
    std::string crashed_or(const Error& error, bool expect_crash) const {
        if (expect_crash && disk_.crashed()) return "";
        return to_string(error);
    }

    const MadeChain& made_;
    const Backend backend_;
    simulon::SimulatedDisk disk_;
    std::uint64_t told_ = 0;
};

void crash_at_every(Backend backend, std::uint64_t stride) {
    const MadeChain made(30);
    const std::uint64_t seed = draco::testing::test_seed(11);
    std::uint64_t changes = 0;
    {
        Node node(made, backend, seed);
        ASSERT_EQ(node.live(false), "");
        changes = node.disk().change_count();
        // A second life has nothing to do, and the same end.
        ASSERT_EQ(node.live(false), "");
    }
    ASSERT_GT(changes, 50U);
    for (std::uint64_t n = 1; n <= changes; n += stride) {
        Node node(made, backend, seed + n);
        node.disk().crash_at_change(n);
        ASSERT_EQ(node.live(true), "") << "crash at change " << n;
        node.disk().crash();
        node.disk().restart();
        node.disk().crash_at_change(1 + n * 7 % changes);
        ASSERT_EQ(node.live(true), "") << "second life after a crash at change " << n;
        node.disk().crash();
        node.disk().restart();
        ASSERT_EQ(node.live(false), "") << "third life after a crash at change " << n;
    }
}

TEST(LedgerCrash, AtEveryChangeOfTheDiskWithAStateInMemory) {
    crash_at_every(Backend::Memory, 1);
}

TEST(LedgerCrash, AtChangesOfTheDiskWithAStateInRocks) {
    crash_at_every(Backend::Rocks, draco::testing::test_seed(11) == 11 ? 7 : 1);
}

class LedgerRecovery : public ::testing::Test {
protected:
    // Runs the chain's first `count` blocks and closes cleanly.
    void run(const MadeChain& made, Backend backend, std::size_t count, const Options& options) {
        Life life;
        const auto opened = life.open(must(open_application(made, disk, backend)), disk, options);
        ASSERT_TRUE(opened) << to_string(opened.error());
        for (std::size_t h = life.head() + 1; h <= count; ++h) {
            ASSERT_TRUE(life.ledger->append(made.blocks[h - 1], BlockOrigin::Consensus));
            life.executor.run_all();
        }
        ASSERT_EQ(life.head(), count);
        life.close();
    }

    Error failure(const MadeChain& made, Backend backend, const Options& options) {
        Life life;
        const auto opened = life.open(must(open_application(made, disk, backend)), disk, options);
        return opened ? Error{} : opened.error();
    }

    void remove_all(const std::string& directory) {
        for (const auto& entry : disk.list(directory).value())
            ASSERT_TRUE(disk.remove(directory + "/" + entry.name));
    }

    simulon::SimulatedDisk disk{5};
};

TEST_F(LedgerRecovery, ExecutesThousandsOfBlocksAtTheStart) {
    const MadeChain made(2500, 0);
    const Options options = small_options();
    run(made, Backend::Memory, 2500, options);
    Life life;
    ASSERT_TRUE(life.open_in_memory(made, disk, options));
    EXPECT_EQ(life.head(), 2500U);
    EXPECT_EQ(life.ledger->view()->state_root(), made.roots.back());
    EXPECT_TRUE(life.observer.blocks.empty());
    EXPECT_EQ(life.log.infos.size(), 4U);  // the beginning, 1000, 2000, 2500
}

TEST_F(LedgerRecovery, DropsOldBlocksOnceTheStateIsDurable) {
    const MadeChain made(60, 6);
    Options options = options_for(Backend::Rocks);
    options.archive_bytes_max = 4 * options.segment_bytes;
    options.state_sync_blocks = 1'000'000;
    options.state_sync_bytes = ~std::uint64_t{0};
    Life life;
    ASSERT_TRUE(life.open(must(open_application(made, disk, Backend::Rocks)), disk, options));
    ASSERT_TRUE(life.ledger->certify(made.certificate(2)));
    for (std::size_t h = 1; h <= 60; ++h) {
        ASSERT_TRUE(life.ledger->append(made.blocks[h - 1], BlockOrigin::Consensus));
        life.executor.run_all();
        std::uint64_t bytes = 0;
        for (const auto& entry : disk.list("archive").value())
            bytes += disk.open("archive/" + entry.name, OpenMode::Read).value()->size().value();
        ASSERT_LE(bytes, options.archive_bytes_max + options.segment_bytes);
    }
    const auto lowest = life.ledger->lowest();
    EXPECT_GT(lowest.value(), 10U);
    EXPECT_FALSE(life.ledger->read(Height(lowest.value() - 1)).value());
    for (std::uint64_t h = lowest.value(); h <= 60; ++h)
        EXPECT_TRUE(life.ledger->read(Height(h)).value()) << h;
    // Heights that are gone are neither an error nor news.
    EXPECT_TRUE(life.ledger->append(made.blocks[0], BlockOrigin::Followed));
    EXPECT_TRUE(life.ledger->certify(made.certificate(1)));
    EXPECT_EQ(life.ledger->latest_certificate(), made.certificate(2));
    life.close();

    Life next;
    ASSERT_TRUE(next.open(must(open_application(made, disk, Backend::Rocks)), disk, options));
    EXPECT_EQ(next.head(), 60U);
    EXPECT_EQ(next.ledger->lowest(), lowest);
    EXPECT_EQ(next.ledger->latest_certificate(), made.certificate(2));
    next.close();

    // A state that begins again at genesis cannot be brought up from it.
    const auto error = failure(made, Backend::Memory, options);
    EXPECT_EQ(error.code, Errc::Corrupt);
    EXPECT_NE(error.context.find("archive begins at block"), std::string::npos) << error.context;
}

TEST_F(LedgerRecovery, BoundsTheNumberOfBlocks) {
    const MadeChain made(40, 2);
    Options options = options_for(Backend::Rocks);
    options.archive_blocks_max = 12;
    Life life;
    ASSERT_TRUE(life.open(must(open_application(made, disk, Backend::Rocks)), disk, options));
    for (const auto& block : made.blocks) {
        ASSERT_TRUE(life.ledger->append(block, BlockOrigin::Consensus));
        life.executor.run_all();
    }
    EXPECT_GT(life.ledger->lowest().value(), 20U);
}

TEST_F(LedgerRecovery, NothingIsDroppedForAStateInMemory) {
    const MadeChain made(40, 6);
    Options options = options_for(Backend::Memory);
    options.archive_bytes_max = 2 * options.segment_bytes;
    options.archive_blocks_max = 3;
    run(made, Backend::Memory, 40, options);
    Life life;
    ASSERT_TRUE(life.open_in_memory(made, disk, options));
    EXPECT_EQ(life.head(), 40U);
    EXPECT_EQ(life.ledger->lowest(), Height(1));
}

TEST_F(LedgerRecovery, ALostArchiveIsReported) {
    const MadeChain made(12);
    const Options options = options_for(Backend::Rocks);
    run(made, Backend::Rocks, 12, options);
    remove_all("archive");
    const auto error = failure(made, Backend::Rocks, options);
    EXPECT_EQ(error.code, Errc::Corrupt);
    EXPECT_NE(error.context.find("blocks were lost"), std::string::npos) << error.context;
}

TEST_F(LedgerRecovery, AStateOfAnotherChainIsReported) {
    // The same genesis, other blocks.
    const MadeChain ours(12, 2);
    const MadeChain theirs(20, 3);
    const Options options = options_for(Backend::Rocks);
    run(ours, Backend::Rocks, 12, options);
    remove_all("archive");
    run(theirs, Backend::Memory, 20, options_for(Backend::Memory));
    const auto error = failure(ours, Backend::Rocks, options);
    EXPECT_EQ(error.code, Errc::Corrupt);
    EXPECT_NE(error.context.find("of two chains"), std::string::npos) << error.context;
}

TEST_F(LedgerRecovery, AnArchiveOfAnotherGenesisIsReported) {
    const MadeChain made(12);
    const Options options = options_for(Backend::Memory);
    run(made, Backend::Memory, 12, options);
    MadeChain other(0);
    other.chain.genesis.chain = types::ChainId(99);
    const auto error = failure(other, Backend::Memory, options);
    EXPECT_EQ(error.code, Errc::Corrupt);
    EXPECT_NE(error.context.find("another log"), std::string::npos) << error.context;
}

TEST_F(LedgerRecovery, DamageToTheArchiveIsReported) {
    const MadeChain made(12);
    const Options options = options_for(Backend::Memory);
    run(made, Backend::Memory, 12, options);
    const std::string file = "archive/" + disk.list("archive").value().front().name;
    for (std::uint64_t byte = 200; byte < 4000; byte += 371) {
        ASSERT_TRUE(disk.flip_bit(file, byte * 8 + 3));
        const auto error = failure(made, Backend::Memory, options);
        EXPECT_EQ(error.code, Errc::Corrupt) << "byte " << byte;
        EXPECT_NE(error.context.find(file), std::string::npos) << error.context;
        ASSERT_TRUE(disk.flip_bit(file, byte * 8 + 3));
    }
    EXPECT_EQ(failure(made, Backend::Memory, options), Error{});
}

TEST_F(LedgerRecovery, DamageWhileRunningIsReportedByRead) {
    const MadeChain made(12);
    Life life;
    ASSERT_TRUE(life.open_in_memory(made, disk, options_for(Backend::Memory)));
    for (const auto& block : made.blocks)
        ASSERT_TRUE(life.ledger->append(block, BlockOrigin::Consensus));
    life.executor.run_all();
    const std::string file = "archive/" + disk.list("archive").value().front().name;
    ASSERT_TRUE(disk.flip_bit(file, 400 * 8));
    EXPECT_EQ(life.ledger->read(Height(1)).error().code, Errc::Corrupt);
    EXPECT_TRUE(life.ledger->read(Height(12)));
}

TEST_F(LedgerRecovery, BlocksLargerThanARecordAreWhole) {
    MadeChain made(3);
    // Refused by the application, carried by the chain.
    std::vector<Bytes> large(5, Bytes(20'000, 0x5a));
    auto content = made.chain.next(large);
    const auto digest = types::digest_of(made.chain.genesis.chain, content.block);
    made.roots.push_back(made.chain.execute(content)->state_root);
    made.blocks.push_back({content.block, digest, content.batches});
    const Options options = options_for(Backend::Memory);
    run(made, Backend::Memory, 4, options);
    Life life;
    ASSERT_TRUE(life.open_in_memory(made, disk, options));
    EXPECT_EQ(life.head(), 4U);
    EXPECT_EQ(life.ledger->view()->state_root(), made.roots.back());
    ASSERT_TRUE(life.ledger->certify(made.certificate(4)));
    life.executor.run_all();
    const auto read = life.ledger->read(Height(4)).value().value();
    const auto archived = bcs::decode<ArchivedBlock>(read).value();
    EXPECT_EQ(archived.batches->front(), *content.batches[0]);
    EXPECT_EQ(archived.certificate, made.certificate(4));
}

}  // namespace
}  // namespace draco::ledger
