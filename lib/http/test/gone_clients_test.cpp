// A handler hears once, on its own thread, that nobody waits for its answer, however the client
// left; never when it has answered; and who only ends its own direction gets its answer whole.

#include "draco/testing/seed.hpp"

#include "engine_fixture.hpp"

#include <chrono>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace draco::http {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

// What a test sees of one request.
struct Seen {
    const std::thread::id asked_on = std::this_thread::get_id();
    std::atomic<bool> is_answered = false;
    std::atomic<int> told = 0;
    std::atomic<bool> told_elsewhere = false;
    std::atomic<bool> told_after_answer = false;
};

// Watches every request. Keeps those for /later; answers /now; those for /wait hold the thread
// until pass() is called.
class WatchingHandler final : public EngineHandler {
public:
    struct Kept {
        Reply reply;
        std::shared_ptr<Seen> seen;
    };

    void on_request(const Request& request, const Peer& /*peer*/, Reply reply) override {
        ++calls;
        auto seen = std::make_shared<Seen>();
        reply.on_gone([this, seen] {
            seen->told_elsewhere = seen->asked_on != std::this_thread::get_id();
            if (seen->is_answered) seen->told_after_answer = true;
            ++seen->told;
            ++told;
        });
        if (request.target == "/wait") passed_.wait();
        if (request.target != "/later") return reply.answer(text_answer(200, "now"));
        {
            const std::lock_guard lock(mutex_);
            kept_.push_back({.reply = std::move(reply), .seen = std::move(seen)});
        }
        changed_.notify_all();
    }

    // Blocks until a request for /later is here.
    Kept wait_kept() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !kept_.empty(); });
        Kept kept = std::move(kept_.back());
        kept_.pop_back();
        return kept;
    }

    void pass() { passed_.count_down(); }

    std::atomic<int> calls = 0;
    std::atomic<int> told = 0;

private:
    std::latch passed_{1};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Kept> kept_;
};

std::unique_ptr<PullBody> pulled(Producer& producer,
                                 std::size_t pieces,
                                 std::size_t piece_bytes,
                                 bool inside_the_call) {
    return std::make_unique<TestBody>(
        producer, std::vector<std::size_t>(pieces, piece_bytes), Fault::None, inside_the_call);
}

// No deadline helps: what a test waits for comes of the client's going alone.
EngineOptions without_deadlines() {
    return {.request_deadline = 1h, .keep_alive = 1h, .stall_deadline = 1h, .answer_deadline = 1h};
}

class GoneClients : public ::testing::Test {
protected:
    void start(const EngineOptions& options = without_deadlines()) {
        engine_ = Engine::start(handler_, clock_, options).value();
    }

    RawClient connect() const { return RawClient(engine_->port()); }

    // CTest's limit is the test's own.
    template <class Done>
    static void wait_until(const Done& done) {
        while (!done()) std::this_thread::yield();
    }

    void wait_for_no_connections() const {
        wait_until([&] { return engine_->counters().connections == 0; });
    }

    // Of one request that is told of.
    static void expect_told(const Seen& seen) {
        wait_until([&] { return seen.told > 0; });
        EXPECT_FALSE(seen.told_elsewhere);
        EXPECT_FALSE(seen.told_after_answer);
    }

    const io::SystemClock clock_;
    WatchingHandler handler_;
    std::unique_ptr<Engine> engine_;
};

TEST_F(GoneClients, AResetIsTold) {
    start();
    std::optional<RawClient> client = connect();
    client->send(get("/later"));
    WatchingHandler::Kept kept = handler_.wait_kept();
    EXPECT_EQ(kept.seen->told, 0);
    client->reset();
    client.reset();
    expect_told(*kept.seen);
    wait_for_no_connections();
    kept.reply.answer(text_answer(200, "nobody reads this"));
    EXPECT_EQ(engine_->counters().gone, 1U);
    engine_.reset();
    EXPECT_EQ(kept.seen->told, 1);
}

TEST_F(GoneClients, ACloseIsTold) {
    start();
    int closed = 0;
    for (const std::string& request : {get("/later"),
                                       get("/now") + get("/later"),
                                       std::string("HEAD /later HTTP/1.1\r\nHost: a\r\n\r\n"),
                                       std::string("GET /later HTTP/1.0\r\n\r\n")}) {
        std::optional<RawClient> client = connect();
        client->send(request);
        if (request.contains("/now")) client->read_until("now");
        const WatchingHandler::Kept kept = handler_.wait_kept();
        client.reset();
        expect_told(*kept.seen);
        wait_for_no_connections();
        EXPECT_EQ(kept.seen->told, 1);
        EXPECT_EQ(engine_->counters().gone, static_cast<std::uint64_t>(++closed));
    }
}

// One answer, read to its end after the client has ended, the begin of which came first.
std::string rest_of_answer(const RawClient& client, std::string begin) {
    EXPECT_EQ(begin, "HTTP/1.1 ");
    begin += client.read_all();
    EXPECT_EQ(count(begin, "HTTP/1.1 "), 1U);
    return begin;
}

