#include "draco/sync/core.hpp"

#include <algorithm>
#include <utility>

namespace draco::sync {

namespace {

constexpr std::uint32_t kRangeBlocks = kRangeBlocksMax / 2;

types::Height next(types::Height height) {
    return types::Height(height.value() + 1);
}

bool is_lie(const Error& error) {
    return error.code == Errc::Corrupt || error.code == Errc::Unauthenticated ||
           error.code == Errc::InvalidArgument;
}

}  // namespace

Core::Core(types::ChainId chain,
           const types::NodeKey& self,
           Executed executed,
           const Limits& limits)
    : chain_(chain),
      self_(self),
      limits_(limits),
      executed_(std::move(executed)),
      appended_(executed_.head.height),
      retry_delay_(limits.retry_first),
      fetched_(executed_.head.height) {}

void Core::step(const Event& event, Instant now, Effects& effects) {
    std::visit([&](const auto& one) { on(one, now, effects); }, event);
    settle(now, effects);
}

const interfaces::BlockWithContent* Core::to_append() const {
    if (waiting_.empty() || ledger_is_full_ || ledger_is_broken_) return nullptr;
    return &waiting_.front().content;
}

interfaces::SyncStatus Core::status() const {
    return {.known = known_,
            .fetched = fetched_,
            .fetching = range_.has_value(),
            .blocks_fetched = blocks_fetched_,
            .liars = liars_};
}

std::optional<Instant> Core::wake_at() const {
    std::optional<Instant> wake;
    const auto consider = [&wake](Instant when) { wake = wake ? std::min(*wake, when) : when; };
    for (const auto& [ticket, fetch] : fetches_) consider(fetch.stalls_at);
    if (unpublished_ && published_at_) consider(*published_at_ + limits_.publish_interval);
    if (!is_behind() || range_ || !waiting_.empty() || ledger_is_broken_) return wake;
    if (ripens_at_) consider(*ripens_at_);
    if (hold_until_) consider(*hold_until_);
    if (retry_at_) consider(*retry_at_);
    return wake;
}

// ---- Events

void Core::on(const PeerUp& event, Instant now, Effects& effects) {
    if (!peers_.contains(event.peer) && peers_.size() >= limits_.peers_max) {
        const auto idle =
            std::ranges::find_if(peers_, [](const auto& one) { return !one.second.is_up; });
        if (idle == peers_.end()) return;
        peers_.erase(idle);
    }
    peers_[event.peer].is_up = true;
    ask_status(event.peer, now, effects);
}

void Core::on(const PeerDown& event, Instant /*now*/, Effects& /*effects*/) {
    const auto peer = peers_.find(event.peer);
    if (peer != peers_.end()) peer->second.is_up = false;
}

void Core::on(const BlockExecuted& event, Instant /*now*/, Effects& /*effects*/) {
    if (event.head.height <= executed_.head.height) return;
    executed_.head = {.height = event.head.height, .digest = event.head.digest};
    if (event.next_committee) executed_.committee = *event.next_committee;
    while (!waiting_.empty() && waiting_.front().content.block.height <= executed_.head.height)
        waiting_.pop_front();
    appended_ = std::max(appended_, executed_.head.height);
    ledger_is_full_ = false;
    retry_at_.reset();
    retry_delay_ = limits_.retry_first;
}

void Core::on(const CertificateSeen& event, Instant /*now*/, Effects& effects) {
    learn(event.certificate, effects);
    const auto peer = peers_.find(event.from);
    if (peer != peers_.end())
        peer->second.height = std::max(peer->second.height, event.certificate.statement.height);
}

void Core::on(const LaterEpochSeen& event, Instant now, Effects& /*effects*/) {
    const auto peer = peers_.find(event.from);
    if (peer == peers_.end() || (peer->second.paused_until && *peer->second.paused_until > now))
        return;
    peer->second.height = std::max(peer->second.height, event.height);
}

void Core::on(const CertificateMade& event, Instant /*now*/, Effects& /*effects*/) {
    known_ = std::max(known_, event.certificate.statement.height);
    if (event.certificate.statement.height <= published_) return;
    if (!unpublished_ || unpublished_->statement.height < event.certificate.statement.height)
        unpublished_ = event.certificate;
}

void Core::on(const Follow& /*event*/, Instant now, Effects& effects) {
    follow_ = true;
    retry_at_.reset();
    if (!is_behind()) ask_all_status(now, effects);
}

void Core::on(const ChunkReceived& event, Instant now, Effects& effects) {
    const auto found = fetches_.find(event.ticket);
    if (found == fetches_.end()) return;
    Fetch& fetch = found->second;
    fetch.stalls_at = now + limits_.stall_timeout;
    const bool had_status = fetch.check.status().has_value();
    const auto checked = fetch.check.add(event.chunk);
    if (!had_status && fetch.check.status()) take_status(fetch, effects);
    take_certified(fetch, effects);
    if (checked) return;
    effects.cancels.push_back({event.ticket});
    fail_fetch(event.ticket, checked.error(), now, effects);
}

void Core::on(const RequestEnded& event, Instant now, Effects& effects) {
    end_fetch(event.ticket, event.outcome, now, effects);
}

void Core::on(const AppendTried& event, Instant now, Effects& effects) {
    if (waiting_.empty()) return;
    if (event.outcome) {
        CertifiedBlock block = std::move(waiting_.front());
        waiting_.pop_front();
        appended_ = std::max(appended_, block.content.block.height);
        if (block.certificate) effects.certify.push_back(*std::move(block.certificate));
        return;
    }
    if (event.outcome.error().code == Errc::Exhausted) {
        ledger_is_full_ = true;
        return;
    }
    effects.remarks.push_back(
        {.severity = Severity::Error,
         .text = "the ledger refused a certified block: " + to_string(event.outcome.error()),
         .height = waiting_.front().content.block.height});
    ledger_is_broken_ = event.outcome.error().code == Errc::Unavailable;
    waiting_.clear();
    hold_until_ = now + limits_.retry_max;
}

void Core::on(const TimePassed& /*event*/, Instant now, Effects& effects) {
    std::vector<std::uint64_t> stalled;
    for (const auto& [ticket, fetch] : fetches_)
        if (fetch.stalls_at <= now) stalled.push_back(ticket);
    for (const std::uint64_t ticket : stalled) {
        effects.cancels.push_back({ticket});
        fail_fetch(ticket, {Errc::DeadlineExceeded, "an answer stalled"}, now, effects);
    }
}

// ---- What is missing

bool Core::is_behind() const {
    return target() > executed_.head.height;
}

types::Height Core::target() const {
    types::Height highest = known_;
    for (const auto& [key, peer] : peers_)
        if (peer.is_up) highest = std::max(highest, peer.height);
    return highest;
}

void Core::watch_gap(Instant now) {
    if (!is_behind()) {
        gap_since_.reset();
        retry_at_.reset();
        if (fetches_.empty()) follow_ = false;
    } else if (!gap_since_ || executed_.head.height >= gap_target_) {
        gap_since_ = now;
        gap_target_ = target();
    }
}

bool Core::may_fetch(Instant now) const {
    return follow_ || !executed_.committee.index_of(self_) ||
           (gap_since_ && now >= *gap_since_ + limits_.patience);
}

void Core::settle(Instant now, Effects& effects) {
    watch_gap(now);
    publish_if_due(now, effects);
    ripens_at_.reset();
    if (hold_until_ && now >= *hold_until_) hold_until_.reset();
    if (ledger_is_broken_ || range_ || !waiting_.empty() || executed_.head.height < appended_)
        return;
    if (!is_behind() || hold_until_) return;
    if (may_fetch(now)) {
        fetch(now, effects);
    } else {
        ripens_at_ = *gap_since_ + limits_.patience;
    }
}

void Core::publish_if_due(Instant now, Effects& effects) {
    if (!unpublished_) return;
    if (published_at_ && now < *published_at_ + limits_.publish_interval) return;
    published_at_ = now;
    published_ = unpublished_->statement.height;
    effects.publish = std::exchange(unpublished_, std::nullopt);
}

void Core::learn(const types::BlockCertificate& certificate, Effects& effects) {
    if (certificate.statement.height <= known_) return;
    known_ = certificate.statement.height;
    effects.certify.push_back(certificate);
}

// ---- Asking

std::optional<types::NodeKey> Core::best_peer(Instant now) const {
    const types::Height wanted = next(executed_.head.height);
    const std::pair<const types::NodeKey, Peer>* best = nullptr;
    for (const auto& one : peers_) {
        const Peer& peer = one.second;
        if (!peer.is_up || peer.height < wanted || peer.lowest > wanted) continue;
        if (peer.paused_until && now < *peer.paused_until) continue;
        if (best == nullptr || std::pair(peer.failures, peer.asked_last) <
                                   std::pair(best->second.failures, best->second.asked_last))
            best = &one;
    }
    if (best == nullptr) return std::nullopt;
    return best->first;
}

void Core::fetch(Instant now, Effects& effects) {
    const auto key = best_peer(now);
    if (!key) {
        if (!retry_at_ || now >= *retry_at_) nobody_helps(now, effects);
        return;
    }
    const std::uint64_t ticket = ++ticket_last_;
    peers_.at(*key).asked_last = ticket;
    range_ = ticket;
    fetches_.emplace(ticket,
                     Fetch{.peer = *key,
                           .check = RangeCheck(chain_,
                                               executed_.committee,
                                               executed_.head,
                                               kRangeBlocksMax,
                                               limits_.range_bytes_max),
                           .is_range = true,
                           .stalls_at = now + limits_.stall_timeout});
    effects.asks.push_back(
        {.ticket = ticket,
         .peer = *key,
         .request = RangeRequest{.from = next(executed_.head.height), .count_max = kRangeBlocks},
         .deadline = now + limits_.range_timeout});
}

void Core::nobody_helps(Instant now, Effects& effects) {
    const types::Height wanted = next(executed_.head.height);
    bool is_any_up = false;
    bool has_any = false;
    bool is_pruned = false;
    for (const auto& [key, peer] : peers_) {
        if (!peer.is_up) continue;
        is_any_up = true;
        is_pruned |= peer.lowest > wanted;
        has_any |= peer.lowest != types::Height{} && peer.lowest <= wanted;
    }
    if (is_pruned && !has_any && told_pruned_ != wanted) {
        told_pruned_ = wanted;
        effects.remarks.push_back(
            {.severity = Severity::Error,
             .text = "no connected peer has the next block any more; this node cannot follow. "
                     "Connect it to a node that keeps the whole chain, or start it from a copy of "
                     "a newer data directory",
             .height = wanted});
    }
    retry_at_.reset();
    if (!is_any_up) return;  // the next link tells
    retry_at_ = now + retry_delay_;
    retry_delay_ = std::min(retry_delay_ * 2, limits_.retry_max);
    ask_all_status(now, effects);
}

void Core::ask_all_status(Instant now, Effects& effects) {
    for (const auto& [key, peer] : peers_)
        if (peer.is_up && !(peer.paused_until && now < *peer.paused_until))
            ask_status(key, now, effects);
}

void Core::ask_status(const types::NodeKey& key, Instant now, Effects& effects) {
    Peer& peer = peers_.at(key);
    if (peer.status_ticket && fetches_.contains(*peer.status_ticket)) return;
    const std::uint64_t ticket = ++ticket_last_;
    peer.status_ticket = ticket;
    fetches_.emplace(ticket,
                     Fetch{.peer = key,
                           .check = RangeCheck(
                               chain_, executed_.committee, std::nullopt, 0, kStatusBytesMax + 4),
                           .is_range = false,
                           .stalls_at = now + limits_.status_timeout});
    effects.asks.push_back({.ticket = ticket,
                            .peer = key,
                            .request = StatusRequest{},
                            .deadline = now + limits_.status_timeout});
}

// ---- Answers

void Core::take_status(const Fetch& fetch, Effects& effects) {
    const auto found = peers_.find(fetch.peer);
    if (found == peers_.end()) return;
    const Status& status = *fetch.check.status();
    found->second.lowest = status.lowest;
    if (!status.latest) return;
    const types::BlockStatement& latest = status.latest->statement;
    // Of an earlier epoch it says nothing new; of a later one it is a hint.
    const bool is_later = latest.epoch > executed_.committee.epoch();
    if (fetch.check.status_is_verified() || is_later)
        found->second.height = std::max(found->second.height, latest.height);
    if (fetch.check.status_is_verified()) learn(*status.latest, effects);
}

void Core::take_certified(Fetch& fetch, Effects& /*effects*/) {
    for (CertifiedBlock& block : fetch.check.certified()) {
        const types::Height height = block.content.block.height;
        ++blocks_fetched_;
        fetched_ = std::max(fetched_, height);
        if (block.certificate) known_ = std::max(known_, height);
        if (height > executed_.head.height) waiting_.push_back(std::move(block));
    }
    fetch.check.certified().clear();
}

void Core::end_fetch(std::uint64_t ticket, const Result<>& outcome, Instant now, Effects& effects) {
    const auto found = fetches_.find(ticket);
    if (found == fetches_.end()) return;
    const auto judged = outcome ? found->second.check.finish() : outcome;
    if (!judged) return fail_fetch(ticket, judged.error(), now, effects);
    const auto peer = peers_.find(found->second.peer);
    if (found->second.is_range) {
        range_.reset();
        if (peer != peers_.end() && found->second.check.blocks_certified() == 0) {
            // It has less than was thought; a status or a certificate tells when that changes.
            peer->second.height = std::min(peer->second.height, executed_.head.height);
            ++peer->second.failures;
        } else if (peer != peers_.end()) {
            peer->second.failures = 0;
        }
    }
    fetches_.erase(found);
}

void Core::fail_fetch(std::uint64_t ticket, const Error& error, Instant now, Effects& effects) {
    const auto found = fetches_.find(ticket);
    const types::NodeKey key = found->second.peer;
    const bool is_range = found->second.is_range;
    if (range_ == ticket) range_.reset();
    fetches_.erase(found);
    const bool lied = is_lie(error);
    if (lied) {
        ++liars_;
        effects.remarks.push_back(
            {.severity = Severity::Warn,
             .text = "a peer's answer does not match; others are asked: " + error.context,
             .peer = key,
             .height = next(executed_.head.height)});
    }
    const auto peer = peers_.find(key);
    if (peer == peers_.end() || (!lied && !is_range)) return;
    ++peer->second.failures;
    peer->second.paused_until = now + (lied ? limits_.liar_pause : limits_.failure_pause);
    if (lied) peer->second.height = {};
}

}  // namespace draco::sync
