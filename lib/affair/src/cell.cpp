#include "draco/affair/detail/cell.hpp"

#include "draco/affair/detail/ask_state.hpp"
#include "draco/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace draco::affair::detail {

thread_local const Cell::Entered* Cell::Entered::innermost = nullptr;

Cell::Entered::Entered(const Cell& cell) : cell_(cell), outer_(std::exchange(innermost, this)) {}

Cell::Entered::~Entered() {
    innermost = outer_;
}

bool Cell::entered_here() const {
    const Entered* at = Entered::innermost;
    while (at != nullptr && &at->cell_ != this) at = at->outer_;
    return at != nullptr;
}

bool Cell::any_entered_here() {
    return Entered::innermost != nullptr;
}

Cell::Cell(Executor& executor,
           ObjectOptions options,
           Workers workers,
           std::shared_ptr<EscalationHandler> escalation)
    : activities_(workers.max),
      executor_(executor),
      options_(std::move(options)),
      workers_limit_(workers),
      escalation_(std::move(escalation)) {}

Result<> Cell::start() {
    Lock lock(mutex_);
    DRACO_TRY_VOID(create(lock));
    settle(std::move(lock));
    post_workers_for_queue(Lock(mutex_));
    return {};
}

Error Cell::rejection(Admission why) const {
    if (why == Admission::Full)
        return {Errc::Exhausted,
                "the mailbox of '" + options_.name + "' holds its " +
                    std::to_string(options_.capacity) + " messages: back off, then send again"};
    return {Errc::Unavailable, "'" + options_.name + "' accepts no more messages: it has stopped"};
}

std::uint64_t Cell::queued(const Lock&) const {
    return accepted_ - taken_.load(std::memory_order_relaxed);
}

Admission Cell::admit(const Lock& lock) {
    const auto waiting = queued(lock);
    if (!accepting_ || waiting >= options_.capacity) {
        ++rejected_;
        return accepting_ ? Admission::Full : Admission::Closed;
    }
    ++accepted_;
    queued_max_ = std::max<std::size_t>(queued_max_, waiting + 1);
    return Admission::Accepted;
}

bool Cell::take_worker(const Lock& lock) {
    const bool may_work =
        phase_ == Phase::Running && !closed_ && !failure_ && stopping_ != StopPolicy::Discard;
    const std::size_t occupied = workers_ + (workers_limit_.held_replies_count ? held_.size() : 0);
    // Order matters: a sequential queue may be looked at only when its worker is not inside.
    if (!may_work || occupied >= workers_limit_.max || queue_empty(lock)) return false;
    ++workers_;
    return true;
}

void Cell::post_worker() {
    executor_.post([self = shared_from_this()] { self->work(); });
}

void Cell::wake(Lock lock) {
    if (!take_worker(lock)) return;
    lock.unlock();
    post_worker();
}

void Cell::post_workers_for_queue(Lock lock) {
    std::size_t wanted = 0;
    while (wanted < queued(lock) && take_worker(lock)) ++wanted;
    // Continuations are in the queue too, and are not counted as messages.
    if (wanted == 0 && take_worker(lock)) ++wanted;
    lock.unlock();
    for (; wanted > 0; --wanted) post_worker();
}

bool Cell::enter(Lock& lock) {
    lock = Lock(mutex_);
    if (phase_ == Phase::Running && !closed_ && !failure_ && stopping_ != StopPolicy::Discard) {
        ++inside_;
        return true;
    }
    --workers_;
    settle(std::move(lock));
    return false;
}

void Cell::leave(Lock lock) {
    --inside_;
    --workers_;
    if (take_worker(lock)) {
        lock.unlock();
        post_worker();
        return;
    }
    settle(std::move(lock));
}

void Cell::fail_incarnation(const Lock&, Error error) {
    // Of workers that fail together, the first says why.
    if (!failure_) failure_ = std::move(error);
}