TEST_F(GoneClients, AHalfCloseIsAnswered) {
    start();
    Producer producer(5);
    for (const std::string& request : {get("/later"),
                                       std::string("HEAD /later HTTP/1.1\r\nHost: a\r\n\r\n"),
                                       std::string("GET /later HTTP/1.0\r\n\r\n")}) {
        const bool is_head = request.starts_with("HEAD");
        for (const bool is_pulled : {false, true}) {
            const RawClient client = connect();
            client.send(request);
            WatchingHandler::Kept kept = handler_.wait_kept();
            client.end();
            std::string begin = client.read_until("HTTP/1.1 ");
            Answer answer{.status = 200, .shared_fields = {}, .fields = {}, .body = share("body")};
            if (is_pulled) answer.body = pulled(producer, 3, 100'000, false);
            kept.reply.answer(std::move(answer));
            const std::string all = rest_of_answer(client, std::move(begin));
            ResponseParser parser({.body_bytes_max = std::size_t{1} << 20}, is_head);
            EXPECT_EQ(parser.feed(as_bytes(all)).value(), all.size());
            ASSERT_TRUE(parser.is_complete());
            const Bytes body = parser.take().body;
            if (is_head)
                EXPECT_TRUE(body.empty());
            else if (is_pulled)
                EXPECT_EQ(body, pattern(0, 300'000));
            else
                EXPECT_EQ(as_text(body), "body");
            EXPECT_EQ(kept.seen->told, 0);
        }
    }
    {
        const RawClient client = connect();
        client.send(get("/later"));
        std::optional<WatchingHandler::Kept> kept = handler_.wait_kept();
        client.end();
        std::string begin = client.read_until("HTTP/1.1 ");
        const std::shared_ptr<Seen> seen = kept->seen;
        kept.reset();
        EXPECT_TRUE(rest_of_answer(client, std::move(begin)).starts_with("HTTP/1.1 500 "));
        EXPECT_EQ(seen->told, 0);
    }
    wait_for_no_connections();
    EXPECT_EQ(handler_.told, 0);
    EXPECT_EQ(engine_->counters().gone, 0U);
}

TEST_F(GoneClients, EachOfThePipelinedRequestsOfAHalfClosedClientIsAnswered) {
    start();
    const RawClient client = connect();
    client.send(get("/later") + get("/now") + get("/later") + get("/now"));
    client.end();
    std::string all;
    for (const std::string said : {"first", "second"}) {
        WatchingHandler::Kept kept = handler_.wait_kept();
        while (!all.ends_with("HTTP/1.1 ")) all += client.read_some();
        kept.reply.answer(text_answer(200, said));
    }
    all += client.read_all();
    std::string bodies;
    ByteView left = as_bytes(all);
    while (!left.empty()) {
        ResponseParser parser;
        left = left.subspan(parser.feed(left).value());
        ASSERT_TRUE(parser.is_complete());
        bodies += std::string(as_text(parser.take().body)) + " ";
    }
    EXPECT_EQ(bodies, "first now second now ");
    EXPECT_EQ(handler_.told, 0);
}

TEST_F(GoneClients, WhatIsSentAheadIsHeldBackAndEndsWithItsClient) {
    constexpr std::size_t kNeverSentBytes = std::size_t{1} << 30;
    start();
    for (const bool is_flood : {false, true}) {
        const int calls_before = handler_.calls;
        std::optional<RawClient> client = connect();
        client->send(get("/later"));
        const WatchingHandler::Kept kept = handler_.wait_kept();
        const std::string more = get("/now", "X: " + std::string(900, 'x') + "\r\n");
        const std::size_t bytes_max = is_flood ? kNeverSentBytes : more.size();
        std::size_t sent = 0;
        while (sent < bytes_max && client->send(more, MSG_DONTWAIT)) sent += more.size();
        EXPECT_LT(sent, kNeverSentBytes) << "the system between holds less";
        EXPECT_EQ(kept.seen->told, 0);
        if (is_flood) client->reset();
        client.reset();
        expect_told(*kept.seen);
        wait_for_no_connections();
        EXPECT_EQ(handler_.calls, calls_before + 1) << "what was sent ahead is nobody's any more";
    }
}

TEST_F(GoneClients, WhoLeavesBeforeItsRequestIsReadIsNotHandled) {
    EngineOptions options = without_deadlines();
    options.connections_max = 1;
    start(options);
    std::optional<RawClient> first = connect();
    first->send(get("/now"));
    first->read_until("now");
    {
        // These wait in the system's queue, and are gone when their turn comes.
        const RawClient reset = connect();
        reset.send(get("/later"));
        reset.reset();
        const RawClient closed = connect();
        closed.send(get("/later"));
    }
    first.reset();
    // Which cannot be known before it is tried.
    expect_told(*handler_.wait_kept().seen);
    const RawClient last = connect();
    last.send(get("/now"));
    EXPECT_TRUE(last.read_until("now").ends_with("now"));
    EXPECT_EQ(handler_.calls, 3);
    EXPECT_EQ(engine_->counters().accepted, 4U);
}

TEST_F(GoneClients, WhoLeavesDuringAnAnswerEndsItsBodyAlone) {
    start();
    Producer producer(6);
    for (const bool is_reset : {false, true}) {
        std::optional<RawClient> client = connect();
        client->send(get("/later"));
        WatchingHandler::Kept kept = handler_.wait_kept();
        kept.reply.answer({.status = 200,
                           .shared_fields = {},
                           .fields = {},
                           .body = pulled(producer, 100, 250'000, true)});
        EXPECT_FALSE(client->read_some().empty());
        if (is_reset) client->reset();
        client.reset();
        wait_for_no_connections();
        EXPECT_EQ(kept.seen->told, 0);
    }
    EXPECT_EQ(producer.alive(), 0);
    EXPECT_EQ(engine_->counters().gone, 0U);
}

// The thread of the engine is held while the client goes and the answer is given, so that it finds
// both at once, the client's going first.
TEST_F(GoneClients, AnAnswerThatWasGivenIsNeverTold) {
    start();
    std::optional<RawClient> client = connect();
    client->send(get("/later"));
    WatchingHandler::Kept kept = handler_.wait_kept();
    const RawClient other = connect();
    other.send(get("/wait"));
    wait_until([&] { return handler_.calls == 2; });
    client->reset();
    client.reset();
    kept.reply.answer(text_answer(200, "nobody reads this"));
    kept.seen->is_answered = true;
    handler_.pass();
    wait_until([&] { return engine_->counters().connections == 1; });
    EXPECT_EQ(other.read_until("now").substr(0, 12), "HTTP/1.1 200");
    engine_.reset();
    EXPECT_EQ(kept.seen->told, 0);
}

TEST_F(GoneClients, AnswersAndGoingMayCross) {
    EngineOptions options = without_deadlines();
    options.thread_count = 2;
    start(options);
    int told = 0;
    for (std::uint64_t round = 0; round < testing::scaled(200); ++round) {
        std::optional<RawClient> client = connect();
        client->send(get("/later"));
        WatchingHandler::Kept kept = handler_.wait_kept();
        std::latch both(2);
        {
            const std::jthread answering([&] {
                both.arrive_and_wait();
                kept.reply.answer(text_answer(200, "perhaps"));
                kept.seen->is_answered = true;
            });
            if (round % 2 == 0) client->reset();
            both.arrive_and_wait();
            client.reset();
        }
        wait_for_no_connections();
        EXPECT_LE(kept.seen->told, 1);
        EXPECT_FALSE(kept.seen->told_elsewhere);
        told += kept.seen->told;
    }
    EXPECT_EQ(handler_.told, told);
}

TEST_F(GoneClients, WhoWasToldThatItTookTooLongWaitsForNothing) {
    EngineOptions options = without_deadlines();
    options.answer_deadline = 1ms;
    start(options);
    const RawClient client = connect();
    client.send(get("/later"));
    WatchingHandler::Kept kept = handler_.wait_kept();
    expect_told(*kept.seen);
    EXPECT_TRUE(client.read_until("later\n").starts_with("HTTP/1.1 504 "));
    kept.reply.answer(text_answer(200, "too late"));
    client.end();
    EXPECT_EQ(client.read_all(), "");
    EXPECT_EQ(kept.seen->told, 1);
    EXPECT_EQ(engine_->counters().gone, 0U);
    EXPECT_EQ(engine_->counters().unanswered, 1U);
}

TEST_F(GoneClients, AnEngineThatStopsTellsBeforeItHas) {
    start();
    const RawClient client = connect();
    client.send(get("/later"));
    WatchingHandler::Kept kept = handler_.wait_kept();
    engine_->stop();
    EXPECT_EQ(kept.seen->told, 1);
    EXPECT_FALSE(kept.seen->told_elsewhere);
    kept.reply.answer(text_answer(200, "nobody reads this"));
}

// The handler of a test of its own, which says what it is to do.
class OneCall final : public EngineHandler {
public:
    explicit OneCall(std::move_only_function<void(Reply)> call) : call_(std::move(call)) {}

    void on_request(const Request& /*request*/, const Peer& /*peer*/, Reply reply) override {
        call_(std::move(reply));
    }

private:
    std::move_only_function<void(Reply)> call_;
};

// What a notice owns may be what holds the request's content open.
TEST_F(GoneClients, WhatANoticeOwnsGoesWithTheAnswer) {
    auto owned = std::make_shared<int>(7);
    const std::weak_ptr<int> watched = owned;
    std::optional<Reply> kept;
    std::latch here(1);
    OneCall handler([&](Reply reply) {
        reply.on_gone([owned = std::exchange(owned, nullptr)] { FAIL() << *owned; });
        kept = std::move(reply);
        here.count_down();
    });
    const auto engine = Engine::start(handler, clock_, without_deadlines()).value();
    const RawClient client(engine->port());
    client.send(get("/"));
    here.wait();
    EXPECT_FALSE(watched.expired());
    kept->answer(text_answer(200, "here"));
    EXPECT_TRUE(watched.expired());
    EXPECT_TRUE(client.read_until("here").ends_with("here"));
}

}  // namespace
}  // namespace draco::http
