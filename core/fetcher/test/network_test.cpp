// Nodes that fetch from honest, lying, slow, dying and damaged ones over simulated links, with real
// stores on simulated disks: what is read is the truth or an error, and what can be got is got.

#include "draco/fetcher/fetcher.hpp"
#include "draco/fetcher/messages.hpp"
#include "draco/pool/pool.hpp"
#include "draco/simulon/scenario.hpp"
#include "draco/testing/seed.hpp"

#include "../../blockstore/test/store_fixture.hpp"
#include "../../pool/test/simulated_peers.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace draco::fetcher {
namespace {

using namespace std::chrono_literals;
using namespace draco::simulon;
using blockstore::made_directory;
using blockstore::made_file;
using interfaces::Content;
using interfaces::Protocol;
using types::ContentHash;
using types::NodeKey;
using Known = blockstore::Content;

constexpr std::size_t kBlock = blake3_tree::kBlockBytes;

NodeKey key_number(std::uint32_t number) {
    NodeKey key;
    store_be(key.data(), number + 1);
    return key;
}

// Who says to have what; the truth of the test.
using Table = std::map<ContentHash, std::vector<NodeKey>>;

class TableProviders final : public interfaces::Providers {
public:
    TableProviders(Executor& executor, Table& table, const NodeKey& self)
        : executor_(executor), table_(table), self_(self) {}

    Result<> provide(const ContentHash& hash) override {
        withdraw(hash);
        table_[hash].push_back(self_);
        return {};
    }

    void withdraw(const ContentHash& hash) override { std::erase(table_[hash], self_); }

    void find(const ContentHash& hash, Instant /*deadline*/, FindCallback callback) override {
        auto found = table_[hash];
        std::erase(found, self_);
        executor_.post([found = std::move(found), callback = std::move(callback)]() mutable {
            if (found.empty()) return callback(fail(Errc::NotFound, "nobody"));
            callback(std::move(found));
        });
    }

    interfaces::ProvidersStatus status() const override { return {}; }

private:
    Executor& executor_;
    Table& table_;
    NodeKey self_;
};

// What one open() led to.
struct Opened {
    std::optional<Result<std::shared_ptr<Content>>> result;

    bool is_done() const { return result.has_value(); }

    bool is_open() const { return result && *result; }

    Content& content() const { return **result.value(); }

    Errc code() const { return result.value().error().code; }
};

struct NodeSetup {
    Options fetcher = {};
    blockstore::Options store = {};
};

class Node final : public Program {
public:
    Node(const Host& host, const std::vector<NodeKey>& keys, Table& table, const NodeSetup& setup)
        : host_(host),
          transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]),
          registry_(host.executor),
          providers_(host.executor, table, keys[host.id.value()]),
          store_(blockstore::open(host.disk, setup.store, log_).value()),
          fetcher_(
              Fetcher::make(pool_, *store_, providers_, registry_, log_, with_sink(setup.fetcher))
                  .value()) {}

    std::shared_ptr<Opened> open(const ContentHash& hash, Duration deadline = 300s) {
        auto opened = std::make_shared<Opened>();
        fetcher_->open(hash, host_.clock.now() + deadline, [opened](auto content) {
            EXPECT_FALSE(opened->result) << "called twice";
            opened->result.emplace(std::move(content));
        });
        return opened;
    }

    void put(const Known& content) {
        EXPECT_TRUE(blockstore::put(*store_, content));
        EXPECT_TRUE(providers_.provide(content.info.hash));
    }

    interfaces::Blockstore& store() { return *store_; }

    Counts counts() const { return fetcher_->counts(); }

    std::map<NodeKey, std::uint64_t> bytes_of;  // of each peer

private:
    Options with_sink(Options options) {
        options.on_bytes_received = [this](const NodeKey& peer, std::uint64_t bytes) {
            bytes_of[peer] += bytes;
        };
        return options;
    }

    Host host_;
    log::NullLog log_;
    pool::SimulatedPeers transport_;
    pool::Pool pool_;
    affair::Registry registry_;
    TableProviders providers_;
    std::unique_ptr<interfaces::Blockstore> store_;
    std::unique_ptr<Fetcher> fetcher_;
};

