// The serving side of tails, behind a real Sync: what waits, what it is woken by, and what ends it.

#include "draco/simulon/world.hpp"
#include "draco/sync/range_check.hpp"
#include "draco/sync/sync.hpp"
#include "draco/testing/seed.hpp"

#include "fake_chain.hpp"

#include <limits>
#include <utility>

namespace draco::sync {
namespace {

using namespace std::chrono_literals;
using namespace draco::sync::testing;
using interfaces::Protocol;
using simulon::World;

// What became of one answer.
struct Answer {
    Bytes bytes;
    std::optional<Result<>> end;
    bool is_dropped = false;  // without an end
    std::size_t credit = std::numeric_limits<std::size_t>::max();

    bool is_open() const { return !end && !is_dropped; }
};

class NotingResponder final : public interfaces::Responder {
public:
    explicit NotingResponder(Answer& answer) : answer_(answer) {}

    ~NotingResponder() override { answer_.is_dropped = !answer_.end; }

    Result<> write(Bytes&& chunk) override {
        if (chunk.size() > answer_.credit) return fail(Errc::Exhausted, "no credit");
        answer_.credit -= chunk.size();
        append(answer_.bytes, std::move(chunk));
        return {};
    }

    // Nobody here ever gives more credit: only the end calls back.
    void on_writable(std::move_only_function<void()> ready) override { ready_ = std::move(ready); }

    void finish(Result<> outcome) override {
        EXPECT_FALSE(answer_.end.has_value());
        answer_.end = std::move(outcome);
        if (auto ready = std::exchange(ready_, nullptr)) ready();
    }

private:
    Answer& answer_;
    std::move_only_function<void()> ready_;
};

// Links of a node that asks nobody: the test is who asks.
class ServingLinks final : public interfaces::Links {
public:
    const NodeKey& self() const override { return self_; }

    Result<> send(const NodeKey&, Protocol, Channel, ByteView) override { return {}; }

    void set_receiver(Protocol, interfaces::MessageReceiver* to) override { receiver = to; }

    Result<interfaces::RequestId> request(const NodeKey&,
                                          Protocol,
                                          Bytes,
                                          const interfaces::RequestOptions&,
                                          std::unique_ptr<interfaces::ResponseReceiver>) override {
        return fail(Errc::Unavailable, "nobody answers");
    }

    void grant(interfaces::RequestId, std::size_t) override {}

    void cancel(interfaces::RequestId) override {}

    void set_handler(Protocol, interfaces::RequestHandler* to) override { handler = to; }

    void set_peers(std::vector<interfaces::PeerAddress>) override {}

    std::vector<NodeKey> connected() const override { return {}; }

    std::vector<interfaces::LinkSnapshot> snapshot() const override { return {}; }

    interfaces::MessageReceiver* receiver = nullptr;
    interfaces::RequestHandler* handler = nullptr;

private:
    NodeKey self_;
};

class SilentBroadcast final : public interfaces::Broadcast {
public:
    Result<> publish(interfaces::Topic, Bytes) override { return {}; }

    void set_subscriber(interfaces::Topic, interfaces::GossipSubscriber*) override {}
};

class ServingNode final : public simulon::Program {
public:
    ServingNode(const simulon::Host& host, Disk& disk)
        : registry_(host.executor),
          ledger_(the_chain(), disk, host.executor),
          sync_(Sync::make(kChain, links, ledger_, broadcast_, registry_, log_, {}).value()) {}

    void make(std::uint64_t height) {
        ASSERT_TRUE(
            ledger_.append(the_chain().at(height), interfaces::BlockOrigin::Consensus).has_value());
        if (const auto certificate = the_chain().certificate(height))
            ASSERT_TRUE(ledger_.certify(*certificate).has_value());
    }

    ServingLinks links;

private:
    log::NullLog log_;
    affair::Registry registry_;
    SilentBroadcast broadcast_;
    FakeLedger ledger_;
    std::unique_ptr<Sync> sync_;
};

class ServerTest : public ::testing::Test {
protected:
    void start(std::uint64_t head) {
        disk.head = head;
        for (const auto& [height, certificate] : the_chain().certificates)
            if (height <= head) disk.certificates.emplace(height, certificate);
        world.add_node([this](const simulon::Host& host) {
            return std::make_unique<ServingNode>(host, disk);
        });
        world.start_all();
        pass(1ms);
    }

    ServingNode& node() { return static_cast<ServingNode&>(world.program(PeerId(0))); }

    void pass(Duration duration) { EXPECT_TRUE(world.run_for(duration).has_value()); }

    static NodeKey peer(std::uint32_t number) {
        NodeKey key;
        store_be(key.data(), number + 1);
        return key;
    }

