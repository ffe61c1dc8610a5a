#include "draco/pod/acknowledgements.hpp"

#include "keeper.hpp"

#include <utility>

namespace draco::pod {
namespace {

using interfaces::DeliveryStatus;

constexpr std::uint32_t kRestartsMax = 3;
// Beside what clients ask, a look at the chain.
constexpr std::size_t kOtherMessagesMax = 1;
// The flush, a judgement (and one that came late), the timer before and after it is set anew.
constexpr std::size_t kTurnsMax = 8;

class Observer final : public interfaces::LedgerObserver {
public:
    Observer(affair::Address<LookAtChain> keeper, KeeperShared& shared)
        : keeper_(std::move(keeper)), shared_(shared) {}

    void on_block(const std::shared_ptr<const interfaces::LedgerBlock>& /*block*/) override {
        if (!shared_.begin_look()) return;
        if (!keeper_.tell(LookAtChain{})) shared_.end_look();
    }

    void on_certificate(const types::BlockCertificate& /*certificate*/) override {}

private:
    affair::Address<LookAtChain> keeper_;
    KeeperShared& shared_;
};

class DurableAcknowledgements final : public interfaces::Acknowledgements {
public:
    DurableAcknowledgements(const Parts& parts,
                            std::shared_ptr<KeeperShared> shared,
                            affair::Owner<Keeper> owner)
        : executor_(parts.executor),
          ledger_(parts.ledger),
          shared_(std::move(shared)),
          owner_(std::move(owner)),
          observer_(owner_.address(), *shared_) {
        ledger_.add_observer(observer_);
        // What was executed before the observer was there.
        (void)owner_.address().tell(LookAtChain{});
    }

    ~DurableAcknowledgements() override { ledger_.remove_observer(observer_); }

    DurableAcknowledgements(const DurableAcknowledgements&) = delete;
    DurableAcknowledgements& operator=(const DurableAcknowledgements&) = delete;

    void standing(const types::LaneKey& lane, StandingCallback callback) override {
        tell(TellStanding{lane, ReplyOnce(executor_, std::move(callback))});
    }

    void acknowledge(const types::SignedDeliveryAck& ack, StandingCallback callback) override {
        tell(TakeWord{ack, ReplyOnce(executor_, std::move(callback))});
    }

    void had_from_peer(const types::NodeKey& peer, std::uint64_t bytes) override {
        shared_->add_peer(peer, bytes);
    }

    std::vector<types::SignedDeliveryAck> kept(const std::optional<types::LaneKey>& after,
                                               std::size_t count_max) const override {
        return shared_->with_core([&](const std::optional<Core>& core) {
            return core ? core->kept(after, count_max) : std::vector<types::SignedDeliveryAck>();
        });
    }

    DeliveryStatus status() const override {
        return shared_->with_core([](const std::optional<Core>& core) {
            return core ? core->status() : DeliveryStatus{};
        });
    }

private:
    template <class Message>
    void tell(Message message) {
        auto told = owner_.address().tell(std::move(message));
        if (told) return;
        auto rejected = std::move(told).error();
        rejected.message.reply.call(
            fail(Errc::Unavailable, "this node is busy: " + rejected.error.context));
    }

    Executor& executor_;
    interfaces::Ledger& ledger_;
    std::shared_ptr<KeeperShared> shared_;
    affair::Owner<Keeper> owner_;
    Observer observer_;
};

Result<> check(const Options& options) {
    const CoreOptions& core = options.core;
    if (core.pace.interval <= Duration{0} || core.pace.epoch_margin <= Duration{0} ||
        core.retry_first <= Duration{0} || core.retry_max < core.retry_first)
        return fail(Errc::InvalidArgument,
                    "the times of settlements are positive, and retry_max is not below "
                    "retry_first");
    if (core.lanes_max == 0 || core.lanes_read_max == 0 || options.waiting_max == 0)
        return fail(Errc::InvalidArgument,
                    "lanes_max, lanes_read_max and waiting_max are positive");
    return {};
}

}  // namespace

Result<std::unique_ptr<interfaces::Acknowledgements>> open(const Parts& parts,
                                                           const types::NodeKey& node,
                                                           std::unique_ptr<Submitter> submitter,
                                                           const Options& options) {
    DRACO_TRY_VOID(check(options));
    auto shared = std::make_shared<KeeperShared>(parts, node, std::move(submitter), options);
    affair::ObjectOptions object{.name = "pod",
                                 .capacity = options.waiting_max + kOtherMessagesMax,
                                 .turns_max = kTurnsMax,
                                 .supervision = {.restarts_max = kRestartsMax}};
    auto make = [shared](affair::Self<Keeper> self) -> Result<std::unique_ptr<Keeper>> {
        const auto view = shared->parts().ledger.view();
        DRACO_TRY(journal,
                  Journal::open(shared->parts().disk,
                                shared->options().journal,
                                {view->chain(), view->genesis(), shared->node()}));
        return std::make_unique<Keeper>(std::move(self), shared, std::move(journal));
    };
    DRACO_TRY(owner, parts.registry.spawn<Keeper>(std::move(object), std::move(make)));
    return std::make_unique<DurableAcknowledgements>(parts, std::move(shared), std::move(owner));
}

}  // namespace draco::pod
