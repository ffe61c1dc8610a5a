#include "draco/sync/core.hpp"

#include "core_parts.hpp"

#include <algorithm>
#include <utility>

namespace draco::sync {

namespace {

Claim claim_of(const types::BlockCertificate& certificate) {
    return {certificate.statement.epoch, certificate.statement.height};
}

bool is_lie(const Error& error) {
    return error.code == Errc::Corrupt || error.code == Errc::Unauthenticated ||
           error.code == Errc::InvalidArgument;
}

// It does not know the question, or has no room for it.
bool refuses_tails(const Error& error) {
    return error.code == Errc::InvalidArgument || error.code == Errc::Exhausted;
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
    return {.known = known_.height,
            .fetched = fetched_,
            .fetching = !ranges_.empty(),
            .blocks_fetched = blocks_fetched_,
            .liars = liars_};
}

std::optional<Instant> Core::wake_at() const {
    std::optional<Instant> wake;
    const auto consider = [&wake](Instant when) { wake = wake ? std::min(*wake, when) : when; };
    for (const auto& [ticket, fetch] : fetches_) consider(fetch.stalls_at);
    if (unpublished_ && published_at_) consider(*published_at_ + limits_.publish_interval);
    if (may_hedge()) consider(fetches_.at(ranges_.front()).hedge_at);
    if (const auto late_at = tail_is_late_at()) consider(*late_at);
    if (const auto pauses_until = tails_pause_until()) consider(*pauses_until);
    if (!is_behind() || !ranges_.empty() || !has_nothing_at_hand() || ledger_is_broken_)
        return wake;
    if (ripens_at_) {
        consider(*ripens_at_);
        return wake;
    }
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
    Peer& peer = peers_[event.peer];
    peer.is_up = true;
    peer.is_guest = event.is_guest;
    peer.no_tail_until.reset();
    ask_status(event.peer, now, effects);
}

void Core::on(const PeerDown& event, Instant /*now*/, Effects& /*effects*/) {
    const auto peer = peers_.find(event.peer);
    if (peer != peers_.end()) peer->second.is_up = false;
}

void Core::on(const BlockExecuted& event, Instant /*now*/, Effects& effects) {
    if (event.head.height <= executed_.head.height) return;
    executed_.head = {.height = event.head.height, .digest = event.head.digest};
    while (!waiting_.empty() && waiting_.front().content.block.height <= executed_.head.height)
        waiting_.pop_front();
    appended_ = std::max(appended_, executed_.head.height);
    if (event.next_committee) {
        executed_.committee = *event.next_committee;
        end_epoch(effects);
    }
    ledger_is_full_ = false;
    retry_at_.reset();
    retry_delay_ = limits_.retry_first;
}

// What is left of the ended epoch above its last block is void.
void Core::end_epoch(Effects& effects) {
    end_ranges(effects);
    end_tail(effects);
    waiting_.clear();
    appended_ = executed_.head.height;
    if (is_void(known_)) known_.height = executed_.head.height;
    for (auto& [key, peer] : peers_)
        if (is_void(peer.claim)) peer.claim.height = executed_.head.height;
}

// The epoch was over before this height.
bool Core::is_void(const Claim& claim) const {
    return claim.epoch < executed_.committee.epoch() && claim.height > executed_.head.height;
}

void Core::on(const CertificateSeen& event, Instant /*now*/, Effects& effects) {
    learn(event.certificate, effects);
    const Claim claim = claim_of(event.certificate);
    const auto peer = peers_.find(event.from);
    if (peer != peers_.end() && !is_void(claim))
        peer->second.claim = std::max(peer->second.claim, claim);
}

void Core::on(const LaterEpochSeen& event, Instant now, Effects& /*effects*/) {
    const auto peer = peers_.find(event.from);
    if (peer == peers_.end() || (peer->second.paused_until && *peer->second.paused_until > now))
        return;
    peer->second.claim = std::max(peer->second.claim, event.claim);
}

void Core::on(const CertificateMade& event, Instant /*now*/, Effects& /*effects*/) {
    const Claim claim = claim_of(event.certificate);
    if (!is_void(claim)) known_ = std::max(known_, claim);
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
    fetch.bytes += event.chunk.size();
    fetch.stalls_at = stalls_at(fetch, now);
    const bool had_status = fetch.check.status().has_value();
    const auto checked = fetch.check.add(event.chunk);
    if (!had_status && fetch.check.status()) take_status(fetch, effects);
    take_certified(fetch, now);
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
    end_tail(effects);
    hold_until_ = now + limits_.retry_max;
}

void Core::on(const TimePassed& /*event*/, Instant now, Effects& effects) {
    std::vector<std::uint64_t> stalled;
    for (const auto& [ticket, fetch] : fetches_)
        if (fetch.stalls_at <= now) stalled.push_back(ticket);
    for (const std::uint64_t ticket : stalled) {
        const Fetch& fetch = fetches_.at(ticket);
        if (fetch.kind == Kind::Tail && now >= fetch.begun + limits_.tail_timeout) {
            end_tail(effects);
            continue;
        }
        effects.cancels.push_back({ticket});
        fail_fetch(ticket, {Errc::DeadlineExceeded, "an answer stalled or is slow"}, now, effects);
    }
}

// ---- What is missing

bool Core::is_behind() const {
    return target() > executed_.head.height;
}

types::Height Core::target() const {
    types::Height highest = known_.height;
    for (const auto& [key, peer] : peers_)
        if (peer.is_up) highest = std::max(highest, peer.claim.height);
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
        if (tail_) fetches_.at(*tail_).bytes_before_gap = fetches_.at(*tail_).bytes;
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
    if (ledger_is_broken_) return;
    tend_tail(now, effects);
    if (!ranges_.empty()) return hedge(now, effects);
    if (!has_nothing_at_hand() || !is_behind() || hold_until_) return;
    if (const auto until = left_to_tail_until(); until && now < *until) {
        ripens_at_ = until;
    } else if (may_fetch(now)) {
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
    const Claim claim = claim_of(certificate);
    if (is_void(claim) || claim <= known_) return;
    known_ = claim;
    effects.certify.push_back(certificate);
}

// ---- Answers

void Core::take_status(const Fetch& fetch, Effects& effects) {
    const auto found = peers_.find(fetch.peer);
    if (found == peers_.end()) return;
    const Status& status = *fetch.check.status();
    found->second.lowest = status.lowest;
    if (!status.latest) return;
    const Claim claim = claim_of(*status.latest);
    // Of an earlier epoch it says nothing new; of a later one it is a hint.
    const bool is_later = claim.epoch > executed_.committee.epoch();
    if ((fetch.check.status_is_verified() && !is_void(claim)) || is_later)
        found->second.claim = std::max(found->second.claim, claim);
    if (fetch.check.status_is_verified()) learn(*status.latest, effects);
}

types::Height Core::last_at_hand() const {
    if (waiting_.empty()) return appended_;
    return std::max(appended_, waiting_.back().content.block.height);
}

Instant Core::stalls_at(const Fetch& fetch, Instant now) const {
    const Instant silent_at = now + limits_.stall_timeout;
    switch (fetch.kind) {
        case Kind::Status:
            return silent_at;
        case Kind::Range:
            return std::min(silent_at,
                            fetch.begun + limits_.stall_timeout +
                                time_of(fetch.bytes, limits_.range_bytes_per_s_min));
        case Kind::Tail:
            return std::min(silent_at + limits_.tail_wait, fetch.begun + limits_.tail_timeout);
    }
    return silent_at;
}

// Ranges and the tail may bring the same blocks.
void Core::take_certified(Fetch& fetch, Instant now) {
    if (fetch.kind == Kind::Tail && !fetch.check.certified().empty()) {
        fetch.certified_at = now;
        praise(fetch.peer);
    }
    for (CertifiedBlock& block : fetch.check.certified()) {
        const types::Height height = block.content.block.height;
        ++blocks_fetched_;
        fetched_ = std::max(fetched_, height);
        if (block.certificate) known_ = std::max(known_, {block.content.block.epoch, height});
        if (height == next(last_at_hand())) waiting_.push_back(std::move(block));
    }
    fetch.check.certified().clear();
}

// Without blame: what they bring is here, or void.
void Core::end_ranges(Effects& effects) {
    for (const std::uint64_t ticket : ranges_) {
        effects.cancels.push_back({ticket});
        fetches_.erase(ticket);
    }
    ranges_.clear();
}

void Core::end_fetch(std::uint64_t ticket, const Result<>& outcome, Instant now, Effects& effects) {
    const auto found = fetches_.find(ticket);
    if (found == fetches_.end()) return;
    if (tail_ == ticket && !outcome && refuses_tails(outcome.error())) {
        pause_tails_of(found->second.peer, now);
        return drop(ticket);
    }
    const auto judged = outcome ? found->second.check.finish() : outcome;
    if (!judged) return fail_fetch(ticket, judged.error(), now, effects);
    const Fetch fetch = std::move(found->second);
    drop(ticket);
    if (fetch.kind == Kind::Tail) return end_tail_answer(fetch, now);
    if (fetch.kind == Kind::Status) return;
    const bool has_blocks = fetch.check.blocks_certified() > 0;
    if (has_blocks) {
        end_ranges(effects);
        return praise(fetch.peer);
    }
    const auto found_peer = peers_.find(fetch.peer);
    if (found_peer == peers_.end()) return;
    Peer& peer = found_peer->second;
    // It has less than was thought; a status or a certificate tells when that changes.
    peer.claim = {executed_.committee.epoch(), std::min(peer.claim.height, executed_.head.height)};
    ++peer.failures;
}

void Core::praise(const types::NodeKey& key) {
    const auto peer = peers_.find(key);
    if (peer == peers_.end()) return;
    peer->second.has_delivered = true;
    peer->second.failures = 0;
}

void Core::drop(std::uint64_t ticket) {
    std::erase(ranges_, ticket);
    if (tail_ == ticket) tail_.reset();
    fetches_.erase(ticket);
}

Duration Core::failure_pause(std::uint32_t failures) const {
    constexpr std::uint32_t kDoublingsMax = 10;
    const auto factor = std::int64_t{1} << std::min(failures - 1, kDoublingsMax);
    return std::min(limits_.failure_pause * factor, limits_.liar_pause);
}

void Core::fail_fetch(std::uint64_t ticket, const Error& error, Instant now, Effects& effects) {
    const auto found = fetches_.find(ticket);
    const types::NodeKey key = found->second.peer;
    const bool is_status = found->second.kind == Kind::Status;
    drop(ticket);
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
    if (peer == peers_.end() || (!lied && is_status)) return;
    peer->second.has_delivered = false;
    ++peer->second.failures;
    const bool is_busy = error.code == Errc::Exhausted;
    const Duration pause = failure_pause(is_busy ? 1 : peer->second.failures);
    peer->second.paused_until = now + (lied ? limits_.liar_pause : pause);
    if (lied) peer->second.claim = {};
}

}  // namespace draco::sync
