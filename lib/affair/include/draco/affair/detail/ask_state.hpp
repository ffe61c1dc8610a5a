#pragma once
// The shared half of one ask: where the promise, the deadline and the asker meet. The first of
// answer, drop and deadline claims it and decides the outcome; the outcome is delivered once.

#include "draco/affair/detail/cell.hpp"
#include "draco/base/assert.hpp"
#include "draco/base/executor.hpp"
#include "draco/base/result.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string_view>
#include <utility>

namespace draco::affair::detail {

// Thread-safe. `asked` is the object that answers; it keeps the counts.
class AskBase : public std::enable_shared_from_this<AskBase> {
public:
    AskBase(std::shared_ptr<Cell> asked,
            const std::string_view& message,
            std::source_location where,
            Instant deadline);
    AskBase(const AskBase&) = delete;
    AskBase& operator=(const AskBase&) = delete;
    virtual ~AskBase() = default;

    void arm_deadline();
    void expire();
    void abandon();

    bool claimed() const { return (phase_.load(std::memory_order_acquire) & kClaimed) != 0; }

    bool released() const { return (phase_.load(std::memory_order_acquire) & kReleased) != 0; }

    Instant deadline() const { return deadline_; }

protected:
    enum class Delivery {
        Posted,  // as a task of its own
        Inline,  // on the thread that answers
    };

    // True for the first caller, who then sets the outcome and publishes it.
    bool claim() { return (phase_.fetch_or(kClaimed, std::memory_order_acq_rel) & kClaimed) == 0; }

    void publish();
    // The promise is gone, so the object has stopped working on this ask.
    void release();
    void subscribed(Delivery delivery);
    void wait_until_published();

    Cell& asked() { return *asked_; }

private:
    friend class Cell;

    static constexpr std::uint32_t kClaimed = 1U << 0U;
    static constexpr std::uint32_t kPublished = 1U << 1U;
    static constexpr std::uint32_t kSubscribed = 1U << 2U;
    static constexpr std::uint32_t kArmed = 1U << 3U;
    static constexpr std::uint32_t kReleased = 1U << 4U;
    static constexpr std::uint32_t kHeld = 1U << 5U;
    static constexpr std::uint32_t kWaiting = 1U << 6U;

    virtual void set_outcome(Error error) = 0;
    virtual void run_callback() = 0;
    void deliver();

    std::atomic<std::uint32_t> phase_ = 0;
    Delivery delivery_ = Delivery::Posted;
    std::shared_ptr<Cell> asked_;
    const std::string_view& message_;
    std::source_location where_;
    Instant deadline_;
    TimerId timer_;
    Instant handled_at_;          // guarded by the cell: when its handler was called
    std::size_t held_index_ = 0;  // guarded by the cell: place among its held replies
};

template <class T>
class AskState final : public AskBase {
public:
    using Callback = std::move_only_function<void(Result<T>)>;
    using AskBase::AskBase;

    void answer(Result<T> result) {
        if (claim()) {
            outcome_.emplace(std::move(result));
            publish();
        } else {
            asked().count_late_reply();
        }
        release();
    }

    void subscribe(Callback callback) {
        callback_ = std::move(callback);
        subscribed(Delivery::Posted);
    }

    // The callback must be cheap and must not enter the object that answers.
    void subscribe_inline(Callback callback) {
        callback_ = std::move(callback);
        subscribed(Delivery::Inline);
    }

    Result<T> wait() {
        wait_until_published();
        return *std::move(outcome_);
    }

private:
    void set_outcome(Error error) override { outcome_.emplace(std::unexpected(std::move(error))); }

    void run_callback() override { std::exchange(callback_, nullptr)(*std::move(outcome_)); }

    std::optional<Result<T>> outcome_;
    Callback callback_;
};

}  // namespace draco::affair::detail
