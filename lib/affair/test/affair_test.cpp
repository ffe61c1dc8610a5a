// One object, on a scripted executor: every promise of address.hpp, reply.hpp and self.hpp.

#include "draco/affair/registry.hpp"

#include "scripted_executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <coroutine>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace draco::affair {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ScriptedExecutor;

struct Note {
    int number;
};

struct Query {
    using Answer = int;
    int number;
};

struct Park {  // the object keeps the promise
    using Answer = int;
};

struct Unpark {};

struct Fail {
    enum class How { Return, Throw };

    How how;
};

struct Parcel {  // move-only
    std::unique_ptr<int> content;
};

struct Journal {
    std::vector<int> notes;
    int made = 0;
    int destroyed = 0;
};

class Clerk {
public:
    using Messages = affair::Messages<Note, Query, Park, Unpark, Fail, Parcel>;

    explicit Clerk(Journal& journal) : journal_(journal) { ++journal_.made; }

    Clerk(const Clerk&) = delete;
    Clerk& operator=(const Clerk&) = delete;

    ~Clerk() { ++journal_.destroyed; }

    void handle(Note note) { journal_.notes.push_back(note.number); }

    void handle(Query query, Promise<int> reply) { reply.answer(query.number * 2); }

    void handle(Park, Promise<int> reply) { parked_.push_back(std::move(reply)); }

    void handle(Unpark) {
        for (auto& reply : parked_) reply.answer(7);
        parked_.clear();
    }

    Result<> handle(Fail failure) {
        if (failure.how == Fail::How::Throw) throw std::runtime_error("spilled the ink");
        return fail(Errc::Io, "the pen broke");
    }

    void handle(Parcel parcel) { journal_.notes.push_back(*parcel.content); }

private:
    Journal& journal_;
    std::vector<Promise<int>> parked_;
};

class AffairTest : public ::testing::Test {
protected:
    Owner<Clerk> spawn(ObjectOptions options) {
        auto owner = registry_.spawn<Clerk>(std::move(options),
                                            [this] { return std::make_unique<Clerk>(journal_); });
        EXPECT_TRUE(owner);
        return *std::move(owner);
    }

    // The outcome of an ask, once it has come.
    template <class T>
    static std::shared_ptr<std::optional<Result<T>>> outcome_of(Reply<T> reply) {
        auto outcome = std::make_shared<std::optional<Result<T>>>();
        std::move(reply).then([outcome](Result<T> result) {
            EXPECT_FALSE(*outcome) << "a second outcome";
            *outcome = std::move(result);
        });
        return outcome;
    }

    Instant in(Duration d) const { return executor_.now() + d; }

    ScriptedExecutor executor_;
    std::vector<Escalation> escalations_;
    Registry registry_{executor_, [this](const Escalation& e) { escalations_.push_back(e); }};
    Journal journal_;
};

// Told messages are handled in the order of acceptance, and never inside the call of tell.
TEST_F(AffairTest, HandlesInOrder) {
    const auto owner = spawn({.name = "clerk", .capacity = 8});
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(owner.address().tell(Note{i}));
    EXPECT_THAT(journal_.notes, ElementsAre());
    executor_.run_ready();
    EXPECT_THAT(journal_.notes, ElementsAre(0, 1, 2, 3, 4));
}

// The capacity is exact, a full mailbox gives the message back unharmed, and room comes back.
TEST_F(AffairTest, FullMailboxGivesTheMessageBack) {
    const auto owner = spawn({.name = "clerk", .capacity = 2});
    EXPECT_TRUE(owner.address().tell(Note{1}));
    EXPECT_TRUE(owner.address().tell(Note{2}));
    auto refused = owner.address().tell(Parcel{std::make_unique<int>(3)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, Errc::Exhausted);
    EXPECT_THAT(refused.error().error.context, HasSubstr("'clerk' holds its 2 messages"));
    executor_.run_ready();
    EXPECT_TRUE(owner.address().tell(std::move(refused.error().message)));
    executor_.run_ready();
    EXPECT_THAT(journal_.notes, ElementsAre(1, 2, 3));
    EXPECT_EQ(owner.snapshot().rejected, 1U);
    EXPECT_EQ(owner.snapshot().queued_max, 2U);
}

// A rejection converts to a plain Error where the message is not wanted back; a refused ask arms no
// timer, counts as rejected and not as abandoned.
TEST_F(AffairTest, RejectionOfAnAsk) {
    const auto owner = spawn({.name = "clerk", .capacity = 1});
    EXPECT_TRUE(owner.address().tell(Note{1}));
    const auto attempt = [&]() -> Result<> {
        DRACO_TRY(reply, owner.address().ask(Query{1}, in(1s)));
        (void)reply;
        return {};
    };
    const Result<> result = attempt();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::Exhausted);
    EXPECT_EQ(executor_.timers_pending(), 0U);
    EXPECT_EQ(owner.snapshot().abandoned, 0U);
}

