#include "draco/fetcher/download.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"

#include <algorithm>
#include <utility>

namespace draco::fetcher {

using types::NodeKey;

Download::Download(const types::ContentHash& hash, const DownloadLimits& limits)
    : hash_(hash), limits_(limits) {}

void Download::step(const Event& event, Instant now, Effects& effects) {
    now_ = std::max(now_, now);
    if (phase_ == Phase::Failed) return;
    if (is_resting()) progressed_ = now_;
    std::visit([&](const auto& one) { on(one, effects); }, event);
    check_times(effects);
    settle(effects);
}

std::optional<Instant> Download::wake_at() const {
    if (phase_ == Phase::Complete || phase_ == Phase::Failed || is_resting()) return std::nullopt;
    Instant wake = progressed_ + limits_.stall_max;
    for (const auto& [ticket, ask] : asks_)
        wake = std::min(wake,
                        ask.progressed + (ask.is_late ? limits_.ask_timeout : limits_.late_after));
    if (const auto rest = next_rest()) wake = std::min(wake, *rest);
    if (!is_finding_ && !has_peers() && find_at_ > now_) wake = std::min(wake, find_at_);
    return wake;
}

// ---- Events

void Download::on(const Start& /*event*/, Effects& /*effects*/) {
    progressed_ = now_;
}

void Download::on(const ProvidersFound& event, Effects& effects) {
    is_finding_ = false;
    find_at_ = now_ + limits_.find_pause;
    if (!event.providers) {
        last_error_ = event.providers.error().context;
        if (phase_ == Phase::Finding) {
            const Errc code = event.providers.error().code;
            const bool is_nobody = code == Errc::NotFound;
            give_up(is_nobody ? Errc::NotFound : Errc::Unavailable,
                    is_nobody ? "no node is known to have it"
                              : "nodes that have it could not be looked for",
                    effects);
        }
        return;
    }
    for (const NodeKey& key : *event.providers) {
        if (liars_.contains(key)) continue;
        auto found = peers_.find(key);
        if (found == peers_.end()) {
            if (peers_.size() >= limits_.peers_max) break;
            found = peers_.emplace(key, Peer{.order = peers_.size()}).first;
        }
        // Who says again that it has the object gets another chance.
        Peer& peer = found->second;
        if (peer.is_out) peer = {.order = peer.order, .asks = peer.asks, .late = peer.late};
    }
    if (phase_ == Phase::Finding) phase_ = Phase::Head;
}

void Download::on(const SlotFree& event, Effects& effects) {
    if (phase_ != Phase::Blocks && !may_ask_head()) return;
    const NodeKey* key = best_peer();
    if (key == nullptr) return;
    std::optional<BlockRange> blocks;
    if (phase_ == Phase::Blocks) {
        blocks = next_range();
        if (!blocks) return;
    }
    ++peers_.at(*key).asks;
    asks_.emplace(event.ticket, Open{.peer = *key, .blocks = blocks, .progressed = now_});
    effects.ask = Ask{.ticket = event.ticket, .peer = *key, .blocks = blocks};
}

void Download::on(const HeadGrew& event, Effects& /*effects*/) {
    progressed(event.ticket);
}

void Download::on(const HeadJudged& event, Effects& effects) {
    const auto ask = asks_.find(event.ticket);
    if (ask == asks_.end() || phase_ != Phase::Head) return;
    const NodeKey peer = ask->second.peer;
    if (!event.is_true) return expel(peer, effects);
    peers_.at(peer).failures = 0;
    progressed(event.ticket);
    while (!asks_.empty()) {
        const std::uint64_t ticket = asks_.begin()->first;
        if (ticket == event.ticket) {
            release(asks_.begin()->second);
            asks_.erase(asks_.begin());
        } else {
            drop_ask(ticket, effects);
        }
    }
    phase_ = Phase::Blocks;
    here_.assign(event.leaves, event.is_whole);
    here_count_ = event.is_whole ? event.leaves : 0;
    if (!event.is_whole) {
        here_[event.leaves - 1] = true;
        here_count_ = 1;
        missing_.insert(0, event.leaves - 1);
    }
}

void Download::on(const BlockJudged& event, Effects& effects) {
    const auto ask = asks_.find(event.ticket);
    if (!event.is_true) {
        if (ask != asks_.end()) expel(NodeKey(ask->second.peer), effects);
        return;
    }
    if (ask != asks_.end()) {
        peers_.at(ask->second.peer).failures = 0;
        progressed(event.ticket);
    }
    if (is_open()) take_block(event.ticket, event.index, effects);
}

void Download::on(const AskEnded& event, Effects& /*effects*/) {
    const auto found = asks_.find(event.ticket);
    if (found == asks_.end()) return;
    const Open ask = found->second;
    release(ask);
    asks_.erase(found);
    Peer& peer = peers_.at(ask.peer);
    if (ask.blocks && event.outcome) {
        bool is_whole = true;
        for (std::uint64_t i = ask.blocks->first; i < ask.blocks->end; ++i)
            is_whole = is_whole && here_[i];
        if (is_whole) return;
        last_error_ = "a peer ended its answer too early";
    }
    if (!event.outcome) {
        last_error_ = event.outcome.error().context;
        const Errc code = event.outcome.error().code;
        if (!ask.blocks && (code == Errc::NotFound || code == Errc::InvalidArgument)) {
            peer.has_not = code == Errc::NotFound;
            peer.is_out = true;
            return;
        }
    }
    failed(peer);
}

void Download::on(const ReaderAt& event, Effects& /*effects*/) {
    if (!is_open()) return;
    leave_place(event.reader);
    readers_[event.reader] = event.index;
    ++places_[event.index];
}

void Download::on(const ReaderGone& event, Effects& /*effects*/) {
    leave_place(event.reader);
}

void Download::leave_place(std::uint64_t reader) {
    const auto found = readers_.find(reader);
    if (found == readers_.end()) return;
    const auto place = places_.find(found->second);
    if (--place->second == 0) places_.erase(place);
    readers_.erase(found);
}

void Download::on(const Wanted& event, Effects& /*effects*/) {
    if (!is_open() || here_[event.index]) return;
    // Who comes is next, then the others go on in turn.
    if (wanted_.insert(event.index).second) waiting_turn_ = event.index;
}

void Download::on(const Unwanted& event, Effects& /*effects*/) {
    wanted_.erase(event.index);
}

void Download::on(const WholeWanted& event, Effects& /*effects*/) {
    is_whole_wanted_ = event.is_wanted;
}

void Download::on(const BlockLost& event, Effects& effects) {
    if (!is_open() || !here_[event.index]) return;
    here_[event.index] = false;
    --here_count_;
    missing_.insert(event.index, event.index + 1);
    if (phase_ == Phase::Complete) {
        phase_ = Phase::Blocks;
        progressed_ = now_;
    }
    on(Wanted{event.index}, effects);
}

void Download::on(const PeerLied& event, Effects& effects) {
    if (peers_.contains(event.peer)) {
        Effects mine;  // who tells it knows it
        expel(event.peer, mine);
        effects.cancels.insert(effects.cancels.end(), mine.cancels.begin(), mine.cancels.end());
    }
    liars_.insert(event.peer);
}

void Download::on(const TimePassed& /*event*/, Effects& /*effects*/) {}

// ---- Whom to ask for what

const NodeKey* Download::best_peer() const {
    const NodeKey* best = nullptr;
    const Peer* best_state = nullptr;
    const auto rank = [](const Peer& peer) {
        return std::tuple(peer.asks, peer.failures, peer.order);
    };
    for (const auto& [key, peer] : peers_) {
        if (peer.is_out || peer.rest_until > now_ || peer.late > 0 ||
            peer.asks >= limits_.asks_per_peer_max)
            continue;
        if (phase_ == Phase::Head && peer.asks > 0) continue;
        if (best != nullptr && rank(*best_state) <= rank(peer)) continue;
        best = &key;
        best_state = &peer;
    }
    return best;
}

bool Download::has_peers() const {
    return std::ranges::any_of(
        peers_, [](const auto& one) { return !one.second.is_out || one.second.asks > 0; });
}

bool Download::may_ask_head() const {
    return phase_ == Phase::Head && asks_.size() < limits_.heads_max &&
           std::ranges::all_of(asks_, [](const auto& one) { return one.second.is_late; });
}

std::optional<Download::Wish> Download::waiting_wish(std::uint64_t begin, std::uint64_t end) const {
    for (auto at = wanted_.lower_bound(begin); at != wanted_.end() && *at < end; ++at)
        if (missing_.contains(*at))
            return Wish{.whose = Wish::Whose::Waits,
                        .place = *at,
                        .first = *at,
                        .end = *at + std::max<std::uint64_t>(limits_.read_ahead_blocks, 1)};
    return std::nullopt;
}

std::optional<Download::Wish> Download::reading_wish(std::uint64_t begin, std::uint64_t end) const {
    for (auto at = places_.lower_bound(begin); at != places_.end() && at->first < end; ++at) {
        const std::uint64_t window_end = at->first + limits_.read_ahead_blocks;
        const auto first = missing_.next(at->first);
        if (first && *first < window_end)
            return Wish{.whose = Wish::Whose::ReadsOn,
                        .place = at->first,
                        .first = *first,
                        .end = window_end};
    }
    return std::nullopt;
}

std::optional<Download::Wish> Download::next_wish() const {
    const std::uint64_t end = here_.size();
    if (auto wish = waiting_wish(waiting_turn_, end)) return wish;
    if (auto wish = waiting_wish(0, waiting_turn_)) return wish;
    if (auto wish = reading_wish(reading_turn_, end)) return wish;
    if (auto wish = reading_wish(0, reading_turn_)) return wish;
    const auto first = is_whole_wanted_ ? missing_.next(0) : std::nullopt;
    if (!first) return std::nullopt;
    return Wish{.whose = Wish::Whose::WantsAll, .place = 0, .first = *first, .end = end};
}

std::optional<BlockRange> Download::next_range() {
    const auto wish = next_wish();
    if (!wish) return std::nullopt;
    if (wish->whose == Wish::Whose::Waits) waiting_turn_ = wish->place + 1;
    if (wish->whose == Wish::Whose::ReadsOn) reading_turn_ = wish->place + 1;
    const std::uint64_t count_max =
        std::min<std::uint64_t>(limits_.range_blocks, wish->end - wish->first);
    const auto run = missing_.take(wish->first, count_max);
    DRACO_ASSERT(run.has_value(), "what is wished for is missing");
    return BlockRange{run->first, run->second};
}

// ---- What came, and what did not

void Download::take_block(std::uint64_t from, std::uint64_t index, Effects& effects) {
    if (here_[index]) return;
    here_[index] = true;
    ++here_count_;
    progressed_ = now_;
    missing_.erase(index);
    wanted_.erase(index);
    // Others that were asked for the same, and have nothing else to bring.
    std::vector<std::uint64_t> needless;
    for (const auto& [ticket, ask] : asks_) {
        if (ticket == from || !ask.blocks || index < ask.blocks->first || index >= ask.blocks->end)
            continue;
        bool is_needless = true;
        for (std::uint64_t i = ask.blocks->first; i < ask.blocks->end && is_needless; ++i)
            is_needless = here_[i];
        if (is_needless) needless.push_back(ticket);
    }
    for (const std::uint64_t ticket : needless) drop_ask(ticket, effects);
}

void Download::progressed(std::uint64_t ticket) {
    const auto found = asks_.find(ticket);
    if (found == asks_.end()) return;
    Open& ask = found->second;
    ask.progressed = now_;
    progressed_ = now_;
    if (ask.is_late) --peers_.at(ask.peer).late;
    ask.is_late = false;
}

void Download::release(const Open& ask) {
    Peer& peer = peers_.at(ask.peer);
    --peer.asks;
    if (ask.is_late) --peer.late;
    if (!ask.blocks || !ask.counts) return;
    for (std::uint64_t i = ask.blocks->first; i < ask.blocks->end; ++i)
        if (!here_[i]) missing_.insert(i, i + 1);
}

void Download::drop_ask(std::uint64_t ticket, Effects& effects) {
    const auto found = asks_.find(ticket);
    release(found->second);
    asks_.erase(found);
    effects.cancels.push_back(ticket);
}

void Download::expel(const NodeKey& key, Effects& effects) {
    Peer& peer = peers_.at(key);
    peer.is_out = true;
    liars_.insert(key);
    effects.liars.push_back(key);
    std::vector<std::uint64_t> open;
    for (const auto& [ticket, ask] : asks_)
        if (ask.peer == key) open.push_back(ticket);
    for (const std::uint64_t ticket : open) drop_ask(ticket, effects);
    last_error_ = "a peer sent what is not the object";
}

void Download::failed(Peer& peer) {
    constexpr std::uint32_t kDoublingsMax = 16;
    peer.rest_until = now_ + limits_.pause_first * (1LL << std::min(peer.failures, kDoublingsMax));
    if (++peer.failures >= limits_.failures_max) peer.is_out = true;
}

void Download::check_times(Effects& effects) {
    std::vector<std::uint64_t> dead;
    for (auto& [ticket, ask] : asks_) {
        if (now_ >= ask.progressed + limits_.ask_timeout) {
            dead.push_back(ticket);
        } else if (!ask.is_late && now_ >= ask.progressed + limits_.late_after) {
            ask.is_late = true;
            ++peers_.at(ask.peer).late;
            if (!ask.blocks || !ask.counts) continue;
            ask.counts = false;
            for (std::uint64_t i = ask.blocks->first; i < ask.blocks->end; ++i)
                if (!here_[i]) missing_.insert(i, i + 1);
        }
    }
    for (const std::uint64_t ticket : dead) {
        const NodeKey peer = asks_.at(ticket).peer;
        drop_ask(ticket, effects);
        failed(peers_.at(peer));
        last_error_ = "a peer did not answer in time";
    }
}

void Download::settle(Effects& effects) {
    if (phase_ == Phase::Blocks && here_count_ == here_.size()) {
        phase_ = Phase::Complete;
        while (!asks_.empty()) drop_ask(asks_.begin()->first, effects);
        effects.is_complete = true;
        return;
    }
    if (phase_ == Phase::Complete || phase_ == Phase::Failed || is_resting()) return;
    if (now_ >= progressed_ + limits_.stall_max)
        return give_up(Errc::Unavailable, "nothing has come for too long", effects);
    if (has_peers() || is_finding_) return;
    if (phase_ == Phase::Head) {
        const bool has_nobody =
            std::ranges::all_of(peers_, [](const auto& one) { return one.second.has_not; });
        return give_up(has_nobody ? Errc::NotFound : Errc::Unavailable,
                       has_nobody ? "those who were said to have it do not"
                                  : "none of those who have it could give it",
                       effects);
    }
    if (now_ < find_at_) return;
    is_finding_ = true;
    effects.find = true;
}

void Download::give_up(Errc code, const std::string& why, Effects& effects) {
    phase_ = Phase::Failed;
    std::string text = "could not get " + to_hex(hash_.view()) + ": " + why;
    if (!last_error_.empty()) text += " (the last that was heard: " + last_error_ + ")";
    if (!here_.empty())
        text += "; " + std::to_string(here_count_) + " of its " + std::to_string(here_.size()) +
                " blocks had come";
    text += code == Errc::NotFound ? "; check the address, or add the content at a node"
                                   : "; try again later, or see that a node that has it is up";
    while (!asks_.empty()) drop_ask(asks_.begin()->first, effects);
    effects.failure = Error{code, std::move(text)};
}

std::optional<Instant> Download::next_rest() const {
    std::optional<Instant> first;
    for (const auto& [key, peer] : peers_)
        if (!peer.is_out && peer.rest_until > now_ && (!first || peer.rest_until < *first))
            first = peer.rest_until;
    return first;
}

}  // namespace draco::fetcher
