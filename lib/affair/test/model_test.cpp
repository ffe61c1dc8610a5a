// One object under random messages, deadlines, failures and stops, on an executor that draws the
// order of tasks from the seed. Everything observable is written to a history; a checker, which
// knows a mailbox only as a plain queue, decides whether the history is allowed. Faults planted in
// good histories prove that the checker can refuse.

#include "draco/affair/registry.hpp"
#include "draco/testing/seed.hpp"

#include "scripted_executor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace draco::affair {
namespace {

using namespace std::chrono_literals;
using draco::testing::scaled;
using testing::ScriptedExecutor;

constexpr std::size_t kCapacity = 4;

struct Event {
    enum class Kind {
        Accepted,
        Refused,  // full
        Closed,   // refused: stopped
        Handled,
        Answered,  // the object answered, in time or late
        Outcome,
        Destroyed,  // an incarnation ended
        Stopped,    // the owner is gone
    };

    Kind kind;
    int id = 0;
    Instant at = {};
    Instant deadline = {};           // of an ask that is Accepted
    bool asked = false;              // Accepted
    std::optional<Errc> error = {};  // Outcome: nothing if answered
};

using History = std::vector<Event>;

// ---- The naive model: a queue, and for each ask what has become of it.

class Checker {
public:
    // The first event that is not allowed, as a sentence; nothing if all are.
    static std::optional<std::string> check(const History& history) {
        Checker checker;
        for (std::size_t i = 0; i < history.size(); ++i) {
            if (auto wrong = checker.step(history[i]))
                return "event " + std::to_string(i) + ", id " + std::to_string(history[i].id) +
                       ": " + *wrong;
        }
        return checker.finish();
    }

private:
    using Verdict = std::optional<std::string>;

    struct Ask {
        Instant deadline;
        bool skipped = false;
        bool answered = false;
        bool dropped = false;  // its promise was destroyed
        bool handled = false;
        bool has_outcome = false;
    };

    Verdict step(const Event& event) {
        switch (event.kind) {
            case Event::Kind::Accepted:
                return accepted(event);
            case Event::Kind::Refused:
                if (queue_.size() < kCapacity) return "refused, though there was room";
                return {};
            case Event::Kind::Closed:
                if (!stopped_) return "closed, though nobody stopped it";
                return {};
            case Event::Kind::Handled:
                return handled(event);
            case Event::Kind::Answered:
                if (std::exchange(asks_.at(event.id).answered, true)) return "answered twice";
                return {};
            case Event::Kind::Outcome:
                return outcome(event);
            case Event::Kind::Destroyed:
                for (auto& [id, ask] : asks_)
                    if (ask.handled && !ask.answered) ask.dropped = true;
                return {};
            case Event::Kind::Stopped:
                stopped_ = true;
                for (const int id : queue_)
                    if (asks_.contains(id)) asks_.at(id).dropped = true;
                queue_.clear();
                return {};
        }
        return "unknown event";
    }

    Verdict accepted(const Event& event) {
        if (stopped_) return "accepted after the stop";
        // Asks that lapsed leave the queue unseen; only those at its head can have.
        const auto waiting = std::ranges::find_if(queue_, [&](int id) {
            return !asks_.contains(id) || asks_.at(id).deadline > event.at;
        });
        if (static_cast<std::size_t>(queue_.end() - waiting) >= kCapacity)
            return "accepted beyond the capacity";
        if (queue_.size() >= kCapacity) skip_to(waiting);
        queue_.push_back(event.id);
        if (event.asked) asks_[event.id] = {.deadline = event.deadline};
        return {};
    }

    Verdict handled(const Event& event) {
        const auto at = std::ranges::find(queue_, event.id);
        if (at == queue_.end()) return "handled, though it was not waiting";
        for (auto earlier = queue_.begin(); earlier != at; ++earlier)
            if (!asks_.contains(*earlier) || asks_.at(*earlier).deadline > event.at)
                return "handled out of turn, before " + std::to_string(*earlier);
        skip_to(at);
        queue_.pop_front();
        if (asks_.contains(event.id)) asks_.at(event.id).handled = true;
        return {};
    }

    Verdict outcome(const Event& event) {
        Ask& ask = asks_.at(event.id);
        if (std::exchange(ask.has_outcome, true)) return "a second outcome";
        if (!event.error) return ask.answered ? Verdict{} : "an answer nobody gave";
        if (*event.error == Errc::DeadlineExceeded)
            return event.at >= ask.deadline ? Verdict{} : "expired before its deadline";
        if (*event.error != Errc::Abandoned) return "an error nobody gave";
        if (ask.skipped) return "abandoned, but passed over as lapsed";
        return ask.dropped ? Verdict{} : "abandoned, but nobody dropped it";
    }

    Verdict finish() const {
        if (!queue_.empty())
            return "accepted, but never handled: " + std::to_string(queue_.front());
        for (const auto& [id, ask] : asks_)
            if (!ask.has_outcome) return "no outcome of " + std::to_string(id);
        return {};
    }

