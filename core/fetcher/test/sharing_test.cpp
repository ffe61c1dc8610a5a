// Who gets what of a node that many ask: places of one class are not for another, who leaves gives
// its place back, a download comes as far as it is read, peers are named for what is sold, and an
// answer that nobody takes ends.
#include "fetch_network.hpp"

namespace draco::fetcher {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the vocabulary of the tests

// A file that only the stalling peer of `network` is said to have.
ContentHash stalled(Network& network, std::uint64_t seed) {
    const ContentHash hash = made_file(1000 + seed, 9).info.hash;
    network.table[hash] = {network.keys.back()};
    return hash;
}

struct Read {
    std::optional<Result<std::shared_ptr<const Bytes>>> result;

    bool is_done() const { return result.has_value(); }

    bool is_good() const { return result && *result; }

    Errc code() const { return result.value().error().code; }
};

std::shared_ptr<Read> read(Content& content, std::uint64_t index) {
    auto read = std::make_shared<Read>();
    content.read_block(index, [read](auto block) {
        EXPECT_FALSE(read->result) << "called twice";
        read->result.emplace(std::move(block));
    });
    return read;
}

std::uint64_t sum(const std::map<NodeKey, std::uint64_t>& sold) {
    std::uint64_t all = 0;
    for (const auto& [peer, bytes] : sold) all += bytes;
    return all;
}

TEST(FetchSharing, StrangersTakeNoPlacesOfThoseWhoPay) {
    const Known file = made_file(1, 3 * kBlock);
    run([&](World& world) -> Result<> {
        NodeSetup setup;
        setup.fetcher.downloads = {.owner = 1, .payers = 1, .strangers = 2, .one_max = 1};
        setup.fetcher.heads_max = 2;
        setup.fetcher.heads_strangers_max = 1;
        Network network(world, 2, setup, &file, {Lie::Stalls});
        network.table.clear();
        network.node(1).put(file);
        auto& node = network.node(0);
        const auto first = node.open(stalled(network, 1), 300s, stranger(1));
        DRACO_TRY_VOID(world.run_for(1s));
        const auto greedy = node.open(stalled(network, 2), 300s, stranger(1));
        const auto second = node.open(stalled(network, 3), 300s, stranger(2));
        DRACO_TRY_VOID(world.run_for(1s));
        DRACO_TRY_VOID(expect(greedy->is_done() && greedy->code() == Errc::Exhausted,
                              "one stranger has two places"));
        DRACO_TRY_VOID(expect(!first->is_done() && !second->is_done(), "strangers have no place"));
        const auto third = node.open(stalled(network, 4), 300s, stranger(3));
        DRACO_TRY_VOID(world.run_for(1s));
        DRACO_TRY_VOID(expect(third->is_done() && third->code() == Errc::Exhausted,
                              "strangers have a place too many"));
        DRACO_TRY_VOID(network.gets(0, file, 5s));
        return expect(!first->is_done() && !second->is_done(), "the strangers left");
    });
}

TEST(FetchSharing, CallsThatWaitAreBoundedForEachClassAndEachOfThem) {
    const Known file = made_file(1, 3 * kBlock);
    run([&](World& world) -> Result<> {
        NodeSetup setup;
        setup.fetcher.opens = {.owner = 1, .payers = 1, .strangers = 2, .one_max = 1};
        Network network(world, 2, setup, &file, {Lie::Stalls});
        auto& node = network.node(0);
        const ContentHash hash = stalled(network, 1);
        const auto first = node.open(hash, 300s, stranger(1));
        const auto greedy = node.open(hash, 300s, stranger(1));
        const auto second = node.open(hash, 300s, stranger(2));
        const auto third = node.open(hash, 300s, stranger(3));
        const auto paid = node.open(hash, 300s, payer(1));
        const auto own = node.open(hash, 2s, kOwner);
        const auto own_too = node.open(hash, 300s, kOwner);
        for (const auto& one : {greedy, third, own_too})
            DRACO_TRY_VOID(
                expect(one->is_done() && one->code() == Errc::Exhausted, "a place too many"));
        DRACO_TRY_VOID(world.run_for(3s));
        for (const auto& one : {first, second, paid})
            DRACO_TRY_VOID(expect(!one->is_done(), "a place too few"));
        DRACO_TRY_VOID(expect(own->is_done() && own->code() == Errc::DeadlineExceeded, "the own"));
        const auto again = node.open(hash, 300s, kOwner);
        return expect(!again->is_done(), "the place was not given back");
    });
}

TEST(FetchSharing, ACallThatIsTakenBackGivesItsPlaceBackAtOnce) {
    const Known file = made_file(1, 3 * kBlock);
    run([&](World& world) -> Result<> {
        NodeSetup setup;
        setup.fetcher.opens = {.owner = 1, .payers = 1, .strangers = 2, .one_max = 1};
        Network network(world, 2, setup, &file, {Lie::Stalls});
        network.table.clear();
        auto& node = network.node(0);
        const ContentHash hash = stalled(network, 1);
        const auto gone = node.open(hash, 300s, stranger(1));
        const auto stays = node.open(hash, 300s, stranger(2));
        DRACO_TRY_VOID(world.run_for(1s));
        DRACO_TRY_VOID(expect(!gone->is_done() && !stays->is_done(), "they do not wait"));
        node.cancel(*gone);
        DRACO_TRY_VOID(expect(!gone->is_done(), "answered by the cancelling call"));
        // Without a step of the world.
        const auto next = node.open(hash, 300s, stranger(1));
        DRACO_TRY_VOID(expect(!next->is_done(), "the place is not free"));
        DRACO_TRY_VOID(world.run_for(100ms));
        DRACO_TRY_VOID(expect(gone->is_done() && gone->code() == Errc::Abandoned, "it waits on"));
        DRACO_TRY_VOID(expect(node.counts().running == 1, "what others wait for is dropped"));
        node.cancel(*gone);  // again
        node.cancel(*next);
        node.cancel(*stays);
        DRACO_TRY_VOID(world.run_for(100ms));
        DRACO_TRY_VOID(expect(next->is_done() && stays->is_done(), "they wait on"));
        DRACO_TRY_VOID(expect(node.counts().running == 0, "it comes, and nobody waits for it"));
        // What is answered cannot be taken back, and is taken out of no place.
        network.node(1).put(file);
        const auto own = node.open(file.info.hash);
        DRACO_TRY_VOID(network.open(own));
        node.cancel(*own);
        const auto own_too = node.open(file.info.hash, 300s);
        DRACO_TRY_VOID(expect(own_too->is_done() && own_too->code() == Errc::Exhausted,
                              "a reader's place was given back"));
        return network.reads(own->content(), file, 10s);
    });
}

// Whichever of its stages the call is in: before the store is asked, while it is, and after. It is
// answered once, nothing comes for it, and no place is lost.
TEST(FetchSharing, ACallIsTakenBackAtAnyTime) {
    const Known here = made_file(1, 3 * kBlock);
    const Known away = made_file(2, 3 * kBlock);
    for (const Duration after : {0ns, 1ns, 20'000ns, 200'000ns, 1'000'000ns, 20'000'000ns})
        run([&](World& world) -> Result<> {
            NodeSetup setup;
            setup.fetcher.disk_tasks_max = 1;
            setup.fetcher.opens = {.owner = 0, .payers = 2, .strangers = 0, .one_max = 2};
            Network network(world, 2, setup);
            network.node(0).put(here);
            network.node(1).put(away);
            auto& node = network.node(0);
            const std::vector calls{node.open(here.info.hash, 300s, payer(1)),
                                    node.open(away.info.hash, 300s, payer(1))};
            if (after > 0ns) DRACO_TRY_VOID(world.run_for(after));
            const std::vector was_done{calls[0]->is_done(), calls[1]->is_done()};
            for (const auto& call : calls) node.cancel(*call);
            DRACO_TRY_VOID(world.run_for(1s));
            for (std::size_t i = 0; i < calls.size(); ++i) {
                DRACO_TRY_VOID(expect(calls[i]->is_done(), "it is not answered"));
                DRACO_TRY_VOID(expect(
                    was_done[i] || (!calls[i]->is_open() && calls[i]->code() == Errc::Abandoned),
                    "it is opened all the same"));
                calls[i]->result.reset();
            }
            DRACO_TRY_VOID(world.run_for(60s));
            DRACO_TRY_VOID(expect(node.counts().running == 0, "it comes all the same"));
            if (after == 0ns)
                DRACO_TRY_VOID(expect(node.counts().bytes_received == 0, "its head was fetched"));
            const auto first = node.open(stalled(network, 1), 300s, payer(1));
            const auto second = node.open(stalled(network, 2), 300s, payer(1));
            return expect(!first->is_done() && !second->is_done(), "a place is lost");
        });
}

TEST(FetchSharing, AReaderThatLeavesGivesItsPlaceBackAtOnce) {
    const Known file = made_file(1, 9 * kBlock);
    run([&](World& world) -> Result<> {
        NodeSetup setup;
        setup.fetcher.reads = {.owner = 1, .payers = 1, .strangers = 1, .one_max = 1};
        Network network(world, 1, setup, &file, {Lie::StallsOnBlocks});
        auto& node = network.node(0);
        const auto first = node.open(file.info.hash, 300s, stranger(1));
        const auto second = node.open(file.info.hash, 300s, stranger(2));
        DRACO_TRY_VOID(network.open(first));
        DRACO_TRY_VOID(network.open(second));
        const auto waiting = read(first->content(), 0);
        const auto refused = read(second->content(), 1);
        DRACO_TRY_VOID(expect(refused->is_done() && refused->code() == Errc::Exhausted,
                              "strangers have a place too many"));
        const auto paid = node.open(file.info.hash, 300s, payer(1));
        DRACO_TRY_VOID(network.open(paid));
        const auto paid_read = read(paid->content(), 2);
        DRACO_TRY_VOID(world.run_for(1s));
        DRACO_TRY_VOID(expect(!waiting->is_done() && !paid_read->is_done(), "they do not wait"));
        DRACO_TRY_VOID(expect(node.counts().reads_waiting == 2, "others wait"));
        first->result.reset();
        // Without a step of the world.
        const auto accepted = read(second->content(), 1);
        DRACO_TRY_VOID(expect(!accepted->is_done(), "the place is not free"));
        DRACO_TRY_VOID(world.run_for(100ms));
        DRACO_TRY_VOID(
            expect(waiting->is_done() && waiting->code() == Errc::Abandoned, "it waits on"));
        return expect(node.counts().reads_waiting == 2, "what nobody reads still waits");
    });
}

// What waits for the disk, too: nothing of it is done for who has left.
TEST(FetchSharing, ReadsThatHaveNotBegunAreTakenBack) {
    const Known file = made_file(1, 30 * kBlock);
    run([&](World& world) -> Result<> {
        NodeSetup setup;
        setup.fetcher.disk_tasks_max = 1;
        Network network(world, 1, setup);
        network.node(0).put(file);
        const auto opened = network.node(0).open(file.info.hash, 300s, stranger(1));
        DRACO_TRY_VOID(network.open(opened));
        std::vector<std::shared_ptr<Read>> reads;
        for (std::uint64_t i = 0; i < 30; ++i) reads.push_back(read(opened->content(), i));
        opened->result.reset();
        DRACO_TRY_VOID(world.run_for(1s));
        for (const auto& one : reads)
            DRACO_TRY_VOID(expect(one->is_done() && one->code() == Errc::Abandoned, "it was read"));
        return {};
    });
}

TEST(FetchSharing, ASlowReaderMakesTheNodeFetchLittle) {
    const Known file = made_file(1, 60 * kBlock);
    run([&](World& world) -> Result<> {
        NodeSetup setup;
        setup.fetcher.limits.read_ahead_blocks = 8;
        Network network(world, 2, setup);
        network.node(1).put(file);
        auto& node = network.node(0);
        const auto opened = node.open(file.info.hash, 300s, payer(1));
        DRACO_TRY_VOID(network.open(opened));
        DRACO_TRY_VOID(world.run_for(100s));
        DRACO_TRY_VOID(expect(node.counts().blocks_received == 0, "it fetches for nobody"));
        for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{20}, std::uint64_t{22}}) {
            const auto box = read(opened->content(), index);
            DRACO_TRY_VOID(world.run_until_true([&] { return box->is_done(); }, 10s));
            DRACO_TRY_VOID(expect(box->is_good(), "not read"));
            DRACO_TRY_VOID(world.run_for(100s));
        }
        // Eight from 0 on, and eight from 20 on, then two more.
        DRACO_TRY_VOID(expect(node.counts().blocks_received == 18, "too much or too little"));
        DRACO_TRY_VOID(expect(node.counts().running == 1, "it is over"));
        // An owner has all of it, without reading.
        const auto own = node.open(file.info.hash);
        DRACO_TRY_VOID(network.open(own));
        DRACO_TRY_VOID(
            world.run_until_true([&] { return node.store().has(file.info.hash); }, 100s));
        return network.reads(opened->content(), file, 10s);
    });
}

