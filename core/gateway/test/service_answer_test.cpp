// Of a service's answer all is sent that may be, and an answer that breaks the contract is not: no
// service can make one answer look like two. A pulled body is back-pressure, and is destroyed when
// its client goes.

#include "gateway_fixture.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace draco::gateway {
namespace {

// Answers with whatever the test has put there.
class PlantedService final : public sdk::Service {
public:
    PlantedService(std::function<sdk::Answer(std::string_view)> make, std::atomic<int>* bodies)
        : make_(std::move(make)), bodies_(bodies) {}

    ~PlantedService() override {
        if (bodies_ != nullptr) EXPECT_EQ(*bodies_, 0) << "bodies go before their service";
    }

    const sdk::ServiceInfo& info() const override { return info_; }

    void on_request(const sdk::Request& request,
                    std::shared_ptr<sdk::Host> /*host*/,
                    sdk::AnswerCallback answer) override {
        answer(make_(request.target));
    }

private:
    const sdk::ServiceInfo info_{.id = types::ServiceId(1),
                                 .name = "planted",
                                 .methods = {"GET", "HEAD"},
                                 .usage = "/, for a test"};
    const std::function<sdk::Answer(std::string_view)> make_;
    std::atomic<int>* const bodies_;
};

class ServiceAnswers : public GatewayOverHttp {
protected:
    void answer_with(std::function<sdk::Answer(std::string_view)> make,
                     std::size_t pieces_in_flight_max = 4) {
        Gateway::Services services;
        services.push_back(std::make_unique<PlantedService>(std::move(make), &bodies_));
        start(std::move(services),
              {.engine = {.pieces_in_flight_max = pieces_in_flight_max}, .limits = unlimited()});
    }

    std::atomic<int> bodies_ = 0;
};

class EmptyBody final : public sdk::Body {
public:
    explicit EmptyBody(const sdk::BodyShape& shape) : shape_(shape) {}

    sdk::BodyShape shape() const override { return shape_; }

    void pull(sdk::PieceCallback /*callback*/) override {}

private:
    const sdk::BodyShape shape_;
};

sdk::Answer with_field(std::string name, std::string value) {
    return {.status = 200,
            .fields = {{.name = std::move(name), .value = std::move(value)}},
            .body = sdk::share("x")};
}

sdk::Answer with_shape(const sdk::BodyShape& shape) {
    return {.status = 200, .fields = {}, .body = std::make_unique<EmptyBody>(shape)};
}

TEST_F(ServiceAnswers, ThatBreakTheContractAreA500) {
    const std::vector<std::function<sdk::Answer()>> bad = {
        [] { return with_field("Content-Length", "7"); },
        [] { return with_field("content-length", "1"); },
        [] { return with_field("Transfer-Encoding", "chunked"); },
        [] { return with_field("Connection", "keep-alive"); },
        [] { return with_field("Keep-Alive", "1"); },
        [] { return with_field("Upgrade", "x"); },
        [] { return with_field("Trailer", "x"); },
        [] { return with_field("Date", "x"); },
        [] { return with_field("X-CONTENT-TYPE-OPTIONS", "x"); },
        [] { return with_field("access-control-allow-origin", "https://a.example"); },
        [] { return with_field("Access-Control-Allow-Credentials", "true"); },
        [] { return with_field("X-A", "1\r\nSet-Cookie: a=b"); },
        [] { return with_field("X-A: 1\r\nX-B", "2"); },
        [] { return with_field("", "2"); },
        [] { return with_field("X-A", std::string(sdk::kAnswerFieldsBytesMax, 'a')); },
        [] {
            sdk::Answer many = with_field("X-A", "1");
            many.fields.resize(sdk::kAnswerFieldsMax + 1, many.fields.front());
            return many;
        },
        [] { return sdk::Answer{.status = 199}; },
        [] { return sdk::Answer{.status = 600}; },
        [] { return sdk::Answer{.status = 0}; },
        [] { return sdk::Answer{.status = 200, .body = std::unique_ptr<sdk::Body>()}; },
        [] { return with_shape({.bytes = 0, .pieces = 1, .piece_bytes_max = 1}); },
        [] { return with_shape({.bytes = 1, .pieces = 0, .piece_bytes_max = 1}); },
        [] { return with_shape({.bytes = 1, .pieces = 2, .piece_bytes_max = 1}); },
        [] { return with_shape({.bytes = 1, .pieces = 1, .piece_bytes_max = 0}); },
        [] {
            return with_shape(
                {.bytes = 1, .pieces = 1, .piece_bytes_max = sdk::kPieceBytesMax + 1});
        },
    };
    answer_with([&](std::string_view target) {
        return bad[static_cast<std::size_t>(std::stoul(std::string(target.substr(1))))]();
    });
    Client client = connect();
    for (std::size_t i = 0; i < bad.size(); ++i) {
        const Response response = client.get("/services/1/" + std::to_string(i));
        EXPECT_EQ(response.status, 500U) << i;
        EXPECT_EQ(body_of(response), "the service gave an answer that is none.\n") << i;
        EXPECT_EQ(field(response, "Set-Cookie"), "(none)");
    }
    EXPECT_EQ(gateway_->counters().bad_answers, bad.size());
}

TEST_F(ServiceAnswers, WithinTheBoundsAreSent) {
    answer_with([](std::string_view target) {
        if (target == "/empty") return with_shape({});
        if (target == "/204") return sdk::Answer{.status = 204};
        sdk::Answer answer = with_field("X-A", "1");
        answer.status = 599;
        answer.fields.resize(sdk::kAnswerFieldsMax, answer.fields.front());
        return answer;
    });
    Client client = connect();
    EXPECT_EQ(client.get("/services/1/many").status, 599U);
    EXPECT_EQ(client.get("/services/1/many").fields.count("X-A"), sdk::kAnswerFieldsMax);
    EXPECT_EQ(field(client.get("/services/1/empty"), "Content-Length"), "0");
    EXPECT_EQ(client.get("/services/1/204").status, 204U);
    EXPECT_EQ(gateway_->counters().bad_answers, 0U);
}

// Pieces of 1000 bytes; the test gives them.
struct Pulls {
    std::mutex mutex;
    std::deque<std::pair<std::uint64_t, sdk::PieceCallback>> waiting;
    std::uint64_t asked = 0;

