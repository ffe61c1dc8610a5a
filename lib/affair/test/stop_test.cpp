// Stopping, concurrent objects, and what the registry shows, on a scripted executor.

#include "draco/affair/registry.hpp"

#include "scripted_executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace draco::affair {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ScriptedExecutor;

struct Step {};

struct Park {
    using Answer = int;
};

struct Release {
    int answer;
};

struct Break {};

// Keeps the promises of Park until Release; shared by both policies.
class Garage {
public:
    using Messages = affair::Messages<Step, Park, Release, Break>;

    explicit Garage(std::vector<std::string>& log, std::string name = "garage")
        : log_(log), name_(std::move(name)) {}

    Garage(const Garage&) = delete;
    Garage& operator=(const Garage&) = delete;

    ~Garage() { log_.push_back(name_ + " gone"); }

    void handle(Step) const { log_.push_back(name_ + " step"); }

    void handle(Park, Promise<int> reply) const { parked_.push_back(std::move(reply)); }

    void handle(Release release) const {
        if (parked_.empty()) return;
        parked_.front().answer(release.answer);
        parked_.erase(parked_.begin());
    }

    Result<> handle(Break) const { return fail(Errc::Io, "broken"); }

    // For tests that stand outside; the executor has one thread.
    std::vector<Promise<int>>& parked() const { return parked_; }

private:
    std::vector<std::string>& log_;
    const std::string name_;
    mutable std::vector<Promise<int>> parked_;
};

class StopTest : public ::testing::Test {
protected:
    Owner<Garage> spawn(const std::string& name) {
        return *registry_.spawn<Garage>({.name = name, .capacity = 8}, [this, name] {
            return std::make_unique<Garage>(log_, name);
        });
    }

    void stop_all(StopPolicy policy, Duration within) {
        registry_.stop_all(policy, executor_.now() + within, [this](StopReport report) {
            EXPECT_FALSE(report_) << "reported twice";
            report_ = std::move(report);
        });
    }

    ScriptedExecutor executor_;
    Registry registry_{executor_};
    std::vector<std::string> log_;
    std::optional<StopReport> report_;
};

// Drain handles everything accepted, youngest object first, destroys each, and reports a clean
// stop before the deadline.
TEST_F(StopTest, DrainIsInReverseOrder) {
    const auto older = spawn("older");
    const auto younger = spawn("younger");
    for (const auto& owner : {&older, &younger}) {
        EXPECT_TRUE((*owner).address().tell(Step{}));
        EXPECT_TRUE((*owner).address().tell(Step{}));
    }
    stop_all(StopPolicy::Drain, 1s);
    EXPECT_FALSE(report_) << "done is a task of its own";
    executor_.run_all();
    ASSERT_TRUE(report_);
    EXPECT_TRUE(report_->unfinished.empty());
    EXPECT_EQ(std::ranges::count(log_, "older step"), 2);
    EXPECT_EQ(std::ranges::count(log_, "younger step"), 2);
    EXPECT_LT(std::ranges::find(log_, "younger gone"), std::ranges::find(log_, "older gone"));
    EXPECT_EQ(executor_.now(), Instant{}) << "the deadline's timer is gone";
    EXPECT_FALSE(older.address().tell(Step{}));
    EXPECT_EQ(older.snapshot().state, ObjectState::Stopped);
}

// While it drains, an object accepts nothing more; it is not drained before the replies it holds
// are given.
TEST_F(StopTest, DrainWaitsForHeldReplies) {
    const auto owner = registry_.spawn_concurrent<Garage>(
        {.name = "garage", .capacity = 8}, {2}, [this] { return std::make_unique<Garage>(log_); });
    ASSERT_TRUE(owner);
    auto reply = *owner->address().ask(Park{}, executor_.now() + 10s);
    executor_.run_ready();
    stop_all(StopPolicy::Drain, 5s);
    executor_.run_for(1s);
    EXPECT_FALSE(report_);
    EXPECT_EQ(owner->snapshot().state, ObjectState::Stopping);
    const auto refused = owner->address().tell(Release{4});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, Errc::Unavailable);
    // The deadline of the stop: the report names the message, its place and its age.
    executor_.run_for(4s);
    ASSERT_TRUE(report_);
    ASSERT_EQ(report_->unfinished.size(), 1U);
    const std::string text = describe(report_->unfinished[0]);
    EXPECT_THAT(text, HasSubstr("garage: stopping"));
    EXPECT_THAT(text, HasSubstr("Park for 5000 ms, sent at "));
    EXPECT_THAT(text, HasSubstr("stop_test.cpp:"));
    // What had not ended is discarded then.
    EXPECT_THAT(log_, ElementsAre("garage gone"));
    const auto outcome = std::move(reply).wait();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Errc::Abandoned);
}

// Discard drops what waits, at once, and answers Abandoned.
TEST_F(StopTest, DiscardDropsTheMailbox) {
    auto owner = spawn("garage");
    EXPECT_TRUE(owner.address().tell(Step{}));
    auto reply = *owner.address().ask(Park{}, executor_.now() + 1s);
    owner.stop(StopPolicy::Discard, executor_.now() + 1s, [this](StopReport report) {
        report_ = std::move(report);
    });
    executor_.run_all();
    ASSERT_TRUE(report_);
    EXPECT_TRUE(report_->unfinished.empty());
    EXPECT_EQ(std::move(reply).wait().error().code, Errc::Abandoned);
    EXPECT_EQ(owner.snapshot().accepted, 2U);
    EXPECT_EQ(owner.snapshot().discarded + owner.snapshot().handled, 2U);
}

