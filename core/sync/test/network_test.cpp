// Followers among honest and lying peers, in virtual time: whatever crashes, parts and lies,
// nothing but the certified chain reaches the ledger, and the follower catches up over epochs.

#include "draco/broadcast/gossip.hpp"
#include "draco/pool/pool.hpp"
#include "draco/simulon/scenario.hpp"
#include "draco/sync/sync.hpp"
#include "draco/testing/seed.hpp"

#include "../../pool/test/simulated_peers.hpp"
#include "fake_chain.hpp"

namespace draco::sync {
namespace {

using namespace std::chrono_literals;
using namespace draco::simulon;
using namespace draco::sync::testing;
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
    Peer(const Host& host, const std::vector<NodeKey>& keys, const FakeChain& chain, Disk& disk)
        : transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]),
          registry_(host.executor),
          ledger_(chain, disk, host.executor),
          gossip_(
              broadcast::Gossip::make(pool_, registry_, log_, {.limits = {}, .seed = 3}).value()),
          sync_(Sync::make(kChain, pool_, ledger_, *gossip_, registry_, log_, {}).value()) {}

    FakeLedger& ledger() { return ledger_; }

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
        const auto* range = std::get_if<RangeRequest>(&decoded);
        if (range == nullptr) {
            EXPECT_TRUE(to->write(std::move(out)).has_value());
            to->finish({});
            return;
        }
        if (lie_ == Lie::Stalls) {
            kept_.push_back(std::move(to));
            return;
        }
        const std::uint64_t from = range->from.value();
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

const FakeChain& the_chain() {
    static const FakeChain chain(620);
    return chain;
}

NodeKey key_number(std::uint32_t number) {
    NodeKey key;
    store_be(key.data(), number + 1);
    return key;
}

void grow(Disk& disk, std::uint64_t head) {
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

void run(const Scenario& scenario, std::uint64_t seeds) {
    const auto report =
        run_seeds(scenario, draco::testing::test_seed(1), draco::testing::scaled(seeds));
    EXPECT_TRUE(report.verdict.has_value()) << to_string(report);
}

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
            if (world.counts().events > before + 10)
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
                for (std::uint32_t i = 1; i <= 2; ++i) {
                    auto& ledger = static_cast<Peer&>(world.program(PeerId(i))).ledger();
                    DRACO_TRY_VOID(
                        ledger.append(the_chain().at(height), interfaces::BlockOrigin::Consensus));
                    if (const auto certificate = the_chain().certificate(height))
                        DRACO_TRY_VOID(ledger.certify(*certificate));
                }
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