    Answer& ask(const NodeKey& from, const Request& request, std::size_t credit = 1U << 30U) {
        answers.push_back(std::make_unique<Answer>());
        answers.back()->credit = credit;
        node().links.handler->on_request(
            from, bcs::encode(request), std::make_unique<NotingResponder>(*answers.back()));
        pass(1ms);
        return *answers.back();
    }

    // Blocks up to a certified one.
    void make_to(std::uint64_t height) {
        for (std::uint64_t next = disk.head + 1; next <= height; ++next) {
            node().make(next);
            pass(3ms);
        }
    }

    // How many blocks an answer has brought, all of them certified and in their order.
    static std::uint64_t blocks_in(const Answer& answer, std::uint64_t from) {
        const BlockDigest parent = from == 1 ? BlockDigest{} : the_chain().at(from - 1).digest;
        RangeCheck check(kChain,
                         the_chain().committee_after(from - 1),
                         Base{Height(from - 1), parent},
                         kRangeBlocksMax,
                         1U << 30U,
                         RangeCheck::BoundOf::Uncertified);
        EXPECT_TRUE(check.add(answer.bytes).has_value());
        EXPECT_TRUE(check.finish().has_value());
        return check.blocks_certified();
    }

    // How many, whatever they are.
    static std::uint64_t records_in(const Answer& answer) {
        RecordReader reader;
        reader.add(answer.bytes);
        std::uint64_t count = 0;
        while (reader.next(kBlockBytesMax).value()) ++count;
        EXPECT_TRUE(reader.is_between_records());
        return count;
    }

