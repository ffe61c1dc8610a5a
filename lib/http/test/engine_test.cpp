// The engine over loopback sends every kind of body whole and in order, whatever the client does,
// and keeps its bounds.

#include "draco/testing/seed.hpp"

#include "engine_fixture.hpp"

#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace draco::http {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

TEST_F(HttpEngine, AnswersPipelinedRequestsInTheirOrder) {
    start();
    const RawClient client = connect();
    std::string requests;
    for (int i = 0; i < 500; ++i) {
        requests += get("/echo/" + std::to_string(i));
        if (i % 100 == 50) requests += get("/pull/300000") + get("/file/70000");
    }
    std::thread sender(
        [&] { client.send(requests + get("/last", "Connection: close\r\n") + get("/unread")); });
    ResponseReader reader(client);
    for (int i = 0; i < 500; ++i) {
        EXPECT_EQ(as_text(reader.read().value().body), "GET/echo/" + std::to_string(i) + "=");
        if (i % 100 != 50) continue;
        EXPECT_EQ(reader.read().value().body, pattern(0, 300'000));
        EXPECT_EQ(reader.read().value().body, pattern(0, 70'000));
    }
    EXPECT_EQ(reader.read().value().fields.find("Connection"), "close");
    EXPECT_FALSE(reader.read());
    sender.join();
    client.end();
    EXPECT_EQ(handler_.calls, 511);
    wait_for_no_connections();
    const EngineCounters counters = engine_->counters();
    EXPECT_EQ(counters.requests, 511U);
    EXPECT_EQ(counters.answers[2], 511U);
    EXPECT_EQ(counters.accepted, 1U);
}

// Model: the same slice of the pattern.
TEST_F(HttpEngine, SendsBodiesOfEverySizeAndKind) {
    start();
    std::mt19937_64 random(testing::test_seed(2));
    std::vector<std::size_t> sizes = {0, 1, 4095, 4096, 4097, 262'143, 262'144, 262'145, 1 << 20};
    for (std::uint64_t i = 0; i < testing::scaled(20); ++i) sizes.push_back(random() % 3'000'000);
    const RawClient client = connect();
    ResponseReader reader(client);
    for (const std::size_t size : sizes) {
        for (const std::string kind : {"/bytes/", "/file/", "/pull/", "/here/"}) {
            client.send(get(kind + std::to_string(size)));
            const auto response = reader.read();
            ASSERT_TRUE(response) << kind << size;
            EXPECT_EQ(response->status, 200U);
            ASSERT_EQ(response->body, pattern(0, size)) << kind << size;
        }
    }
    client.end();
    wait_for_no_connections();
    EXPECT_EQ(handler_.producer.alive(), 0);
}

TEST_F(HttpEngine, KeepsAtMostSoManyPiecesOfABody) {
    start({.pieces_in_flight_max = 3});
    const RawClient client = connect();
    for (const std::string kind : {"/pull/", "/here/"}) {
        client.send(get(kind + "10000000"));
        ResponseReader reader(client);
        EXPECT_EQ(reader.read().value().body.size(), 10'000'000U);
    }
    EXPECT_LE(handler_.producer.alive_max(), 3);
    EXPECT_GE(handler_.producer.alive_max(), 2);
}

TEST_F(HttpEngine, DropsWhoTakesNothing) {
    start({.stall_deadline = 50ms});
    const RawClient silent = connect();
    silent.send(get("/pull/200000000"));
    const RawClient other = connect();
    other.send(get("/echo"));
    EXPECT_TRUE(other.read_until("/echo=").ends_with("/echo="));
    wait_for([](const EngineCounters& counters) { return counters.stalled == 1; });
    EXPECT_LE(handler_.producer.alive_max(), 4);
    const std::string got = silent.read_all();
    EXPECT_LT(got.size(), 200'000'000U);
}

TEST_F(HttpEngine, SaysWhatIsNoBody) {
    start();
    const RawClient client = connect();
    for (const std::string target : {"/bytes/5", "/bytes/500000", "/file/70000", "/pull/300000"})
        client.send("HEAD " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    client.send(get("/status/204") + get("/status/304") +
                get("/status/200", "Connection: close\r\n"));
    ResponseReader reader(client);
    for (const std::string length : {"5", "500000", "70000", "300000"}) {
        const auto response = reader.read(true);
        EXPECT_EQ(response.value().fields.find("Content-Length"), length);
    }
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(reader.read().value().fields.find("Content-Length"), std::nullopt);
    EXPECT_EQ(as_text(reader.read().value().body), "body");
    EXPECT_FALSE(reader.read());
}

TEST_F(HttpEngine, SpeaksWithClientsOfHttp10) {
    start();
    {
        const RawClient client = connect();
        client.send("GET /echo HTTP/1.0\r\n\r\n");
        const std::string answer = client.read_all();
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
        EXPECT_TRUE(answer.contains("\r\nConnection: close\r\n"));
    }
    const RawClient client = connect();
    const std::string kept = "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    client.send(kept + kept + "GET /end HTTP/1.0\r\n\r\n");
    const std::string answers = client.read_all();
    EXPECT_EQ(count(answers, "\r\nConnection: keep-alive\r\n"), 2U);
    EXPECT_TRUE(answers.ends_with("GET/end="));
}

TEST_F(HttpEngine, TellsTheClientToGoOn) {
    start();
    const RawClient client = connect();
    client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ab");
    EXPECT_TRUE(client.read_until("/p=ab").ends_with("POST/p=ab"));
}

TEST_F(HttpEngine, DatesItsAnswers) {
    start();
    const RawClient client = connect();
    ResponseReader reader(client);
    const UnixTime before = clock_.unix_now();
    client.send(get("/echo"));
    const Response response = reader.read().value();
    const UnixTime after = clock_.unix_now();
    std::vector<std::string> dates;
    for (std::uint64_t ms = before.ms - before.ms % 1000; ms <= after.ms; ms += 1000)
        dates.push_back(http_date({ms}));
    const std::string date(response.fields.find("Date").value());
    EXPECT_TRUE(std::ranges::find(dates, date) != dates.end()) << date;
}

TEST_F(HttpEngine, LateDroppedAndMalformedAnswers) {
    start();
    const RawClient client = connect();
    ResponseReader reader(client);
    client.send(get("/echo/1") + get("/later") + get("/echo/2"));
    EXPECT_EQ(as_text(reader.read().value().body), "GET/echo/1=");
    handler_.wait_kept().answer(text_answer(200, "at last"));
    EXPECT_EQ(as_text(reader.read().value().body), "at last");
    EXPECT_EQ(as_text(reader.read().value().body), "GET/echo/2=");
    client.send(get("/drop"));
    EXPECT_EQ(reader.read().value().status, 500U);
    client.send(get("/malformed"));
    const Response malformed = reader.read().value();
    EXPECT_EQ(malformed.status, 500U);
    EXPECT_FALSE(malformed.fields.find("Set-Cookie"));
    for (const std::string status : {"/status/0", "/status/199", "/status/600"}) {
        client.send(get(status));
        EXPECT_EQ(reader.read().value().status, 500U);
    }
}

TEST_F(HttpEngine, ABodyThatFailsEndsTheConnection) {
    start({.answer_deadline = 50ms});
    for (const Fault fault :
         {Fault::Error, Fault::Dropped, Fault::TooShort, Fault::TooLong, Fault::Never}) {
        const RawClient client = connect();
        client.send(get("/fault/" + std::to_string(static_cast<int>(fault))));
        const std::string all = client.read_all();
        EXPECT_LT(all.size(), 2'000 + all.find("\r\n\r\n") + 4);
    }
    {
        const RawClient client = connect();
        client.send(get("/file/5000000"));  // the file has 4 MiB
        const std::string all = client.read_all();
        EXPECT_EQ(all.size() - all.find("\r\n\r\n") - 4, std::size_t{4} << 20);
    }
    wait_for_no_connections();
    EXPECT_EQ(engine_->counters().cut_off, 5U);
    EXPECT_EQ(engine_->counters().unanswered, 1U);
}

TEST_F(HttpEngine, EndsWhatIsNotAnsweredInTime) {
    start({.answer_deadline = 50ms});
    const RawClient client = connect();
    client.send(get("/later"));
    Reply reply = handler_.wait_kept();
    EXPECT_TRUE(client.read_until("later\n").starts_with("HTTP/1.1 504 "));
    reply.answer(text_answer(200, "too late"));
    client.end();
    EXPECT_EQ(client.read_all(), "");
    EXPECT_EQ(engine_->counters().unanswered, 1U);
}

TEST_F(HttpEngine, AnswersHalfClosedClientsAndLetsGoOfTheOthers) {
    start({.request_deadline = 1h, .keep_alive = 1h});
    for (const std::string& requests : {get("/later"), get("/a") + get("/later")}) {
        const RawClient client = connect();
        client.send(requests);
        client.end();
        handler_.wait_kept().answer(text_answer(200, "at last"));
        EXPECT_TRUE(client.read_all().ends_with("at last"));
    }
    for (const std::string& sent :
         {std::string(),
          get("/a"),
          std::string("GET / HT"),
          get("/a") + "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"}) {
        const RawClient client = connect();
        client.send(sent);
        client.end();
        client.read_all();
    }
    wait_for_no_connections();
}

TEST_F(HttpEngine, EndsSlowRequestsAndIdleConnections) {
    start({.request_deadline = 50ms, .keep_alive = 1h});
    for (const std::string sent :
         {"GET / HTTP/1.1\r\nHost", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"}) {
        const RawClient client = connect();
        client.send(sent);
        EXPECT_TRUE(client.read_until("arrive\n").starts_with("HTTP/1.1 408 "));
        client.end();
        EXPECT_EQ(client.read_all(), "");
    }
    EXPECT_EQ(engine_->counters().timed_out, 2U);
    start({.request_deadline = 1h, .keep_alive = 50ms});
    const RawClient silent = connect();
    EXPECT_EQ(silent.read_all(), "");
    const RawClient client = connect();
    client.send(get("/a"));
    EXPECT_TRUE(client.read_all().ends_with("/a="));
}

// However often it sends a little.
TEST_F(HttpEngine, ATrickleDoesNotPutOffTheDeadline) {
    start({.request_deadline = 50ms, .limits = {.body_bytes_max = std::size_t{1} << 30}});
    const RawClient client = connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
    while (engine_->counters().timed_out == 0) ASSERT_TRUE(client.send("x"));
    EXPECT_TRUE(client.read_until("arrive\n").starts_with("HTTP/1.1 408 "));
}

TEST_F(HttpEngine, RefusesWhatIsTooLarge) {
    start({.limits = {.body_bytes_max = 4}});
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde", "413"},
        {get("/" + std::string(9000, 'a')), "414"},
        {get("/", "A: " + std::string(40'000, 'a') + "\r\n"), "431"},
        {get("/", "Transfer-Encoding: gzip\r\n"), "501"},
        {"GET / HTTP/2.0\r\n\r\n", "505"},
        {"\x16\x03\x01 a TLS hello\n", "400"},
        {get("/a") + "GET /b HTTP/1.1\r\n\r\n" + get("/c"), "200"},
    };
    for (const auto& [sent, status] : cases) {
        const RawClient client = connect();
        client.send(sent);
        client.end();
        EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 " + status + " ")) << status;
    }
    EXPECT_EQ(engine_->counters().malformed, cases.size());
    EXPECT_EQ(handler_.calls, 1);
    wait_for_no_connections();
}

// One that sends and never reads gets no more answers made than fit into what waits for it.
TEST_F(HttpEngine, AnswersDoNotPileUpForWhoDoesNotRead) {
    start();
    const RawClient client = connect();
    const std::string request = get("/bytes/1000000");
    int sent = 0;
    for (; sent < 100 && client.send(request, MSG_DONTWAIT); ++sent) {
    }
    client.end();
    {
        const RawClient other = connect();  // the engine goes on meanwhile
        other.send(get("/other"));
        EXPECT_TRUE(other.read_until("/other=").ends_with("/other="));
    }
    EXPECT_LE(handler_.calls, 32);  // of 1 MB each: the system's buffers
    const std::string answers = client.read_all();
    EXPECT_GE(count(answers, "HTTP/1.1 200 OK\r\n"), static_cast<std::size_t>(sent));
    wait_for_no_connections();
}

TEST_F(HttpEngine, HoldsBackConnectionsBeyondItsBound) {
    start({.connections_max = 2});
    std::optional<RawClient> first = connect();
    const RawClient second = connect();
    for (const RawClient& client : {std::cref(*first), std::cref(second)}) {
        client.send(get("/a"));
        EXPECT_TRUE(client.read_until("/a=").ends_with("/a="));
    }
    const RawClient third = connect();  // waits in the system's queue
    third.send(get("/third"));
    EXPECT_EQ(engine_->counters().connections, 2U);
    first.reset();
    EXPECT_TRUE(third.read_until("/third=").ends_with("/third="));
    EXPECT_EQ(engine_->counters().accepted, 3U);
}

TEST_F(HttpEngine, ResetsConnectionsOfOneClientBeyondItsBound) {
    start({.connections_per_client_max = 2});
    const RawClient first = connect();
    const RawClient second = connect();
    wait_for([](const EngineCounters& counters) { return counters.connections == 2; });
    const RawClient third = connect();
    EXPECT_EQ(third.read_all(), "");
    EXPECT_EQ(engine_->counters().refused, 1U);
}

TEST_F(HttpEngine, ForgetsAThousandGarbageConnections) {
    start({.connections_per_client_max = 2'000, .request_deadline = 1h, .keep_alive = 1h});
    std::mt19937_64 random(testing::test_seed(3));
    for (int i = 0; i < 1000; ++i) {
        const RawClient client = connect();
        std::string garbage(random() % 200, '\0');
        for (char& c : garbage) c = static_cast<char>(random());
        if (i % 5 == 0) garbage = get("/pull/3000000");
        if (i % 5 == 1) garbage = get("/partly").substr(0, random() % 20);
        client.send(garbage);
        if (i % 2 == 0) client.reset();
    }
    wait_for_no_connections();
    const RawClient client = connect();
    client.send(get("/alive"));
    EXPECT_TRUE(client.read_until("/alive=").ends_with("/alive="));
}

TEST_F(HttpEngine, AnswersAfterTheClientOrTheEngineHasGoneDoNothing) {
    start();
    std::optional<RawClient> gone = connect();
    gone->send(get("/later"));
    Reply reply = handler_.wait_kept();
    gone->reset();
    gone.reset();
    wait_for_no_connections();
    reply.answer(text_answer(200, "nobody reads this"));
    const RawClient client = connect();
    client.send(get("/later"));
    Reply late = handler_.wait_kept();
    engine_.reset();
    late.answer(text_answer(200, "nor this"));
    EXPECT_EQ(client.read_all(), "");
}

TEST_F(HttpEngine, StopLetsAnswersUnderWayEnd) {
    start();
    const RawClient idle = connect();
    const RawClient waiting = connect();
    const RawClient reading = connect();
    waiting.send(get("/later"));
    Reply reply = handler_.wait_kept();
    reading.send(get("/pull/20000000"));
    EXPECT_TRUE(reading.read_some().starts_with("HTTP/1.1 200 OK\r\n"));
    wait_for([](const EngineCounters& counters) { return counters.connections == 3; });
    std::jthread stopper([&] { engine_->stop(1h); });
    EXPECT_EQ(idle.read_all(), "");
    reply.answer(text_answer(200, "done"));
    EXPECT_TRUE(waiting.read_all().ends_with("done"));
    std::size_t read = 0;
    for (std::string some = reading.read_some(); !some.empty(); some = reading.read_some())
        read += some.size();
    EXPECT_GT(read, 19'000'000U);
    stopper.join();
    EXPECT_EQ(engine_->counters().connections, 0U);
}

TEST_F(HttpEngine, StopResetsWhatDoesNotEnd) {
    start();
    const RawClient client = connect();
    client.send(get("/later"));
    Reply reply = handler_.wait_kept();
    const RawClient reading = connect();
    reading.send(get("/here/20000000"));
    EXPECT_FALSE(reading.read_some().empty());
    engine_->stop(1ms);
    EXPECT_EQ(client.read_all(), "");
}

TEST_F(HttpEngine, SaysWhyItCannotListen) {
    start();
    const auto code = [&](const EngineOptions& options) {
        const auto other = Engine::start(handler_, clock_, options);
        return other ? std::string("started") : to_string(other.error());
    };
    EXPECT_TRUE(code({.port = engine_->port()}).starts_with("AlreadyExists: listening on 127"));
    EXPECT_TRUE(code({.address = "example.org"}).starts_with("InvalidArgument: listening on 'ex"));
    EXPECT_TRUE(code({.address = "192.0.2.1"}).starts_with("InvalidArgument: "));
    EXPECT_TRUE(code({.thread_count = 0}).starts_with("InvalidArgument: "));
}

TEST_F(HttpEngine, ServesManyClientsOnManyThreads) {
    start({.thread_count = 4});
    std::vector<std::jthread> clients;
    for (std::uint64_t i = 0; i < 8; ++i)
        clients.emplace_back([this, seed = testing::test_seed(4) + i] {
            std::mt19937_64 random(seed);
            for (int j = 0; j < 10; ++j) {
                const RawClient client = connect();
                ResponseReader reader(client);
                for (int k = 0; k < 10; ++k) {
                    const std::size_t size = random() % 700'000;
                    const std::string kind = random() % 2 == 0 ? "/pull/" : "/bytes/";
                    client.send(get(kind + std::to_string(size)));
                    EXPECT_EQ(reader.read().value().body, pattern(0, size));
                }
            }
        });
    clients.clear();
    wait_for_no_connections();
    EXPECT_EQ(engine_->counters().answers[2], 800U);
    EXPECT_EQ(handler_.producer.alive(), 0);
}

TEST(Peer, ClientsAreAddressesOrNetworks) {
    const auto v4 = [](std::uint8_t last) {
        return Peer{.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, last}};
    };
    const auto v6 = [](std::uint8_t net, std::uint8_t last) {
        return Peer{.address = {0x20, 1, 0xD, 0xB8, 0, 0, 0, net, 0, 0, 0, 0, 0, 0, 0, last}};
    };
    EXPECT_EQ(v4(1).text(), "192.0.2.1");
    EXPECT_EQ(v6(0, 1).text(), "2001:db8::1");
    EXPECT_NE(v4(1).network(), v4(2).network());
    EXPECT_EQ(v6(1, 1).network(), v6(1, 2).network());
    EXPECT_NE(v6(1, 1).network(), v6(2, 1).network());
}

}  // namespace
}  // namespace draco::http
