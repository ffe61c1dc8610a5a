#pragma once
// The affair object that drives a SignerCore.

#include "draco/affair/self.hpp"
#include "draco/identity/transaction_signer.hpp"

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace draco::identity {

// Calls a Done once, as a task of its own: with Abandoned if nobody does before it is destroyed.
class DoneOnce {
public:
    DoneOnce(Executor& executor, interfaces::NodeSigner::Done done)
        : executor_(&executor), done_(std::move(done)) {}

    DoneOnce(DoneOnce&& other) noexcept
        : executor_(other.executor_), done_(std::exchange(other.done_, nullptr)) {}

    DoneOnce& operator=(DoneOnce&&) = delete;
    DoneOnce(const DoneOnce&) = delete;
    DoneOnce& operator=(const DoneOnce&) = delete;

    ~DoneOnce() {
        if (done_)
            call(fail(Errc::Abandoned,
                      "the signer has stopped; whether the transaction will be executed is "
                      "unknown"));
    }

    void call(Result<types::Receipt> result) {
        executor_->post([done = std::exchange(done_, nullptr),
                         result = std::move(result)]() mutable { done(std::move(result)); });
    }

private:
    Executor* executor_;
    interfaces::NodeSigner::Done done_;
};

struct ExecuteMethod {
    types::Method method;
    types::FlkAmount fee_max;
    DoneOnce done;
};

// Without a block: look at the chain.
struct BlockSeen {
    std::shared_ptr<const interfaces::LedgerBlock> block;
};

// What outlives an incarnation of the object. Thread-safe.
class SignerShared {
public:
    SignerShared(SignerParts parts,
                 TransactionKey key,
                 types::GenesisDigest genesis,
                 SignerOptions options)
        : parts_(parts), key_(std::move(key)), genesis_(genesis), options_(options) {}

    const SignerParts& parts() const { return parts_; }

    const TransactionKey& key() const { return key_; }

    const types::GenesisDigest& genesis() const { return genesis_; }

    const SignerOptions& options() const { return options_; }

    interfaces::SignerStatus status() const {
        const std::scoped_lock lock(mutex_);
        return status_;
    }

    void publish(const interfaces::SignerStatus& status) {
        const std::scoped_lock lock(mutex_);
        status_ = status;
    }

private:
    const SignerParts parts_;
    const TransactionKey key_;
    const types::GenesisDigest genesis_;
    const SignerOptions options_;
    mutable std::mutex mutex_;
    interfaces::SignerStatus status_;
};

class SignerObject {
public:
    using Messages = affair::Messages<ExecuteMethod, BlockSeen>;

    SignerObject(affair::Self<SignerObject> self,
                 std::shared_ptr<SignerShared> shared,
                 SigningJournal journal);
    ~SignerObject();
    SignerObject(const SignerObject&) = delete;
    SignerObject& operator=(const SignerObject&) = delete;

    Result<> handle(ExecuteMethod message);
    Result<> handle(const BlockSeen& message);

private:
    // Feeds the core with the event, then with what its effects bring at once.
    Result<> apply(SignerEvent event);
    void perform(Persist effect);
    void perform(const Forget& effect);
    void perform(Submit effect);
    void perform(const ReadReceipt& effect);
    void perform(const ReadChain& effect);
    void perform(const ForeignTransaction& effect);
    void perform(Finish effect);
    // Nothing if the state cannot be read: the next block is another occasion.
    std::optional<ChainSeen> read_chain() const;
    void set_timer();
    void publish();

    affair::Self<SignerObject> self_;
    std::shared_ptr<SignerShared> shared_;
    log::Logger log_;
    SigningJournal journal_;
    SignerCore core_;
    std::deque<SignerEvent> events_;
    std::map<RequestId, DoneOnce> dones_;
    RequestId request_last_ = 0;
    std::optional<Instant> timer_at_;
    TimerId timer_{};
};

}  // namespace draco::identity
