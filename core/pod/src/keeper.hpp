#pragma once
// The affair object that drives a Core.

#include "draco/affair/self.hpp"
#include "draco/pod/acknowledgements.hpp"

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace draco::pod {

// Calls a callback once, as a task of its own: with Unavailable if nobody does before it is
// destroyed.
class ReplyOnce {
public:
    using Callback = interfaces::Acknowledgements::StandingCallback;

    ReplyOnce(Executor& executor, Callback callback)
        : executor_(&executor), callback_(std::move(callback)) {}

    ReplyOnce(ReplyOnce&& other) noexcept
        : executor_(other.executor_), callback_(std::exchange(other.callback_, nullptr)) {}

    ReplyOnce& operator=(ReplyOnce&&) = delete;
    ReplyOnce(const ReplyOnce&) = delete;
    ReplyOnce& operator=(const ReplyOnce&) = delete;

    ~ReplyOnce() {
        if (callback_)
            call(fail(Errc::Unavailable,
                      "the node is stopping; an acknowledgement may be sent again"));
    }

    void call(Result<interfaces::LaneStanding> result) {
        executor_->post([callback = std::exchange(callback_, nullptr),
                         result = std::move(result)]() mutable { callback(std::move(result)); });
    }

private:
    Executor* executor_;
    Callback callback_;
};

struct TakeWord {
    types::SignedDeliveryAck word;
    ReplyOnce reply;
};

struct TellStanding {
    types::LaneKey lane;
    ReplyOnce reply;
};

// There is a new state, or there may be.
struct LookAtChain {};

// What outlives an incarnation of the object. Thread-safe.
class KeeperShared {
public:
    KeeperShared(const Parts& parts,
                 const types::NodeKey& node,
                 std::unique_ptr<Submitter> submitter,
                 const Options& options)
        : parts_(parts), node_(node), options_(options), submitter_(std::move(submitter)) {}

    const Parts& parts() const { return parts_; }

    const types::NodeKey& node() const { return node_; }

    const Options& options() const { return options_; }

    Submitter& submitter() { return *submitter_; }

    // Whether nobody has asked the object yet to look at the chain.
    bool begin_look() { return !look_waits_.exchange(true); }

    void end_look() { look_waits_ = false; }

    void add_peer(const types::NodeKey& peer, std::uint64_t bytes);
    std::vector<types::PeerShare> take_peers();

    // The core is used under the lock; the object alone changes it. None between two incarnations.
    template <class F>
    auto with_core(F&& use) {
        const std::scoped_lock lock(mutex_);
        return std::forward<F>(use)(core_);
    }

private:
    const Parts parts_;
    const types::NodeKey node_;
    const Options options_;
    const std::unique_ptr<Submitter> submitter_;
    std::atomic<bool> look_waits_ = false;
    std::mutex peers_mutex_;
    std::map<types::NodeKey, std::uint64_t> peers_;
    std::mutex mutex_;
    std::optional<Core> core_;
};

class Keeper {
public:
    using Messages = affair::Messages<TakeWord, TellStanding, LookAtChain>;

    Keeper(affair::Self<Keeper> self,
           std::shared_ptr<KeeperShared> shared,
           Journal::Opened journal);
    ~Keeper();
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    Result<> handle(TakeWord message);
    Result<> handle(TellStanding message);
    Result<> handle(LookAtChain message);

private:
    // Feeds the core with the event, then with what its effects bring at once.
    Result<> apply(Event event);
    Result<> run_events();
    void perform(Persist effect);
    void perform(const ReadLanes& effect);
    void perform(Submit effect);
    void perform(Reply effect);
    void perform(const AckDropped& effect);
    void perform(const SettlementFailed& effect);
    void schedule_flush();
    void flush();
    Result<> write_out();
    void remove_unknown_peers(std::vector<types::PeerShare>& peers);
    void set_timer();

    affair::Self<Keeper> self_;
    std::shared_ptr<KeeperShared> shared_;
    log::Logger log_;
    std::unique_ptr<Journal> journal_;
    std::deque<Event> events_;
    std::map<RequestId, ReplyOnce> replies_;
    RequestId request_last_ = 0;
    Ticket appended_ = 0;
    std::optional<Error> append_failure_;
    bool flush_scheduled_ = false;
    std::optional<Instant> timer_at_;
    TimerId timer_{};
};

}  // namespace draco::pod
