// A client of content that goes away before its answer leaves nothing behind, wherever its request
// waits: for a root, for what a path leads to, or for a first block. No deadline ever comes here.

#include "cdn_fixture.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <thread>

namespace draco::cdn {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

class GoneClientsOfContent : public CdnOverHttp {
protected:
    void start_without_deadlines() {
        start({.engine = {.thread_count = 2, .answer_deadline = 1h},
               .limits = unlimited(),
               .open_deadline = 1h});
    }

    // CTest's limit is the test's own.
    template <class Done>
    static void wait_until(const Done& done) {
        while (!done()) std::this_thread::yield();
    }

    void expect_nothing_left() const {
        wait_until([&] { return source_.waiting() == 0 && source_.open_contents() == 0; });
        EXPECT_EQ(source_.held(), 0U);
    }
};

TEST_F(GoneClientsOfContent, FreeTheirPlaceWhereverTheyWait) {
    start_without_deadlines();
    const auto file = source_.add_file(Bytes(3 * kBlock, 1));
    const auto folder = source_.add_directory({link_to("f", file)});
    const auto root = source_.add_directory({link_to("d", folder)});
    source_.set_places(1);
    for (const types::ContentHash& held : {root, folder, file}) {
        source_.hold_opens(held);
        std::optional<Client> gone = connect();
        gone->send("GET", b3(root, "/d/f"));
        wait_until([&] { return source_.waiting() == 1; });
        Client other = connect();
        EXPECT_EQ(other.get(b3(held)).status, 503U) << "there is one place";
        gone.reset();
        expect_nothing_left();
        source_.release();
        EXPECT_EQ(other.get(b3(root, "/d/f")).body.size(), 3 * kBlock);
    }
    EXPECT_EQ(gateway_->counters().http.gone, 3U);
}

TEST_F(GoneClientsOfContent, LetGoOfAFirstBlock) {
    start_without_deadlines();
    const auto file = source_.add_file(Bytes(3 * kBlock, 2));
    source_.hold_blocks(file, 0);
    std::optional<Client> gone = connect();
    gone->send("GET", b3(file));
    wait_until([&] { return source_.held() == 1; });
    gone.reset();
    expect_nothing_left();
    EXPECT_EQ(gateway_->counters().http.gone, 1U);
}

TEST_F(GoneClientsOfContent, AndOfABodyThatWasBegun) {
    start_without_deadlines();
    const auto file = source_.add_file(Bytes(100 * kBlock, 3));
    source_.hold_blocks(file, 90);
    std::optional<Client> gone = connect();
    gone->send("GET", b3(file));
    gone->wait_bytes(kBlock);
    gone.reset();
    expect_nothing_left();
    EXPECT_EQ(gateway_->counters().http.gone, 0U) << "it had its answer";
}

}  // namespace
}  // namespace draco::cdn
