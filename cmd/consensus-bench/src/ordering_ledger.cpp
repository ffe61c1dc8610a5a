#include "ordering_ledger.hpp"

#include "transaction_layout.hpp"

#include <algorithm>

namespace draco::consensus_bench {

OrderingLedger::Counts OrderingLedger::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

void OrderingLedger::reset_latencies() {
    const std::lock_guard lock(mutex_);
    counts_.end_to_end = {};
    counts_.consensus = {};
}

// Latency is what the clients of this validator see, so only its own batches count.
void OrderingLedger::measure(const interfaces::BlockWithContent& block) {
    const std::uint64_t now = monotonic_us();
    ++counts_.blocks;
    const std::uint64_t unix_ms = executor_.clock().unix_now().ms;
    if (unix_ms >= block.block.timestamp.ms)
        counts_.consensus.add((unix_ms - block.block.timestamp.ms) * 1000);
    for (const auto& batch : block.batches) {
        counts_.transactions += batch->transactions.size();
        if (batch->author != self_) continue;
        for (const ByteView transaction : batch->transactions) {
            if (load_le<std::uint64_t>(transaction.data() + kSequenceAt) % kSampleEvery != 0)
                continue;
            const auto sent = load_le<std::uint64_t>(transaction.data() + kSentAt);
            counts_.end_to_end.add(now - std::min(sent, now));
        }
    }
}

Result<> OrderingLedger::append(interfaces::BlockWithContent block,
                                interfaces::BlockOrigin origin) {
    auto executed = std::make_shared<interfaces::LedgerBlock>();
    {
        const std::lock_guard lock(mutex_);
        if (block.block.height <= head_) return {};
        if (block.block.height.value() != head_.value() + 1)
            return fail(Errc::InvalidArgument, "a block that leaves a gap");
        head_ = block.block.height;
        measure(block);
    }
    executed->origin = origin;
    executed->result.head = {block.block.height, block.digest, block.block.timestamp};
    executed->content = std::move(block);
    executor_.post([this, executed = std::move(executed)] {
        const std::lock_guard telling(telling_);
        std::vector<interfaces::LedgerObserver*> observers;
        {
            const std::lock_guard lock(mutex_);
            observers = observers_;
        }
        for (interfaces::LedgerObserver* observer : observers) observer->on_block(executed);
    });
    return {};
}

void OrderingLedger::add_observer(interfaces::LedgerObserver& observer) {
    const std::lock_guard lock(mutex_);
    observers_.push_back(&observer);
}

void OrderingLedger::remove_observer(interfaces::LedgerObserver& observer) {
    const std::lock_guard telling(telling_);
    const std::lock_guard lock(mutex_);
    std::erase(observers_, &observer);
}

}  // namespace draco::consensus_bench