    std::size_t count() {
        const std::lock_guard lock(mutex);
        return waiting.size();
    }

    std::pair<std::uint64_t, sdk::PieceCallback> take(bool newest) {
        const std::lock_guard lock(mutex);
        auto taken = std::move(newest ? waiting.back() : waiting.front());
        if (newest) {
            waiting.pop_back();
        } else {
            waiting.pop_front();
        }
        return taken;
    }
};

class PulledBody final : public sdk::Body {
public:
    PulledBody(Pulls& pulls, std::uint64_t pieces, std::atomic<int>& bodies)
        : pulls_(pulls), pieces_(pieces), bodies_(bodies) {
        ++bodies_;
    }

    ~PulledBody() override { --bodies_; }

    sdk::BodyShape shape() const override {
        return {.bytes = 1'000 * pieces_, .pieces = pieces_, .piece_bytes_max = 1'000};
    }

    void pull(sdk::PieceCallback callback) override {
        const std::lock_guard lock(pulls_.mutex);
        pulls_.waiting.emplace_back(pulls_.asked++, std::move(callback));
    }

private:
    Pulls& pulls_;
    const std::uint64_t pieces_;
    std::atomic<int>& bodies_;
};

std::string piece_text(std::uint64_t number) {
    return std::string(1'000, static_cast<char>('a' + number));
}

TEST_F(ServiceAnswers, ArePulledAFewPiecesAheadAndComeInAnyOrder) {
    Pulls pulls;
    answer_with(
        [&](std::string_view) {
            return sdk::Answer{.status = 200,
                               .fields = {},
                               .body = std::make_unique<PulledBody>(pulls, 10, bodies_)};
        },
        3);
    Client client = connect();
    client.send("GET", "/services/1/");
    std::string expected;
    for (std::uint64_t i = 0; i < 10; ++i) expected += piece_text(i);
    // The newest of three first: the first one holds back the fourth.
    while (pulls.count() < 3) std::this_thread::yield();
    for (const bool newest : {true, true}) {
        auto [number, callback] = pulls.take(newest);
        callback(sdk::share(piece_text(number)));
    }
    EXPECT_EQ(pulls.asked, 3U);
    for (std::uint64_t given = 2; given < 10; ++given) {
        while (pulls.count() == 0) std::this_thread::yield();
        auto [number, callback] = pulls.take(false);
        callback(sdk::share(piece_text(number)));
    }
    EXPECT_EQ(body_of(client.receive().value()), expected);
    while (bodies_ != 0) std::this_thread::yield();
    const Response head = client.ask("HEAD", "/services/1/");
    EXPECT_EQ(field(head, "Content-Length"), "10000");
    EXPECT_EQ(pulls.asked, 10U);
}

TEST_F(ServiceAnswers, ThatFailLaterAreCutOff) {
    Pulls pulls;
    answer_with([&](std::string_view) {
        return sdk::Answer{
            .status = 200, .fields = {}, .body = std::make_unique<PulledBody>(pulls, 3, bodies_)};
    });
    const std::vector<std::function<void(sdk::PieceCallback)>> failures = {
        [](sdk::PieceCallback callback) { callback(fail(Errc::Io, "planted")); },
        [](const sdk::PieceCallback& /*dropped*/) {},
        [](sdk::PieceCallback callback) { callback(sdk::share(std::string(1'001, 'x'))); },
        [](sdk::PieceCallback callback) { callback(sdk::Piece{}); },
    };
    for (const auto& failure : failures) {
        Client client = connect();
        client.send("GET", "/services/1/");
        while (pulls.count() < 3) std::this_thread::yield();
        pulls.take(false).second(sdk::share(piece_text(0)));
        failure(pulls.take(false).second);
        EXPECT_FALSE(client.receive());
        static_cast<void>(pulls.take(false));
    }
    EXPECT_EQ(gateway_->counters().http.cut_off, failures.size());
    while (bodies_ != 0) std::this_thread::yield();
}

TEST_F(ServiceAnswers, AreCancelledWhenTheClientGoesAndWhenTheGatewayStops) {
    Pulls pulls;
    answer_with([&](std::string_view) {
        return sdk::Answer{
            .status = 200, .fields = {}, .body = std::make_unique<PulledBody>(pulls, 3, bodies_)};
    });
    {
        Client client = connect();
        client.send("GET", "/services/1/");
        while (pulls.count() < 3) std::this_thread::yield();
    }
    while (bodies_ != 0) std::this_thread::yield();
    Client client = connect();
    client.send("GET", "/services/1/");
    while (pulls.count() < 6) std::this_thread::yield();
    EXPECT_EQ(bodies_, 1);
    gateway_.reset();
    EXPECT_EQ(bodies_, 0);
    while (pulls.count() > 0) {
        auto [number, callback] = pulls.take(false);
        callback(sdk::share(piece_text(0)));  // not heard
    }
    EXPECT_FALSE(client.receive());
}

}  // namespace
}  // namespace draco::gateway
