// Tails between simulated nodes: how far a follower is behind the node that it follows, in virtual
// time, along chains of followers, over epochs, and among those who keep blocks back.

#include "simulated_followers.hpp"

namespace draco::sync {
namespace {

using namespace draco::sync::testing;

constexpr Duration kOneWay = 50ms;
constexpr Duration kWork = 10ms;  // ledgers execute in 2 ms

// Says that it is at the head, answers no range, and keeps each tail without a word.
class Miser final : public Program, interfaces::RequestHandler {
public:
    Miser(const Host& host, const std::vector<NodeKey>& keys, std::uint64_t head)
        : head_(head),
          transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]) {
        pool_.set_handler(Protocol::Blocks, this);
    }

private:
    void on_request(const NodeKey& /*from*/,
                    Bytes request,
                    std::unique_ptr<interfaces::Responder> to) override {
        Bytes out;
        append_record(
            out, bcs::encode(Status{Height(1), Height(head_), the_chain().certificate(head_)}));
        EXPECT_TRUE(to->write(std::move(out)).has_value());
        if (std::holds_alternative<StatusRequest>(decode_request(request).value())) {
            to->finish({});
        } else {
            kept_.push_back(std::move(to));
        }
    }

    std::uint64_t head_;
    log::NullLog log_;
    pool::SimulatedPeers transport_;
    pool::Pool pool_;
    std::vector<std::unique_ptr<interfaces::Responder>> kept_;
};

// Honest nodes, all at one height at first, and behind them misers, with lower keys. The source, an
// honest one, makes blocks.
class Field {
public:
    Field(World& world,
          std::uint32_t nodes,
          std::uint32_t source,
          std::uint64_t head,
          std::uint32_t misers = 0)
        : world_(world), disks_(nodes), source_(source), made_(head) {
        for (std::uint32_t i = 0; i < nodes; ++i) keys_.push_back(key_number(misers + i));
        for (std::uint32_t i = 0; i < misers; ++i) keys_.push_back(key_number(i));
        for (Disk& disk : disks_) grow(disk, head);
    }

    void add_nodes(const Options& source_options = {}) {
        for (std::uint32_t i = 0; i < disks_.size(); ++i)
            world_.add_node([this, i, source_options](const Host& host) {
                const Options& options = i == source_ ? source_options : Options{};
                return std::make_unique<Peer>(host, keys_, the_chain(), disks_[i], options);
            });
        for (std::size_t i = disks_.size(); i < keys_.size(); ++i)
            world_.add_node([this, head = made_](const Host& host) {
                return std::make_unique<Miser>(host, keys_, head);
            });
    }

    void connect(std::uint32_t a, std::uint32_t b) {
        world_.connect(PeerId(a), PeerId(b), {.latency = Latency::constant(kOneWay)});
    }

    // Starts all, and has them find each other.
    Result<> settle() {
        world_.start_all();
        return world_.run_for(1s);
    }

    // The next blocks up to a certified one.
    Result<> make() {
        const std::uint64_t from = made_ + 1;
        made_ = the_chain().certificates.upper_bound(made_)->first;
        return static_cast<Peer&>(world_.program(PeerId(source_))).make(from, made_);
    }

    Result<> has(std::uint32_t node, Duration within) {
        const auto has_it = [&] { return disks_[node].head >= made_; };
        const bool done = has_it() || world_.run_until_true(has_it, within);
        if (!disks_[node].broken.empty()) return fail(Errc::Corrupt, disks_[node].broken);
        if (done) return {};
        return fail(Errc::DeadlineExceeded,
                    "node " + std::to_string(node) + " is at " + std::to_string(disks_[node].head) +
                        " of " + std::to_string(made_) + " after " + std::to_string(within / 1ms) +
                        " ms");
    }

    std::uint64_t made() const { return made_; }

private:
    World& world_;
    std::vector<NodeKey> keys_;
    std::vector<Disk> disks_;
    std::uint32_t source_;
    std::uint64_t made_;
};

TEST(TailNetwork, AFollowerIsAOneWayDelayBehind) {
    // Over the end of an epoch too, whatever the pace, and after a rest of an hour.
    run(
        [](World& world) -> Result<> {
            Field field(world, 3, 0, 183);
            field.add_nodes();
            field.connect(0, 1);
            field.connect(0, 2);
            DRACO_TRY_VOID(field.settle());
            for (const Duration pause : {100ms, 0ms, 100ms, 20ms, 100ms, 3'600'000ms, 100ms, 0ms}) {
                DRACO_TRY_VOID(field.make());
                DRACO_TRY_VOID(field.has(1, kOneWay + kWork));
                DRACO_TRY_VOID(field.has(2, Duration{0}));
                DRACO_TRY_VOID(world.run_for(pause));
            }
            return field.made() > kEpochBlocks ? Result<>{}
                                               : fail(Errc::Corrupt, "the epoch has not ended");
        },
        1);
}