TEST(FetchSharing, AnotherReaderComesInTimeAndNothingIsFetchedTwice) {
    const Known file = made_file(1, 60 * kBlock);
    run([&](World& world) -> Result<> {
        NodeSetup setup;
        setup.fetcher.limits.read_ahead_blocks = 8;
        Network network(world, 2, setup);
        network.node(1).put(file);
        auto& node = network.node(0);
        for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{3}}) {
            const auto opened = node.open(file.info.hash, 300s, stranger(index));
            DRACO_TRY_VOID(network.open(opened));
            const auto box = read(opened->content(), index);
            DRACO_TRY_VOID(world.run_until_true([&] { return box->is_done(); }, 10s));
            opened->result.reset();
            DRACO_TRY_VOID(world.run_for(5s));
            DRACO_TRY_VOID(expect(node.counts().running == 1, "it is dropped too soon"));
        }
        DRACO_TRY_VOID(network.gets(0, file));
        const auto counts = node.counts();
        return expect(counts.completed == 1 && counts.dropped == 0 && counts.blocks_received == 59,
                      "it was fetched anew");
    });
}

TEST(FetchSharing, WhatNobodyHoldsGivesWay) {
    const Known file = made_file(1, 60 * kBlock);
    const Known other = made_file(2, 60 * kBlock);
    run([&](World& world) -> Result<> {
        NodeSetup setup;
        setup.fetcher.limits.read_ahead_blocks = 8;
        setup.fetcher.downloads = {.owner = 1, .payers = 1, .strangers = 1, .one_max = 1};
        Network network(world, 2, setup);
        network.node(1).put(file);
        network.node(1).put(other);
        auto& node = network.node(0);
        auto opened = node.open(file.info.hash, 300s, stranger(1));
        DRACO_TRY_VOID(network.open(opened));
        opened->result.reset();
        DRACO_TRY_VOID(world.run_for(1s));
        DRACO_TRY_VOID(expect(node.counts().running == 1, "it is dropped at once"));
        opened = node.open(other.info.hash, 300s, stranger(2));
        DRACO_TRY_VOID(network.open(opened));
        return expect(node.counts().dropped == 1, "it has its place still");
    });
}

