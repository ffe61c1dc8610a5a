#include "draco/identity/signer_core.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace draco::identity {
namespace {

bool is_transient(Errc code) {
    switch (code) {
        case Errc::Exhausted:
        case Errc::Unavailable:
        case Errc::DeadlineExceeded:
        case Errc::Abandoned:
        case Errc::Io:
            return true;
        default:
            return false;
    }
}

std::string stays(types::Nonce nonce) {
    return "; it is signed as nonce " + std::to_string(nonce.value()) +
           " and is sent again until it is executed";
}

Error error_of(types::Refusal refusal, types::Nonce nonce) {
    const bool may_pass = refusal == types::Refusal::FeeAboveMax ||
                          refusal == types::Refusal::FeeNotCovered ||
                          refusal == types::Refusal::UnknownNode;
    const Errc code = refusal == types::Refusal::QuotaUsedUp ? Errc::Exhausted
                      : may_pass                             ? Errc::Unavailable
                                                             : Errc::InvalidArgument;
    return {
        code,
        "the transaction was refused: " + std::string(types::to_string(refusal)) + stays(nonce)};
}

}  // namespace

SignerCore::SignerCore(const TransactionKey& key, JournalContent journal, SignerOptions options)
    : key_(key), options_(options), signed_last_(journal.signed_last) {
    DRACO_ASSERT(options.nonces_ahead_max > 0 && options.nonces_ahead_max <= kJournalEntriesMax,
                 "what is under way fits the journal");
    for (SignedBytes& entry : journal.entries) {
        const types::Nonce nonce = entry.nonce;
        Pending pending;
        pending.transaction = std::move(entry);
        pending_.emplace(nonce, std::move(pending));
    }
}

void SignerCore::step(SignerEvent event, Instant now, SignerEffects& effects) {
    std::visit([&](auto& alternative) { on(std::move(alternative), now, effects); }, event);
    if (failure_) return;
    sign_waiting(effects);
    hasten_next(now);
    submit_due(now, effects);
}

void SignerCore::on(ExecuteRequested event, Instant /*now*/, SignerEffects& effects) {
    const auto refuse = [&](Error error) {
        effects.emplace_back(Finish{event.request, std::unexpected(std::move(error))});
    };
    if (failure_) return refuse(*failure_);
    if (auto checked = key_.check(event.method); !checked)
        return refuse(std::move(checked).error());
    if (executed_ && !registered_)
        return refuse(
            {Errc::Unavailable, "this node is not registered on the chain: stake for it first"});
    if (queue_.size() >= options_.queue_max)
        return refuse({Errc::Exhausted,
                       "the signer has " + std::to_string(options_.queue_max) +
                           " transactions waiting: come back later"});
    queue_.push_back(std::move(event));
}

void SignerCore::on(ChainSeen event, Instant /*now*/, SignerEffects& effects) {
    if (failure_) return;
    registered_ = event.executed.has_value();
    saw_executed(event.executed.value_or(types::Nonce()), effects);
    resolve_executed(effects);
    report_rejections(effects);
    if (registered_) return;
    for (const ExecuteRequested& waiting : queue_)
        effects.emplace_back(
            Finish{waiting.request,
                   fail(Errc::Unavailable,
                        "this node is not registered on the chain: stake for it first")});
    queue_.clear();
}

void SignerCore::saw_executed(types::Nonce executed, SignerEffects& effects) {
    if (executed_ && executed <= *executed_) return;
    executed_ = executed;
    effects.emplace_back(Forget{executed});
}

void SignerCore::resolve_executed(SignerEffects& effects) {
    for (auto& [nonce, pending] : pending_) {
        if (nonce > *executed_) break;
        if (pending.stage == Stage::Persisting || pending.stage == Stage::Executed) continue;
        pending.stage = Stage::Executed;
        effects.emplace_back(ReadReceipt{nonce, pending.transaction.hash});
    }
}

