#pragma once
// The transactions that were handed over a moment ago. Thread-safe, bounded.

#include "draco/base/clock.hpp"
#include "draco/types/transaction.hpp"

#include <deque>
#include <mutex>
#include <set>
#include <utility>

namespace draco::consensus {

class RecentHashes {
public:
    RecentHashes(Duration window, std::size_t count_max) : window_(window), count_max_(count_max) {}

    bool contains(const types::TransactionHash& hash, Instant now) {
        const std::scoped_lock lock(mutex_);
        forget(now);
        return known_.contains(hash);
    }

    void add(const types::TransactionHash& hash, Instant now) {
        const std::scoped_lock lock(mutex_);
        forget(now);
        if (window_ <= Duration(0) || known_.size() >= count_max_) return;
        if (known_.insert(hash).second) in_order_.emplace_back(now + window_, hash);
    }

private:
    void forget(Instant now) {
        while (!in_order_.empty() && in_order_.front().first <= now) {
            known_.erase(in_order_.front().second);
            in_order_.pop_front();
        }
    }

    const Duration window_;
    const std::size_t count_max_;
    std::mutex mutex_;
    std::set<types::TransactionHash> known_;
    std::deque<std::pair<Instant, types::TransactionHash>> in_order_;
};

}  // namespace draco::consensus