// A stranger that joins what a payer began does not keep the payers' place.
TEST(FetchSharing, APlaceOfThoseWhoPayIsFreeWhenTheyLeave) {
    const Known file = made_file(1, 60 * kBlock);
    const Known other = made_file(2, 60 * kBlock);
    const Known third = made_file(3, 60 * kBlock);
    run([&](World& world) -> Result<> {
        NodeSetup setup;
        setup.fetcher.limits.read_ahead_blocks = 8;
        setup.fetcher.downloads = {.owner = 1, .payers = 1, .strangers = 1, .one_max = 1};
        Network network(world, 2, setup);
        for (const Known* known : {&file, &other, &third}) network.node(1).put(*known);
        auto& node = network.node(0);
        const auto strange = node.open(file.info.hash, 300s, stranger(1));
        const auto paid = node.open(other.info.hash, 300s, payer(1));
        DRACO_TRY_VOID(network.open(strange));
        DRACO_TRY_VOID(network.open(paid));
        const auto joined = node.open(other.info.hash, 300s, stranger(2));
        DRACO_TRY_VOID(network.open(joined));
        const auto refused = node.open(third.info.hash, 300s, payer(2));
        DRACO_TRY_VOID(world.run_until_true([&] { return refused->is_done(); }, 10s));
        DRACO_TRY_VOID(expect(refused->code() == Errc::Exhausted, "payers have a place too many"));
        paid->result.reset();
        DRACO_TRY_VOID(world.run_for(1s));
        const auto paid_too = node.open(third.info.hash, 300s, payer(2));
        DRACO_TRY_VOID(network.open(paid_too));
        DRACO_TRY_VOID(expect(node.counts().running == 2, "a stranger has two places"));
        return expect(paid_too->is_open(), "the place is a stranger's now");
    });
}