// A rejected submission whose nonce the chain has used meanwhile was only late.
void SignerCore::report_rejections(SignerEffects& effects) {
    for (auto& [nonce, pending] : pending_) {
        if (nonce <= *executed_) continue;
        if (!pending.rejection) continue;
        Error rejection = *std::move(pending.rejection);
        pending.rejection.reset();
        rejection.context += stays(nonce);
        finish(pending, std::unexpected(std::move(rejection)), effects);
    }
}

SignerCore::PendingMap::iterator SignerCore::find(const types::TransactionHash& hash) {
    return std::ranges::find_if(
        pending_, [&hash](const auto& entry) { return entry.second.transaction.hash == hash; });
}

void SignerCore::on(OutcomesSeen event, Instant now, SignerEffects& effects) {
    if (failure_ || pending_.empty()) return;
    for (auto& [hash, outcome] : event.outcomes) {
        const auto at = find(hash);
        if (at == pending_.end() || at->second.stage == Stage::Persisting) continue;
        if (const auto* refusal = std::get_if<types::Refusal>(&outcome)) {
            refused(at->second, *refusal, now, effects);
            continue;
        }
        const types::Nonce nonce = at->first;
        finish(at->second, std::get<types::Receipt>(outcome), effects);
        pending_.erase(at);
        saw_executed(nonce, effects);
    }
    if (executed_) resolve_executed(effects);
}

// A block had it before its predecessor, which is then missing: that one goes first.
void SignerCore::out_of_order(Pending& pending, Instant now) {
    pending.early = true;
    for (auto& [nonce, first] : pending_) {
        if (first.stage == Stage::Executed) continue;
        if (first.stage == Stage::Taken)
            first.due = std::min(first.due, now + options_.backoff_first);
        return;
    }
}

void SignerCore::hasten_next(Instant now) {
    if (!executed_) return;
    const auto next = pending_.upper_bound(*executed_);
    if (next == pending_.end() || next->first.value() != executed_->value() + 1) return;
    Pending& pending = next->second;
    if (pending.early && pending.stage == Stage::Taken) pending.due = now;
}

void SignerCore::refused(Pending& pending,
                         types::Refusal refusal,
                         Instant now,
                         SignerEffects& effects) {
    if (pending.stage == Stage::Executed) return;
    if (refusal == types::Refusal::WrongNonce) return out_of_order(pending, now);
    finish(pending, std::unexpected(error_of(refusal, pending.transaction.nonce)), effects);
    if (pending.stage == Stage::Taken) back_off(pending, now);
}

void SignerCore::on(Persisted event, Instant now, SignerEffects& effects) {
    if (failure_) return;
    DRACO_ASSERT(persisting_, "what was asked for is persisted once");
    persisting_ = false;
    if (!event.result) {
        failure_ = std::move(event.result).error();
        fail_all(*failure_, effects);
        return;
    }
    for (auto& [nonce, pending] : pending_) {
        if (pending.stage != Stage::Persisting) continue;
        pending.stage = Stage::Waiting;
        pending.due = now;
    }
    resolve_executed(effects);
}

void SignerCore::on(Submitted event, Instant now, SignerEffects& effects) {
    if (failure_) return;
    const auto at = pending_.find(event.nonce);
    if (at == pending_.end()) return;
    Pending& pending = at->second;
    if (pending.stage != Stage::Sending || pending.attempt != event.attempt) return;
    if (event.result) {
        pending.stage = Stage::Taken;
        pending.due = now + options_.resend_after;
        pending.backoff = Duration{0};
        return;
    }
    back_off(pending, now);
    if (is_transient(event.result.error().code)) return;
    pending.rejection = std::move(event.result).error();
    effects.emplace_back(ReadChain{});
}

