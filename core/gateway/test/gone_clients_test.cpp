// A client that goes away while its object is looked for frees what its request held, at once: no
// deadline of these tests ever comes.

#include "gateway_fixture.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace draco::gateway {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

// Opens one object for each request, reads its first bytes, and answers with them or what failed.
class Reading final : public sdk::Service {
public:
    explicit Reading(const types::ContentHash& hash) : hash_(hash) {}

    const sdk::ServiceInfo& info() const override { return info_; }

    void on_request(const sdk::Request& /*request*/,
                    std::shared_ptr<sdk::Host> host,
                    sdk::AnswerCallback answer) override {
        auto give = [abandoned = abandoned, answer = std::move(answer)](std::string said) mutable {
            if (said == "Abandoned") ++*abandoned;
            answer(sdk::text_answer(200, std::move(said)));
        };
        host->open(hash_,
                   [give = std::move(give)](Result<std::unique_ptr<sdk::Content>> content) mutable {
                       if (!content) return give(std::string(to_string(content.error().code)));
                       read(*std::move(content), std::move(give));
                   });
    }

    const std::shared_ptr<std::atomic<int>> abandoned = std::make_shared<std::atomic<int>>(0);

private:
    static void read(std::unique_ptr<sdk::Content> content,
                     std::move_only_function<void(std::string)> give) {
        std::shared_ptr<sdk::Content> shared = std::move(content);
        shared->read(0, 4, [shared, give = std::move(give)](Result<sdk::Piece> piece) mutable {
            give(piece ? std::string(as_text(piece->bytes))
                       : std::string(to_string(piece.error().code)));
        });
    }

    const types::ContentHash hash_;
    const sdk::ServiceInfo info_{
        .id = types::ServiceId(7), .name = "reading", .methods = {"GET"}, .usage = "/"};
};

class GoneClients : public GatewayOverHttp {
protected:
    void start_reading(const types::ContentHash& hash) {
        auto service = std::make_unique<Reading>(hash);
        service_ = service.get();
        Gateway::Services services;
        services.push_back(std::move(service));
        start(std::move(services),
              {.engine = {.thread_count = 2, .answer_deadline = 1h},
               .limits = unlimited(),
               .open_deadline = 1h});
    }

    // CTest's limit is the test's own.
    template <class Done>
    static void wait_until(const Done& done) {
        while (!done()) std::this_thread::yield();
    }

    const std::string target_ = "/services/7/";
    Reading* service_ = nullptr;
};

TEST_F(GoneClients, GiveTheirPlaceBackAtOnce) {
    const auto hash = source_.add_file(text("here it is"));
    source_.hold_opens(hash);
    source_.set_places(1);
    start_reading(hash);
    Client other = connect();
    for (int round = 1; round <= 3; ++round) {
        std::optional<Client> gone = connect();
        gone->send("GET", target_);
        wait_until([&] { return source_.waiting() == 1; });
        EXPECT_EQ(body_of(other.get(target_)), "Exhausted\n") << "there is one place";
        gone.reset();
        wait_until([&] { return source_.waiting() == 0; });
        wait_until([&] { return *service_->abandoned == round; });
    }
    other.send("GET", target_);
    wait_until([&] { return source_.waiting() == 1; });
    source_.release();
    EXPECT_EQ(body_of(other.receive().value()), "here\n");
    EXPECT_EQ(gateway_->counters().http.gone, 3U);
    EXPECT_EQ(*service_->abandoned, 3);
    EXPECT_EQ(gateway_->counters().bad_answers, 0U);
}

TEST_F(GoneClients, LetGoOfWhatWasOpen) {
    const auto hash = source_.add_file(text("here it is"));
    source_.hold_blocks(hash, 0);
    start_reading(hash);
    std::optional<Client> gone = connect();
    gone->send("GET", target_);
    wait_until([&] { return source_.held() == 1; });
    EXPECT_EQ(source_.open_contents(), 1U);
    gone.reset();
    wait_until([&] { return source_.open_contents() == 0; });
    EXPECT_EQ(source_.held(), 0U);
    wait_until([&] { return *service_->abandoned == 1; });
}

TEST_F(GoneClients, WhoOnlyEndsItsRequestsIsServed) {
    const auto hash = source_.add_file(text("here it is"));
    source_.hold_opens(hash);
    start_reading(hash);
    Client client = connect();
    client.send("GET", target_);
    wait_until([&] { return source_.waiting() == 1; });
    client.end();
    client.wait_bytes(1);  // which come once the end is seen
    EXPECT_EQ(source_.waiting(), 1U);
    source_.release();
    EXPECT_EQ(body_of(client.receive().value()), "here\n");
    EXPECT_EQ(*service_->abandoned, 0);
}

}  // namespace
}  // namespace draco::gateway
