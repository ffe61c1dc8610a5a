#include "draco/affair/detail/ask_state.hpp"

#include <string>

namespace draco::affair::detail {

namespace {

// The executor destroys tasks it will never run; then nobody can answer any more either.
class ExpiryTask {
public:
    explicit ExpiryTask(std::shared_ptr<AskBase> ask) : ask_(std::move(ask)) {}

    ExpiryTask(ExpiryTask&&) noexcept = default;
    ExpiryTask& operator=(ExpiryTask&&) = delete;
    ExpiryTask(const ExpiryTask&) = delete;
    ExpiryTask& operator=(const ExpiryTask&) = delete;

    ~ExpiryTask() {
        if (ask_) ask_->expire();
    }

    void operator()() { std::exchange(ask_, nullptr)->expire(); }

private:
    std::shared_ptr<AskBase> ask_;
};

}  // namespace

AskBase::AskBase(std::shared_ptr<Cell> asked,
                 const std::string_view& message,
                 std::source_location where,
                 Instant deadline)
    : asked_(std::move(asked)), message_(message), where_(where), deadline_(deadline) {}

void AskBase::arm_deadline() {
    if (claimed()) return;
    timer_ = asked_->executor().post_at(deadline_, ExpiryTask(shared_from_this()));
    const auto before = phase_.fetch_or(kArmed, std::memory_order_acq_rel);
    if ((before & kPublished) != 0) asked_->executor().cancel(timer_);
}

void AskBase::expire() {
    if (!claim()) return;
    asked_->count_expired();
    set_outcome({Errc::DeadlineExceeded,
                 "'" + asked_->name() + "' did not answer " + std::string(message_) + " in time"});
    publish();
}

void AskBase::abandon() {
    if (claim()) {
        asked_->count_abandoned();
        set_outcome({Errc::Abandoned,
                     "'" + asked_->name() + "' dropped " + std::string(message_) +
                         " without an answer: it failed, stopped, or will not serve it"});
        publish();
    }
    release();
}

void AskBase::publish() {
    const auto before = phase_.fetch_or(kPublished, std::memory_order_acq_rel);
    if ((before & kArmed) != 0) asked_->executor().cancel(timer_);
    if ((before & kSubscribed) != 0) deliver();
    if ((before & kWaiting) != 0) phase_.notify_all();
}

void AskBase::release() {
    const auto before = phase_.fetch_or(kReleased, std::memory_order_acq_rel);
    if ((before & kHeld) != 0) asked_->release_held(*this);
}

void AskBase::subscribed(Delivery delivery) {
    delivery_ = delivery;
    const auto before = phase_.fetch_or(kSubscribed, std::memory_order_acq_rel);
    if ((before & kPublished) != 0) deliver();
}

void AskBase::deliver() {
    if (delivery_ == Delivery::Inline) {
        run_callback();
        return;
    }
    asked_->executor().post([self = shared_from_this()] { self->run_callback(); });
}

void AskBase::wait_until_published() {
    DRACO_ASSERT(!Cell::any_entered_here(), "an object never blocks: use then() or co_await");
    auto seen = phase_.fetch_or(kWaiting, std::memory_order_acq_rel) | kWaiting;
    while ((seen & kPublished) == 0) {
        phase_.wait(seen, std::memory_order_acquire);
        seen = phase_.load(std::memory_order_acquire);
    }
}

}  // namespace draco::affair::detail