bool Cell::accepts_turn(const Lock& lock, std::uint64_t incarnation) const {
    return !closed_ && !ended(lock) && incarnation == incarnation_;
}

bool Cell::ended(const Lock&) const {
    return phase_ == Phase::Stopped || phase_ == Phase::Failed;
}

bool Cell::drained(const Lock& lock) const {
    return queue_empty(lock) && held_.empty();
}

// Does what was waiting for the last thread to leave the object.
void Cell::settle(Lock lock) {
    if (inside_ > 0) return;
    if (closed_) {
        left_.notify_all();
        return;
    }
    if (failure_) {
        recover(std::move(lock));
        return;
    }
    if (stopping_ && !ended(lock) && (stopping_ == StopPolicy::Discard || drained(lock)))
        end(std::move(lock), Phase::Stopped);
}

std::optional<Duration> Cell::next_backoff(const Lock&) {
    const Supervision& supervision = options_.supervision;
    const Instant at = now();
    while (!recent_restarts_.empty() && at - recent_restarts_.front() >= supervision.window)
        recent_restarts_.pop_front();
    if (recent_restarts_.size() >= supervision.restarts_max) return std::nullopt;
    Duration pause = std::min(supervision.backoff_first, supervision.backoff_max);
    for (std::size_t i = 0; i < recent_restarts_.size() && pause < supervision.backoff_max; ++i)
        pause += std::min(pause, supervision.backoff_max - pause);
    recent_restarts_.push_back(at);
    return pause;
}

void Cell::recover(Lock lock) {
    const Error error = *std::exchange(failure_, std::nullopt);
    ++failures_;
    ++incarnation_;
    phase_ = Phase::BackingOff;
    ++inside_;
    lock.unlock();
    {
        const Entered entered(*this);
        destroy_object();
    }
    lock.lock();
    --inside_;
    const std::optional<Duration> pause = next_backoff(lock);
    if (!pause) {
        end(std::move(lock), Phase::Failed);
        executor_.post([handler = escalation_, escalation = Escalation{options_.name, error}] {
            if (*handler) (*handler)(escalation);
        });
        return;
    }
    settle(std::move(lock));
    executor_.post_after(*pause, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->restart();
    });
}

Result<> Cell::create(Lock& lock) {
    ++inside_;
    lock.unlock();
    Result<> created;
    {
        const Entered entered(*this);
        created = create_object();
    }
    lock.lock();
    --inside_;
    if (created) phase_ = Phase::Running;
    return created;
}

void Cell::restart() {
    Lock lock(mutex_);
    if (phase_ != Phase::BackingOff || closed_) return;
    if (auto created = create(lock))
        ++restarts_;
    else
        failure_ = std::move(created).error();
    settle(std::move(lock));
    post_workers_for_queue(Lock(mutex_));
}

void Cell::end(Lock lock, Phase phase) {
    phase_ = phase;
    accepting_ = false;
    const auto waiting = queued(lock);
    discarded_ += waiting;
    taken_.store(accepted_, std::memory_order_relaxed);
    ++inside_;
    lock.unlock();
    {
        const Entered entered(*this);
        destroy_object();
        discard_queue();
    }
    lock.lock();
    --inside_;
    std::vector<Executor::Task> ended = std::exchange(on_ended_, {});
    if (closed_) left_.notify_all();
    lock.unlock();
    for (auto& task : ended) executor_.post(std::move(task));
}

void Cell::stop(StopPolicy policy, Executor::Task ended_task) {
    Lock lock(mutex_);
    if (ended(lock) && inside_ == 0) {
        lock.unlock();
        executor_.post(std::move(ended_task));
        return;
    }
    on_ended_.push_back(std::move(ended_task));
    accepting_ = false;
    if (stopping_ != StopPolicy::Discard) stopping_ = policy;
    if (policy == StopPolicy::Discard) interrupted_.store(true, std::memory_order_relaxed);
    settle(std::move(lock));
}