TEST(FetchSharing, APeerIsNamedOnceForWhatIsSoldOfWhatItSent) {
    const Known file = made_file(1, 12 * kBlock + 7);
    run([&](World& world) -> Result<> {
        Network network(world, 3);
        network.node(1).put(file);
        network.node(2).put(file);
        auto& node = network.node(0);
        for (const Asker& asker : {stranger(1), kOwner}) {
            const auto opened = node.open(file.info.hash, 300s, asker);
            DRACO_TRY_VOID(network.open(opened));
            DRACO_TRY_VOID(network.reads(opened->content(), file, 10s));
        }
        DRACO_TRY_VOID(world.run_until_true([&] { return node.store().has(file.info.hash); }, 10s));
        DRACO_TRY_VOID(expect(node.sold_of.empty(), "named for what nobody paid"));
        const auto opened = node.open(file.info.hash, 300s, payer(1));
        DRACO_TRY_VOID(network.open(opened));
        for (const std::uint64_t index : {std::uint64_t{3}, std::uint64_t{12}}) {
            const auto box = read(opened->content(), index);
            DRACO_TRY_VOID(world.run_until_true([&] { return box->is_good(); }, 10s));
        }
        DRACO_TRY_VOID(expect(sum(node.sold_of) == kBlock + 7, "not for what was sold"));
        for (const std::uint64_t again : {payer(1).number.value(), payer(2).number.value()}) {
            const auto reader = node.open(file.info.hash, 300s, payer(again));
            DRACO_TRY_VOID(network.open(reader));
            DRACO_TRY_VOID(network.reads(reader->content(), file, 10s));
        }
        return expect(sum(node.sold_of) == file.info.bytes, "not once for each byte");
    });
}

