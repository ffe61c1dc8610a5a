// Sessions over real TLS connections: what is asked for arrives verified, what arrives on a lane is
// acknowledged, and the errors say why not.

#include "node_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>

namespace draco::client {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kBlock = blake3_tree::kBlockBytes;

template <class T>
Errc code_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? Errc::Io : result.error().code;
}

// Files of every shape arrive whole in a free session, block after block; one session serves many.
TEST(FreeSession, FilesArriveWhole) {
    TestNode node(1);
    const auto client = start_client();
    const auto session = client->connect(node.address());
    ASSERT_TRUE(session) << to_string(session.error());
    EXPECT_EQ((*session)->node(), node.key());
    EXPECT_FALSE((*session)->standing());
    for (const std::size_t size : {std::size_t{0},
                                   std::size_t{1},
                                   kBlock - 1,
                                   kBlock,
                                   kBlock + 1,
                                   3 * kBlock + 77,
                                   20 * kBlock}) {
        const Bytes bytes = random_bytes(size, static_cast<std::uint32_t>(size));
        const auto hash = node.source.add_file(bytes);
        CollectingSink sink;
        const auto got = (*session)->get(hash, sink);
        ASSERT_TRUE(got) << size << ": " << to_string(got.error());
        EXPECT_EQ(sink.bytes, bytes);
        EXPECT_EQ(got->bytes, size);
        EXPECT_EQ(got->blocks, blake3_tree::block_count(size));
    }
    EXPECT_EQ(node.server().counters().violations, 0);
}

// A node whose key is not known in advance says who it is; one with another key than expected gets
// nothing.
TEST(FreeSession, TheKeyIsReportedOrDemanded) {
    TestNode node(1);
    const auto client = start_client();
    NodeAddress address = node.address();
    address.key.reset();
    const auto anybody = client->connect(address);
    ASSERT_TRUE(anybody);
    EXPECT_EQ((*anybody)->node(), node.key());
    address.key = TestNode(2).key();
    EXPECT_EQ(code_of(client->connect(address)), Errc::Unauthenticated);
}

// What is not there, is no file, or is of another chain, is an error with a name; the session goes
// on where it can.
TEST(FreeSession, ErrorsHaveNames) {
    TestNode node(1);
    const auto client = start_client();
    const auto session = client->connect(node.address()).value();
    CollectingSink sink;
    EXPECT_EQ(code_of(session->get(types::ContentHash(), sink)), Errc::NotFound);
    const Bytes bytes = random_bytes(1000, 1);
    const auto hash = node.source.add_file(bytes);
    ASSERT_TRUE(session->get(hash, sink));
    EXPECT_EQ(sink.bytes, bytes);
    const auto directory = node.source.add_directory({});
    CollectingSink other;
    EXPECT_EQ(code_of(client->connect(node.address()).value()->get(directory, other)),
              Errc::InvalidArgument);
    EXPECT_EQ(
        code_of(client->connect(node.address()).value()->get(hash, other, {.first_block = 5})),
        Errc::InvalidArgument);
    const auto stranger = Client::start({.chain = types::ChainId(1)}).value();
    const auto refused = stranger->connect(node.address());
    EXPECT_EQ(code_of(refused), Errc::InvalidArgument);
    EXPECT_THAT(refused.error().context, HasSubstr("chain 31337"));
}

// A transfer may begin anywhere, and ends with the sink's own error when that fails; then the
// session is still good.
TEST(FreeSession, BeginsAtABlockAndEndsWithTheSink) {
    TestNode node(1);
    const auto client = start_client();
    const auto session = client->connect(node.address()).value();
    const Bytes bytes = random_bytes(12 * kBlock + 5, 3);
    const auto hash = node.source.add_file(bytes);
    CollectingSink sink;
    sink.next = 9;
    ASSERT_TRUE(session->get(hash, sink, {.first_block = 9}));
    EXPECT_TRUE(equal(sink.bytes, ByteView(bytes).subspan(9 * kBlock)));
    CollectingSink full;
    full.fail_at = 2;
    const auto failed = session->get(hash, full);
    EXPECT_EQ(code_of(failed), Errc::Io);
    CollectingSink again;
    ASSERT_TRUE(session->get(hash, again));
    EXPECT_EQ(again.bytes, bytes);
}