    void skip_to(std::deque<int>::iterator end) {
        for (auto it = queue_.begin(); it != end; ++it) asks_.at(*it).skipped = true;
        queue_.erase(queue_.begin(), end);
    }

    std::deque<int> queue_;
    std::map<int, Ask> asks_;
    bool stopped_ = false;
};

// ---- The object, and the run that drives it.

struct Mark {
    int id;
};

struct FailNow {
    int id;
};

struct Ask {
    using Answer = int;
    int id;
    bool keep;
};

struct AnswerKept {
    int id;
};

class Subject {
public:
    using Messages = affair::Messages<Mark, FailNow, Ask, AnswerKept>;

    Subject(History& history, const Clock& clock) : history_(history), clock_(clock) {}

    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;

    ~Subject() { note(Event::Kind::Destroyed, 0); }

    void handle(Mark mark) { note(Event::Kind::Handled, mark.id); }

    Result<> handle(FailNow failure) {
        note(Event::Kind::Handled, failure.id);
        return fail(Errc::Io, "planned");
    }

    void handle(Ask ask, Promise<int> reply) {
        note(Event::Kind::Handled, ask.id);
        kept_.emplace_back(ask.id, std::move(reply));
        if (!ask.keep) answer_last();
    }

    void handle(AnswerKept message) {
        note(Event::Kind::Handled, message.id);
        while (!kept_.empty()) answer_last();
    }

private:
    void note(Event::Kind kind, int id) {
        history_.push_back({.kind = kind, .id = id, .at = clock_.now()});
    }

    void answer_last() {
        auto [id, reply] = std::move(kept_.back());
        kept_.pop_back();
        note(Event::Kind::Answered, id);
        reply.answer(id);
    }

    History& history_;
    const Clock& clock_;
    std::vector<std::pair<int, Promise<int>>> kept_;
};

class Scenario {
public:
    explicit Scenario(std::uint64_t seed) : random_(seed), executor_(seed), registry_(executor_) {
        owner_ = *registry_.spawn<Subject>(
            {.name = "subject",
             .capacity = kCapacity,
             .supervision = {.restarts_max = 1'000'000, .backoff_first = 3ns, .backoff_max = 9ns}},
            [this] { return std::make_unique<Subject>(history_, executor_.clock()); });
        address_ = owner_->address();
    }

    History run(int steps) {
        for (int id = 1; id <= steps; ++id) {
            act(id);
            for (auto tasks = random_() % 4; tasks > 0; --tasks) executor_.run_one();
        }
        if (random_() % 2 == 0) executor_.run_all();
        if (random_() % 2 == 0) {
            // Drained: what the model expects to be handled is handled before the owner goes.
            owner_->stop(StopPolicy::Drain, executor_.now() + 1h, [](const StopReport&) {});
            while (owner_->snapshot().state != ObjectState::Stopped && executor_.run_one()) {
            }
            drained_ = owner_->snapshot();
        }
        history_.push_back({.kind = Event::Kind::Stopped, .at = executor_.now()});
        owner_.reset();
        tell(Mark{steps + 1});
        executor_.run_all();
        return std::move(history_);
    }

    const std::optional<ObjectSnapshot>& drained() const { return drained_; }

private:
    void act(int id) {
        switch (random_() % 8) {
            case 0:
                tell(FailNow{id});
                break;
            case 1:
                tell(AnswerKept{id});
                break;
            case 2:
            case 3:
            case 4:
                ask({.id = id, .keep = random_() % 2 == 0});
                break;
            default:
                tell(Mark{id});
        }
    }

    template <class Reject>
    void refused(int id, const Reject& rejected) {
        const bool full = rejected.error.code == Errc::Exhausted;
        history_.push_back({.kind = full ? Event::Kind::Refused : Event::Kind::Closed,
                            .id = id,
                            .at = executor_.now()});
        EXPECT_EQ(rejected.message.id, id);
    }

    template <class M>
    void tell(M message) {
        const int id = message.id;
        if (auto told = address_->tell(message); !told) {
            refused(id, told.error());
        } else {
            history_.push_back({.kind = Event::Kind::Accepted, .id = id, .at = executor_.now()});
        }
    }

    void ask(Ask message) {
        const int id = message.id;
        const Instant deadline = executor_.now() + Duration(random_() % 30);
        auto reply = address_->ask(message, deadline);
        if (!reply) {
            refused(id, reply.error());
            return;
        }
        history_.push_back({.kind = Event::Kind::Accepted,
                            .id = id,
                            .at = executor_.now(),
                            .deadline = deadline,
                            .asked = true});
        std::move(*reply).then([this, id](const Result<int>& outcome) {
            Event event{.kind = Event::Kind::Outcome, .id = id, .at = executor_.now()};
            if (!outcome) event.error = outcome.error().code;
            if (outcome) EXPECT_EQ(*outcome, id);
            history_.push_back(event);
        });
    }

