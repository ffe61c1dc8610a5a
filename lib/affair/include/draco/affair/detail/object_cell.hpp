#pragma once
// A cell with its object, its queue and its handlers. `Access` is how handlers see the object:
// Object (one worker, so it may change) or const Object (many workers at once).

#include "draco/affair/address.hpp"
#include "draco/affair/detail/cell.hpp"
#include "draco/affair/message.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace draco::affair::detail {

template <class R>
concept HandlerResult = std::is_void_v<R> || std::same_as<R, Result<>>;

template <class Access, class M>
struct HandlesTold {
    static constexpr bool kValue = requires(Access& object, M message) {
        { object.handle(std::move(message)) } -> HandlerResult;
    };
};

template <class Access, class M>
struct HandlesAsked {
    static constexpr bool kValue =
        requires(Access& object, M message, Promise<typename M::Answer> reply) {
            { object.handle(std::move(message), std::move(reply)) } -> HandlerResult;
        };
};

template <class Access, class M>
concept Handles =
    std::conditional_t<Askable<M>, HandlesAsked<Access, M>, HandlesTold<Access, M>>::kValue;

template <class Cell, class M>
class CellPort : public Port<M> {
    Admission put(Envelope<M>& envelope) final {
        return static_cast<Cell*>(this)->accept(envelope);
    }

    friend Cell;
    CellPort() = default;

protected:
    ~CellPort() = default;
};

// The reservation of one continuation.
class TurnPlace {
public:
    explicit TurnPlace(std::shared_ptr<Cell> cell) : cell_(std::move(cell)) {}

    TurnPlace(TurnPlace&&) noexcept = default;

    TurnPlace& operator=(TurnPlace&& other) noexcept {
        std::swap(cell_, other.cell_);
        return *this;
    }

    TurnPlace(const TurnPlace&) = delete;
    TurnPlace& operator=(const TurnPlace&) = delete;

    ~TurnPlace() {
        if (cell_) cell_->release_turn();
    }

private:
    std::shared_ptr<Cell> cell_;
};

template <class Access, class List>
class ObjectCell;

