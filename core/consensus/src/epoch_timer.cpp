#include "draco/consensus/epoch_timer.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace draco::consensus {
namespace {

// Looks whether the epoch's time is over, and signals it. A sequential object.
class Timekeeper {
public:
    struct Look {};  // at the newest state

    struct Outcome {
        types::Epoch epoch;
        Result<types::Receipt> receipt;
    };

    using Messages = affair::Messages<Look, Outcome>;

    struct Parts {
        Executor& executor;
        interfaces::Ledger& ledger;
        interfaces::Consensus& consensus;
        interfaces::NodeSigner& signer;
        types::NodeKey self;
        log::Logger log;
        Duration retry;
    };

    Timekeeper(Parts parts, affair::Self<Timekeeper> self)
        : parts_(std::move(parts)), self_(std::move(self)) {}

    ~Timekeeper() {
        if (timer_) parts_.executor.cancel(*timer_);
    }

    Timekeeper(const Timekeeper&) = delete;
    Timekeeper& operator=(const Timekeeper&) = delete;

    void handle(Look look);
    void handle(const Outcome& outcome);

private:
    void look_at(Instant when);
    bool has_signalled(const types::EpochInfo& epoch) const;
    void signal(types::Epoch epoch);

    Parts parts_;
    affair::Self<Timekeeper> self_;
    std::optional<types::Epoch> signalled_;
    std::optional<TimerId> timer_;
    Instant timer_at_;
};

void Timekeeper::look_at(Instant when) {
    if (timer_ && timer_at_ == when) return;
    if (timer_) parts_.executor.cancel(*timer_);
    timer_at_ = when;
    timer_ = parts_.executor.post_at(when, [address = affair::Address<Look>(self_.address())] {
        static_cast<void>(address.tell(Look{}));
    });
}

bool Timekeeper::has_signalled(const types::EpochInfo& epoch) const {
    if (signalled_ == epoch.epoch) return true;
    const auto place = std::ranges::lower_bound(*epoch.committee, parts_.self);
    if (place == epoch.committee->end() || *place != parts_.self) return true;  // it may not
    const auto index = place - epoch.committee->begin();
    return epoch.end_signals.contains(types::AuthorityIndex(static_cast<std::uint16_t>(index)));
}

void Timekeeper::handle(Look /*look*/) {
    const Clock& clock = parts_.executor.clock();
    if (timer_ && timer_at_ <= clock.now()) timer_.reset();
    const auto view = parts_.ledger.view();
    const types::EpochInfo& epoch = view->epoch();
    if (has_signalled(epoch)) return;
    const std::uint64_t length_ms = view->parameters().epoch_ms;
    const std::uint64_t now_ms = std::max(clock.unix_now().ms, view->head().timestamp.ms);
    const std::uint64_t since_ms = now_ms - std::min(now_ms, epoch.started.ms);
    if (since_ms < length_ms) {
        // An operator may set the clock: never look later than in a day.
        constexpr std::uint64_t kLookMsMax = 86'400'000;
        return look_at(clock.now() + std::chrono::milliseconds(std::min<std::uint64_t>(
                                         length_ms - since_ms, kLookMsMax)));
    }
    const auto status = parts_.consensus.status();
    if (status.epoch == epoch.epoch && status.role == interfaces::ConsensusRole::Observer) return;
    // Consensus may not have begun with this epoch yet.
    if (status.epoch != epoch.epoch || status.role != interfaces::ConsensusRole::Member)
        return look_at(clock.now() + parts_.retry);
    signal(epoch.epoch);
}

void Timekeeper::signal(types::Epoch epoch) {
    signalled_ = epoch;
    parts_.signer.execute(types::EndEpoch{epoch},
                          [epoch, address = affair::Address<Outcome>(self_.address())](
                              Result<types::Receipt> receipt) {
                              static_cast<void>(address.tell(Outcome{epoch, std::move(receipt)}));
                          });
}

void Timekeeper::handle(const Outcome& outcome) {
    if (signalled_ != outcome.epoch) return;
    const bool was_too_early =
        outcome.receipt && outcome.receipt->revert == types::Revert::TooEarly;
    if (outcome.receipt && !was_too_early) return;
    if (!outcome.receipt)
        parts_.log.warn(
            "the signal that the epoch is over was not executed",
            {{"epoch", outcome.epoch.value()}, {"error", to_string(outcome.receipt.error())}});
    signalled_.reset();
    look_at(parts_.executor.clock().now() + parts_.retry);
}

// From the ledger's calls to the timekeeper's mailbox.
class NewEpochs final : public interfaces::LedgerObserver {
public:
    explicit NewEpochs(affair::Address<Timekeeper::Look> timekeeper)
        : timekeeper_(std::move(timekeeper)) {}

    // The time of a block counts too, but a quorum's clocks cannot be so far ahead of this one's
    // that waiting for the own one matters.
    void on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) override {
        if (block->result.next_committee) static_cast<void>(timekeeper_.tell(Timekeeper::Look{}));
    }

    void on_certificate(const types::BlockCertificate& /*certificate*/) override {}

private:
    affair::Address<Timekeeper::Look> timekeeper_;
};

constexpr std::size_t kMailbox = 64;

}  // namespace

class EpochTimer::State {
public:
    State(affair::Registry& registry, Timekeeper::Parts parts)
        : registry_(registry), parts_(std::move(parts)) {}

    ~State() {
        if (observer_) parts_.ledger.remove_observer(*observer_);
    }

    State(const State&) = delete;
    State& operator=(const State&) = delete;

    Result<> start() {
        if (observer_) return fail(Errc::AlreadyExists, "the epoch timer was started already");
        DRACO_TRY(timekeeper,
                  registry_.spawn<Timekeeper>({.name = "epoch timer", .capacity = kMailbox},
                                              [parts = parts_](affair::Self<Timekeeper> self) {
                                                  return std::make_unique<Timekeeper>(
                                                      parts, std::move(self));
                                              }));
        const affair::Address<Timekeeper::Look> look = timekeeper.address();
        timekeeper_ = std::move(timekeeper);
        observer_.emplace(look);
        parts_.ledger.add_observer(*observer_);
        DRACO_TRY_VOID(look.tell(Timekeeper::Look{}));
        return {};
    }

private:
    affair::Registry& registry_;
    const Timekeeper::Parts parts_;
    std::optional<affair::Owner<Timekeeper>> timekeeper_;
    std::optional<NewEpochs> observer_;
};

EpochTimer::EpochTimer(Executor& executor,
                       affair::Registry& registry,
                       interfaces::Ledger& ledger,
                       interfaces::Consensus& consensus,
                       interfaces::NodeSigner& signer,
                       const types::NodeKey& self,
                       log::Log& log,
                       EpochTimerOptions options)
    : state_(std::make_unique<State>(registry,
                                     Timekeeper::Parts{executor,
                                                       ledger,
                                                       consensus,
                                                       signer,
                                                       self,
                                                       log::Logger(log, "consensus"),
                                                       options.retry})) {}

EpochTimer::~EpochTimer() = default;

Result<> EpochTimer::start() {
    return state_->start();
}

}  // namespace draco::consensus