enum class Lie : std::uint8_t {
    WrongBlock,
    WrongLastBlock,
    WrongTree,
    LongerFile,
    ShorterFile,
    TooManyBlocks,
    TooFewBlocks,
    Garbage,
    Stalls,
    StallsOnBlocks,
    Drops,
    HugeFile,
    OtherDirectory,
    Count
};

// Has the file, and gives something else.
class Liar final : public Program, interfaces::RequestHandler {
public:
    Liar(const Host& host, const std::vector<NodeKey>& keys, const Known& file, Lie lie)
        : file_(file),
          lie_(lie),
          transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]) {
        pool_.set_handler(Protocol::Content, this);
    }

private:
    void on_request(const NodeKey& /*from*/,
                    Bytes request,
                    std::unique_ptr<interfaces::Responder> to) override {
        const auto decoded = decode_request(request).value();
        const auto* blocks = std::get_if<BlocksRequest>(&decoded);
        if (lie_ == Lie::Stalls || (lie_ == Lie::StallsOnBlocks && blocks != nullptr)) {
            kept_.push_back(std::move(to));
            return;
        }
        if (lie_ == Lie::Drops) return;
        auto answer = std::make_shared<Chunks>();
        if (blocks == nullptr) {
            answer_head(*answer);
        } else {
            answer_blocks(*answer, *blocks);
        }
        go_on(std::move(to), std::move(answer));
    }

    using Chunks = std::deque<Bytes>;

    static void go_on(std::shared_ptr<interfaces::Responder> to, std::shared_ptr<Chunks> chunks) {
        while (!chunks->empty()) {
            const auto written = to->write(std::move(chunks->front()));
            if (!written && written.error().code != Errc::Exhausted) return;
            if (!written) {
                auto& responder = *to;
                return responder.on_writable(
                    [to = std::move(to), chunks = std::move(chunks)] { go_on(to, chunks); });
            }
            chunks->pop_front();
        }
        to->finish({});
    }

    void answer_head(Chunks& to) const {
        if (lie_ == Lie::Garbage) return to.push_back(Bytes(1000, 0xfe));
        if (lie_ == Lie::OtherDirectory) {
            to.push_back(bcs::encode(Head{types::ContentKind::Directory, 0, 1}));
            EntriesChunk entries;
            EXPECT_TRUE(entries.try_push_back(blockstore::made_symlink("a", "b")));
            return to.push_back(bcs::encode(entries));
        }
        Head head{.bytes = file_.info.bytes, .leaves = file_.info.leaves};
        Bytes last = to_bytes(file_.block(file_.info.leaves - 1));
        Bytes nodes = encode_nodes(file_.nodes);
        if (lie_ == Lie::HugeFile)
            head = {.bytes = std::uint64_t{1} << 50, .leaves = std::uint64_t{1} << 32};
        if (lie_ == Lie::LongerFile) {
            ++head.bytes;
            last.push_back(0);
        }
        if (lie_ == Lie::ShorterFile) {
            --head.bytes;
            last.pop_back();
        }
        if (lie_ == Lie::WrongLastBlock) last[0] ^= 1U;
        if (lie_ == Lie::WrongTree) nodes[3] ^= 1U;
        to.push_back(bcs::encode(head));
        to.push_back(std::move(nodes));
        to.push_back(std::move(last));
    }

    void answer_blocks(Chunks& to, const BlocksRequest& blocks) const {
        const std::uint64_t count = lie_ == Lie::TooFewBlocks    ? blocks.count - 1
                                    : lie_ == Lie::TooManyBlocks ? blocks.count + 1
                                                                 : blocks.count;
        for (std::uint64_t i = blocks.first; i < blocks.first + count; ++i) {
            Bytes block = to_bytes(file_.block(std::min(i, file_.info.leaves - 1)));
            if (lie_ == Lie::WrongBlock) block[block.size() / 2] ^= 0x80U;
            to.push_back(std::move(block));
        }
    }

    const Known& file_;
    Lie lie_;
    log::NullLog log_;
    pool::SimulatedPeers transport_;
    pool::Pool pool_;
    std::vector<std::unique_ptr<interfaces::Responder>> kept_;
};

