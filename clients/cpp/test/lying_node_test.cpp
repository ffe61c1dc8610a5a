// Nodes that lie in each way the protocol lets them: no false byte reaches a sink, each lie has a
// name, and another node delivers what the liar did not.

#include "node_fixture.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <vector>

namespace draco::client {
namespace {

namespace wire = types::session;
using ::testing::HasSubstr;

constexpr std::size_t kBlock = blake3_tree::kBlockBytes;

template <class T>
Errc code_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? Errc::Io : result.error().code;
}

using Answers = std::vector<Bytes>;

// What a node says to a message; views in it are encoded at once.
using Script = std::function<Answers(const wire::ClientMessage&)>;

Bytes encoded(const wire::NodeMessage& message) {
    return bcs::encode(message);
}

Bytes framed(const Bytes& message) {
    Bytes frame(4);
    store_le(frame.data(), static_cast<std::uint32_t>(message.size()));
    append(frame, message);
    return frame;
}

// What a node goes on saying after its answer to a message of such a kind, every 10 ms; in the end
// it hangs up.
struct Talk {
    std::function<bool(const wire::ClientMessage&)> begins;
    std::function<Bytes(std::uint64_t index)> words;
};

constexpr std::uint64_t kTalkMax = 500;

void go_on(Executor& timers, const io::Stream& stream, const Talk& talk, std::uint64_t index) {
    if (index == kTalkMax) return stream.close();
    if (!stream.write(framed(talk.words(index)))) return;
    timers.post_at(timers.clock().now() + std::chrono::milliseconds(10),
                   [&timers, stream, talk, index] { go_on(timers, stream, talk, index + 1); });
}

class ScriptReceiver final : public io::StreamReceiver {
public:
    ScriptReceiver(Script script, Talk talk, Executor& timers, io::Stream stream)
        : script_(std::move(script)),
          talk_(std::move(talk)),
          timers_(timers),
          stream_(std::move(stream)) {}

    void on_open(const io::Stream& /*stream*/) override {}

    std::size_t on_bytes(ByteView bytes) override {
        std::size_t consumed = 0;
        while (bytes.size() - consumed >= 4) {
            const std::size_t size = load_le<std::uint32_t>(bytes.data() + consumed);
            if (bytes.size() - consumed - 4 < size) break;
            const auto message = wire::decode_client_message(bytes.subspan(consumed + 4, size));
            EXPECT_TRUE(message);
            for (const Bytes& answer : script_(*message))
                static_cast<void>(stream_.write(framed(answer)));
            if (talk_.begins && talk_.begins(*message)) go_on(timers_, stream_, talk_, 0);
            consumed += 4 + size;
        }
        return consumed;
    }

    void on_end() override { stream_.close(); }

    void on_writable() override {}

    void on_close(const Result<>& /*why*/) override {}

private:
    Script script_;
    Talk talk_;
    Executor& timers_;
    io::Stream stream_;
};

// A node that answers from a script, with a real key.
class ScriptedNode {
public:
    ScriptedNode(std::uint8_t number, Script script, Talk talk = {})
        : identity_(io::TlsIdentity::create(seed_number(number), wire::kAlpn).value()) {
        class ScriptAcceptor final : public io::Acceptor {
        public:
            ScriptAcceptor(Script script, Talk talk, Executor& timers)
                : script_(std::move(script)), talk_(std::move(talk)), timers_(timers) {}

            std::unique_ptr<io::StreamReceiver> accept(const io::Stream& stream) override {
                return std::make_unique<ScriptReceiver>(script_, talk_, timers_, stream);
            }

        private:
            Script script_;
            Talk talk_;
            Executor& timers_;
        };

        listener_ =
            network_
                ->listen(
                    {.tls = io::ListenTls{.identity = identity_, .admit = {}, .anonymous = true},
                     .stream = {.send_bytes_max = std::size_t{8} << 20}},
                    std::make_unique<ScriptAcceptor>(std::move(script), std::move(talk), *timers_))
                .value();
    }

    ~ScriptedNode() { network_->stop(); }

    ScriptedNode(const ScriptedNode&) = delete;
    ScriptedNode& operator=(const ScriptedNode&) = delete;

    types::NodeKey key() const { return types::NodeKey(identity_.public_key().view()); }

