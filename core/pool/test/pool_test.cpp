// Links over TLS, as a node has them: messages and streamed answers, from several threads.

#include "draco/pool/pool.hpp"

#include "transport_fixture.hpp"

#include <atomic>
#include <thread>

namespace draco::pool {
namespace {

using namespace std::chrono_literals;
using interfaces::Protocol;

class Waiter {
public:
    void update(const std::function<void()>& change) {
        {
            const std::lock_guard lock(mutex_);
            change();
        }
        changed_.notify_all();
    }

    void wait(const std::function<bool()>& done) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, done);
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
};

// Answers with as many bytes as the request says, each 7; other requests as told.
class Server final : public interfaces::RequestHandler {
public:
    void on_request(const types::NodeKey& /*from*/,
                    Bytes request,
                    std::unique_ptr<interfaces::Responder> responder) override {
        if (request.empty()) return;  // Abandoned
        if (request.size() == 1) return kept.push_back(std::move(responder));
        const auto job = std::make_shared<Job>();
        job->responder = std::move(responder);
        job->left = load_le<std::uint32_t>(request.data());
        go_on(job);
    }

    std::vector<std::unique_ptr<interfaces::Responder>> kept;  // unanswered

private:
    struct Job {
        std::unique_ptr<interfaces::Responder> responder;
        std::size_t left;
    };

    static void go_on(const std::shared_ptr<Job>& job) {
        while (job->left > 0) {
            const std::size_t size = std::min(job->left, interfaces::kResponseChunkBytesMax);
            const auto written = job->responder->write(Bytes(size, 7));
            if (!written && written.error().code == Errc::Exhausted)
                return job->responder->on_writable([job] { go_on(job); });
            if (!written) return;
            job->left -= size;
        }
        job->responder->finish({});
    }
};

class PoolsOverTls : public ::testing::Test {
protected:
    struct Outcome {
        std::atomic<std::size_t> bytes = 0;
        std::string end;
    };

    // Grants what it gets.
    class Taker final : public interfaces::ResponseReceiver {
    public:
        Taker(PoolsOverTls& test, std::shared_ptr<Outcome> outcome, bool grants)
            : test_(test), outcome_(std::move(outcome)), grants_(grants) {}

        void on_chunk(Bytes chunk) override {
            outcome_->bytes += chunk.size();
            if (grants_) test_.client->grant(id, chunk.size());
        }

        void on_end(Result<> result) override {
            test_.waiter.update([&] {
                EXPECT_TRUE(outcome_->end.empty());
                outcome_->end = result ? "ok" : std::string(to_string(result.error().code));
            });
        }

        std::atomic<interfaces::RequestId> id;

    private:
        PoolsOverTls& test_;
        std::shared_ptr<Outcome> outcome_;
        bool grants_;
    };

    PoolsOverTls() {
        a.transport->set_receiver(nullptr);
        b.transport->set_receiver(nullptr);
        client = std::make_unique<Pool>(*a.transport, *machine.executor, machine.rng, a.log, a.key);
        server = std::make_unique<Pool>(*b.transport, *machine.executor, machine.rng, b.log, b.key);
        server->set_handler(Protocol::Blocks, &handler);
        client->set_peers({b.address()});
        server->set_peers({a.address()});
        while (client->connected().empty() || server->connected().empty())
            std::this_thread::yield();
    }

    ~PoolsOverTls() override {
        server->set_handler(Protocol::Blocks, nullptr);
        handler.kept.clear();
        client.reset();
        server.reset();
    }

    static Bytes ask_for(std::uint32_t bytes) {
        Bytes request(4);
        store_le(request.data(), bytes);
        return request;
    }

    std::shared_ptr<Outcome> ask(Bytes request,
                                 Protocol protocol = Protocol::Blocks,
                                 Duration limit = 1h,
                                 bool grants = true,
                                 interfaces::RequestId* id = nullptr) {
        auto outcome = std::make_shared<Outcome>();
        auto taker = std::make_unique<Taker>(*this, outcome, grants);
        Taker* const raw = taker.get();
        // The id must be known before the first chunk is granted: ids are consecutive, and this
        // fixture opens one request at a time.
        const std::lock_guard lock(ask_mutex);
        const auto made = client->request(b.key,
                                          protocol,
                                          std::move(request),
                                          {.deadline = machine.executor->clock().now() + limit},
                                          std::move(taker));
        if (!made) {
            outcome->end = to_string(made.error().code);
            return outcome;
        }
        if (id != nullptr) *id = *made;
        if (grants) raw->id = *made;
        return outcome;
    }