// An answer arrives as a task of its own, once, and takes its timer away.
TEST_F(AffairTest, AskIsAnswered) {
    const auto owner = spawn({.name = "clerk", .capacity = 2});
    const auto outcome = outcome_of(*owner.address().ask(Query{21}, in(1s)));
    executor_.run_ready();
    ASSERT_TRUE(*outcome);
    EXPECT_EQ(**outcome, 42);
    EXPECT_EQ(executor_.timers_pending(), 0U);
}

// then() on an outcome that is already there still delivers it as a task.
TEST_F(AffairTest, LateSubscriberGetsTheOutcome) {
    const auto owner = spawn({.name = "clerk", .capacity = 2});
    auto reply = *owner.address().ask(Query{21}, in(1s));
    executor_.run_ready();
    const auto outcome = outcome_of(std::move(reply));
    EXPECT_FALSE(*outcome);
    executor_.run_ready();
    ASSERT_TRUE(*outcome);
    EXPECT_EQ(**outcome, 42);
}

// At the deadline exactly, not before: DeadlineExceeded. The answer that comes later is counted and
// dropped.
TEST_F(AffairTest, DeadlineAndLateReply) {
    const auto owner = spawn({.name = "clerk", .capacity = 2});
    const auto outcome = outcome_of(*owner.address().ask(Park{}, in(100ms)));
    executor_.run_for(100ms - 1ns);
    EXPECT_FALSE(*outcome);
    executor_.run_for(1ns);
    ASSERT_TRUE(*outcome);
    EXPECT_EQ((*outcome)->error().code, Errc::DeadlineExceeded);
    EXPECT_THAT((*outcome)->error().context, HasSubstr("Park"));
    EXPECT_TRUE(owner.address().tell(Unpark{}));
    executor_.run_all();
    const auto seen = owner.snapshot();
    EXPECT_EQ(seen.expired, 1U);
    EXPECT_EQ(seen.late_replies, 1U);
    EXPECT_EQ(seen.lapsed, 0U);
}

// A kept promise may be answered later; until then the object shows which message, from where, for
// how long.
TEST_F(AffairTest, DeferredReplyIsVisible) {
    const auto owner = spawn({.name = "clerk", .capacity = 2});
    const auto line = std::source_location::current().line() + 1;
    const auto outcome = outcome_of(*owner.address().ask(Park{}, in(10s)));
    executor_.run_for(3s);
    const auto seen = owner.snapshot();
    ASSERT_EQ(seen.occupations.size(), 1U);
    EXPECT_EQ(seen.occupations[0].kind, Occupation::Kind::HoldingReply);
    EXPECT_THAT(std::string(seen.occupations[0].message), HasSubstr("Park"));
    EXPECT_EQ(seen.occupations[0].where.line(), line);
    EXPECT_EQ(seen.occupations[0].elapsed, 3s);
    EXPECT_THAT(describe(seen), HasSubstr("holding the reply to "));
    EXPECT_THAT(describe(seen), HasSubstr("for 3000 ms, sent at "));
    EXPECT_TRUE(owner.address().tell(Unpark{}));
    executor_.run_ready();
    EXPECT_EQ(**outcome, 7);
    EXPECT_THAT(owner.snapshot().occupations, ElementsAre());
}

// An ask whose deadline passes in the mailbox is never handled.
TEST_F(AffairTest, LapsedAskIsSkipped) {
    const auto owner = spawn(
        {.name = "clerk", .capacity = 4, .supervision = {.restarts_max = 1, .backoff_first = 1s}});
    EXPECT_TRUE(owner.address().tell(Fail{Fail::How::Return}));
    const auto outcome = outcome_of(*owner.address().ask(Park{}, in(500ms)));
    executor_.run_for(500ms);
    EXPECT_EQ((*outcome)->error().code, Errc::DeadlineExceeded);
    executor_.run_all();
    const auto seen = owner.snapshot();
    EXPECT_EQ(seen.lapsed, 1U);
    EXPECT_EQ(seen.expired, 1U);
    EXPECT_EQ(seen.handled, 1U);
    EXPECT_EQ(seen.restarts, 1U);
}

