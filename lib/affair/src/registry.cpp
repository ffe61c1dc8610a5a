#include "draco/affair/registry.hpp"

#include <algorithm>
#include <mutex>
#include <ranges>

namespace draco::affair {

namespace detail {

namespace {

// One stop of several cells, kept alive by the tasks that carry it on.
class Shutdown : public std::enable_shared_from_this<Shutdown> {
public:
    Shutdown(Executor& executor,
             std::vector<std::shared_ptr<Cell>> cells,
             StopPolicy policy,
             StopCallback done)
        : executor_(executor), cells_(std::move(cells)), policy_(policy), done_(std::move(done)) {}

    void begin(Instant deadline) {
        const auto timer =
            executor_.post_at(deadline, [self = shared_from_this()] { self->give_up(); });
        {
            const std::scoped_lock lock(mutex_);
            deadline_ = timer;
        }
        // As a task, because `done` is not called inside the call that starts the stop.
        executor_.post([self = shared_from_this()] { self->stop_next(); });
    }

private:
    void stop_next() {
        std::unique_lock lock(mutex_);
        if (!done_) return;
        if (stopped_ == cells_.size()) {
            finish(std::move(lock), {});
            return;
        }
        const auto cell = cells_[stopped_++];
        lock.unlock();
        cell->stop(policy_, [self = shared_from_this()] { self->stop_next(); });
    }

    void give_up() {
        std::unique_lock lock(mutex_);
        if (!done_) return;
        StopReport report;
        for (const auto& cell : cells_) {
            auto snapshot = cell->snapshot();
            if (snapshot.state != ObjectState::Stopped && snapshot.state != ObjectState::Failed)
                report.unfinished.push_back(std::move(snapshot));
        }
        const auto cells = cells_;
        finish(std::move(lock), std::move(report));
        for (const auto& cell : cells) cell->stop(StopPolicy::Discard, [] {});
    }

    void finish(std::unique_lock<std::mutex> lock, StopReport report) {
        auto done = std::exchange(done_, nullptr);
        const TimerId timer = deadline_;
        lock.unlock();
        executor_.cancel(timer);
        done(std::move(report));
    }

    Executor& executor_;
    const std::vector<std::shared_ptr<Cell>> cells_;
    const StopPolicy policy_;

    std::mutex mutex_;
    std::size_t stopped_ = 0;  // cells told to stop
    StopCallback done_;        // empty once called
    TimerId deadline_;
};

}  // namespace

Result<> Roster::add(const std::shared_ptr<Cell>& cell) {
    const std::scoped_lock lock(mutex_);
    if (std::ranges::any_of(cells_, [&](const auto& c) { return c->name() == cell->name(); }))
        return fail(Errc::AlreadyExists,
                    "an object called '" + cell->name() + "' is registered: choose another name");
    cells_.push_back(cell);
    return {};
}

void Roster::remove(const Cell& cell) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(cells_, [&](const auto& c) { return c.get() == &cell; });
}

std::vector<std::shared_ptr<Cell>> Roster::cells() const {
    const std::scoped_lock lock(mutex_);
    return cells_;
}

void stop_cells(Executor& executor,
                std::vector<std::shared_ptr<Cell>> cells,
                StopPolicy policy,
                Instant deadline,
                StopCallback done) {
    std::make_shared<Shutdown>(executor, std::move(cells), policy, std::move(done))
        ->begin(deadline);
}

}  // namespace detail

Registry::Registry(Executor& executor, EscalationHandler on_escalation)
    : executor_(executor),
      escalation_(std::make_shared<EscalationHandler>(std::move(on_escalation))) {}

std::vector<ObjectSnapshot> Registry::snapshot() const {
    std::vector<ObjectSnapshot> all;
    for (const auto& cell : roster_->cells()) all.push_back(cell->snapshot());
    return all;
}

void Registry::stop_all(StopPolicy policy, Instant deadline, StopCallback done) {
    auto cells = roster_->cells();
    std::ranges::reverse(cells);
    detail::stop_cells(executor_, std::move(cells), policy, deadline, std::move(done));
}

Result<> Registry::check(const ObjectOptions& options, detail::Cell::Workers workers) {
    if (options.capacity == 0 || workers.max == 0)
        return fail(Errc::InvalidArgument,
                    "'" + options.name +
                        "' has a capacity or an in-flight bound of 0: it could "
                        "never handle a message");
    return {};
}

}  // namespace draco::affair
