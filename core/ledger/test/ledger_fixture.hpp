#pragma once
// A ledger with the real application, fed with the blocks of a chain made beside it.

#include "draco/affair/registry.hpp"
#include "draco/bcs/bcs.hpp"
#include "draco/ledger/ledger.hpp"
#include "draco/simulon/disk.hpp"

#include "../../application/test/chain_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace draco::ledger {

using interfaces::ArchivedBlock;
using interfaces::BlockOrigin;
using interfaces::BlockWithContent;
using interfaces::LedgerBlock;
using types::BlockCertificate;
using types::BlockDigest;
using types::Height;

class StillClock final : public Clock {
public:
    Instant now() const override { return {}; }

    UnixTime unix_now() const override { return {}; }
};

// Runs tasks when told to, on the thread that tells it.
class StepExecutor final : public Executor {
public:
    void post(Task task) override { tasks_.push_back(std::move(task)); }

    TimerId post_at(Instant /*when*/, Task task) override {
        tasks_.push_back(std::move(task));
        return TimerId(0);
    }

    bool cancel(TimerId /*timer*/) override { return false; }

    const Clock& clock() const override { return clock_; }

    void run_all() {
        while (!tasks_.empty()) {
            auto task = std::move(tasks_.front());
            tasks_.pop_front();
            task();
        }
    }

private:
    StillClock clock_;
    std::deque<Task> tasks_;
};

class CountingLog final : public log::Log {
public:
    bool enabled(log::Level level) const override { return level >= log::Level::Info; }

    void write(log::Level level,
               std::string_view /*component*/,
               std::string_view message,
               std::span<const log::Field> /*fields*/) override {
        if (level == log::Level::Error) errors.emplace_back(message);
        if (level == log::Level::Info) infos.emplace_back(message);
    }

    std::vector<std::string> errors;
    std::vector<std::string> infos;
};

// Blocks of a chain, each with what executing it must lead to.
struct MadeChain {
    explicit MadeChain(std::size_t count, std::size_t payload_transactions = 2) {
        for (std::size_t i = 0; i < count; ++i) {
            std::vector<Bytes> transactions;
            for (std::size_t k = 0; k < payload_transactions; ++k)
                transactions.push_back(
                    chain.by_person(k % 4,
                                    chain.account(k % 4).nonce.value() + 1 + k / 4,
                                    types::TransferFlk{.to = chain.people[5].address,
                                                       .amount = types::FlkAmount{i + k + 1}}));
            const bool ends_epoch = i % 10 == 9;
            if (ends_epoch)
                for (std::size_t m = 0; m < 4; ++m)
                    transactions.push_back(
                        chain.by_machine(m, types::EndEpoch{chain.view()->epoch().epoch}));
            auto content =
                chain.next(transactions, ends_epoch ? application::testing::Chain::kEpochMs : 1);
            const auto digest = types::digest_of(chain.genesis.chain, content.block);
            const auto executed = chain.execute(content);
            EXPECT_TRUE(executed) << to_string(executed.error());
            roots.push_back(executed->state_root);
            blocks.push_back({content.block, digest, content.batches});
        }
    }

    // The ledger does not verify it.
    BlockCertificate certificate(std::size_t height) const {
        const auto& block = blocks.at(height - 1);
        BlockCertificate made;
        made.statement = {block.block.epoch, block.block.height, block.block.parent, block.digest};
        made.signers.insert(types::AuthorityIndex(1));
        return made;
    }

    application::testing::Chain chain;
    std::vector<BlockWithContent> blocks;  // index 0 is height 1
    std::vector<types::StateRoot> roots;
};

class Observer final : public interfaces::LedgerObserver {
public:
    void on_block(const std::shared_ptr<const LedgerBlock>& block) override {
        blocks.push_back(block);
    }

    void on_certificate(const BlockCertificate& certificate) override {
        certificates.push_back(certificate.statement.height.value());
    }

    std::vector<std::shared_ptr<const LedgerBlock>> blocks;
    std::vector<std::uint64_t> certificates;
};

// One life of a node.
struct Life {
    StepExecutor executor;
    CountingLog log;
    std::vector<affair::Escalation> escalations;
    affair::Registry registry{
        executor, [this](const affair::Escalation& one) { escalations.push_back(one); }};
    Observer observer;
    std::unique_ptr<interfaces::Ledger> ledger;

    Result<> open(std::unique_ptr<interfaces::Application> application,
                  Disk& disk,
                  const Options& options) {
        DRACO_TRY(opened, ledger::open(std::move(application), disk, registry, log, options));
        ledger = std::move(opened);
        ledger->add_observer(observer);
        return {};
    }

    Result<> open_in_memory(const MadeChain& made, Disk& disk, const Options& options) {
        return open(application::open(atomo::open_memory_storage(), made.chain.genesis).value(),
                    disk,
                    options);
    }

    std::uint64_t head() const { return ledger->view()->head().height.value(); }

    void close() {
        ledger.reset();
        executor.run_all();
    }
};

inline Options small_options() {
    Options options;
    options.segment_bytes = 64 << 10;
    options.state_is_durable = false;
    options.state_sync_blocks = 8;
    return options;
}

}  // namespace draco::ledger