// What a sink has from a transfer before is checked, and only the rest is fetched: up to the first
// block that is not right.
TEST(FreeSession, WhatTheSinkHasIsNotFetched) {
    struct ResumingSink final : Sink {
        Result<bool> has(std::uint64_t index,
                         const std::function<bool(ByteView block)>& verifies) override {
            const std::size_t begin = std::min<std::size_t>(index * kBlock, old.size());
            const bool is_right =
                verifies(ByteView(old).subspan(begin, std::min(kBlock, old.size() - begin)));
            if (is_right) kept = index + 1;
            return is_right;
        }

        Result<> write(std::uint64_t index, ByteView block) override {
            EXPECT_EQ(index, kept + written);
            ++written;
            append(bytes, block);
            return {};
        }

        Bytes old;
        std::uint64_t kept = 0;
        std::uint64_t written = 0;
        Bytes bytes;
    };

    TestNode node(1);
    const auto client = start_client();
    const Bytes bytes = random_bytes(12 * kBlock + 5, 4);
    const auto hash = node.source.add_file(bytes);
    const NodeAddress addresses[] = {node.address()};
    for (const std::uint64_t right : std::array<std::uint64_t, 5>{0, 1, 7, 12, 13}) {
        ResumingSink sink;
        sink.old = bytes;
        if (right < 13) sink.old[right * kBlock] ^= 1;
        const auto got = client->get(addresses, hash, sink);
        ASSERT_TRUE(got) << to_string(got.error());
        EXPECT_EQ(sink.kept, right);
        EXPECT_EQ(sink.written, 13 - right);
        const ByteView rest = ByteView(bytes).subspan(std::min(right * kBlock, bytes.size()));
        EXPECT_TRUE(equal(sink.bytes, rest));
        EXPECT_EQ(got->bytes, rest.size());
        EXPECT_EQ(got->bytes_kept, bytes.size() - rest.size());
    }
}

// Directories arrive whole and verified, and paths lead through them and their symbolic links.
TEST(FreeSession, DirectoriesAndPaths) {
    TestNode node(1);
    const auto file = node.source.add_file(random_bytes(10, 1));
    std::vector<types::DirectoryEntry> many;
    for (int i = 0; i < 300; ++i)
        many.push_back(gateway::link_to("file" + std::to_string(i), file));
    const auto inner = node.source.add_directory(many);
    const auto root = node.source.add_directory({gateway::link_to("inner", inner),
                                                 gateway::symlink_to("again", "./inner/../inner"),
                                                 gateway::symlink_to("loop", "loop"),
                                                 gateway::link_to("readme", file)});
    const auto client = start_client();
    const auto session = client->connect(node.address()).value();
    EXPECT_EQ(session->list(inner)->size(), 300);
    EXPECT_TRUE(session->list(node.source.add_directory({}))->empty());
    EXPECT_EQ(*session->resolve(root, "/inner/file299"), file);
    EXPECT_EQ(*session->resolve(root, "again/file7"), file);
    EXPECT_EQ(*session->resolve(root, "../../again/./.."), root);
    EXPECT_EQ(code_of(session->resolve(root, "inner/nothing")), Errc::NotFound);
    EXPECT_EQ(code_of(session->resolve(root, "loop/x")), Errc::InvalidArgument);
}

// On a lane every byte of a block is a unit; when a get is over, all of it is acknowledged and the
// ledger says so. The window grows from two blocks with what was paid.
TEST(LaneSession, WhatArrivesIsAcknowledged) {
    TestNode node(1);
    TestLane lane;
    const auto key = node.open_lane(lane.credentials, 1U << 30U);
    const auto client = start_client();
    const auto session = client->connect(node.address(&lane.credentials));
    ASSERT_TRUE(session) << to_string(session.error());
    EXPECT_EQ((*session)->standing()->window, 2 * kBlock);
    const Bytes bytes = random_bytes(40 * kBlock + 9, 5);
    const auto hash = node.source.add_file(bytes);
    CollectingSink sink;
    const auto got = (*session)->get(hash, sink);
    ASSERT_TRUE(got) << to_string(got.error());
    EXPECT_EQ(sink.bytes, bytes);
    EXPECT_EQ(node.acknowledged(key), bytes.size());
    EXPECT_EQ(lane.ledger.received(), bytes.size());
    EXPECT_EQ(node.server().counters().paid_bytes, bytes.size());
    EXPECT_EQ(node.server().counters().acks_refused, 0);
}

// Who does not hold the lane's session key, or names a lane that is none, is not let in.
TEST(LaneSession, OnlyTheSessionKeyOpensIt) {
    TestNode node(1);
    TestLane lane;
    node.open_lane(lane.credentials, 1U << 30U);
    const auto client = start_client();
    TestLane thief;
    thief.credentials.key = types::SessionSecretKey(seed_number(98));
    EXPECT_EQ(code_of(client->connect(node.address(&thief.credentials))), Errc::Unauthenticated);
    TestLane missing(5);
    EXPECT_EQ(code_of(client->connect(node.address(&missing.credentials))), Errc::NotFound);
    TestLane older;
    older.credentials.lane.instance = types::LaneInstance(6);
    EXPECT_EQ(code_of(client->connect(node.address(&older.credentials))), Errc::NotFound);
    EXPECT_EQ(node.server().counters().refused, 3);
}

