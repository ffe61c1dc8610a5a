#pragma once
// Takes the mark off a restored key once an epoch has passed under it: whatever it signed
// elsewhere lies in an epoch that is over.

#include "draco/base/executor.hpp"
#include "draco/interfaces/ledger.hpp"

#include <functional>
#include <memory>

namespace draco::node {

class RestoredKeyWatch final : interfaces::LedgerObserver {
public:
    // `clear` runs as a task, once. Both references outlive the watch.
    RestoredKeyWatch(interfaces::Ledger& ledger, Executor& executor, std::function<void()> clear)
        : ledger_(ledger), executor_(executor), clear_(std::move(clear)) {
        ledger_.add_observer(*this);
    }

    ~RestoredKeyWatch() override { ledger_.remove_observer(*this); }

    RestoredKeyWatch(const RestoredKeyWatch&) = delete;
    RestoredKeyWatch& operator=(const RestoredKeyWatch&) = delete;

private:
    void on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) override {
        if (!block->result.next_committee || !clear_) return;
        executor_.post([clear = std::move(clear_)] { clear(); });
        clear_ = nullptr;
    }

    void on_certificate(const types::BlockCertificate& /*certificate*/) override {}

    interfaces::Ledger& ledger_;
    Executor& executor_;
    std::function<void()> clear_;
};

}  // namespace draco::node