// A failed object is replaced after the pause; what waited survives, in order; promises it held
// answer Abandoned.
TEST_F(AffairTest, RestartKeepsTheMailbox) {
    const auto owner = spawn({.name = "clerk",
                              .capacity = 8,
                              .supervision = {.restarts_max = 1, .backoff_first = 100ms}});
    const auto parked = outcome_of(*owner.address().ask(Park{}, in(10s)));
    EXPECT_TRUE(owner.address().tell(Fail{Fail::How::Throw}));
    EXPECT_TRUE(owner.address().tell(Note{1}));
    executor_.run_ready();
    EXPECT_EQ((*parked)->error().code, Errc::Abandoned);
    EXPECT_EQ(owner.snapshot().state, ObjectState::Restarting);
    EXPECT_EQ(journal_.destroyed, 1);
    EXPECT_TRUE(owner.address().tell(Note{2}));
    executor_.run_for(100ms - 1ns);
    EXPECT_EQ(journal_.made, 1);
    executor_.run_for(1ns);
    EXPECT_EQ(journal_.made, 2);
    EXPECT_THAT(journal_.notes, ElementsAre(1, 2));
    EXPECT_EQ(owner.snapshot().state, ObjectState::Running);
    EXPECT_EQ(owner.snapshot().failures, 1U);
}

// The pause doubles with each restart inside the window; one failure too many escalates once, with
// the last error; outside the window the count starts anew.
TEST_F(AffairTest, RestartsAreBounded) {
    const auto owner = spawn(
        {.name = "clerk",
         .capacity = 8,
         .supervision = {
             .restarts_max = 3, .window = 10s, .backoff_first = 100ms, .backoff_max = 250ms}});
    const auto fail_once = [&] {
        EXPECT_TRUE(owner.address().tell(Fail{Fail::How::Throw}));
        executor_.run_ready();
        const Instant failed = executor_.now();
        while (owner.snapshot().state == ObjectState::Restarting) executor_.run_one();
        return executor_.now() - failed;
    };
    EXPECT_EQ(fail_once(), 100ms);
    EXPECT_EQ(fail_once(), 200ms);
    EXPECT_EQ(fail_once(), 250ms);
    executor_.run_for(10s);
    EXPECT_EQ(fail_once(), 100ms);
    EXPECT_EQ(fail_once(), 200ms);
    EXPECT_EQ(fail_once(), 250ms);
    EXPECT_THAT(escalations_, ElementsAre());
    fail_once();
    EXPECT_EQ(owner.snapshot().state, ObjectState::Failed);
    executor_.run_all();
    ASSERT_EQ(escalations_.size(), 1U);
    EXPECT_EQ(escalations_[0].name, "clerk");
    EXPECT_THAT(escalations_[0].error.context, HasSubstr("spilled the ink"));
    const auto refused = owner.address().tell(Note{1});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, Errc::Unavailable);
}

// Escalation discards what waits: asks are answered Abandoned.
TEST_F(AffairTest, EscalationAbandonsTheMailbox) {
    const auto owner = spawn({.name = "clerk", .capacity = 8});
    EXPECT_TRUE(owner.address().tell(Fail{Fail::How::Return}));
    const auto outcome = outcome_of(*owner.address().ask(Query{1}, in(1s)));
    executor_.run_ready();
    EXPECT_EQ((*outcome)->error().code, Errc::Abandoned);
    ASSERT_EQ(escalations_.size(), 1U);
    EXPECT_EQ(escalations_[0].error, (Error{Errc::Io, "the pen broke"}));
    EXPECT_EQ(owner.snapshot().discarded, 1U);
    EXPECT_EQ(journal_.destroyed, 1);
}

