#pragma once
// A Ledger that executes nothing: a block counts as executed when it is handed over. Its state
// stays that of the genesis. What consensus needs durable is in consensus' own log.

#include "draco/base/executor.hpp"
#include "draco/interfaces/ledger.hpp"

#include "latencies.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace draco::consensus_bench {

class OrderingLedger final : public interfaces::Ledger {
public:
    struct Counts {
        std::uint64_t transactions = 0;
        std::uint64_t blocks = 0;
        Latencies end_to_end;
        Latencies consensus;
    };

    OrderingLedger(Executor& executor,
                   std::shared_ptr<const interfaces::StateView> genesis,
                   types::AuthorityIndex self)
        : executor_(executor), genesis_(std::move(genesis)), self_(self) {}

    Counts counts() const;
    void reset_latencies();

    Result<> append(interfaces::BlockWithContent block, interfaces::BlockOrigin origin) override;

    Result<> certify(const types::BlockCertificate& /*certificate*/) override { return {}; }

    std::shared_ptr<const interfaces::StateView> view() const override { return genesis_; }

    std::optional<types::BlockCertificate> latest_certificate() const override { return {}; }

    types::Height lowest() const override { return types::Height(1); }

    Result<std::optional<Bytes>> read(types::Height /*height*/) const override {
        return std::nullopt;
    }

    void add_observer(interfaces::LedgerObserver& observer) override;
    void remove_observer(interfaces::LedgerObserver& observer) override;

private:
    void measure(const interfaces::BlockWithContent& block);

    Executor& executor_;
    const std::shared_ptr<const interfaces::StateView> genesis_;
    const types::AuthorityIndex self_;

    mutable std::mutex mutex_;  // guards what follows
    Counts counts_;
    types::Height head_;
    std::vector<interfaces::LedgerObserver*> observers_;
    std::mutex telling_;  // held while observers are called
};

}  // namespace draco::consensus_bench