    NodeAddress address(const LaneCredentials* lane = nullptr) const {
        return {.host = "127.0.0.1", .port = listener_->port(), .key = key(), .lane = lane};
    }

private:
    io::TlsIdentity identity_;
    std::unique_ptr<io::ThreadPool> timers_ =
        io::ThreadPool::start({.name = "talk", .thread_count = 1}).value();
    std::unique_ptr<io::Network> network_ =
        io::Network::start({.name = "liar", .thread_count = 1}).value();
    std::unique_ptr<io::Listener> listener_;
};

types::NodeKey key_number(std::uint8_t number) {
    return types::NodeSecretKey(seed_number(number)).public_key();
}

// Answers for one file as an honest node would; tests replace parts.
struct Book {
    explicit Book(std::size_t size, std::uint8_t key_number_of_node = 9)
        : bytes(random_bytes(size, 11)), node(key_number(key_number_of_node)) {
        blake3_tree::TreeBuilder builder;
        builder.update(bytes);
        nodes = std::move(builder).finish().take_nodes();
        info = {.hash = types::ContentHash(nodes.back().bytes),
                .kind = types::ContentKind::File,
                .bytes = size,
                .leaves = blake3_tree::block_count(size)};
    }

    Bytes block(std::uint64_t id, std::uint64_t index) const {
        const std::size_t begin = index * kBlock;
        const Bytes block =
            to_bytes(ByteView(bytes).subspan(begin, std::min(kBlock, bytes.size() - begin)));
        return encoded(wire::Block{.id = id, .index = index, .bytes = block});
    }

    Bytes tree(std::uint64_t id) const {
        return encoded(wire::TreePiece{
            .id = id, .first = 0, .items = decltype(wire::TreePiece::items)::make(nodes).value()});
    }

    Answers operator()(const wire::ClientMessage& message) const {
        if (std::holds_alternative<wire::Hello>(message))
            return {encoded(wire::Challenge{.chain = kChain, .node = node, .nonce = {}}),
                    encoded(wire::Welcome{})};
        if (const auto* const open = std::get_if<wire::Open>(&message)) {
            Answers answers{encoded(wire::Head{.id = open->id, .info = info})};
            if (open->with_tree) answers.push_back(tree(open->id));
            return answers;
        }
        if (const auto* const asked = std::get_if<wire::Blocks>(&message)) {
            Answers answers;
            for (std::uint64_t i = 0; i < asked->count; ++i)
                answers.push_back(block(asked->id, asked->first + i));
            return answers;
        }
        if (const auto* const cancel = std::get_if<wire::Cancel>(&message))
            return {encoded(wire::make_end(cancel->id, {}))};
        return {};
    }

