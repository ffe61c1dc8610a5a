#pragma once
// Nodes with real stores on simulated disks that fetch over simulated links, and liars among them.

#include "draco/fetcher/fetcher.hpp"
#include "draco/fetcher/messages.hpp"
#include "draco/pool/pool.hpp"
#include "draco/simulon/scenario.hpp"
#include "draco/testing/seed.hpp"

#include "../../blockstore/test/store_fixture.hpp"
#include "../../pool/test/simulated_peers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace draco::fetcher::testing {

using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers)
using namespace draco::simulon;        // NOLINT(google-global-names-in-headers)
using blockstore::made_directory;
using blockstore::made_file;
using interfaces::Content;
using interfaces::Protocol;
using types::ContentHash;
using types::NodeKey;
using Known = blockstore::Content;

inline constexpr std::size_t kBlock = blake3_tree::kBlockBytes;

inline NodeKey key_number(std::uint32_t number) {
    NodeKey key;
    store_be(key.data(), number + 1);
    return key;
}

// Who says to have what; the truth of the test.
using Table = std::map<ContentHash, std::vector<NodeKey>>;

class TableProviders final : public interfaces::Providers {
public:
    TableProviders(Executor& executor, Table& table, const NodeKey& self, std::size_t provides_max)
        : executor_(executor), table_(table), self_(self), provides_max_(provides_max) {}

    Result<> provide(const ContentHash& hash) override {
        withdraw(hash);
        const auto mine = std::ranges::count_if(table_, [this](const auto& one) {
            return std::ranges::find(one.second, self_) != one.second.end();
        });
        if (static_cast<std::size_t>(mine) >= provides_max_)
            return fail(Errc::Exhausted, "no more records");
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
    std::size_t provides_max_;
};

using interfaces::Asker;
using interfaces::AskerClass;

inline constexpr Asker kOwner{.kind = AskerClass::Owner};

constexpr Asker payer(std::uint64_t number) {
    return {.kind = AskerClass::Payer, .number = number};
}

constexpr Asker stranger(std::uint64_t number) {
    return {.kind = AskerClass::Stranger, .number = number};
}

// What one open() led to.
struct Opened {
    std::optional<Result<std::shared_ptr<Content>>> result;
    interfaces::OpenId id{};

    bool is_done() const { return result.has_value(); }

    bool is_open() const { return result && *result; }

    Content& content() const { return **result.value(); }

    Errc code() const { return result.value().error().code; }
};

struct NodeSetup {
    Options fetcher = {};
    blockstore::Options store = {};
    std::size_t provides_max = 32'768;
};

class Node final : public Program {
public:
    Node(const Host& host, const std::vector<NodeKey>& keys, Table& table, const NodeSetup& setup)
        : host_(host),
          transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]),
          registry_(host.executor),
          providers_(host.executor, table, keys[host.id.value()], setup.provides_max),
          store_(blockstore::open(host.disk, setup.store, log_).value()),
          fetcher_(
              Fetcher::make(pool_, *store_, providers_, registry_, log_, with_sink(setup.fetcher))
                  .value()) {}

    std::shared_ptr<Opened> open(const ContentHash& hash,
                                 Duration deadline = 300s,
                                 const Asker& asker = kOwner) {
        auto opened = std::make_shared<Opened>();
        opened->id =
            fetcher_->open_for(asker, hash, host_.clock.now() + deadline, [opened](auto content) {
                EXPECT_FALSE(opened->result) << "called twice";
                opened->result.emplace(std::move(content));
            });
        return opened;
    }

    void cancel(const Opened& opened) { fetcher_->cancel(opened.id); }

    void put(const Known& content) {
        EXPECT_TRUE(blockstore::put(*store_, content));
        EXPECT_TRUE(providers_.provide(content.info.hash));
    }

    interfaces::Blockstore& store() { return *store_; }

    Counts counts() const { return fetcher_->counts(); }

    std::map<NodeKey, std::uint64_t> sold_of;  // bytes of each peer

private:
    Options with_sink(Options options) {
        options.on_bytes_sold = [this](const NodeKey& peer, std::uint64_t bytes) {
            sold_of[peer] += bytes;
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

    // All of it, read by a payer, and then from the store.
    Result<> gets(std::uint32_t number, const Known& known, Duration limit = 300s) const {
        {
            const auto opened = node(number).open(known.info.hash, limit, payer(1));
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

inline void run(const Scenario& scenario, std::uint64_t seeds = 1) {
    const auto report =
        run_seeds(scenario, draco::testing::test_seed(1), draco::testing::scaled(seeds));
    EXPECT_TRUE(report.verdict.has_value()) << to_string(report);
}

inline Result<> expect(bool holds, std::string what) {
    return holds ? Result<>() : fail(Errc::Corrupt, std::move(what));
}

}  // namespace draco::fetcher::testing