// Asks a node for blocks, and takes as much as it is told to.
class Taker final : public Program {
public:
    Taker(const Host& host, const std::vector<NodeKey>& keys)
        : host_(host),
          transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]) {}

    std::shared_ptr<std::optional<Result<>>> ask(const NodeKey& of,
                                                 const ContentHash& hash,
                                                 std::uint32_t count) {
        auto outcome = std::make_shared<std::optional<Result<>>>();
        EXPECT_TRUE(pool_.request(of,
                                  Protocol::Content,
                                  bcs::encode(Request(BlocksRequest{hash, 0, count})),
                                  {.deadline = host_.clock.now() + 3600s,
                                   .credit_bytes = 2 * interfaces::kResponseChunkBytesMax},
                                  std::make_unique<Receiver>(outcome)));
        return outcome;
    }

private:
    class Receiver final : public interfaces::ResponseReceiver {
    public:
        explicit Receiver(std::shared_ptr<std::optional<Result<>>> outcome)
            : outcome_(std::move(outcome)) {}

        void on_chunk(Bytes /*chunk*/) override {}

        void on_end(Result<> outcome) override { outcome_->emplace(std::move(outcome)); }

    private:
        std::shared_ptr<std::optional<Result<>>> outcome_;
    };

    Host host_;
    log::NullLog log_;
    pool::SimulatedPeers transport_;
    pool::Pool pool_;
};