    void wait_end(const std::shared_ptr<Outcome>& outcome) {
        waiter.wait([&] { return !outcome->end.empty(); });
    }

    Machine machine;
    TestNode a{machine, 1};
    TestNode b{machine, 2};
    Waiter waiter;
    std::mutex ask_mutex;
    Server handler;
    std::unique_ptr<Pool> client;
    std::unique_ptr<Pool> server;
};

// Small answers, from many threads at once, each complete.
TEST_F(PoolsOverTls, ThreadsRequestAtOnce) {
    std::vector<std::thread> threads;
    std::atomic<int> complete = 0;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (std::uint32_t i = 0; i < 100; ++i) {
                const auto outcome = ask(ask_for(i * 100), Protocol::Blocks, 1h, false);
                wait_end(outcome);
                complete += outcome->end == "ok" && outcome->bytes == i * 100;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(complete, 400);
}

// An answer stops at its credit, is cancelled, and the responder learns it.
TEST_F(PoolsOverTls, CreditStopsAnAnswerAndCancelEndsIt) {
    interfaces::RequestId id;
    const auto outcome = ask(ask_for(50 << 20), Protocol::Blocks, 1h, false, &id);
    while (outcome->bytes < std::size_t{1} << 20) std::this_thread::yield();
    EXPECT_EQ(outcome->bytes, std::size_t{1} << 20);
    client->grant(id, std::size_t{1} << 20);
    while (outcome->bytes < std::size_t{2} << 20) std::this_thread::yield();
    client->cancel(id);
    wait_end(outcome);
    EXPECT_EQ(outcome->end, "Abandoned");
    EXPECT_EQ(outcome->bytes, std::size_t{2} << 20);
}

// Every way in which a request can end without an answer.
TEST_F(PoolsOverTls, RequestsFailAsDocumented) {
    auto outcome = ask({});
    wait_end(outcome);
    EXPECT_EQ(outcome->end, "Abandoned");
    outcome = ask({1}, Protocol::Blocks, 20ms);
    wait_end(outcome);
    EXPECT_EQ(outcome->end, "DeadlineExceeded");
    outcome = ask({1}, Protocol::Transactions);
    wait_end(outcome);
    EXPECT_EQ(outcome->end, "Unavailable");
    EXPECT_EQ(ask(Bytes(interfaces::kRequestBytesMax + 1))->end, "InvalidArgument");
    outcome = ask({1});
    b.transport->refuse(b.id_of(a), 1h);
    wait_end(outcome);
    EXPECT_EQ(outcome->end, "Unavailable");
    while (!client->connected().empty()) std::this_thread::yield();
    EXPECT_EQ(ask({1})->end, "Unavailable");
}

class Hearing final : public interfaces::MessageReceiver {
public:
    void on_message(const types::NodeKey& /*from*/, ByteView message) override {
        EXPECT_GT(ups, 0);
        bytes += message.size();
    }

    void on_link_up(const types::NodeKey& /*peer*/) override { ++ups; }

    void on_link_down(const types::NodeKey& /*peer*/) override { --ups; }

    std::atomic<int> ups = 0;
    std::atomic<std::size_t> bytes = 0;
};

// A receiver that comes late hears of links that are up; one that has gone is left alone.
TEST_F(PoolsOverTls, ReceiversComeAndGo) {
    for (int round = 0; round < 20; ++round) {
        Hearing hearing;
        server->set_receiver(Protocol::Gossip, &hearing);
        while (hearing.bytes < 100) {
            static_cast<void>(client->send(b.key, Protocol::Gossip, Channel::Consensus, Bytes(10)));
            std::this_thread::yield();
        }
        EXPECT_EQ(hearing.ups, 1);
        server->set_receiver(Protocol::Gossip, nullptr);
    }
    const auto snapshot = client->snapshot();
    ASSERT_EQ(snapshot.size(), 1U);
    EXPECT_TRUE(snapshot[0].up);
    EXPECT_FALSE(snapshot[0].guest);
    EXPECT_GE(snapshot[0].messages_sent, 200U);
    EXPECT_EQ(client->send(types::NodeKey(), Protocol::Gossip, Channel::Bulk, {}).error().code,
              Errc::NotFound);
    EXPECT_EQ(client->send(b.key, Protocol::Gossip, Channel::Bulk, Bytes(kLinkMessageBytesMax + 1))
                  .error()
                  .code,
              Errc::InvalidArgument);
}

}  // namespace
}  // namespace draco::pool