// A drain that finds its object between two incarnations waits for the next one.
TEST_F(StopTest, DrainSpansARestart) {
    auto owner = *registry_.spawn<Garage>(
        {.name = "garage", .capacity = 8, .supervision = {.restarts_max = 1, .backoff_first = 1s}},
        [this] { return std::make_unique<Garage>(log_); });
    EXPECT_TRUE(owner.address().tell(Break{}));
    EXPECT_TRUE(owner.address().tell(Step{}));
    executor_.run_ready();
    stop_all(StopPolicy::Drain, 5s);
    executor_.run_all();
    ASSERT_TRUE(report_);
    EXPECT_TRUE(report_->unfinished.empty());
    EXPECT_THAT(log_, ElementsAre("garage gone", "garage step", "garage gone"));
}

// Stopping what has stopped or failed, or nothing at all, is a clean stop.
TEST_F(StopTest, StoppingTwice) {
    stop_all(StopPolicy::Drain, 1s);
    executor_.run_all();
    EXPECT_TRUE(report_);
    const auto owner = spawn("garage");
    EXPECT_TRUE(owner.address().tell(Break{}));
    executor_.run_all();
    for (int i = 0; i < 2; ++i) {
        report_.reset();
        stop_all(StopPolicy::Discard, 1s);
        executor_.run_all();
        ASSERT_TRUE(report_);
        EXPECT_TRUE(report_->unfinished.empty());
    }
}

// A concurrent object works on at most `in_flight` messages; one whose reply is held counts, and
// its answer lets the next message in.
TEST_F(StopTest, InFlightIsBounded) {
    const Garage* garage = nullptr;
    const auto owner =
        registry_.spawn_concurrent<Garage>({.name = "garage", .capacity = 8}, {2}, [&] {
            auto made = std::make_unique<Garage>(log_);
            garage = made.get();
            return made;
        });
    ASSERT_TRUE(owner);
    std::vector<Reply<int>> replies;
    for (int i = 0; i < 5; ++i)
        replies.push_back(*owner->address().ask(Park{}, executor_.now() + 10s));
    executor_.run_ready();
    EXPECT_EQ(garage->parked().size(), 2U);
    EXPECT_EQ(owner->snapshot().queued, 3U);
    for (int left = 5; left > 0; --left) {
        EXPECT_EQ(garage->parked().size(),
                  std::min<std::size_t>(2, static_cast<std::size_t>(left)));
        garage->parked().front().answer(left);
        garage->parked().erase(garage->parked().begin());
        executor_.run_ready();
    }
    EXPECT_EQ(owner->snapshot().handled, 5U);
    EXPECT_THAT(owner->snapshot().occupations, ElementsAre());
}

// A concurrent object restarts only after every handler has returned; what waits survives.
TEST_F(StopTest, ConcurrentRestart) {
    const auto owner = registry_.spawn_concurrent<Garage>(
        {.name = "garage", .capacity = 8, .supervision = {.restarts_max = 1}}, {2}, [this] {
            return std::make_unique<Garage>(log_);
        });
    ASSERT_TRUE(owner);
    EXPECT_TRUE(owner->address().tell(Break{}));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(owner->address().tell(Step{}));
    executor_.run_all();
    EXPECT_EQ(std::ranges::count(log_, "garage step"), 3);
    EXPECT_EQ(std::ranges::count(log_, "garage gone"), 1);
    EXPECT_EQ(owner->snapshot().handled, 4U);
}

// The registry lists every object with its counters, oldest first, while its owner exists.
TEST_F(StopTest, RegistryLists) {
    const auto first = spawn("first");
    {
        const auto second = spawn("second");
        EXPECT_TRUE(second.address().tell(Step{}));
        const auto seen = registry_.snapshot();
        ASSERT_EQ(seen.size(), 2U);
        EXPECT_EQ(seen[0].name, "first");
        EXPECT_EQ(describe(seen[1]), "second: running, 1 of 8 queued (most 1)");
    }
    EXPECT_EQ(registry_.snapshot().size(), 1U);
}

// An object sees itself handling, with the message's type and the place it was sent from.
TEST(Registry, ShowsTheHandlerThatRuns) {
    class Mirror {
    public:
        using Messages = affair::Messages<Step>;

        Mirror(Registry& registry, std::vector<ObjectSnapshot>& seen)
            : registry_(registry), seen_(seen) {}

        void handle(Step) { seen_ = registry_.snapshot(); }

    private:
        Registry& registry_;
        std::vector<ObjectSnapshot>& seen_;
    };

    ScriptedExecutor executor;
    Registry registry(executor);
    std::vector<ObjectSnapshot> seen;
    const auto owner = registry.spawn<Mirror>({.name = "mirror", .capacity = 1}, [&] {
        return std::make_unique<Mirror>(registry, seen);
    });
    const auto line = std::source_location::current().line() + 1;
    EXPECT_TRUE(owner->address().tell(Step{}));
    executor.run_all();
    ASSERT_EQ(seen.size(), 1U);
    ASSERT_EQ(seen[0].occupations.size(), 1U);
    EXPECT_EQ(seen[0].occupations[0].kind, Occupation::Kind::Handling);
    EXPECT_EQ(seen[0].occupations[0].where.line(), line);
    EXPECT_THAT(std::string(seen[0].occupations[0].message), HasSubstr("Step"));
    EXPECT_THAT(owner->snapshot().occupations, ElementsAre());
}

}  // namespace
}  // namespace draco::affair