void SignerCore::on(ReceiptRead event, Instant /*now*/, SignerEffects& effects) {
    if (failure_) return;
    const auto at = pending_.find(event.nonce);
    if (at == pending_.end() || at->second.stage != Stage::Executed) return;
    if (!event.receipt) {
        finish(at->second, std::unexpected(std::move(event.receipt).error()), effects);
    } else if (*event.receipt) {
        finish(at->second, **event.receipt, effects);
    } else {
        effects.emplace_back(ForeignTransaction{event.nonce});
        finish(at->second,
               fail(Errc::AlreadyExists,
                    "nonce " + std::to_string(event.nonce.value()) +
                        " was used by another transaction, so this one will never be executed: "
                        "somebody else signs with this key"),
               effects);
    }
    pending_.erase(at);
}

void SignerCore::on(TimePassed /*event*/, Instant now, SignerEffects& /*effects*/) {
    for (auto& [nonce, pending] : pending_)
        if (pending.stage == Stage::Sending && pending.due <= now) back_off(pending, now);
}

types::Nonce SignerCore::next_nonce() const {
    return types::Nonce(std::max(*executed_, signed_last_).value() + 1);
}

void SignerCore::sign_waiting(SignerEffects& effects) {
    if (!executed_ || !registered_ || persisting_) return;
    Persist persist;
    while (!queue_.empty() && pending_.size() < options_.nonces_ahead_max &&
           next_nonce().value() - executed_->value() <= options_.nonces_ahead_max) {
        ExecuteRequested request = std::move(queue_.front());
        queue_.pop_front();
        Pending pending;
        pending.transaction = key_.sign(next_nonce(), request.fee_max, std::move(request.method));
        pending.request = request.request;
        pending.stage = Stage::Persisting;
        signed_last_ = pending.transaction.nonce;
        persist.entries.push_back(pending.transaction);
        pending_.emplace(signed_last_, std::move(pending));
    }
    if (persist.entries.empty()) return;
    persisting_ = true;
    effects.emplace_back(std::move(persist));
}

void SignerCore::submit_due(Instant now, SignerEffects& effects) {
    if (!executed_) return;
    for (auto& [nonce, pending] : pending_) {
        const bool sendable = pending.stage == Stage::Waiting || pending.stage == Stage::Taken;
        if (!sendable || pending.due > now) continue;
        if (++pending.attempt > 1) ++sent_again_;
        pending.stage = Stage::Sending;
        pending.early = false;
        pending.due = now + options_.submit_timeout;
        effects.emplace_back(Submit{nonce, pending.attempt, pending.transaction.bytes});
    }
}

void SignerCore::back_off(Pending& pending, Instant now) const {
    pending.backoff = pending.backoff == Duration{0}
                          ? options_.backoff_first
                          : std::min(pending.backoff * 2, options_.backoff_max);
    pending.stage = Stage::Waiting;
    pending.due = now + pending.backoff;
}

void SignerCore::finish(Pending& pending, Result<types::Receipt> result, SignerEffects& effects) {
    if (const auto request = std::exchange(pending.request, std::nullopt))
        effects.emplace_back(Finish{*request, std::move(result)});
}

void SignerCore::fail_all(const Error& error, SignerEffects& effects) {
    for (auto& [nonce, pending] : pending_)
        finish(pending,
               fail(error.code, error.context + "; whether it will be executed is unknown"),
               effects);
    for (const ExecuteRequested& waiting : queue_)
        effects.emplace_back(Finish{waiting.request, std::unexpected(error)});
    queue_.clear();
}

std::optional<Instant> SignerCore::wakes_at() const {
    std::optional<Instant> earliest;
    if (failure_ || !executed_) return earliest;
    for (const auto& [nonce, pending] : pending_) {
        if (pending.stage == Stage::Persisting || pending.stage == Stage::Executed) continue;
        if (!earliest || pending.due < *earliest) earliest = pending.due;
    }
    return earliest;
}

SignerCounts SignerCore::counts() const {
    return {executed_, signed_last_, pending_.size(), queue_.size(), sent_again_};
}

}  // namespace draco::identity