TEST(TailNetwork, AChainOfFollowersAddsAOneWayDelayEach) {
    run(
        [](World& world) -> Result<> {
            Field field(world, 4, 0, 30);
            field.add_nodes();
            for (std::uint32_t i = 0; i < 3; ++i) field.connect(i, i + 1);
            DRACO_TRY_VOID(field.settle());
            for (int i = 0; i < 10; ++i) {
                DRACO_TRY_VOID(field.make());
                for (std::uint32_t node = 1; node < 4; ++node)
                    DRACO_TRY_VOID(field.has(node, kOneWay + kWork));
                DRACO_TRY_VOID(world.run_for(100ms));
            }
            return {};
        },
        1);
}

TEST(TailNetwork, TwoThatWaitForEachOtherFindTheSource) {
    // The one in the middle keeps its first tail at the one behind it, which waits for it.
    run(
        [](World& world) -> Result<> {
            Field field(world, 3, 2, 30);
            field.add_nodes();
            field.connect(2, 1);
            field.connect(1, 0);
            DRACO_TRY_VOID(field.settle());
            DRACO_TRY_VOID(field.make());
            DRACO_TRY_VOID(field.has(1, 1s));
            DRACO_TRY_VOID(field.has(0, 1s));
            DRACO_TRY_VOID(world.run_for(10s));
            for (int i = 0; i < 10; ++i) {
                DRACO_TRY_VOID(field.make());
                DRACO_TRY_VOID(field.has(0, 2 * (kOneWay + kWork)));
                DRACO_TRY_VOID(world.run_for(100ms));
            }
            return {};
        },
        1);
}

TEST(TailNetwork, WhoKeepsBlocksBackCostsLittle) {
    // Half a second and a question elsewhere, and then it is not the one that is asked.
    run(
        [](World& world) -> Result<> {
            Field field(world, 2, 0, 30, 3);
            field.add_nodes();
            for (const std::uint32_t peer : {0U, 2U, 3U, 4U}) field.connect(1, peer);
            DRACO_TRY_VOID(field.settle());
            for (int i = 0; i < 3; ++i) {
                DRACO_TRY_VOID(field.make());
                DRACO_TRY_VOID(field.has(1, 500ms + 3 * kOneWay + kWork));
                DRACO_TRY_VOID(world.run_for(200ms));
            }
            for (int i = 0; i < 10; ++i) {
                DRACO_TRY_VOID(field.make());
                DRACO_TRY_VOID(field.has(1, kOneWay + kWork));
                DRACO_TRY_VOID(world.run_for(100ms));
            }
            return {};
        },
        1);
}

TEST(TailNetwork, ASilentLinkCostsLittle) {
    // Messages of the source vanish one way and nobody is told; another one has the blocks.
    run(
        [](World& world) -> Result<> {
            Field field(world, 3, 0, 30);
            field.add_nodes();
            field.connect(0, 1);
            field.connect(0, 2);
            field.connect(1, 2);
            DRACO_TRY_VOID(field.settle());
            DRACO_TRY_VOID(field.make());
            DRACO_TRY_VOID(field.has(2, kOneWay + kWork));
            world.cut(PeerId(0), PeerId(2));
            DRACO_TRY_VOID(field.make());
            DRACO_TRY_VOID(field.has(2, 1s));
            DRACO_TRY_VOID(field.make());
            DRACO_TRY_VOID(field.has(2, 2 * (kOneWay + kWork)));
            DRACO_TRY_VOID(world.run_for(100ms));
            DRACO_TRY_VOID(field.make());
            return field.has(2, 2 * (kOneWay + kWork));
        },
        1);
}

TEST(TailNetwork, OneServesManyWithinItsLimits) {
    // A hundred at once; with room for eight, the others hear by gossip and ask.
    for (const std::size_t tails_max : {std::size_t{192}, std::size_t{8}}) {
        run(
            [tails_max](World& world) -> Result<> {
                constexpr std::uint32_t kFollowers = 100;
                Field field(world, kFollowers + 1, 0, 30);
                field.add_nodes({.serve = {.tails_max = tails_max}});
                for (std::uint32_t i = 1; i <= kFollowers; ++i) field.connect(0, i);
                DRACO_TRY_VOID(field.settle());
                DRACO_TRY_VOID(field.make());
                const bool is_for_all = tails_max >= kFollowers;
                DRACO_TRY_VOID(world.run_for(kOneWay + kWork));
                std::uint32_t have = 0;
                for (std::uint32_t i = 1; i <= kFollowers; ++i)
                    if (field.has(i, Duration{0})) ++have;
                if (have != (is_for_all ? kFollowers : 8U))
                    return fail(Errc::Corrupt, std::to_string(have) + " have it at once");
                for (std::uint32_t i = 1; i <= kFollowers; ++i)
                    DRACO_TRY_VOID(field.has(i, is_for_all ? Duration{0} : Duration{30s}));
                return {};
            },
            1);
    }
}

}  // namespace
}  // namespace draco::sync
