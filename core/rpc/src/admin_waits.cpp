#include "admin_waits.hpp"

#include <utility>

namespace draco::rpc {
namespace {

RpcError too_late() {
    return {Code::Deadline,
            "no block executed the transaction in time; the node sends it until one does: see "
            "admin_status"};
}

}  // namespace

std::optional<AdminWaits::Id> AdminWaits::wait(Answer answer, Duration patience) {
    const auto refuse = [&answer](RpcError error) {
        answer.give(std::unexpected(std::move(error)));
        return std::nullopt;
    };
    std::unique_lock lock(mutex_);
    if (stopped_ || waiters_.size() >= waits_max_) {
        const bool stopped = stopped_;
        lock.unlock();
        return refuse(stopped ? stopping()
                              : busy(std::to_string(waits_max_) +
                                     " admin calls wait already; come back later"));
    }
    const Id id = next_id_++;
    const TimerId timer =
        executor_.post_at(executor_.clock().now() + patience, [weak = weak_from_this(), id] {
            if (const auto self = weak.lock()) self->finish(id, std::unexpected(too_late()));
        });
    waiters_.emplace(id, Waiter{.answer = std::move(answer), .timer = timer});
    return id;
}

void AdminWaits::finish(Id id, const Outcome<boost::json::value>& outcome) {
    std::optional<Answer> answer;
    {
        const std::scoped_lock lock(mutex_);
        const auto found = waiters_.find(id);
        if (found == waiters_.end()) return;
        executor_.cancel(found->second.timer);
        answer.emplace(std::move(found->second.answer));
        waiters_.erase(found);
    }
    answer->give(outcome);
}

void AdminWaits::stop() {
    std::map<Id, Waiter> left;
    {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
        left = std::exchange(waiters_, {});
        for (auto& [id, waiter] : left) executor_.cancel(waiter.timer);
    }
    for (auto& [id, waiter] : left) waiter.answer.give(std::unexpected(stopping()));
}

}  // namespace draco::rpc
