#include "draco/sync/core.hpp"

#include "core_parts.hpp"

#include <algorithm>

namespace draco::sync {

namespace {

constexpr std::uint32_t kRangeBlocks = kRangeBlocksMax / 2;

}  // namespace

std::optional<types::NodeKey> Core::best_peer(Instant now) const {
    const types::Height wanted = next(executed_.head.height);
    const std::pair<const types::NodeKey, Peer>* best = nullptr;
    for (const auto& one : peers_) {
        const Peer& peer = one.second;
        if (!peer.is_up || peer.claim.height < wanted || peer.lowest > wanted) continue;
        if (peer.paused_until && now < *peer.paused_until) continue;
        if (gives_range(one.first)) continue;
        if (best == nullptr || rank(one.first, peer) < rank(best->first, best->second)) best = &one;
    }
    if (best == nullptr) return std::nullopt;
    return best->first;
}

// Anybody can be a stranger, as many as they like, so those who have something to lose come first.
Core::Rank Core::rank(const types::NodeKey& key, const Peer& peer) const {
    const bool is_known =
        peer.has_delivered || !peer.is_guest || executed_.committee.index_of(key).has_value();
    return {!is_known, peer.failures, peer.asked_last};
}

bool Core::gives_range(const types::NodeKey& key) const {
    return std::ranges::any_of(
        ranges_, [&](std::uint64_t ticket) { return fetches_.at(ticket).peer == key; });
}

void Core::fetch(Instant now, Effects& effects) {
    const auto key = best_peer(now);
    if (!key) {
        if (!retry_at_ || now >= *retry_at_) nobody_helps(now, effects);
        return;
    }
    ask_range(*key, now, effects);
}

// What is at hand comes first.
bool Core::may_hedge() const {
    return ranges_.size() == 1 && has_nothing_at_hand() && !ledger_is_broken_;
}

// Who answers slowly must not hold this node back: the first whole answer ends the other. A
// stranger, whose claim may be all it has, is given no time alone.
void Core::hedge(Instant now, Effects& effects) {
    if (!may_hedge()) return;
    Fetch& first = fetches_.at(ranges_.front());
    const auto key = best_peer(now);
    const auto is_stranger = [&](const types::NodeKey& one) {
        const auto peer = peers_.find(one);
        return peer == peers_.end() || rank(one, peer->second).is_stranger;
    };
    const bool is_better = key && !is_stranger(*key) && is_stranger(first.peer);
    if (!is_better && now < first.hedge_at) return;
    first.hedge_at = now + limits_.hedge_after;
    const bool is_fast = time_of(first.bytes, limits_.hedge_bytes_per_s) >= now - first.begun;
    if (key && (is_better || !is_fast)) ask_range(*key, now, effects);
}

void Core::ask_range(const types::NodeKey& key, Instant now, Effects& effects) {
    const std::uint64_t ticket = ++ticket_last_;
    peers_.at(key).asked_last = ticket;
    ranges_.push_back(ticket);
    fetches_.emplace(ticket,
                     Fetch{.peer = key,
                           .check = RangeCheck(chain_,
                                               executed_.committee,
                                               executed_.head,
                                               kRangeBlocksMax,
                                               limits_.range_bytes_max),
                           .kind = Kind::Range,
                           .begun = now,
                           .stalls_at = now + limits_.stall_timeout,
                           .hedge_at = now + limits_.hedge_after});
    effects.asks.push_back(
        {.ticket = ticket,
         .peer = key,
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
                           .kind = Kind::Status,
                           .begun = now,
                           .stalls_at = now + limits_.status_timeout});
    effects.asks.push_back({.ticket = ticket,
                            .peer = key,
                            .request = StatusRequest{},
                            .deadline = now + limits_.status_timeout});
}

}  // namespace draco::sync
