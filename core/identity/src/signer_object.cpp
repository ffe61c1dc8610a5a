#include "signer_object.hpp"

#include <algorithm>
#include <utility>

namespace draco::identity {

SignerObject::SignerObject(affair::Self<SignerObject> self,
                           std::shared_ptr<SignerShared> shared,
                           SigningJournal journal)
    : self_(std::move(self)),
      shared_(std::move(shared)),
      log_(shared_->parts().log, "identity"),
      journal_(std::move(journal)),
      core_(shared_->key(), {journal_.signed_last(), journal_.entries()}, shared_->options()) {
    if (!journal_.entries().empty())
        log_.info("transactions of an earlier run are sent again",
                  {{"count", std::uint64_t{journal_.entries().size()}}});
    // After a restart. If the mailbox is full, a block is among what waits or comes soon.
    (void)self_.address().tell(BlockSeen{});
    publish();
}

SignerObject::~SignerObject() {
    if (timer_at_) self_.executor().cancel(timer_);
}

Result<> SignerObject::handle(ExecuteMethod message) {
    const RequestId request = ++request_last_;
    dones_.emplace(request, std::move(message.done));
    return apply(ExecuteRequested{request, std::move(message.method), message.fee_max});
}

Result<> SignerObject::handle(const BlockSeen& message) {
    if (message.block && core_.counts().pending > 0) {
        OutcomesSeen seen;
        for (const auto& transaction : message.block->result.transactions)
            if (transaction.hash)
                seen.outcomes.emplace_back(*transaction.hash, transaction.outcome);
        if (!seen.outcomes.empty()) DRACO_TRY_VOID(apply(std::move(seen)));
    }
    const auto chain = read_chain();
    if (!chain) return {};
    return apply(*chain);
}

Result<> SignerObject::apply(SignerEvent event) {
    events_.push_back(std::move(event));
    SignerEffects effects;
    while (!events_.empty()) {
        SignerEvent next = std::move(events_.front());
        events_.pop_front();
        effects.clear();
        core_.step(std::move(next), self_.executor().clock().now(), effects);
        for (SignerEffect& effect : effects)
            std::visit([this](auto& alternative) { perform(std::move(alternative)); }, effect);
    }
    set_timer();
    publish();
    if (core_.failure()) return std::unexpected(*core_.failure());
    return {};
}

void SignerObject::perform(Persist effect) {
    auto recorded = journal_.record(effect.entries);
    if (!recorded)
        log_.error("the signing journal could not be written; nothing is signed",
                   {{"error", to_string(recorded.error())}});
    events_.emplace_back(Persisted{std::move(recorded)});
}

void SignerObject::perform(const Forget& effect) {
    journal_.forget(effect.executed);
}

void SignerObject::perform(Submit effect) {
    const types::Nonce nonce = effect.nonce;
    const std::uint64_t attempt = effect.attempt;
    auto turn = self_.in_turn(
        [nonce, attempt](SignerObject& object, Result<types::TransactionHash> taken) -> Result<> {
            Result<> result;
            if (!taken) result = std::unexpected(std::move(taken).error());
            return object.apply(Submitted{nonce, attempt, std::move(result)});
        });
    if (!turn) {
        events_.emplace_back(Submitted{nonce, attempt, std::unexpected(turn.error())});
        return;
    }
    shared_->parts().forwarder.submit(
        std::move(effect.bytes),
        [turn = *std::move(turn)](Result<types::TransactionHash> taken) mutable {
            turn(std::move(taken));
        });
}

void SignerObject::perform(const ReadReceipt& effect) {
    events_.emplace_back(
        ReceiptRead{effect.nonce, shared_->parts().ledger.view()->receipt(effect.hash)});
}

void SignerObject::perform(const ReadChain& /*effect*/) {
    if (const auto chain = read_chain()) events_.emplace_back(*chain);
}

void SignerObject::perform(const ForeignTransaction& effect) {
    log_.error("somebody else signs with this key: a nonce was used by another transaction",
               {{"nonce", effect.nonce.value()}});
}

void SignerObject::perform(Finish effect) {
    const auto at = dones_.find(effect.request);
    if (at == dones_.end()) return;
    if (!effect.result)
        log_.warn("a transaction was not executed", {{"error", to_string(effect.result.error())}});
    at->second.call(std::move(effect.result));
    dones_.erase(at);
}

std::optional<ChainSeen> SignerObject::read_chain() const {
    const auto view = shared_->parts().ledger.view();
    const auto unreadable = [this](const Error& error) {
        log_.error("the state of the signing key cannot be read", {{"error", to_string(error)}});
        return std::nullopt;
    };
    if (const auto* node = std::get_if<types::NodeKey>(&shared_->key().sender())) {
        const auto record = view->node(*node);
        if (!record) return unreadable(record.error());
        if (!*record) return ChainSeen{std::nullopt};
        return ChainSeen{(*record)->nonce};
    }
    const auto account = view->account(std::get<types::Address>(shared_->key().sender()));
    if (!account) return unreadable(account.error());
    return ChainSeen{account->nonce};
}

void SignerObject::set_timer() {
    const auto wanted = core_.wakes_at();
    if (wanted == timer_at_) return;
    if (timer_at_) self_.executor().cancel(timer_);
    timer_at_.reset();
    if (!wanted) return;
    auto turn = self_.in_turn([due = *wanted](SignerObject& object) -> Result<> {
        // It may have been set anew while this turn waited.
        if (object.timer_at_ == due) object.timer_at_.reset();
        return object.apply(TimePassed{});
    });
    if (!turn) return;  // the next answer or block sets it
    timer_ = self_.executor().post_at(*wanted, [turn = *std::move(turn)]() mutable { turn(); });
    timer_at_ = wanted;
}

void SignerObject::publish() {
    const SignerCounts counts = core_.counts();
    shared_->publish({.executed = counts.executed.value_or(types::Nonce()),
                      .signed_last = counts.signed_last,
                      .pending = counts.pending,
                      .sent_again = counts.sent_again});
}

}  // namespace draco::identity