// A lane delivers what its reserve pays for and then says how to go on; after a top-up the rest
// comes, from where it stopped.
TEST(LaneSession, StopsAtTheReserve) {
    TestNode node(1);
    TestLane lane;
    const auto key = node.open_lane(lane.credentials, 3 * kBlock + 100);
    const auto client = start_client();
    const Bytes bytes = random_bytes(6 * kBlock, 6);
    const auto hash = node.source.add_file(bytes);
    CollectingSink sink;
    const auto stopped = client->connect(node.address(&lane.credentials)).value()->get(hash, sink);
    EXPECT_EQ(code_of(stopped), Errc::Exhausted);
    EXPECT_THAT(stopped.error().context, HasSubstr("draco lane topup"));
    EXPECT_LE(sink.bytes.size(), 3 * kBlock);
    node.acknowledgements.with_rules(
        [&](handshake::AckRules& rules) { rules.top_up(key, 1U << 30U); });
    sink.info.reset();
    const auto rest = client->connect(node.address(&lane.credentials))
                          .value()
                          ->get(hash, sink, {.first_block = sink.next});
    ASSERT_TRUE(rest) << to_string(rest.error());
    EXPECT_EQ(sink.bytes, bytes);
}

// A lane that its payer closes in the middle ends the transfer, with words that say so and what to
// do.
TEST(LaneSession, AClosingLaneIsNamed) {
    TestNode node(1);
    const Bytes bytes = random_bytes(40 * kBlock, 7);
    const auto hash = node.source.add_file(bytes);
    TestLane lane;
    const auto key = node.open_lane(lane.credentials, 1U << 30U);
    const auto client = start_client();
    CollectingSink sink;
    sink.after_block = [&](std::uint64_t index) {
        if (index == 3)
            node.acknowledgements.with_rules([&](handshake::AckRules& rules) { rules.close(key); });
    };
    const auto stopped = client->connect(node.address(&lane.credentials)).value()->get(hash, sink);
    EXPECT_EQ(code_of(stopped), Errc::Unavailable);
    EXPECT_THAT(stopped.error().context, HasSubstr("lane is closing"));
    EXPECT_THAT(stopped.error().context, HasSubstr("draco lane show"));
    EXPECT_LT(sink.bytes.size(), bytes.size());
}

// A client that crashed acknowledges, when it comes back, what it had received; the node forgets
// nothing that is durable when it restarts.
TEST(LaneSession, GoesOnAfterACrash) {
    TestNode node(1);
    const Bytes bytes = random_bytes(8 * kBlock, 7);
    const auto hash = node.source.add_file(bytes);
    TestLane before;
    const auto key = node.open_lane(before.credentials, 1U << 30U);
    const auto client = start_client();
    {
        CollectingSink sink;
        ASSERT_TRUE(client->connect(node.address(&before.credentials)).value()->get(hash, sink));
    }
    node.restart();
    // The ledger says that one block more has come than the node ever heard of.
    TestLane after(0, 9 * kBlock);
    const auto session = client->connect(node.address(&after.credentials)).value();
    EXPECT_EQ(session->standing()->acknowledged, 8 * kBlock);
    CollectingSink sink;
    ASSERT_TRUE(session->get(hash, sink));
    EXPECT_EQ(node.acknowledged(key), 17 * kBlock);
    EXPECT_EQ(after.ledger.received(), 17 * kBlock);
    // A ledger that was lost is made up from the last signature.
    TestLane lost;
    const auto third = client->connect(node.address(&lost.credentials));
    ASSERT_TRUE(third) << to_string(third.error());
    EXPECT_EQ(lost.ledger.received(), 17 * kBlock);
}

// What a node claims without a signature of the lane's key is not believed.
TEST(LaneSession, ClaimsWithoutASignatureAreRefused) {
    TestNode node(1);
    TestLane lane;
    node.open_lane(lane.credentials, 1U << 30U, 5 * kBlock);
    const auto client = start_client();
    const auto refused = client->connect(node.address(&lane.credentials));
    EXPECT_EQ(code_of(refused), Errc::Corrupt);
    EXPECT_THAT(refused.error().context, HasSubstr("ledger"));
    TestLane informed(0, 5 * kBlock);
    EXPECT_TRUE(client->connect(node.address(&informed.credentials)));
}

// When a node fails in the middle, the next one delivers the rest; when all do, the error names
// them.
TEST(SeveralNodes, TheNextOneGoesOn) {
    TestNode first(1);
    TestNode second(2);
    const Bytes bytes = random_bytes(10 * kBlock + 1, 8);
    const auto hash = first.source.add_file(bytes);
    second.source.add_file(bytes);
    first.source.fail_blocks(hash, 6, Errc::Unavailable);
    const auto client = start_client();
    CollectingSink sink;
    const std::vector<NodeAddress> nodes{first.address(), second.address()};
    const auto got = client->get(nodes, hash, sink);
    ASSERT_TRUE(got) << to_string(got.error());
    EXPECT_EQ(sink.bytes, bytes);
    EXPECT_EQ(got->nodes_left, 1);
    const std::vector<NodeAddress> nobody{first.address()};
    CollectingSink partial;
    const auto failed = client->get(nobody, hash, partial);
    EXPECT_EQ(code_of(failed), Errc::Unavailable);
    EXPECT_THAT(failed.error().context, HasSubstr("127.0.0.1:"));
    // Blocks are read side by side: the one that fails may be told before one that was earlier.
    EXPECT_LE(partial.bytes.size(), 6 * kBlock);
    EXPECT_TRUE(equal(partial.bytes, ByteView(bytes).first(partial.bytes.size())));
}

}  // namespace
}  // namespace draco::client
