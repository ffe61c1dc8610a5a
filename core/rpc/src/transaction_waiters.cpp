#include "transaction_waiters.hpp"

#include "client_limits.hpp"

#include <algorithm>

namespace draco::rpc {

Result<> TransactionWaiters::room_for(const Wait& wait) const {
    if (stopped_) return fail(Errc::Unavailable, "the node stops serving requests");
    std::size_t left = limits_.all - waiters_.size();
    if (wait.what == WaitFor::Other) left = std::min(left, limits_.all / 2 - asking_);
    if (left == 0)
        return fail(Errc::Exhausted,
                    std::to_string(waiters_.size()) +
                        " calls wait for transactions already; come back later");
    const auto own = of_client_.find(wait.client);
    if (own != of_client_.end() && own->second >= limits_.of_client)
        return fail(Errc::Exhausted,
                    std::to_string(own->second) +
                        " calls of this address wait for transactions already; let some be "
                        "answered first");
    const auto near = of_network_.find(network_of(wait.client));
    if (near != of_network_.end() && near->second * kNetworkPart >= left)
        return fail(Errc::Exhausted,
                    std::to_string(near->second) +
                        " calls of this network wait for transactions already, and the places that "
                        "are left are for others; come back later");
    return {};
}

Result<TransactionWaiters::Key> TransactionWaiters::wait(Wait wait, Callback callback) {
    Key key{.hash = wait.hash};
    {
        const std::scoped_lock lock(mutex_);
        DRACO_TRY_VOID(room_for(wait));
        key.id = next_id_++;
        const TimerId timer = executor_.post_at(wait.deadline, [weak = weak_from_this(), key] {
            const auto self = weak.lock();
            if (!self) return;
            if (auto late = self->take(key)) (*late)(WaitExpired{});
        });
        if (wait.what == WaitFor::Other) ++asking_;
        if (!wait.client.empty()) {
            ++of_client_[wait.client];
            ++of_network_[network_of(wait.client)];
        }
        waiters_.emplace(key,
                         Waiter{.callback = std::move(callback),
                                .timer = timer,
                                .what = wait.what,
                                .client = std::move(wait.client)});
    }
    // After it is in the table: a block that executes it from now on finds it there.
    if (const auto known = receipt(key.hash))
        if (auto taken = take(key)) (*taken)(*known);
    return key;
}

void TransactionWaiters::submitted(const Key& key, Result<> outcome, bool is_answer) {
    if (outcome && !is_answer) return;
    WaitOutcome told = SubmissionAccepted{};
    if (!outcome) {
        told = std::move(outcome).error();
        const std::shared_lock in_use(ledger_use_);
        if (ledger_released_) return;
        if (const auto known = receipt(key.hash)) told = *known;
    }
    if (auto taken = take(key)) (*taken)(std::move(told));
}

void TransactionWaiters::stop() {
    {
        const std::scoped_lock unused(ledger_use_);
        ledger_released_ = true;
    }
    std::map<Key, Waiter> left;
    {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
        left = std::exchange(waiters_, {});
        of_client_.clear();
        of_network_.clear();
        asking_ = 0;
    }
    for (auto& [key, waiter] : left) {
        executor_.cancel(waiter.timer);
        waiter.callback(WaitStopped{});
    }
}

std::size_t TransactionWaiters::count() const {
    const std::scoped_lock lock(mutex_);
    return waiters_.size();
}

void TransactionWaiters::on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) {
    Ready ready;
    {
        const std::scoped_lock lock(mutex_);
        if (stopped_ || waiters_.empty()) return;
        for (const auto& [hash, outcome] : block->result.transactions) {
            if (!hash) continue;
            if (const auto* executed = std::get_if<types::Receipt>(&outcome)) {
                take_all_locked(*hash, *executed, ready);
                continue;
            }
            // The second copy of an executed transaction is refused; that says nothing of it.
            const auto at = waiters_.lower_bound({.hash = *hash});
            if (at == waiters_.end() || at->first.hash != *hash) continue;
            WaitOutcome told = RefusedInBlock{.refusal = std::get<types::Refusal>(outcome),
                                              .height = block->result.head.height};
            if (const auto known = receipt(*hash)) told = *known;
            take_all_locked(*hash, told, ready);
        }
    }
    if (ready.empty()) return;
    executor_.post([ready = std::move(ready)]() mutable {
        for (auto& [callback, outcome] : ready) callback(std::move(outcome));
    });
}

std::optional<TransactionWaiters::Callback> TransactionWaiters::take(const Key& key) {
    const std::scoped_lock lock(mutex_);
    const auto at = waiters_.find(key);
    if (at == waiters_.end()) return std::nullopt;
    return take_locked(at);
}

TransactionWaiters::Callback TransactionWaiters::take_locked(std::map<Key, Waiter>::iterator at) {
    executor_.cancel(at->second.timer);
    Callback callback = std::move(at->second.callback);
    if (at->second.what == WaitFor::Other) --asking_;
    const auto own = of_client_.find(at->second.client);
    if (own != of_client_.end() && --own->second == 0) of_client_.erase(own);
    const auto near = of_network_.find(network_of(at->second.client));
    if (near != of_network_.end() && --near->second == 0) of_network_.erase(near);
    waiters_.erase(at);
    return callback;
}

void TransactionWaiters::take_all_locked(const types::TransactionHash& hash,
                                         const WaitOutcome& outcome,
                                         Ready& ready) {
    for (auto at = waiters_.lower_bound({.hash = hash});
         at != waiters_.end() && at->first.hash == hash;) {
        const auto next = std::next(at);
        ready.emplace_back(take_locked(at), outcome);
        at = next;
    }
}

std::optional<types::Receipt> TransactionWaiters::receipt(
    const types::TransactionHash& hash) const {
    const auto view = ledger_.view();
    const auto found = view ? view->receipt(hash) : Result<std::optional<types::Receipt>>{};
    return found ? *found : std::nullopt;
}

}  // namespace draco::rpc
