// The example of README.md, compiled and run; the last test proves that the two are the same text.

#include "draco/simulon/fault_plan.hpp"
#include "draco/simulon/scenario.hpp"
#include "draco/testing/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

namespace draco::simulon {
namespace {

// [example]
using namespace std::chrono_literals;

// Appends each number it receives to its log, and answers with it once that is durable.
struct Server final : Program, TransportReceiver {
    explicit Server(const Host& on)
        : host(on), log(host.disk.open("log", OpenMode::Create).value_or(nullptr)) {
        host.transport.set_receiver(this);
        static_cast<void>(host.disk.sync_directory(""));
    }

    void on_message(PeerId from, Channel channel, ByteView number) override {
        if (!log || !log->write_at(log->size().value_or(0), number) || !log->sync()) return;
        static_cast<void>(host.transport.send(from, channel, to_bytes(number)));
    }

    void on_link_up(PeerId) override {}

    void on_link_down(PeerId) override {}

    const Host& host;
    std::unique_ptr<File> log;
};

// Sends one number every 10 ms until it is answered, then the next.
struct Client final : Program, TransportReceiver {
    Client(const Host& on, std::uint8_t& answered) : host(on), last(answered) {
        host.transport.set_receiver(this);
        ask();
    }

    void ask() {
        static_cast<void>(
            host.transport.send(PeerId(0), Channel::Control, {std::uint8_t(last + 1)}));
        host.executor.post_after(10ms, [this] { ask(); });
    }

    void on_message(PeerId, Channel, ByteView number) override { last = std::max(last, number[0]); }

    void on_link_up(PeerId) override {}

    void on_link_down(PeerId) override {}

    const Host& host;
    std::uint8_t& last;
};

// What was answered is in the log, whatever failed; and in the end there is progress.
Result<> answers_are_durable(World& world) {
    std::uint8_t answered = 0;
    world.add_node([](const Host& host) { return std::make_unique<Server>(host); });
    world.add_node([&](const Host& host) { return std::make_unique<Client>(host, answered); });
    world.connect_all({.latency = Latency::uniform(1ms, 20ms), .loss = 0.1});
    world.start_all();
    schedule_faults(world, draw_faults(world, {.duration = 3s, .interval_mean = 200ms}), 3s);
    DRACO_TRY_VOID(world.run_for(3s));
    const int before = answered;
    DRACO_TRY_VOID(world.run_until_true([&] { return answered > before; }, 10s));
    DRACO_TRY(log, world.disk(PeerId(0)).open("log", OpenMode::Read));
    Bytes numbers(log->size().value_or(0));
    if (!log->read_at(0, numbers)) return fail(Errc::Io, "the log cannot be read");
    for (std::uint8_t number = 1; number <= answered; ++number)
        if (std::ranges::count(numbers, number) == 0)
            return fail(Errc::Corrupt, "an answer was lost");
    return {};
}

TEST(Example, AnswersAreDurable) {
    const ScenarioReport report = run_seeds(answers_are_durable, testing::test_seed(1), 20);
    EXPECT_TRUE(report.verdict) << to_string(report);
}

// [end]

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Proves that README.md shows exactly the example above.
TEST(Example, IsTheOneInTheReadme) {
    const std::string source = text_of(DRACO_MODULE_DIR "/test/readme_example_test.cpp");
    const std::string open = "// [example]\n";
    const auto start = source.find(open) + open.size();
    const std::string example = source.substr(start, source.find("// [end]") - start);
    EXPECT_NE(text_of(DRACO_MODULE_DIR "/README.md").find(example), std::string::npos);
}

}  // namespace
}  // namespace draco::simulon