    Bytes bytes;
    types::NodeKey node;
    std::vector<blake3_tree::Hash> nodes;
    types::ContentInfo info;
};

// The script itself is sound: without a lie the file arrives.
TEST(LyingNode, AnHonestScriptDelivers) {
    const Book book(3 * kBlock + 5);
    const ScriptedNode node(9, book);
    CollectingSink sink;
    const auto got = start_client()->get(std::vector{node.address()}, book.info.hash, sink);
    ASSERT_TRUE(got) << to_string(got.error());
    EXPECT_EQ(sink.bytes, book.bytes);
}

// Every lie ends the session with Corrupt, before a false byte is seen; an honest node then
// delivers the whole.
TEST(LyingNode, EachLieIsFoundAndAnotherNodeDelivers) {
    const Book book(6 * kBlock);
    TestNode honest(1);
    honest.source.add_file(book.bytes);
    const auto open_with = [&](auto change) {
        return [&book, change](const wire::ClientMessage& message) {
            Book lie = book;
            change(lie);
            return lie(message);
        };
    };
    const auto blocks_with = [&](auto change) {
        return [&book, change](const wire::ClientMessage& message) {
            Answers answers = book(message);
            if (const auto* const asked = std::get_if<wire::Blocks>(&message))
                change(answers, *asked);
            return answers;
        };
    };
    const std::vector<std::pair<std::string, Script>> lies = {
        {"other bytes",
         blocks_with([](Answers& answers, const wire::Blocks&) { answers.back().back() ^= 1U; })},
        {"another block", blocks_with([&](Answers& answers, const wire::Blocks& asked) {
             answers.back() = book.block(asked.id, 0);
         })},
        {"not asked for", blocks_with([&](Answers& answers, const wire::Blocks& asked) {
             answers.insert(answers.begin(),
                            encoded(wire::Block{.id = asked.id, .index = 1000, .bytes = {}}));
         })},
        {"a short block", blocks_with([&](Answers& answers, const wire::Blocks& asked) {
             answers[0] = encoded(wire::Block{.id = asked.id, .index = 0, .bytes = {}});
         })},
        {"no message", blocks_with([](Answers& answers, const wire::Blocks&) {
             answers[0] = to_bytes(as_bytes("nonsense"));
         })},
        {"another request", blocks_with([&](Answers& answers, const wire::Blocks& asked) {
             answers[0] = book.block(asked.id + 1, 0);
         })},
        {"an acknowledgement taken, without a lane",
         blocks_with([](Answers& answers, const wire::Blocks&) {
             answers.insert(answers.begin(), encoded(wire::AckTaken{}));
         })},
        {"an acknowledgement refused, without a lane",
         blocks_with([](Answers& answers, const wire::Blocks&) {
             answers.insert(
                 answers.begin(),
                 encoded(wire::AckRefused{
                     .cumulative = 0, .code = wire::to_code(Errc::Exhausted), .text = {}}));
         })},
        {"a pause, without a lane", blocks_with([](Answers& answers, const wire::Blocks&) {
             answers.insert(answers.begin(), encoded(wire::Paused{}));
         })},
        {"a head twice", blocks_with([&](Answers& answers, const wire::Blocks& asked) {
             answers.insert(answers.begin(),
                            encoded(wire::Head{.id = asked.id, .info = book.info}));
         })},
        {"another tree", open_with([](Book& lie) { lie.nodes[0].bytes[0] ^= 1U; })},
        {"too long a tree", open_with([](Book& lie) { lie.nodes.push_back({}); })},
        {"another head", open_with([](Book& lie) { lie.info.hash.bytes[0] ^= 1U; })},
        {"another length", open_with([](Book& lie) { --lie.info.bytes; })},
        {"a contradiction", open_with([](Book& lie) { ++lie.info.leaves; })},
    };
    const auto client = start_client();
    for (const auto& [name, script] : lies) {
        const ScriptedNode liar(9, script);
        CollectingSink alone;
        const auto failed = client->get(std::vector{liar.address()}, book.info.hash, alone);
        EXPECT_EQ(code_of(failed), Errc::Corrupt) << name;
        EXPECT_TRUE(std::ranges::equal(
            alone.bytes,
            ByteView(book.bytes).first(std::min(alone.bytes.size(), book.bytes.size()))))
            << name;
        CollectingSink sink;
        const auto got =
            client->get(std::vector{liar.address(), honest.address()}, book.info.hash, sink);
        ASSERT_TRUE(got) << name << ": " << to_string(got.error());
        EXPECT_EQ(sink.bytes, book.bytes) << name;
        EXPECT_EQ(got->nodes_left, 1) << name;
    }
}

// A file that is longer than the client accepts is refused before its tree is.
TEST(LyingNode, LengthsAreBounded) {
    Book book(10);
    book.info.bytes = std::uint64_t{1} << 50U;
    book.info.leaves = blake3_tree::block_count(book.info.bytes);
    const ScriptedNode liar(9, book);
    CollectingSink sink;
    EXPECT_EQ(code_of(start_client()->get(std::vector{liar.address()}, book.info.hash, sink)),
              Errc::Exhausted);
}

// A tree that is cut short has the right root, and its left part is true: what came by it is kept,
// and an honest node is not taken for the liar.
TEST(LyingNode, ATreeCutShortDoesNotDiscreditOthers) {
    const Book book(6 * kBlock);
    TestNode honest(1);
    honest.source.add_file(book.bytes);
    const ScriptedNode liar(9, [&](const wire::ClientMessage& message) {
        Book lie = book;
        lie.nodes.erase(lie.nodes.begin() + 7, lie.nodes.begin() + 9);
        lie.info.leaves = 5;
        lie.info.bytes = 5 * kBlock;
        return lie(message);
    });
    const auto client = start_client();
    CollectingSink alone;
    EXPECT_EQ(code_of(client->get(std::vector{liar.address()}, book.info.hash, alone)),
              Errc::Corrupt);
    EXPECT_EQ(alone.bytes.size(), 4 * kBlock);
    CollectingSink sink;
    const auto got =
        client->get(std::vector{liar.address(), honest.address()}, book.info.hash, sink);
    ASSERT_TRUE(got) << to_string(got.error());
    EXPECT_EQ(sink.bytes, book.bytes);
    EXPECT_EQ(got->info, book.info);
}

// What a node says beside what is awaited buys it no time: pauses on a lane, and a tree that comes
// hash by hash. It talks for much longer than it is waited for.
TEST(LyingNode, TalkIsNoProgress) {
    Book book(6 * kBlock);
    ClientOptions impatient;
    impatient.answer_deadline = std::chrono::seconds(1);
    const auto client = start_client(impatient);
    TestLane lane;
    std::atomic<int> talks = 0;
    const ScriptedNode pausing(
        9,
        [&](const wire::ClientMessage& message) -> Answers {
            if (std::holds_alternative<wire::Hello>(message)) return {book(message)[0]};
            if (std::holds_alternative<wire::Proof>(message))
                return {
                    encoded(wire::Welcome{.lane = wire::Standing{.latest = {}, .window = kBlock}})};
            if (std::holds_alternative<wire::Blocks>(message)) return {};
            return book(message);
        },
        {.begins =
             [](const auto& message) { return std::holds_alternative<wire::Blocks>(message); },
         .words =
             [&talks](std::uint64_t index) {
                 if (index == 0) ++talks;
                 return index % 2 == 0 ? encoded(wire::Paused{}) : encoded(wire::AckTaken{});
             }});
    CollectingSink sink;
    const auto paused =
        client->get(std::vector{pausing.address(&lane.credentials)}, book.info.hash, sink);
    EXPECT_EQ(code_of(paused), Errc::DeadlineExceeded);
    const ScriptedNode flooding(9, [&](const wire::ClientMessage& message) -> Answers {
        if (std::holds_alternative<wire::Hello>(message)) return {book(message)[0]};
        if (std::holds_alternative<wire::Proof>(message))
            return {encoded(wire::Welcome{.lane = wire::Standing{.latest = {}, .window = kBlock}})};
        Answers answers = book(message);
        if (std::holds_alternative<wire::Blocks>(message))
            answers.assign(1'000, encoded(wire::AckTaken{}));
        return answers;
    });
    CollectingSink flood;
    const auto flooded = start_client()->get(
        std::vector{flooding.address(&lane.credentials)}, book.info.hash, flood);
    EXPECT_EQ(code_of(flooded), Errc::Corrupt);
    book.info.bytes = std::uint64_t{1} << 37U;
    book.info.leaves = blake3_tree::block_count(book.info.bytes);
    const ScriptedNode dripping(
        9,
        [&](const wire::ClientMessage& message) -> Answers {
            auto answers = book(message);
            if (std::holds_alternative<wire::Open>(message)) answers.resize(1);
            return answers;
        },
        {.begins = [](const auto& message) { return std::holds_alternative<wire::Open>(message); },
         .words =
             [&talks](std::uint64_t index) {
                 if (index == 0) ++talks;
                 using Items = decltype(wire::TreePiece::items);
                 return encoded(wire::TreePiece{
                     .id = 1,
                     .first = index,
                     .items = Items::make(std::vector<blake3_tree::Hash>(1)).value()});
             }});
    CollectingSink other;
    const auto dripped = client->get(std::vector{dripping.address()}, book.info.hash, other);
    EXPECT_EQ(code_of(dripped), Errc::DeadlineExceeded);
    EXPECT_EQ(talks, 2);
}

// A node that sends a tree as slowly as it may, and one that sends half of one and then nothing,
// are left for one that delivers. Without a bound they would hold the client for days.
TEST(LyingNode, ATreeThatDoesNotComeIsGotElsewhere) {
    const Book book(6 * kBlock);
    TestNode honest(1);
    honest.source.add_file(book.bytes);
    ClientOptions options;
    options.answer_deadline = std::chrono::seconds(1);
    options.unverified_slow_bytes_per_s_min = 1;
    options.unverified_slow_bytes = 256;
    const auto client = start_client(options);
    const ScriptedNode stopping(9, [&](const wire::ClientMessage& message) {
        Book half = book;
        half.nodes.resize(half.nodes.size() / 2);
        return half(message);
    });
    CollectingSink sink;
    const auto got =
        client->get(std::vector{stopping.address(), honest.address()}, book.info.hash, sink);
    ASSERT_TRUE(got) << to_string(got.error());
    EXPECT_EQ(sink.bytes, book.bytes);
    CollectingSink alone;
    const auto stopped = client->get(std::vector{stopping.address()}, book.info.hash, alone);
    EXPECT_EQ(code_of(stopped), Errc::DeadlineExceeded);
    EXPECT_THAT(stopped.error().context, HasSubstr("tree"));
}

// A node that names another key than it has, another chain, or says nothing, gets no further.
TEST(LyingNode, FalseIntroductionsAreRefused) {
    const Book book(10);
    const auto client = start_client();
    const ScriptedNode other_key(9, Book(10, 8));
    EXPECT_EQ(code_of(client->connect(other_key.address())), Errc::Unauthenticated);
    const ScriptedNode other_chain(9, [&](const wire::ClientMessage&) {
        return Answers{
            encoded(wire::Challenge{.chain = types::ChainId(4), .node = book.node, .nonce = {}})};
    });
    EXPECT_EQ(code_of(client->connect(other_chain.address())), Errc::InvalidArgument);
    const ScriptedNode silent(9, [](const wire::ClientMessage&) { return Answers(); });
    ClientOptions impatient;
    impatient.answer_deadline = std::chrono::milliseconds(50);
    EXPECT_EQ(code_of(start_client(impatient)->connect(silent.address())), Errc::DeadlineExceeded);
    const ScriptedNode rude(9, [](const wire::ClientMessage&) {
        return Answers{encoded(wire::make_end(0, fail(Errc::Exhausted, "no room")))};
    });
    const auto refused = client->connect(rude.address());
    EXPECT_EQ(code_of(refused), Errc::Exhausted);
    EXPECT_THAT(refused.error().context, HasSubstr("no room"));
}

}  // namespace
}  // namespace draco::client