    // Of the answers first, since the world's nodes write into them.
    std::vector<std::unique_ptr<Answer>> answers;
    Disk disk;
    World world{1};
};

TEST_F(ServerTest, ATailIsAnsweredByEachCertifiedBlock) {
    // At once, and not before it is certified.
    start(60);
    const Answer& tail = ask(peer(1), TailRequest{Height(61), 30'000});
    EXPECT_EQ(blocks_in(tail, 61), 0U);
    make_to(62);
    EXPECT_EQ(blocks_in(tail, 61), 0U);
    make_to(63);
    EXPECT_EQ(blocks_in(tail, 61), 3U);
    make_to(69);
    EXPECT_EQ(blocks_in(tail, 61), 9U);
    EXPECT_TRUE(tail.is_open());
}

TEST_F(ServerTest, ATailThatIsBehindCatchesUpAndWaits) {
    start(60);
    const Answer& tail = ask(peer(1), TailRequest{Height(10), 30'000});
    pass(10ms);
    EXPECT_EQ(blocks_in(tail, 10), 51U);
    EXPECT_TRUE(tail.is_open());
}

TEST_F(ServerTest, ATailThatIsAheadWaits) {
    start(60);
    const Answer& tail = ask(peer(1), TailRequest{Height(64), 30'000});
    make_to(63);
    EXPECT_EQ(blocks_in(tail, 64), 0U);
    make_to(66);
    EXPECT_EQ(blocks_in(tail, 64), 3U);
}

TEST_F(ServerTest, NothingYetIsSaidInTime) {
    // After the time that was asked for, since the last block; at most the server's own.
    start(60);
    const Answer& at_once = ask(peer(1), TailRequest{Height(61), 0});
    EXPECT_TRUE(at_once.end && *at_once.end);
    const Answer& short_one = ask(peer(2), TailRequest{Height(61), 5'000});
    const Answer& long_one =
        ask(peer(3), TailRequest{Height(61), std::numeric_limits<std::uint32_t>::max()});
    pass(4s);
    make_to(63);
    pass(4900ms);
    EXPECT_TRUE(short_one.is_open());
    pass(100ms);
    EXPECT_TRUE(short_one.end && *short_one.end);
    EXPECT_EQ(blocks_in(short_one, 61), 3U);
    pass(54s);
    EXPECT_TRUE(long_one.is_open());
    pass(1s);
    EXPECT_TRUE(long_one.end && *long_one.end);
}

TEST_F(ServerTest, ALostLinkDropsWhatWaits) {
    start(60);
    const Answer& lost = ask(peer(1), TailRequest{Height(61), 30'000});
    const Answer& other = ask(peer(2), TailRequest{Height(61), 30'000});
    node().links.receiver->on_link_down(peer(1));
    EXPECT_TRUE(lost.is_dropped);
    EXPECT_TRUE(other.is_open());
}

TEST_F(ServerTest, OneTailOfAPeerWaits) {
    // The newest, since who asks again does not wait for the first one any more.
    start(60);
    const Answer& first = ask(peer(1), TailRequest{Height(61), 30'000});
    const Answer& second = ask(peer(1), TailRequest{Height(61), 30'000});
    EXPECT_TRUE(first.is_dropped);
    EXPECT_TRUE(second.is_open());
    make_to(63);
    EXPECT_EQ(blocks_in(second, 61), 3U);
}

TEST_F(ServerTest, AnEpochsEndEndsIt) {
    start(kEpochBlocks - 2);
    const Answer& tail = ask(peer(1), TailRequest{Height(kEpochBlocks - 1), 30'000});
    make_to(kEpochBlocks);
    EXPECT_EQ(blocks_in(tail, kEpochBlocks - 1), 2U);
    EXPECT_TRUE(tail.is_open());
    make_to(kEpochBlocks + 1);
    EXPECT_TRUE(tail.end && *tail.end);
    EXPECT_EQ(blocks_in(tail, kEpochBlocks - 1), 2U);
}

TEST_F(ServerTest, ManyWaitAndRangesAreServedBesides) {
    start(60);
    const std::size_t places = ServeLimits{}.tails_max;
    for (std::uint32_t i = 0; i < places; ++i) ask(peer(i), TailRequest{Height(61), 60'000});
    const Answer& refused = ask(peer(5000), TailRequest{Height(61), 60'000});
    ASSERT_TRUE(refused.end.has_value());
    EXPECT_EQ(refused.end->error().code, Errc::Exhausted);
    const Answer& range = ask(peer(5000), RangeRequest{Height(58), 128});
    EXPECT_TRUE(range.end && *range.end);
    EXPECT_EQ(blocks_in(range, 58), 3U);
    make_to(63);
    for (std::size_t i = 0; i < places; ++i) EXPECT_EQ(blocks_in(*answers[i], 61), 3U) << i;
    // Whose link is lost makes room.
    node().links.receiver->on_link_down(peer(7));
    EXPECT_TRUE(ask(peer(5000), TailRequest{Height(64), 60'000}).is_open());
}

TEST_F(ServerTest, WhoTakesNothingHoldsNoBlockForLong) {
    // A few at a time, and each for ten seconds.
    start(60);
    const std::size_t places = ServeLimits{}.tails_held_up_max;
    const std::size_t credit = 600;  // for a status
    for (std::uint32_t i = 0; i < places + 3; ++i)
        ask(peer(i), TailRequest{Height(61), 60'000}, credit);
    make_to(63);
    const auto count = [&](Errc code) {
        return static_cast<std::size_t>(std::ranges::count_if(answers, [&](const auto& answer) {
            return answer->end && !*answer->end && answer->end->error().code == code;
        }));
    };
    EXPECT_EQ(count(Errc::Exhausted), 3U);
    EXPECT_EQ(count(Errc::Unavailable), 0U);
    pass(10s);
    EXPECT_EQ(count(Errc::Unavailable), places);
    const Answer& good = ask(peer(100), TailRequest{Height(61), 60'000});
    pass(5ms);
    EXPECT_EQ(blocks_in(good, 61), 3U);
}

TEST_F(ServerTest, BringsWhatTheModelBrings) {
    // Tails opened, lost and asked again at random while the chain grows. The model: a tail that is
    // open has brought all certified blocks of its epoch from its first one on; any other one, some
    // of them, and up to a certificate.
    const std::uint64_t seed = draco::testing::test_seed(1);
    SCOPED_TRACE("DRACO_SEED=" + std::to_string(seed));
    simulon::SeededRng rng(seed);
    start(1 + rng.below(150));

    struct Asked {
        const Answer* answer;
        std::uint64_t from;
    };

    std::vector<Asked> asked;
    for (int i = 0; i < 300; ++i) {
        const NodeKey from = peer(static_cast<std::uint32_t>(rng.below(20)));
        const std::uint64_t kind = rng.below(10);
        if (kind < 4) {
            const std::uint64_t height = 1 + rng.below(disk.head + 3);
            const auto wait_ms = static_cast<std::uint32_t>(rng.below(3'000));
            asked.push_back({&ask(from, TailRequest{Height(height), wait_ms}), height});
        } else if (kind == 4) {
            node().links.receiver->on_link_down(from);
        } else if (kind == 5) {
            pass(std::chrono::milliseconds(rng.below(2'000)));
        } else if (disk.head < 600) {
            make_to(disk.head + 1 + rng.below(3));
        }
        pass(20ms);
        const std::uint64_t certified = std::prev(disk.certificates.upper_bound(disk.head))->first;
        for (const auto& [answer, first] : asked) {
            const std::uint64_t epoch_end = ((first - 1) / kEpochBlocks + 1) * kEpochBlocks;
            const std::uint64_t last = std::min(certified, epoch_end);
            const std::uint64_t all = last >= first ? last - first + 1 : 0;
            const std::uint64_t records = records_in(*answer);
            EXPECT_LE(records, 1 + all);
            if (answer->is_open()) EXPECT_EQ(records, 1 + all) << "from " << first;
        }
    }
    for (const auto& [answer, first] : asked)
        EXPECT_EQ(1 + blocks_in(*answer, first), records_in(*answer)) << "from " << first;
}

}  // namespace
}  // namespace draco::sync
