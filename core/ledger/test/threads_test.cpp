// Many threads call at once: the ledger executes each block once, in order, and what it shows is
// always whole.
#include "draco/io/thread_pool.hpp"

#include "ledger_fixture.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace draco::ledger {
namespace {

class Progress final : public interfaces::LedgerObserver {
public:
    void on_block(const std::shared_ptr<const LedgerBlock>& block) override {
        in_order = in_order && block->result.head.height.value() == height + 1;
        height = block->result.head.height.value();
        height.notify_all();
    }

    void on_certificate(const BlockCertificate& /*certificate*/) override { ++certificates; }

    void wait_for(std::uint64_t wanted) {
        for (auto seen = height.load(); seen < wanted; seen = height.load()) height.wait(seen);
    }

    std::atomic<std::uint64_t> height = 0;
    std::atomic<std::uint64_t> certificates = 0;
    std::atomic<bool> in_order = true;
};

TEST(LedgerThreads, AppendersReadersAndObserversAtOnce) {
    const MadeChain made(120, 1);
    simulon::SimulatedDisk disk(1);
    auto pool = io::ThreadPool::start({.name = "ledger", .thread_count = 2}).value();
    affair::Registry registry(*pool);
    log::NullLog log;
    Options options = small_options();
    options.blocks_waiting_max = 8;
    auto ledger = open(application::open(atomo::open_memory_storage(), made.chain.genesis).value(),
                       disk,
                       registry,
                       log,
                       options)
                      .value();
    Progress progress;
    ledger->add_observer(progress);

    const auto append_all = [&](BlockOrigin origin) {
        for (std::size_t h = 1; h <= made.blocks.size(); ++h)
            while (true) {
                const auto done = ledger->append(made.blocks[h - 1], origin);
                if (done) break;
                ASSERT_EQ(done.error().code, Errc::Exhausted) << to_string(done.error());
                progress.wait_for(h - options.blocks_waiting_max);
            }
    };
    std::atomic<bool> stop = false;
    std::thread reader([&] {
        while (!stop) {
            const std::uint64_t head = ledger->view()->head().height.value();
            for (const std::uint64_t h : {head, head / 2}) {
                const auto read = ledger->read(Height(h));
                ASSERT_TRUE(read);
                if (h == 0) continue;
                ASSERT_TRUE(*read);
                ASSERT_EQ(bcs::decode<ArchivedBlock>(**read).value().block,
                          made.blocks[h - 1].block);
            }
            static_cast<void>(ledger->latest_certificate());
        }
    });
    std::thread certifier([&] {
        for (std::size_t h = 1; h <= made.blocks.size(); ++h)
            ASSERT_TRUE(ledger->certify(made.certificate(h)));
    });
    std::thread watcher([&] {
        for (int i = 0; i < 50; ++i) {
            Progress other;
            ledger->add_observer(other);
            ledger->remove_observer(other);
        }
    });
    std::thread follower([&] { append_all(BlockOrigin::Followed); });
    append_all(BlockOrigin::Consensus);
    progress.wait_for(made.blocks.size());
    stop = true;
    for (auto* thread : {&reader, &certifier, &watcher, &follower}) thread->join();
    EXPECT_TRUE(progress.in_order);
    EXPECT_EQ(ledger->view()->state_root(), made.roots.back());
    ledger->remove_observer(progress);
    ledger.reset();
    EXPECT_LE(progress.certificates, made.blocks.size());
}

}  // namespace
}  // namespace draco::ledger