void Cell::close() {
    DRACO_ASSERT(!entered_here(), "an object does not destroy its own owner");
    Lock lock(mutex_);
    closed_ = true;
    accepting_ = false;
    interrupted_.store(true, std::memory_order_relaxed);
    left_.wait(lock, [this] { return inside_ == 0; });
    if (!ended(lock)) {
        end(std::move(lock), Phase::Stopped);
        lock = Lock(mutex_);
    }
    // Promises that others keep refer to this cell; it must not refer to them.
    const auto held = std::exchange(held_, {});
    lock.unlock();
}

void Cell::hold_if_kept(const std::shared_ptr<AskBase>& ask, Instant handled_at) {
    if (ask->released()) return;
    const Lock lock(mutex_);
    if ((ask->phase_.fetch_or(AskBase::kHeld, std::memory_order_acq_rel) & AskBase::kReleased) != 0)
        return;
    ask->handled_at_ = handled_at;
    ask->held_index_ = held_.size();
    held_.push_back(ask);
}

void Cell::release_held(AskBase& ask) {
    std::shared_ptr<AskBase> released;  // destroyed after the lock
    Lock lock(mutex_);
    const std::size_t index = ask.held_index_;
    if (index >= held_.size() || held_[index].get() != &ask) return;  // dropped by close()
    released = std::exchange(held_[index], std::move(held_.back()));
    if (held_[index] != nullptr) held_[index]->held_index_ = index;
    held_.pop_back();
    if (take_worker(lock)) {
        lock.unlock();
        post_worker();
        return;
    }
    settle(std::move(lock));
}

std::optional<std::uint64_t> Cell::reserve_turn() {
    const Lock lock(mutex_);
    if (turns_ >= options_.turns_max) return std::nullopt;
    ++turns_;
    return incarnation_;
}

Error Cell::turns_exhausted() const {
    return {Errc::Exhausted,
            "'" + options_.name + "' has its " + std::to_string(options_.turns_max) +
                " continuations outstanding: wait for one before asking more"};
}

void Cell::release_turn() {
    const Lock lock(mutex_);
    --turns_;
}

ObjectState Cell::state(const Lock&) const {
    if (phase_ == Phase::Failed) return ObjectState::Failed;
    if (phase_ == Phase::Stopped) return ObjectState::Stopped;
    if (stopping_ || closed_) return ObjectState::Stopping;
    return phase_ == Phase::BackingOff || failure_ ? ObjectState::Restarting : ObjectState::Running;
}

ObjectSnapshot Cell::snapshot() const {
    const Lock lock(mutex_);
    const Instant at = now();
    ObjectSnapshot seen{.name = options_.name,
                        .state = state(lock),
                        .capacity = options_.capacity,
                        .queued = queued(lock),
                        .queued_max = queued_max_,
                        .accepted = accepted_,
                        .rejected = rejected_,
                        .handled = handled_.load(std::memory_order_relaxed),
                        .lapsed = lapsed_.load(std::memory_order_relaxed),
                        .discarded = discarded_,
                        .expired = expired_.load(std::memory_order_relaxed),
                        .late_replies = late_replies_.load(std::memory_order_relaxed),
                        .abandoned = abandoned_.load(std::memory_order_relaxed),
                        .failures = failures_,
                        .restarts = restarts_,
                        .occupations = {}};
    for (const Activity& activity : activities_) {
        const auto trace = activity.read();
        if (!trace) continue;
        // The handler may have begun after `at` was taken.
        seen.occupations.push_back({.kind = Occupation::Kind::Handling,
                                    .message = *trace->message,
                                    .where = trace->where,
                                    .elapsed = std::max(Duration{0}, at - trace->since)});
    }
    for (const auto& ask : held_) {
        seen.occupations.push_back({.kind = Occupation::Kind::HoldingReply,
                                    .message = ask->message_,
                                    .where = ask->where_,
                                    .elapsed = at - ask->handled_at_});
    }
    return seen;
}

}  // namespace draco::affair::detail