// Node 0 fetches; then other nodes, then the liars about `file`.
struct Network {
    World& world;
    Table table;
    std::vector<NodeKey> keys;

    Network(World& in,
            std::uint32_t nodes,
            const NodeSetup& setup = {},
            const Known* file = nullptr,
            const std::vector<Lie>& lies = {},
            const LinkOptions& link = {.latency = Latency::uniform(5ms, 40ms)})
        : world(in) {
        const auto count = nodes + static_cast<std::uint32_t>(lies.size());
        for (std::uint32_t i = 0; i < count; ++i) keys.push_back(key_number(i));
        for (std::uint32_t i = 0; i < count; ++i) {
            if (i >= nodes) table[file->info.hash].push_back(keys[i]);
            world.add_node(
                [this, i, nodes, setup, file, lies](const Host& host) -> std::unique_ptr<Program> {
                    if (i >= nodes)
                        return std::make_unique<Liar>(host, keys, *file, lies[i - nodes]);
                    return std::make_unique<Node>(host, keys, table, i == 0 ? setup : NodeSetup{});
                });
        }
        world.connect_all(link);
        world.start_all();
    }

    Node& node(std::uint32_t number) const {
        return static_cast<Node&>(world.program(PeerId(number)));
    }

    Result<> open(const std::shared_ptr<Opened>& opened, Duration limit = 300s) const {
        DRACO_TRY_VOID(world.run_until_true([&] { return opened->is_done(); }, limit));
        if (!opened->is_open()) return std::unexpected(opened->result->error());
        return {};
    }

    // All of it, read from a handle, and then from the store.
    Result<> gets(std::uint32_t number, const Known& known, Duration limit = 300s) const {
        {
            const auto opened = node(number).open(known.info.hash);
            DRACO_TRY_VOID(open(opened, limit));
            DRACO_TRY_VOID(reads(opened->content(), known, limit));
        }
        DRACO_TRY_VOID(
            world.run_until_true([&] { return node(number).store().has(known.info.hash); }, limit));
        const auto stored = node(number).store().open(known.info.hash);
        if (!stored) return std::unexpected(stored.error());
        if (const auto found = blockstore::difference(**stored, known); !found.empty())
            return fail(Errc::Corrupt, "the store: " + found);
        return {};
    }

    Result<> reads(Content& content, const Known& known, Duration limit) const {
        if (content.info() != known.info) return fail(Errc::Corrupt, "another info");
        if (known.info.kind == types::ContentKind::Directory) {
            const auto entries = content.entries(0, known.entries.size() + 1);
            if (!entries) return std::unexpected(entries.error());
            return *entries == known.entries ? Result<>() : fail(Errc::Corrupt, "other entries");
        }
        for (std::uint64_t i = 0; i < known.info.leaves; ++i) {
            const auto box =
                std::make_shared<std::optional<Result<std::shared_ptr<const Bytes>>>>();
            content.read_block(i, [box](auto read) { box->emplace(std::move(read)); });
            DRACO_TRY_VOID(world.run_until_true([&] { return box->has_value(); }, limit));
            DRACO_TRY(block, **box);
            if (!equal(*block, known.block(i)))
                return fail(Errc::Corrupt, "another block " + std::to_string(i));
        }
        return {};
    }
};

void run(const Scenario& scenario, std::uint64_t seeds = 1) {
    const auto report =
        run_seeds(scenario, draco::testing::test_seed(1), draco::testing::scaled(seeds));
    EXPECT_TRUE(report.verdict.has_value()) << to_string(report);
}

Result<> expect(bool holds, std::string what) {
    return holds ? Result<>() : fail(Errc::Corrupt, std::move(what));
}

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
            std::uint64_t bytes = 0;
            for (const auto& [peer, count] : network.node(0).bytes_of) bytes += count;
            DRACO_TRY_VOID(expect(bytes == counts.bytes_received && bytes >= size, "bytes count"));
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
        const auto& bytes_of = network.node(0).bytes_of;
        DRACO_TRY_VOID(expect(bytes_of.size() == 4, "some were not asked"));
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
    const Known file = made_file(12, 60 * kBlock);
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
