#pragma once
// Calls that wait for what becomes of a transaction.

#include "draco/base/executor.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/types/receipt.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace draco::rpc {

// A block had the transaction and did not execute it.
struct RefusedInBlock {
    types::Refusal refusal;
    types::Height height;
};

struct SubmissionAccepted {};  // a member of the committee has it

struct WaitExpired {};

struct WaitStopped {};

// Error: it could not be submitted.
using WaitOutcome = std::
    variant<types::Receipt, RefusedInBlock, SubmissionAccepted, Error, WaitExpired, WaitStopped>;

struct WaiterLimits {
    std::size_t all = 0;
    std::size_t of_client = 0;
};

// A network may hold at most this part of the places that are left (Choudhury and Hahne, Dynamic
// Queue Length Thresholds, 1998). So n networks that take all they can leave one in 1 + n / 8 of
// the places to others, and one that holds none gets the last of them.
inline constexpr std::size_t kNetworkPart = 8;

enum class WaitFor : std::uint8_t {
    Own,    // the call sends the transaction
    Other,  // it only asks; such calls take up at most half of the places
};

struct Wait {
    types::TransactionHash hash;
    Instant deadline;
    WaitFor what = WaitFor::Own;
    std::string client{};  // empty: not counted, nor its network
};

// Thread-safe. Each accepted wait has exactly one outcome, unless the executor stops before: then
// its callback is destroyed.
class TransactionWaiters final : public interfaces::LedgerObserver,
                                 public std::enable_shared_from_this<TransactionWaiters> {
public:
    using Callback = std::move_only_function<void(WaitOutcome)>;

    struct Key {
        types::TransactionHash hash;
        std::uint64_t id = 0;

        auto operator<=>(const Key&) const = default;
    };

    TransactionWaiters(interfaces::Ledger& ledger, Executor& executor, const WaiterLimits& limits)
        : ledger_(ledger), executor_(executor), limits_(limits) {}

    // `callback` is called in a task or inside stop(); at once, inside this call, if there is a
    // receipt already. It must not call back into this. Exhausted: too many wait, or too many of
    // this client or its network. Unavailable: stopped. Then it has not been called.
    Result<Key> wait(Wait wait, Callback callback);

    // What the submission led to. A receipt counts more than a failure.
    void submitted(const Key& key, Result<> outcome, bool is_answer);

    // Answers all, here; later waits are refused. The ledger is not used afterwards.
    void stop();

    std::size_t count() const;

    void on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) override;

    void on_certificate(const types::BlockCertificate& /*certificate*/) override {}

private:
    struct Waiter {
        Callback callback;
        TimerId timer;
        WaitFor what;
        std::string client;
    };

    using Ready = std::vector<std::pair<Callback, WaitOutcome>>;

    std::optional<Callback> take(const Key& key);
    // With the lock held.
    Result<> room_for(const Wait& wait) const;
    Callback take_locked(std::map<Key, Waiter>::iterator at);
    void take_all_locked(const types::TransactionHash& hash,
                         const WaitOutcome& outcome,
                         Ready& ready);
    std::optional<types::Receipt> receipt(const types::TransactionHash& hash) const;

    interfaces::Ledger& ledger_;
    Executor& executor_;
    const WaiterLimits limits_;
    mutable std::mutex mutex_;
    std::map<Key, Waiter> waiters_;
    std::size_t asking_ = 0;  // of them, WaitFor::Other
    std::map<std::string, std::size_t> of_client_;
    std::map<std::string, std::size_t> of_network_;
    std::uint64_t next_id_ = 0;
    bool stopped_ = false;
    // Held, shared, while a submission's outcome is looked up in the ledger, which may be destroyed
    // after stop(). Never taken together with mutex_.
    std::shared_mutex ledger_use_;
    bool ledger_released_ = false;
};

}  // namespace draco::rpc