// A factory that fails at spawn is spawn's error; one that fails at a restart is one more failure.
TEST_F(AffairTest, FailingFactory) {
    int calls = 0;
    const auto make = [&]() -> Result<std::unique_ptr<Clerk>> {
        if (++calls != 2) return fail(Errc::Io, "no desk");
        return std::make_unique<Clerk>(journal_);
    };
    const ObjectOptions options{.name = "clerk", .capacity = 8, .supervision = {.restarts_max = 2}};
    const auto refused = registry_.spawn<Clerk>(options, std::ref(make));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), (Error{Errc::Io, "no desk"}));
    EXPECT_THAT(registry_.snapshot(), ElementsAre());
    const auto owner = registry_.spawn<Clerk>(options, std::ref(make));
    ASSERT_TRUE(owner);
    EXPECT_TRUE(owner->address().tell(Fail{Fail::How::Return}));
    executor_.run_all();
    EXPECT_EQ(calls, 4);
    ASSERT_EQ(escalations_.size(), 1U);
    EXPECT_EQ(escalations_[0].error, (Error{Errc::Io, "no desk"}));
    EXPECT_EQ(owner->snapshot().failures, 3U);
}

// What reaches an object while its factory runs waits until the object is there, and a stop does
// too: here the factory lets the executor run, as another thread of a pool would.
TEST_F(AffairTest, MessagesWaitForTheFirstIncarnation) {
    std::size_t stops = 0;
    const auto owner =
        registry_.spawn<Clerk>({.name = "clerk", .capacity = 8}, [&](const Self<Clerk>& self) {
            EXPECT_TRUE(self.address().tell(Note{1}));
            executor_.run_ready();
            EXPECT_EQ(registry_.snapshot().at(0).queued, 1U);
            registry_.stop_all(StopPolicy::Drain, in(1s), [&](const StopReport& report) {
                ++stops;
                EXPECT_TRUE(report.unfinished.empty());
                EXPECT_EQ(journal_.destroyed, 1);
            });
            executor_.run_ready();
            EXPECT_EQ(stops, 0U);
            return std::make_unique<Clerk>(journal_);
        });
    ASSERT_TRUE(owner);
    executor_.run_ready();
    EXPECT_THAT(journal_.notes, ElementsAre(1));
    EXPECT_EQ(stops, 1U);
}

// Names are unique among living objects, and bounds of 0 are refused.
TEST_F(AffairTest, SpawnChecksItsOptions) {
    const auto make = [this] { return std::make_unique<Clerk>(journal_); };
    {
        const auto owner = spawn({.name = "clerk", .capacity = 1});
        const auto second = registry_.spawn<Clerk>({.name = "clerk", .capacity = 1}, make);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, Errc::AlreadyExists);
    }
    EXPECT_TRUE(registry_.spawn<Clerk>({.name = "clerk", .capacity = 1}, make));
    const auto none = registry_.spawn<Clerk>({.name = "other", .capacity = 0}, make);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Errc::InvalidArgument);
}

// Destroying the owner destroys the object and answers Abandoned to all who wait; the address stays
// safe to use.
TEST_F(AffairTest, OwnerEndsTheObject) {
    std::optional<Owner<Clerk>> owner = spawn({.name = "clerk", .capacity = 8});
    const auto address = owner->address();
    const auto parked = outcome_of(*address.ask(Park{}, in(1s)));
    executor_.run_ready();
    const auto queued = outcome_of(*address.ask(Query{1}, in(1s)));
    owner.reset();
    EXPECT_EQ(journal_.destroyed, 1);
    executor_.run_all();
    EXPECT_EQ((*parked)->error().code, Errc::Abandoned);
    EXPECT_EQ((*queued)->error().code, Errc::Abandoned);
    const auto refused = address.tell(Note{1});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, Errc::Unavailable);
    EXPECT_EQ(executor_.now(), Instant{}) << "no timer was left to wait for";
}

// An address narrows to fewer messages, so a sender need not know the object.
TEST_F(AffairTest, AddressNarrows) {
    const auto owner = spawn({.name = "clerk", .capacity = 8});
    const Address<Note, Query> some = owner.address();
    const Address<Note> one = some;
    EXPECT_TRUE(one.tell(Note{5}));
    executor_.run_ready();
    EXPECT_THAT(journal_.notes, ElementsAre(5));
}

// An executor that stops destroys the timer of an ask: its outcome is then there for who waits.
TEST_F(AffairTest, ExecutorStopEndsAsks) {
    const auto owner = spawn({.name = "clerk", .capacity = 8});
    auto reply = *owner.address().ask(Query{1}, in(1s));
    executor_.stop();
    const auto outcome = std::move(reply).wait();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Errc::DeadlineExceeded);
}

