// The tail: one question at the head of the chain that a peer keeps, and answers with each block as
// soon as it is certified. It saves the round trip between hearing of a block and having it. What
// gossip says stays the measure: a tail that is behind it ends, and ranges bring what is missing.

#include "draco/sync/core.hpp"

#include "core_parts.hpp"

#include <algorithm>
#include <utility>

namespace draco::sync {

bool Core::has_nothing_at_hand() const {
    return waiting_.empty() && executed_.head.height >= appended_;
}

void Core::tend_tail(Instant now, Effects& effects) {
    if (!tail_) return open_tail(now, effects);
    Fetch& tail = fetches_.at(*tail_);
    if (has_nothing_at_hand()) tail.bytes_executed = tail.bytes;
    // It comes faster than blocks are executed: ranges wait for that.
    if (waiting_.size() > kRangeBlocksMax ||
        tail.bytes - tail.bytes_executed > limits_.range_bytes_max)
        return end_tail(effects);
    const auto late_at = tail_is_late_at();
    if (!late_at || now < *late_at) return move_tail(now, effects);
    leave_tail(now, effects);
}

// It may have nothing itself, so it is asked for a range like others, after those that fail less.
void Core::leave_tail(Instant now, Effects& effects) {
    const auto peer = peers_.find(fetches_.at(*tail_).peer);
    end_tail(effects);
    if (peer == peers_.end()) return;
    peer->second.has_delivered = false;
    peer->second.no_tail_until = now + failure_pause(++peer->second.failures);
}

bool Core::may_open_tail() const {
    return !executed_.committee.index_of(self_) && has_nothing_at_hand() && !is_behind() &&
           ranges_.empty() && !hold_until_;
}

// To one that is nearer to where certificates are made.
void Core::move_tail(Instant now, Effects& effects) {
    const types::NodeKey at = fetches_.at(*tail_).peer;
    const auto peer = peers_.find(at);
    if (executed_.committee.index_of(at) || peer == peers_.end() || !may_open_tail()) return;
    const auto key = best_tail_peer(now);
    if (!key || !(tail_rank(*key, peers_.at(*key)).is_before(tail_rank(at, peer->second)))) return;
    end_tail(effects);
    open_tail(now, effects);
}

void Core::open_tail(Instant now, Effects& effects) {
    if (!may_open_tail()) return;
    const auto key = best_tail_peer(now);
    if (!key) return;
    const std::uint64_t ticket = ++ticket_last_;
    peers_.at(*key).asked_last = ticket;
    tail_ = ticket;
    Fetch tail{.peer = *key,
               .check = RangeCheck(chain_,
                                   executed_.committee,
                                   executed_.head,
                                   kRangeBlocksMax,
                                   limits_.range_bytes_max,
                                   RangeCheck::BoundOf::Uncertified),
               .kind = Kind::Tail,
               .begun = now,
               .stalls_at = {},
               .certified_at = now};
    tail.stalls_at = stalls_at(tail, now);
    fetches_.emplace(ticket, std::move(tail));
    const auto wait_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(limits_.tail_wait).count();
    effects.asks.push_back({.ticket = ticket,
                            .peer = *key,
                            .request = TailRequest{.from = next(executed_.head.height),
                                                   .wait_ms = static_cast<std::uint32_t>(wait_ms)},
                            .deadline = now + limits_.tail_timeout + limits_.stall_timeout});
}

// Members make the certificates, so nobody has a block sooner.
Core::TailRank Core::tail_rank(const types::NodeKey& key, const Peer& peer) const {
    const Rank usual = rank(key, peer);
    return {.is_stranger = usual.is_stranger,
            .is_no_member = !executed_.committee.index_of(key),
            .failures = usual.failures,
            .asked_last = usual.asked_last};
}

// What a peer has said about its chain is no condition: a claim is old as soon as nobody asks.
bool Core::may_have_tail(const Peer& peer) const {
    const bool will_tell = peer.status_ticket && fetches_.contains(*peer.status_ticket);
    return peer.is_up && !will_tell && peer.lowest <= next(executed_.head.height);
}

std::optional<types::NodeKey> Core::best_tail_peer(Instant now) const {
    std::optional<std::pair<TailRank, types::NodeKey>> best;
    for (const auto& [key, peer] : peers_) {
        if (!may_have_tail(peer)) continue;
        if (peer.paused_until && now < *peer.paused_until) continue;
        if (peer.no_tail_until && now < *peer.no_tail_until) continue;
        const TailRank rank = tail_rank(key, peer);
        if (!best || rank < best->first) best.emplace(rank, key);
    }
    if (!best) return std::nullopt;
    return best->second;
}

// Only what is certified counts against it, and only while what it has brought is executed.
std::optional<Instant> Core::tail_is_late_at() const {
    if (!tail_ || !gap_since_ || known_.height <= executed_.head.height || !has_nothing_at_hand())
        return std::nullopt;
    const Fetch& tail = fetches_.at(*tail_);
    const Instant patient_until =
        std::min(std::max(*gap_since_, tail.certified_at) + limits_.tail_patience,
                 *gap_since_ + limits_.hedge_after);
    return patient_until + time_of(tail.bytes - tail.bytes_before_gap, limits_.hedge_bytes_per_s);
}

std::optional<Instant> Core::left_to_tail_until() const {
    if (!tail_) return std::nullopt;
    if (const auto late_at = tail_is_late_at()) return late_at;
    return *gap_since_ + limits_.tail_patience;
}

// When there is no tail because nobody may be asked yet.
std::optional<Instant> Core::tails_pause_until() const {
    if (tail_ || ledger_is_broken_ || !may_open_tail()) return std::nullopt;
    std::optional<Instant> first;
    for (const auto& [key, peer] : peers_) {
        if (!may_have_tail(peer)) continue;
        const Instant until =
            std::max(peer.paused_until.value_or(Instant{}), peer.no_tail_until.value_or(Instant{}));
        first = std::min(first.value_or(until), until);
    }
    return first;
}

// Without blame.
void Core::end_tail(Effects& effects) {
    if (!tail_) return;
    effects.cancels.push_back({*tail_});
    drop(*tail_);
}

// It is asked again at once, unless it seems to keep no question.
void Core::end_tail_answer(const Fetch& tail, Instant now) {
    if (tail.check.blocks_certified() == 0 && now < tail.begun + limits_.tail_wait / 2)
        pause_tails_of(tail.peer, now);
}

void Core::pause_tails_of(const types::NodeKey& key, Instant now) {
    const auto peer = peers_.find(key);
    if (peer != peers_.end()) peer->second.no_tail_until = now + limits_.tail_pause;
}

}  // namespace draco::sync
