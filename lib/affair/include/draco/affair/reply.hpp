#pragma once
// The two ends of one ask. The object asked holds a Promise, the asker a Reply. Whatever happens,
// the Reply gets exactly one outcome: the answer, the answer's error, DeadlineExceeded, or
// Abandoned. Both are move-only and thread-safe against each other.

#include "draco/affair/detail/ask_state.hpp"
#include "draco/base/assert.hpp"

#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace draco::affair {

namespace detail {

// A callable that brings a reply back into the object that asked (Self::in_turn); it queues, so it
// needs no task of its own.
template <class F>
concept TurnCallable = requires { typename std::remove_cvref_t<F>::IsTurn; };

}  // namespace detail

// Answers one ask. It may be kept after the handler has returned, moved elsewhere and answered from
// any thread. Dropped without an answer, it answers Abandoned. An answer after the deadline is
// dropped, and counted.
template <class T>
class [[nodiscard]] Promise {
public:
    explicit Promise(std::shared_ptr<detail::AskState<T>> ask) : ask_(std::move(ask)) {}

    Promise(Promise&&) noexcept = default;

    Promise& operator=(Promise&& other) noexcept {
        std::swap(ask_, other.ask_);
        return *this;
    }

    Promise(const Promise&) = delete;
    Promise& operator=(const Promise&) = delete;

    ~Promise() {
        if (ask_) ask_->abandon();
    }

    // At most once.
    void answer(Result<T> result) {
        DRACO_ASSERT(ask_ != nullptr, "an ask is answered once");
        std::exchange(ask_, nullptr)->answer(std::move(result));
    }

    // False once the deadline has passed: the work would be for nobody.
    bool wanted() const { return ask_ && !ask_->claimed(); }

    // For the asks that answering this one needs. Precondition: not answered yet.
    Instant deadline() const {
        DRACO_ASSERT(ask_ != nullptr, "an answered ask has no deadline");
        return ask_->deadline();
    }

    const std::shared_ptr<detail::AskState<T>>& state() const { return ask_; }

    // Gives up the promise of an ask that was never accepted.
    void forget() { ask_.reset(); }

private:
    std::shared_ptr<detail::AskState<T>> ask_;
};

// The answer to come. Taken in exactly one of three ways, or dropped: then nobody hears the answer.
template <class T>
class [[nodiscard]] Reply {
public:
    explicit Reply(std::shared_ptr<detail::AskState<T>> ask) : ask_(std::move(ask)) {}

    // Calls callback(Result<T>) as a task of its own on the executor, or, for a callable made by
    // Self::in_turn, in a turn of the object that made it. If the executor stops first, the
    // callback is destroyed without being called. It must not throw.
    template <class F>
        requires std::invocable<F&, Result<T>>
    void then(F callback) && {
        const auto ask = std::move(ask_);
        if constexpr (detail::TurnCallable<F>) {
            ask->subscribe_inline(std::move(callback));
        } else {
            ask->subscribe(std::move(callback));
        }
    }

    // Blocks this thread until the outcome is there: for threads outside the executor only. Called
    // inside an object it is a bug (asserted); inside another executor task it may deadlock.
    Result<T> wait() && { return std::exchange(ask_, nullptr)->wait(); }

    // co_await std::move(reply) gives the Result<T>; the coroutine goes on in a task of its own on
    // the executor. While it is suspended here its frame may be destroyed only after the executor
    // has stopped.
    auto operator co_await() && {
        struct Awaiter {
            std::shared_ptr<detail::AskState<T>> ask;
            std::optional<Result<T>> outcome;

            bool await_ready() const noexcept { return false; }

            void await_suspend(std::coroutine_handle<> waiting) {
                // The frame, and this awaiter in it, may be gone before subscribe() returns.
                const auto kept = ask;
                kept->subscribe([this, waiting](Result<T> result) {
                    outcome.emplace(std::move(result));
                    waiting.resume();
                });
            }

            Result<T> await_resume() { return *std::move(outcome); }
        };

        return Awaiter{std::move(ask_), std::nullopt};
    }

private:
    std::shared_ptr<detail::AskState<T>> ask_;
};

}  // namespace draco::affair