// wait() inside an object is a bug.
TEST(AffairDeathTest, WaitInsideAnObject) {
    class Waiter {
    public:
        using Messages = affair::Messages<Query, Note>;

        explicit Waiter(Self<Waiter> self) : self_(std::move(self)) {}

        void handle(Query, Promise<int> reply) { reply.answer(1); }

        void handle(Note) {
            auto reply = self_.address().ask(Query{1}, Instant{1s});
            (void)std::move(*reply).wait();
        }

    private:
        Self<Waiter> self_;
    };

    ScriptedExecutor executor;
    Registry registry(executor);
    const auto owner = registry.spawn<Waiter>(
        {.name = "waiter", .capacity = 2},
        [](Self<Waiter> self) { return std::make_unique<Waiter>(std::move(self)); });
    EXPECT_TRUE(owner->address().tell(Note{1}));
    EXPECT_DEATH(executor.run_ready(), "an object never blocks");
}

// An object that destroys its own owner is a bug, also when it does so through another object whose
// code it runs in: waiting for itself to end would last for ever.
TEST(AffairDeathTest, OwnerDestroyedInsideItsObject) {
    class Inner {
    public:
        using Messages = affair::Messages<Note>;

        void handle(Note) {}
    };

    class Outer {
    public:
        using Messages = affair::Messages<Note>;

        explicit Outer(std::function<void()> in_handler) : in_handler_(std::move(in_handler)) {}

        void handle(Note) { in_handler_(); }

    private:
        std::function<void()> in_handler_;
    };

    ScriptedExecutor executor;
    Registry registry(executor);
    std::optional<Owner<Outer>> outer;
    const auto run = [&](std::function<void()> in_handler) {
        outer = *registry.spawn<Outer>({.name = "outer", .capacity = 2},
                                       [&] { return std::make_unique<Outer>(in_handler); });
        EXPECT_TRUE(outer->address().tell(Note{1}));
        executor.run_ready();
    };
    const auto through_another = [&] {
        (void)registry.spawn<Inner>({.name = "inner", .capacity = 2}, [&] {
            outer.reset();
            return std::make_unique<Inner>();
        });
    };
    EXPECT_DEATH(run([&] { outer.reset(); }), "does not destroy its own owner");
    EXPECT_DEATH(run(through_another), "does not destroy its own owner");
}

// An object that asks another and gets the answer in its own turn.
class Asker {
public:
    using Messages = affair::Messages<Note, Fail>;

    Asker(Self<Asker> self, Address<Query, Park> clerk, std::vector<Result<int>>& heard)
        : self_(std::move(self)), clerk_(std::move(clerk)), heard_(heard) {}

    void handle(Note note) {
        auto turn = self_.in_turn([](Asker& asker, Result<int> answer) {
            EXPECT_FALSE(std::exchange(asker.inside_, true));
            asker.heard_.push_back(std::move(answer));
            asker.inside_ = false;
        });
        if (!turn) {
            heard_.emplace_back(std::unexpected(turn.error()));
            return;
        }
        const Instant deadline = self_.executor().clock().now() + 1s;
        auto reply = note.number == 0 ? *clerk_.ask(Park{}, deadline)
                                      : *clerk_.ask(Query{note.number}, deadline);
        std::move(reply).then(*std::move(turn));
    }

    Result<> handle(Fail) { return fail(Errc::Io, "failed on purpose"); }

private:
    Self<Asker> self_;
    Address<Query, Park> clerk_;
    std::vector<Result<int>>& heard_;
    bool inside_ = false;
};

class TurnTest : public AffairTest {
protected:
    Owner<Asker> spawn_asker(std::size_t turns_max) {
        return *registry_.spawn<Asker>({.name = "asker",
                                        .capacity = 8,
                                        .turns_max = turns_max,
                                        .supervision = {.restarts_max = 1}},
                                       [this](Self<Asker> self) {
                                           return std::make_unique<Asker>(
                                               std::move(self), clerk_.address(), heard_);
                                       });
    }

    Owner<Clerk> clerk_ = spawn({.name = "clerk", .capacity = 8});
    std::vector<Result<int>> heard_;
};