TEST(FetchSharing, AnAnswerThatIsNotTakenGivesItsPlaceBack) {
    const Known file = made_file(1, 9 * kBlock);
    run([&](World& world) -> Result<> {
        Table table;
        const std::vector<NodeKey> keys{key_number(0), key_number(1)};
        NodeSetup setup;
        setup.fetcher.serve.serves_per_peer_max = 1;
        world.add_node([&](const Host& host) -> std::unique_ptr<Program> {
            return std::make_unique<Node>(host, keys, table, setup);
        });
        world.add_node([&](const Host& host) -> std::unique_ptr<Program> {
            return std::make_unique<Taker>(host, keys);
        });
        world.connect_all({});
        world.start_all();
        DRACO_TRY_VOID(world.run_for(5s));
        auto& node = static_cast<Node&>(world.program(PeerId(0)));
        auto& taker = static_cast<Taker&>(world.program(PeerId(1)));
        node.put(file);
        const auto stuck = taker.ask(keys[0], file.info.hash, 9);
        DRACO_TRY_VOID(world.run_for(1s));
        const auto refused = taker.ask(keys[0], file.info.hash, 1);
        DRACO_TRY_VOID(world.run_until_true([&] { return refused->has_value(); }, 10s));
        DRACO_TRY_VOID(expect(!**refused && (**refused).error().code == Errc::Exhausted,
                              "a peer has a place too many"));
        DRACO_TRY_VOID(expect(!stuck->has_value(), "it is over too soon"));
        DRACO_TRY_VOID(world.run_for(31s));
        DRACO_TRY_VOID(expect(stuck->has_value() && !**stuck, "it goes on for nobody"));
        const auto served = taker.ask(keys[0], file.info.hash, 1);
        DRACO_TRY_VOID(world.run_until_true([&] { return served->has_value(); }, 10s));
        DRACO_TRY_VOID(expect((**served).has_value(), "the place was not given back"));
        return expect(node.counts().answers_stalled == 1, "it is not counted");
    });
}

// Though strangers' objects come first in the order of the store.
TEST(FetchSharing, WhatIsPinnedIsProvidedBeforeWhatIsNot) {
    std::vector<Known> files;
    for (std::uint64_t seed = 0; seed < 6; ++seed) files.push_back(made_file(seed, 9 + seed));
    std::ranges::sort(files, {}, [](const Known& known) { return known.info.hash; });
    run([&](World& world) -> Result<> {
        NodeSetup setup;
        setup.provides_max = 2;
        Network network(world, 1, setup);
        for (const Known& file : files)
            DRACO_TRY_VOID(blockstore::put(network.node(0).store(), file));
        for (const std::size_t pinned : {std::size_t{3}, std::size_t{5}})
            DRACO_TRY_VOID(network.node(0).store().pin(files[pinned].info.hash));
        DRACO_TRY_VOID(world.run_for(1s));
        network.table.clear();
        world.crash(PeerId(0));
        world.start(PeerId(0));
        DRACO_TRY_VOID(world.run_for(1s));
        for (std::size_t i = 0; i < files.size(); ++i)
            DRACO_TRY_VOID(expect(!network.table[files[i].info.hash].empty() == (i == 3 || i == 5),
                                  "strangers' content is provided first"));
        return {};
    });
}

// Of one object it has the true head, of another one false blocks. It answers once it was asked for
// both: first the false block, then the head, so that it is known for a liar while the head is on
// its way to the store.
class TwoFaced final : public Program, interfaces::RequestHandler {
public:
    TwoFaced(const Host& host,
             const std::vector<NodeKey>& keys,
             const Known& shown,
             const Known& forged)
        : shown_(shown),
          forged_(forged),
          transport_(host, keys),
          pool_(transport_, host.executor, host.rng, log_, keys[host.id.value()]) {
        pool_.set_handler(Protocol::Content, this);
    }