template <class Access, class... Ms>
class ObjectCell<Access, Messages<Ms...>> final
    : public Cell,
      public CellPort<ObjectCell<Access, Messages<Ms...>>, Ms>... {
public:
    using Object = std::remove_const_t<Access>;
    using Factory = std::move_only_function<Result<std::unique_ptr<Object>>(
        const std::shared_ptr<ObjectCell>&)>;

    static_assert((Handles<Access, Ms> && ...),
                  "an object has a handle(message) for each message it names, "
                  "handle(message, Promise<Answer>) if it is asked; const if it is concurrent; "
                  "returning void or Result<>");

    struct Turn {
        std::uint64_t incarnation;
        std::move_only_function<Result<>(Object&)> run;
        TurnPlace place;
    };

    ObjectCell(Executor& executor,
               ObjectOptions options,
               Workers workers,
               std::shared_ptr<EscalationHandler> escalation,
               Factory factory)
        : Cell(executor, std::move(options), workers, std::move(escalation)),
          factory_(std::move(factory)) {
        if constexpr (kConcurrent)
            for (Activity& activity : activities_) idle_activities_.push_back(&activity);
    }

    template <class M>
    Admission accept(Envelope<M>& envelope) {
        Lock lock(mutex_);
        const Admission admission = admit(lock);
        if (admission != Admission::Accepted) return admission;
        incoming_.emplace_back(std::in_place_type<Envelope<M>>, std::move(envelope));
        wake(std::move(lock));
        return Admission::Accepted;
    }

    // Dropped if the incarnation that made it is gone, now or when its turn comes.
    void put_turn(std::unique_ptr<Turn> turn) {
        Lock lock(mutex_);
        if (!accepts_turn(lock, turn->incarnation)) {
            lock.unlock();
            return;
        }
        incoming_.emplace_back(std::in_place_type<std::unique_ptr<Turn>>, std::move(turn));
        wake(std::move(lock));
    }

private:
    static constexpr bool kConcurrent = std::is_const_v<Access>;
    // How many messages a sequential object handles before it lets other tasks run.
    static constexpr int kBatchMessagesMax = 128;

    // The turn by pointer, so that it does not make the place of every message larger.
    using Slot = std::variant<std::unique_ptr<Turn>, Envelope<Ms>...>;

    enum class Ending { Handled, Lapsed, Turned };

    struct Outcome {
        Ending ending;
        Result<> result;
    };

    Result<> create_object() override {
        try {
            auto created = factory_(std::static_pointer_cast<ObjectCell>(this->shared_from_this()));
            if (!created) return std::unexpected(std::move(created).error());
            object_ = *std::move(created);
            return {};
        } catch (const std::exception& thrown) {
            return failed_with(thrown.what());
        } catch (...) {
            return failed_with("something that is no std::exception");
        }
    }

    void destroy_object() override { object_.reset(); }

    void discard_queue() override {
        batch_.clear();
        next_ = 0;
        incoming_.clear();
    }

    bool queue_empty(const Lock&) const override { return batch_.empty() && incoming_.empty(); }

    void work() override {
        if constexpr (kConcurrent) {
            work_on_one();
        } else {
            work_on_batch();
        }
    }

    // The batch belongs to the one worker, which needs the lock only to fetch a new one.
    void work_on_batch() {
        Lock lock;
        if (!enter(lock)) return;
        Activity& activity = activities_.front();
        Result<> result;
        for (int left = kBatchMessagesMax; left > 0 && result && !interrupted(); --left) {
            if (batch_.empty()) {
                if (!lock.owns_lock()) lock.lock();
                batch_.swap(incoming_);
                if (batch_.empty()) break;
            }
            if (lock.owns_lock()) lock.unlock();
            Slot& slot = batch_[next_];
            if (!std::holds_alternative<std::unique_ptr<Turn>>(slot)) count_taken();
            Outcome outcome = handle(slot, activity);
            count(outcome.ending);
            result = std::move(outcome.result);
            pop();
        }
        activity.end();
        if (!lock.owns_lock()) lock.lock();
        if (!result) fail_incarnation(lock, std::move(result).error());
        leave(std::move(lock));
    }

    void work_on_one() {
        Lock lock;
        if (!enter(lock)) return;
        if (batch_.empty()) batch_.swap(incoming_);
        if (batch_.empty()) {  // another worker was faster
            leave(std::move(lock));
            return;
        }
        Slot slot = std::move(batch_[next_]);
        pop();
        count_taken();
        Activity& activity = *idle_activities_.back();
        idle_activities_.pop_back();
        lock.unlock();
        Outcome outcome = handle(slot, activity);
        activity.end();
        lock.lock();
        idle_activities_.push_back(&activity);
        count(outcome.ending);
        if (!outcome.result) fail_incarnation(lock, std::move(outcome.result).error());
        leave(std::move(lock));
    }

    void pop() {
        if (++next_ < batch_.size()) return;
        batch_.clear();
        next_ = 0;
    }

    void count(Ending ending) {
        if (ending == Ending::Handled) count_handled();
        if (ending == Ending::Lapsed) count_lapsed();
    }

    Outcome handle(Slot& slot, Activity& activity) {
        const Entered entered(*this);
        return std::visit([&](auto& content) { return deliver(content, activity); }, slot);
    }

    template <class M>
    Outcome deliver(Envelope<M>& envelope, Activity& activity) {
        const Instant at = now();
        if constexpr (Askable<M>) {
            if (!envelope.reply.wanted()) {
                const Envelope<M> dropped = std::move(envelope);
                return {Ending::Lapsed, {}};
            }
            activity.begin(kMessageName<M>, envelope.where, at);
            const auto ask = envelope.reply.state();
            auto result = guarded([&] {
                return object_->handle(std::move(envelope.message), std::move(envelope.reply));
            });
            hold_if_kept(ask, at);
            return {Ending::Handled, std::move(result)};
        } else {
            activity.begin(kMessageName<M>, envelope.where, at);
            return {Ending::Handled,
                    guarded([&] { return object_->handle(std::move(envelope.message)); })};
        }
    }

    Outcome deliver(std::unique_ptr<Turn>& queued, Activity& activity) {
        const auto turn = std::move(queued);
        // It may have waited here while its incarnation failed.
        if (!is_current(turn->incarnation)) return {Ending::Turned, {}};
        activity.begin(kTurn, std::source_location::current(), now());
        return {Ending::Turned, guarded([&] {
                    if constexpr (!kConcurrent) return turn->run(*object_);
                })};
    }

    // The one place where an exception of the object's becomes its failure.
    template <class F>
    Result<> guarded(F&& call) {
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
                call();
                return {};
            } else {
                return call();
            }
        } catch (const std::exception& thrown) {
            return failed_with(thrown.what());
        } catch (...) {
            return failed_with("something that is no std::exception");
        }
    }

    std::unexpected<Error> failed_with(const std::string& thrown) const {
        return fail(Errc::Unavailable, "'" + name() + "' threw: " + thrown);
    }

    static constexpr std::string_view kTurn = "continuation";

    Factory factory_;
    std::unique_ptr<Access> object_;
    std::vector<Slot> incoming_;  // guarded
    std::vector<Slot> batch_;     // of the one worker inside; guarded if there are many
    std::size_t next_ = 0;        // first slot of the batch not yet taken; 0 when it is empty
    std::vector<Activity*> idle_activities_;  // guarded
};

}  // namespace draco::affair::detail
