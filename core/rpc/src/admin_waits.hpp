#pragma once
// Admin calls whose transaction is not executed yet.

#include "draco/base/executor.hpp"

#include "exchange.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace draco::rpc {

// Thread-safe. Each call has exactly one answer: the one given here, or of its deadline, or of
// stop().
class AdminWaits final : public std::enable_shared_from_this<AdminWaits> {
public:
    using Id = std::uint64_t;

    AdminWaits(Executor& executor, std::size_t waits_max)
        : executor_(executor), waits_max_(waits_max) {}

    // nullopt: too many wait, or this has stopped; then `answer` has been given that.
    std::optional<Id> wait(Answer answer, Duration patience);
    // Ignored once the call has been answered otherwise.
    void finish(Id id, const Outcome<boost::json::value>& outcome);
    // Answers all, here; later ones are refused. The executor is not used afterwards.
    void stop();

private:
    struct Waiter {
        Answer answer;
        TimerId timer;
    };

    Executor& executor_;
    const std::size_t waits_max_;
    std::mutex mutex_;
    std::map<Id, Waiter> waiters_;
    Id next_id_ = 1;
    bool stopped_ = false;
};

}  // namespace draco::rpc