    bool has_answered = false;

private:
    void on_request(const NodeKey& /*from*/,
                    Bytes request,
                    std::unique_ptr<interfaces::Responder> to) override {
        const auto decoded = decode_request(request).value();
        const auto* head = std::get_if<HeadRequest>(&decoded);
        if (head != nullptr && head->hash == forged_.info.hash) return send_head(*to, forged_);
        if (head != nullptr) {
            head_ = std::move(to);
        } else {
            blocks_.push_back(std::move(to));
        }
        if (!head_ || blocks_.empty() || has_answered) return;
        has_answered = true;
        EXPECT_TRUE(blocks_.front()->write(Bytes(kBlock, 7)));
        send_head(*head_, shown_);
    }

    static void send_head(interfaces::Responder& to, const Known& known) {
        EXPECT_TRUE(
            to.write(bcs::encode(Head{.bytes = known.info.bytes, .leaves = known.info.leaves})));
        EXPECT_TRUE(to.write(encode_nodes(known.nodes)));
        EXPECT_TRUE(to.write(to_bytes(known.block(known.info.leaves - 1))));
        to.finish({});
    }

    const Known& shown_;
    const Known& forged_;
    log::NullLog log_;
    pool::SimulatedPeers transport_;
    pool::Pool pool_;
    std::unique_ptr<interfaces::Responder> head_;
    std::vector<std::unique_ptr<interfaces::Responder>> blocks_;
};

TEST(FetchSharing, AHeadThatIsJudgedWhenItsSenderIsALiarAlreadyOpensNothing) {
    const Known shown = made_file(1, 3 * kBlock);
    const Known forged = made_file(2, 3 * kBlock);
    run([&](World& world) -> Result<> {
        Table table;
        const std::vector<NodeKey> keys{key_number(0), key_number(1), key_number(2)};
        for (std::uint32_t i = 0; i < 2; ++i)
            world.add_node([&](const Host& host) -> std::unique_ptr<Program> {
                return std::make_unique<Node>(host, keys, table, NodeSetup{});
            });
        world.add_node([&](const Host& host) -> std::unique_ptr<Program> {
            return std::make_unique<TwoFaced>(host, keys, shown, forged);
        });
        world.connect_all({.latency = Latency::constant(10ms)});
        world.start_all();
        DRACO_TRY_VOID(world.run_for(5s));
        auto& node = static_cast<Node&>(world.program(PeerId(0)));
        auto& other = static_cast<Node&>(world.program(PeerId(1)));
        const auto& liar = static_cast<const TwoFaced&>(world.program(PeerId(2)));
        table[forged.info.hash] = table[shown.info.hash] = {keys[2]};
        const auto opened_forged = node.open(forged.info.hash);
        const auto opened_shown = node.open(shown.info.hash);
        // Who could open it all the same, later.
        other.put(shown);
        DRACO_TRY_VOID(world.run_until_true([&] { return liar.has_answered; }, 10s));
        DRACO_TRY_VOID(world.run_until_true([&] { return node.counts().liars == 1; }, 10s));
        DRACO_TRY_VOID(world.run_for(1ms));
        // A verdict that comes for an ask that was dropped finds no download that it could open.
        DRACO_TRY_VOID(expect(!opened_shown->is_open(), "a head of a known liar has opened it"));
        DRACO_TRY_VOID(world.run_until_true([&] { return opened_shown->is_done(); }, 300s));
        const auto again = node.open(shown.info.hash);
        DRACO_TRY_VOID(world.run_until_true([&] { return again->is_done(); }, 300s));
        DRACO_TRY_VOID(expect(again->is_open(), "not from the other one"));
        const auto box = read(again->content(), 0);
        DRACO_TRY_VOID(world.run_until_true([&] { return box->is_done(); }, 100s));
        return expect(box->is_good(), "not read");
    });
}

}  // namespace
}  // namespace draco::fetcher
