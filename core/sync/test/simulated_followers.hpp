#pragma once
// Simulated nodes that follow FakeChain: honest ones and liars of every kind.

#include "draco/broadcast/gossip.hpp"
#include "draco/pool/pool.hpp"
#include "draco/simulon/scenario.hpp"
#include "draco/sync/sync.hpp"
#include "draco/testing/seed.hpp"

#include "../../pool/test/simulated_peers.hpp"
#include "fake_chain.hpp"

#include <memory>
#include <string>
#include <vector>

namespace draco::sync::testing {

using namespace std::chrono_literals;
using namespace draco::simulon;  // NOLINT(google-build-using-namespace): their vocabulary too
using interfaces::Protocol;

enum class Lie : std::uint8_t {
    WrongBlock,
    WrongBatch,
    ForgedCertificate,
    TooFewSignatures,
    Truncated,
    Endless,
    Stalls,
    Garbage,
    Count
};

class Peer final : public Program {
public:
    Peer(const Host& host,
         const std::vector<NodeKey>& keys,
         const FakeChain& chain,
         Disk& disk,
         const Options& options = {})
        : transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]),
          registry_(host.executor),
          ledger_(chain, disk, host.executor),
          gossip_(
              broadcast::Gossip::make(pool_, registry_, log_, {.limits = {}, .seed = 3}).value()),
          sync_(Sync::make(kChain, pool_, ledger_, *gossip_, registry_, log_, options).value()) {}

    FakeLedger& ledger() { return ledger_; }

    // Makes the chain's next blocks up to this one, as a member would.
    Result<> make(std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t height = from; height <= to; ++height) {
            DRACO_TRY_VOID(
                ledger_.append(the_chain().at(height), interfaces::BlockOrigin::Consensus));
            if (const auto certificate = the_chain().certificate(height))
                DRACO_TRY_VOID(ledger_.certify(*certificate));
        }
        return {};
    }

    Sync& sync() { return *sync_; }

private:
    log::NullLog log_;
    pool::SimulatedPeers transport_;
    pool::Pool pool_;
    affair::Registry registry_;
    FakeLedger ledger_;
    std::unique_ptr<broadcast::Gossip> gossip_;
    std::unique_ptr<Sync> sync_;
};

// Claims the whole chain, and answers each range with one kind of lie.
class Liar final : public Program, interfaces::RequestHandler {
public:
    Liar(const Host& host, const std::vector<NodeKey>& keys, const FakeChain& chain, Lie lie)
        : chain_(chain),
          lie_(lie),
          transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]) {
        pool_.set_handler(Protocol::Blocks, this);
    }

private:
    void on_request(const NodeKey& /*from*/,
                    Bytes request,
                    std::unique_ptr<interfaces::Responder> to) override {
        const auto decoded = decode_request(request).value();
        Bytes out;
        append_record(out,
                      bcs::encode(Status{Height(1),
                                         Height(chain_.contents.size()),
                                         std::prev(chain_.certificates.end())->second}));
        if (std::holds_alternative<StatusRequest>(decoded)) {
            EXPECT_TRUE(to->write(std::move(out)).has_value());
            to->finish({});
            return;
        }
        if (lie_ == Lie::Stalls) {
            kept_.push_back(std::move(to));
            return;
        }
        const auto* range = std::get_if<RangeRequest>(&decoded);
        const Height first = range != nullptr ? range->from : std::get<TailRequest>(decoded).from;
        const std::uint64_t from = first.value();
        BlockWithContent content = chain_.at(from);
        const auto& seats = chain_.seats.at(content.block.epoch.value());
        const BlockStatement statement{
            content.block.epoch, content.block.height, content.block.parent, content.digest};
        auto certificate = seats.certify(statement);
        if (lie_ == Lie::WrongBlock) content.block.timestamp.ms += 1;
        if (lie_ == Lie::WrongBatch) {
            auto other = std::make_shared<Batch>(*content.batches[0]);
            other->sequence += 1;
            content.batches[0] = std::move(other);
        }
        if (lie_ == Lie::ForgedCertificate) {
            content.block.timestamp.ms += 1;
            const auto digest = digest_of(kChain, content.block);
            certificate = chain_.seats.back().certify(
                {statement.epoch, statement.height, statement.parent, digest});
        }
        if (lie_ == Lie::TooFewSignatures) certificate = seats.certify(statement, 2);
        append_record(out, encode_block(content, certificate));
        if (lie_ == Lie::Truncated) out.resize(out.size() - 5);
        if (lie_ == Lie::Garbage) out.assign(1000, 0xfe);
        if (lie_ == Lie::Endless)
            for (int i = 0; i < 3; ++i)
                append_record(out, encode_block(chain_.at(from), std::nullopt));
        EXPECT_TRUE(to->write(std::move(out)).has_value());
        to->finish({});
    }

    const FakeChain& chain_;
    Lie lie_;
    log::NullLog log_;
    pool::SimulatedPeers transport_;
    pool::Pool pool_;
    std::vector<std::unique_ptr<interfaces::Responder>> kept_;
};

inline NodeKey key_number(std::uint32_t number) {
    NodeKey key;
    store_be(key.data(), number + 1);
    return key;
}

inline void grow(Disk& disk, std::uint64_t head) {
    disk.head = head;
    for (const auto& [height, certificate] : the_chain().certificates)
        if (height <= head) disk.certificates.emplace(height, certificate);
}

// Node 0 follows; then `sources` honest ones with the chain up to `head`, then the liars.
struct Network {
    std::vector<NodeKey> keys;
    std::vector<Disk> disks;

    Network(World& world, std::uint32_t sources, std::uint64_t head, const std::vector<Lie>& lies) {
        const auto honest = sources + 1;
        const auto count = honest + static_cast<std::uint32_t>(lies.size());
        disks.resize(honest);
        for (std::uint32_t i = 0; i < count; ++i) keys.push_back(key_number(i));
        for (std::uint32_t i = 0; i < count; ++i) {
            if (i > 0 && i < honest) grow(disks[i], head);
            world.add_node([this, i, honest, lies](const Host& host) -> std::unique_ptr<Program> {
                if (i >= honest)
                    return std::make_unique<Liar>(host, keys, the_chain(), lies[i - honest]);
                return std::make_unique<Peer>(host, keys, the_chain(), disks[i]);
            });
        }
        world.connect_all({.latency = Latency::uniform(5ms, 40ms)});
        world.start_all();
    }

    Result<> catches_up(World& world, std::uint64_t head, Duration limit) {
        const auto done = world.run_until_true([&] { return disks[0].head >= head; }, limit);
        for (const Disk& disk : disks)
            if (!disk.broken.empty()) return fail(Errc::Corrupt, disk.broken);
        if (!done)
            return fail(
                Errc::DeadlineExceeded,
                "it is at block " + std::to_string(disks[0].head) + " of " + std::to_string(head));
        return {};
    }
};

inline void run(const Scenario& scenario, std::uint64_t seeds) {
    const auto report =
        run_seeds(scenario, draco::testing::test_seed(1), draco::testing::scaled(seeds));
    EXPECT_TRUE(report.verdict.has_value()) << to_string(report);
}

}  // namespace draco::sync::testing