// An answer, and a deadline, come back as a turn of the object that asked; at most turns_max are
// outstanding, and an ended one makes room.
TEST_F(TurnTest, ReplyComesInTurn) {
    const auto asker = spawn_asker(2);
    for (const int number : {1, 0, 3}) EXPECT_TRUE(asker.address().tell(Note{number}));
    executor_.run_ready();
    ASSERT_EQ(heard_.size(), 2U);
    EXPECT_EQ(heard_[0].error().code, Errc::Exhausted);
    EXPECT_EQ(heard_[1], 2);
    EXPECT_TRUE(asker.address().tell(Note{4}));
    executor_.run_all();
    ASSERT_EQ(heard_.size(), 4U);
    EXPECT_EQ(heard_[2], 8);
    EXPECT_EQ(heard_[3].error().code, Errc::DeadlineExceeded);
    EXPECT_EQ(asker.snapshot().handled, 4U) << "turns are not counted as messages";
}

// A turn made by an incarnation that has failed is dropped, and its place given back.
TEST_F(TurnTest, TurnsDoNotOutliveTheirIncarnation) {
    const auto asker = spawn_asker(1);
    EXPECT_TRUE(asker.address().tell(Note{0}));
    executor_.run_ready();
    EXPECT_TRUE(asker.address().tell(Fail{}));
    executor_.run_all();
    EXPECT_EQ(asker.snapshot().restarts, 1U);
    EXPECT_TRUE(heard_.empty());
    EXPECT_TRUE(asker.address().tell(Note{1}));
    executor_.run_all();
    ASSERT_EQ(heard_.size(), 1U);
    EXPECT_EQ(heard_[0], 2);
}

// Nor does a turn run in the next incarnation if it was queued when its own one failed.
TEST_F(TurnTest, QueuedTurnsDoNotOutliveTheirIncarnation) {
    const auto asker = spawn_asker(1);
    EXPECT_TRUE(asker.address().tell(Note{0}));
    executor_.run_ready();
    EXPECT_TRUE(clerk_.address().tell(Unpark{}));  // runs first: the turn queues behind Fail
    EXPECT_TRUE(asker.address().tell(Fail{}));
    executor_.run_all();
    EXPECT_EQ(asker.snapshot().restarts, 1U);
    EXPECT_TRUE(heard_.empty());
    EXPECT_TRUE(asker.address().tell(Note{1}));
    executor_.run_all();
    ASSERT_EQ(heard_.size(), 1U) << "the dropped turn did not give its place back";
    EXPECT_EQ(heard_[0], 2);
}

// Objects that hold their own and each other's addresses, with messages in flight, leak nothing
// (the address sanitizer checks), and turns may be called after the object is gone.
TEST_F(TurnTest, CyclesDoNotLeak) {
    std::optional<Owner<Asker>> asker = spawn_asker(2);
    EXPECT_TRUE(asker->address().tell(Note{0}));
    executor_.run_ready();
    asker.reset();
    EXPECT_TRUE(clerk_.address().tell(Unpark{}));
    executor_.run_all();
    EXPECT_TRUE(heard_.empty());
}

// A coroutine for drivers: runs at once, destroys itself at its end.
struct Driver {
    struct promise_type {  // NOLINT(readability-identifier-naming): the language's name

        Driver get_return_object() { return {}; }

        std::suspend_never initial_suspend() noexcept { return {}; }

        std::suspend_never final_suspend() noexcept { return {}; }

        void return_void() {}

        void unhandled_exception() { std::terminate(); }
    };
};

Driver ask_twice(Address<Query> clerk, Instant deadline, std::vector<int>& heard) {
    for (int number = 1; number <= 2; ++number) {
        auto reply = clerk.ask(Query{number}, deadline);
        const Result<int> answer = co_await *std::move(reply);
        heard.push_back(answer.value_or(-1));
    }
}

// A reply can be awaited by a coroutine; it goes on in a task of its own.
TEST_F(AffairTest, ReplyIsAwaitable) {
    const auto owner = spawn({.name = "clerk", .capacity = 8});
    std::vector<int> heard;
    ask_twice(owner.address(), in(1s), heard);
    EXPECT_THAT(heard, ElementsAre());
    executor_.run_ready();
    EXPECT_THAT(heard, ElementsAre(2, 4));
}

}  // namespace
}  // namespace draco::affair