    std::mt19937_64 random_;
    ScriptedExecutor executor_;
    Registry registry_;
    History history_;
    std::optional<Owner<Subject>> owner_;
    std::optional<AddressOf<Subject>> address_;
    std::optional<ObjectSnapshot> drained_;
};

// Every history of every schedule is one that a plain queue allows; a drained object's counters
// add up.
TEST(Model, RandomSchedules) {
    const std::uint64_t seed = draco::testing::test_seed(1);
    for (std::uint64_t i = 0; i < scaled(500); ++i) {
        Scenario run(seed + i);
        const History history = run.run(80);
        ASSERT_EQ(Checker::check(history), std::nullopt) << "DRACO_SEED=" << seed + i;
        if (const auto& seen = run.drained()) {
            EXPECT_EQ(seen->accepted, seen->handled + seen->lapsed);
            const auto handled = std::ranges::count(history, Event::Kind::Handled, &Event::kind);
            EXPECT_EQ(seen->handled, static_cast<std::uint64_t>(handled));
        }
    }
}

// The same seed gives the same history.
TEST(Model, SameSeedSameHistory) {
    const auto key = [](const Event& e) { return std::tuple(e.kind, e.id, e.at, e.error); };
    const std::uint64_t seed = draco::testing::test_seed(1);
    const History first = Scenario(seed).run(200);
    EXPECT_TRUE(std::ranges::equal(first, Scenario(seed).run(200), {}, key, key));
}

// The checker refuses each planted fault, in whichever history it can be planted.
TEST(Model, CheckerFindsPlantedFaults) {
    using Kind = Event::Kind;
    const std::uint64_t seed = draco::testing::test_seed(1);
    const auto find = [](History& h, Kind kind) {
        return std::ranges::find(h, kind, &Event::kind);
    };
    const auto told = [](History& h) {
        return std::ranges::find_if(h, [&](const Event& e) {
            return e.kind == Kind::Handled &&
                   std::ranges::none_of(h, [&](const Event& a) { return a.id == e.id && a.asked; });
        });
    };

    struct Fault {
        const char* name;
        std::function<bool(History&)> plant;  // false: this history has no place for it
    };

    const std::vector<Fault> faults{
        {"message lost",
         [&](History& h) {
             // Losing the last one would look like a discard by the stop.
             const auto at = told(h);
             if (at == h.end() || std::find_if(at + 1, h.end(), [](const Event& e) {
                                      return e.kind == Kind::Handled;
                                  }) == h.end())
                 return false;
             h.erase(at);
             return true;
         }},
        {"message handled twice",
         [&](History& h) {
             const auto at = find(h, Kind::Handled);
             if (at == h.end()) return false;
             h.insert(at + 1, *at);
             return true;
         }},
        {"messages swapped",
         [&](History& h) {
             const auto at = told(h);
             const auto next = std::find_if(at == h.end() ? at : at + 1,
                                            h.end(),
                                            [](const Event& e) { return e.kind == Kind::Handled; });
             if (next == h.end()) return false;
             std::swap(at->id, next->id);
             return true;
         }},
        {"outcome lost",
         [&](History& h) {
             const auto at = find(h, Kind::Outcome);
             if (at == h.end()) return false;
             h.erase(at);
             return true;
         }},
        {"outcome twice",
         [&](History& h) {
             const auto at = find(h, Kind::Outcome);
             if (at == h.end()) return false;
             h.push_back(*at);
             return true;
         }},
        {"expired too early",
         [&](History& h) {
             const auto at = std::ranges::find_if(h, [](const Event& e) {
                 return e.kind == Kind::Outcome && e.error == Errc::DeadlineExceeded;
             });
             if (at == h.end()) return false;
             at->at = Instant{-1ns};
             return true;
         }},
        {"abandoned for nothing",
         [&](History& h) {
             const auto at = std::ranges::find_if(
                 h, [](const Event& e) { return e.kind == Kind::Outcome && !e.error; });
             if (at == h.end()) return false;
             at->error = Errc::Abandoned;
             return true;
         }},
        {"refused with room",
         [&](History& h) {
             h.insert(h.begin(), Event{.kind = Kind::Refused});
             return true;
         }},
        {"accepted without room",
         [&](History& h) {
             const auto at = find(h, Kind::Refused);
             if (at == h.end()) return false;
             at->kind = Kind::Accepted;
             return true;
         }},
        {"accepted after the stop",
         [&](History& h) {
             const auto at = find(h, Kind::Closed);
             if (at == h.end()) return false;
             at->kind = Kind::Accepted;
             return true;
         }},
    };
    for (const Fault& fault : faults) {
        int planted = 0;
        for (std::uint64_t i = 0; i < 20; ++i) {
            History history = Scenario(seed + i).run(80);
            if (!fault.plant(history)) continue;
            ++planted;
            EXPECT_NE(Checker::check(history), std::nullopt)
                << fault.name << ", DRACO_SEED=" << seed + i;
        }
        EXPECT_GT(planted, 0) << fault.name;
    }
}

}  // namespace
}  // namespace draco::affair
