// Objects on the nodes of a simulated world: deadlines at exact virtual times, crashes, and the
// same bytes from the same seed.

#include "draco/affair/registry.hpp"
#include "draco/simulon/world.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

namespace draco::affair {
namespace {

using namespace std::chrono_literals;

struct Ticket {
    using Answer = int;
    int number;
};

// Answers a ticket number n after n milliseconds.
class Desk {
public:
    using Messages = affair::Messages<Ticket>;

    explicit Desk(Self<Desk> self) : self_(std::move(self)) {}

    Result<> handle(Ticket ticket, Promise<int> reply) {
        DRACO_TRY(turn, self_.in_turn([ticket, reply = std::move(reply)](Desk&) mutable {
            reply.answer(ticket.number);
        }));
        self_.executor().post_after(std::chrono::milliseconds(ticket.number),
                                    [turn = std::move(turn)]() mutable { turn(); });
        return {};
    }

private:
    Self<Desk> self_;
};

struct Heard {
    Instant at;
    int answer;  // or -1: DeadlineExceeded

    bool operator==(const Heard&) const = default;
};

// Asks tickets 1 to 20, each with a deadline of 10 ms.
class Office final : public simulon::Program {
public:
    Office(const simulon::Host& host, std::vector<Heard>& heard)
        : registry_(host.executor),
          desk_(*registry_.spawn<Desk>({.name = "desk", .capacity = 32}, [](Self<Desk> self) {
              return std::make_unique<Desk>(std::move(self));
          })) {
        for (int number = 1; number <= 20; ++number) {
            auto reply = desk_.address().ask(Ticket{number}, host.clock.now() + 10ms);
            std::move(*reply).then([&host, &heard](const Result<int>& answer) {
                if (!answer) EXPECT_EQ(answer.error().code, Errc::DeadlineExceeded);
                heard.push_back({.at = host.clock.now(), .answer = answer.value_or(-1)});
            });
        }
    }

private:
    Registry registry_;
    Owner<Desk> desk_;
};

struct Ending {
    std::vector<Heard> heard;
    std::uint64_t digest;

    bool operator==(const Ending&) const = default;
};

Ending run(std::uint64_t seed, bool crash_at_5ms) {
    Ending ending{};
    simulon::World world(seed);
    const auto node = world.add_node(
        [&](const simulon::Host& host) { return std::make_unique<Office>(host, ending.heard); });
    world.start_all();
    if (crash_at_5ms) world.at(Instant{5ms + 1ns}, [&] { world.crash(node); });
    EXPECT_TRUE(world.run_until_idle());
    ending.digest = world.digest();
    return ending;
}

// Answers come at their own times, deadlines at theirs, to the nanosecond.
TEST(SimulatedTime, DeadlinesAreExact) {
    const Ending ending = run(1, false);
    ASSERT_EQ(ending.heard.size(), 20U);
    int late = 0;
    for (const Heard& heard : ending.heard) {
        if (heard.answer == -1) {
            ++late;
            EXPECT_EQ(heard.at, Instant{10ms});
        } else {
            EXPECT_EQ(heard.at, Instant{std::chrono::milliseconds(heard.answer)});
        }
    }
    EXPECT_GE(late, 10);
    EXPECT_LE(late, 11);  // the tenth answer and its deadline are due at the same instant
}

// A crash destroys the objects of the node between two events; nobody hears of them again.
TEST(SimulatedTime, CrashEndsEverything) {
    const Ending ending = run(1, true);
    EXPECT_EQ(ending.heard.size(), 5U);
}

// The same seed gives the same events, to the byte.
TEST(SimulatedTime, SameSeedSameBytes) {
    EXPECT_EQ(run(7, false), run(7, false));
    EXPECT_EQ(run(7, true), run(7, true));
}

}  // namespace
}  // namespace draco::affair
