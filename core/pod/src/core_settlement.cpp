#include "draco/base/assert.hpp"
#include "draco/base/checked.hpp"
#include "draco/pod/core.hpp"
#include "draco/pod/lane_units.hpp"

#include "lane_key.hpp"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace draco::pod {
namespace {

using types::AckOutcome;
using types::LaneKey;
using types::PeerShare;
using types::Revert;
using types::SignedDeliveryAck;
using types::UsdAmount;

constexpr UnixTime kNever{std::numeric_limits<std::uint64_t>::max()};

UsdAmount worth(const types::Lane& lane, std::uint64_t cumulative) {
    const auto all = types::cost(lane.price, cumulative);
    const auto paid = types::cost(lane.price, lane.settled);
    DRACO_ASSERT(all && paid, "the price of a lane is sound");
    return all->minus(*paid).value_or(UsdAmount{});
}

// Whether nothing signed for this instance can ever be settled. A state may also be older than the
// lane, while this node fetches the chain again.
bool has_ended(types::LaneInstance instance, const LaneOnChain& chain) {
    if (chain.lane) return chain.lane->instance > instance;
    return chain.payer_nonce.value() >= instance.value();
}

bool is_of_peers(Revert revert) {
    return revert == Revert::ZeroAmount || revert == Revert::SharesWithItself ||
           revert == Revert::UnknownNode || revert == Revert::AmountTooLarge;
}

}  // namespace

void Core::on(const ChainSeen& event, Instant now, Effects& effects) {
    epoch_ = event.clock.epoch;
    pace_.saw(event.clock, now);
    if (reads_out_ == 0) read_next_lanes(effects);
}

// In turn, so that a block costs no more than this, and a lane that closes is noticed soon.
void Core::read_next_lanes(Effects& effects) {
    ReadLanes read;
    auto at = read_last_ ? lanes_.upper_bound(*read_last_) : lanes_.begin();
    const std::size_t count = std::min(lanes_.size(), options_.lanes_read_max);
    while (read.lanes.size() < count) {
        if (at == lanes_.end()) at = lanes_.begin();
        read.lanes.push_back(at->first);
        ++at;
    }
    if (read.lanes.empty()) return;
    read_last_ = read.lanes.back();
    ++reads_out_;
    effects.emplace_back(std::move(read));
}

void Core::on(const LanesRead& event, Instant /*now*/, Effects& effects) {
    DRACO_ASSERT(reads_out_ > 0, "lanes are read when the core asks");
    --reads_out_;
    for (const auto& [key, chain] : event.lanes) saw(key, chain, effects);
}

void Core::saw(const LaneKey& key, const LaneOnChain& chain, Effects& effects) {
    const auto at = lanes_.find(key);
    if (at == lanes_.end()) return;
    Kept& kept = at->second;
    const types::LaneInstance instance = kept.newest.ack.instance;
    if (has_ended(instance, chain))
        return drop(at, chain.lane ? AckOutcome::WrongInstance : AckOutcome::NoLane, effects);
    if (!chain.lane || chain.lane->instance != instance) return;
    saw_settled(kept, instance, chain.lane->settled);
    kept.lane = chain.lane;
    list_closing(key, kept);
    forget_if_counted(at);
}

void Core::saw_settled(Kept& kept, types::LaneInstance instance, std::uint64_t settled) {
    if (!kept.lane || kept.lane->instance != instance || settled <= kept.lane->settled) return;
    counts_.settled_units += settled - kept.lane->settled;
    kept.lane->settled = settled;
}

void Core::forget_if_counted(Lanes::iterator at) {
    const Kept& kept = at->second;
    if (kept.lane && kept.lane->instance == kept.newest.ack.instance &&
        kept.newest.ack.cumulative <= kept.lane->settled)
        forget(at);
}

void Core::forget(Lanes::iterator at) {
    if (at->second.listed_closes) closing_.erase({*at->second.listed_closes, at->first});
    lanes_.erase(at);
}

void Core::drop(Lanes::iterator at, AckOutcome why, Effects& effects) {
    const Kept& kept = at->second;
    const bool known = kept.lane && kept.lane->instance == kept.newest.ack.instance;
    const std::uint64_t counted = known ? kept.lane->settled : 0;
    effects.emplace_back(AckDropped{kept.newest, why, kept.newest.ack.cumulative - counted});
    forget(at);
}

bool Core::can_settle(const Kept& kept) const {
    if (!kept.durable || !kept.lane) return false;
    const types::DeliveryAck& ack = kept.durable->ack;
    return ack.instance == kept.lane->instance && ack.cumulative > kept.lane->settled &&
           ack.cumulative <= units_max(*kept.lane);
}

void Core::list_closing(const LaneKey& key, Kept& kept) {
    const auto closes = can_settle(kept) ? kept.lane->closes : std::nullopt;
    if (closes == kept.listed_closes) return;
    if (kept.listed_closes) closing_.erase({*kept.listed_closes, key});
    kept.listed_closes = closes;
    if (closes) closing_.emplace(*closes, key);
}

void Core::on(const PeersServed& event, Instant /*now*/, Effects& /*effects*/) {
    for (const PeerShare& share : event.peers) add_peer(share);
}

void Core::add_peer(const PeerShare& share) {
    if (share.bytes == 0 || share.peer == node_) return;
    auto at = peers_.find(share.peer);
    if (at == peers_.end()) {
        if (peers_.size() >= options_.peers_max) return;
        at = peers_.emplace(share.peer, 0).first;
    }
    at->second =
        checked_add(at->second, share.bytes).value_or(std::numeric_limits<std::uint64_t>::max());
    peers_unsaved_.insert(share.peer);
}

void Core::save_peers(Instant now, Effects& effects) {
    if (peers_unsaved_.empty() || now < peers_saved_at_ + options_.pace.interval) return;
    for (const types::NodeKey& peer : std::exchange(peers_unsaved_, {}))
        persist(PeerShare{peer, peers_.at(peer)}, effects);
    peers_saved_at_ = now;
}

void Core::on(TimePassed /*event*/, Instant /*now*/, Effects& /*effects*/) {}

bool Core::may_settle() const {
    return !failure_ && !flight_ && reads_out_ == 0 && !lanes_.empty();
}

Urgency Core::urgency() const {
    if (!closing_.empty()) return Urgency::Closing;
    return more_wait_ ? Urgency::More : Urgency::Regular;
}

std::optional<Instant> Core::settlement_due() const {
    const auto due = pace_.due(
        urgency(), closing_.empty() ? std::nullopt : std::optional(closing_.begin()->first));
    if (!due) return std::nullopt;
    return std::max(*due, retry_at_);
}

std::optional<Instant> Core::wakes_at() const {
    if (failure_) return std::nullopt;
    std::optional<Instant> wakes;
    if (!peers_unsaved_.empty()) wakes = peers_saved_at_ + options_.pace.interval;
    if (!may_settle()) return wakes;
    const auto due = settlement_due();
    return due && wakes ? std::min(*due, *wakes) : due ? due : wakes;
}

void Core::settle_if_due(Instant now, Effects& effects) {
    if (!may_settle()) return;
    const auto due = settlement_due();
    if (!due || now < *due) return;
    pace_.began(now, urgency());
    Settlement content{.acks = choose_acks(), .peers = {}};
    if (content.acks.empty()) return;
    content.peers = choose_peers(uncounted(content.acks));
    // Named at most once: what a crash leaves unclear is not named again.
    for (const PeerShare& share : content.peers) {
        const auto at = peers_.find(share.peer);
        const std::uint64_t rest = at->second -= share.bytes;
        if (rest == 0) peers_.erase(at);
        peers_unsaved_.erase(share.peer);
        persist(PeerShare{share.peer, rest}, effects);
    }
    const Ticket ticket = content.peers.empty() ? 0 : ticket_last_;
    flight_ = Flight{++settlement_last_, std::move(content), ticket};
    if (ticket == 0) send_flight(effects);
}

void Core::send_flight(Effects& effects) {
    flight_->sent = true;
    effects.emplace_back(Submit{flight_->settlement, flight_->content});
}

// Those that close, by the time that is left; then what is worth most.
std::vector<SignedDeliveryAck> Core::choose_acks() {
    struct Candidate {
        UnixTime closes;
        UsdAmount worth;
        const LaneKey* key;
        const SignedDeliveryAck* word;
    };

    std::vector<Candidate> candidates;
    for (const auto& [key, kept] : lanes_)
        if (can_settle(kept))
            candidates.push_back({kept.lane->closes.value_or(kNever),
                                  worth(*kept.lane, kept.durable->ack.cumulative),
                                  &key,
                                  &*kept.durable});
    const std::size_t count = std::min(candidates.size(), types::kSettlementAcksMax);
    more_wait_ = candidates.size() > count;
    std::ranges::partial_sort(candidates,
                              candidates.begin() + static_cast<std::ptrdiff_t>(count),
                              [](const Candidate& a, const Candidate& b) {
                                  return std::tie(a.closes, b.worth, *a.key) <
                                         std::tie(b.closes, a.worth, *b.key);
                              });
    std::vector<SignedDeliveryAck> acks;
    acks.reserve(count);
    for (std::size_t i = 0; i < count; ++i) acks.push_back(*candidates[i].word);
    return acks;
}

std::uint64_t Core::uncounted(const std::vector<SignedDeliveryAck>& acks) const {
    std::uint64_t sum = 0;
    for (const SignedDeliveryAck& word : acks) {
        const std::uint64_t units =
            word.ack.cumulative - lanes_.at(lane_key(word.ack)).lane->settled;
        sum = checked_add(sum, units).value_or(std::numeric_limits<std::uint64_t>::max());
    }
    return sum;
}

// No more than is sold with this settlement: the rest waits for what clients acknowledge later.
std::vector<PeerShare> Core::choose_peers(std::uint64_t bytes_max) const {
    if (peers_refused_in_ == epoch_) return {};
    std::vector<PeerShare> shares;
    shares.reserve(peers_.size());
    for (const auto& [peer, bytes] : peers_) shares.push_back({peer, bytes});
    std::ranges::sort(shares, [](const PeerShare& a, const PeerShare& b) {
        return std::tie(b.bytes, a.peer) < std::tie(a.bytes, b.peer);
    });
    shares.resize(std::min(shares.size(), types::kSettlementPeersMax));
    for (PeerShare& share : shares) {
        share.bytes = std::min(share.bytes, bytes_max);
        bytes_max -= share.bytes;
    }
    std::erase_if(shares, [](const PeerShare& share) { return share.bytes == 0; });
    return shares;
}

void Core::on(Judged event, Instant now, Effects& effects) {
    if (!flight_ || flight_->settlement != event.settlement) return;
    const Settlement content = std::move(flight_->content);
    flight_.reset();
    if (!event.result) {
        effects.emplace_back(SettlementFailed{std::move(event.result).error(), false});
        back_off(now);
        return read_again(content, effects);
    }
    pace_.counted();
    ++counts_.settlements;
    if (event.result->revert != Revert::None)
        return reverted(content, event.result->revert, now, effects);
    backoff_ = options_.retry_first;
    const std::size_t count = std::min(content.acks.size(), event.result->outcomes.size());
    for (std::size_t i = 0; i < count; ++i)
        judged(content.acks[i], event.result->outcomes[i], effects);
    read_again(content, effects);
}

// What the outcome does not decide here, the lane does when it is read.
void Core::judged(const SignedDeliveryAck& word, AckOutcome outcome, Effects& effects) {
    const auto at = lanes_.find(lane_key(word.ack));
    if (at == lanes_.end() || at->second.newest.ack.instance != word.ack.instance) return;
    switch (outcome) {
        case AckOutcome::Settled:
        case AckOutcome::NotIncreasing:
            saw_settled(at->second, word.ack.instance, word.ack.cumulative);
            list_closing(at->first, at->second);
            return forget_if_counted(at);
        case AckOutcome::ForeignNode:
        case AckOutcome::ForgedSignature:
            return drop(at, outcome, effects);
        case AckOutcome::NoLane:
        case AckOutcome::WrongInstance:
        case AckOutcome::OverReserve:
            return;
    }
}

void Core::read_again(const Settlement& settlement, Effects& effects) {
    ReadLanes read;
    for (const SignedDeliveryAck& word : settlement.acks)
        if (const LaneKey key = lane_key(word.ack); lanes_.contains(key)) read.lanes.push_back(key);
    if (read.lanes.empty()) return;
    ++reads_out_;
    effects.emplace_back(std::move(read));
}

void Core::reverted(const Settlement& settlement, Revert revert, Instant now, Effects& effects) {
    const bool keep_peers = !is_of_peers(revert);
    if (keep_peers)
        for (const PeerShare& share : settlement.peers) add_peer(share);
    if (revert == Revert::TooManyPeers) peers_refused_in_ = epoch_;
    if (keep_peers && revert != Revert::TooManyPeers) back_off(now);
    std::string what = "a settlement was reverted: " + std::string(to_string(revert));
    if (revert == Revert::InsufficientStake) what += "; stake for this node, then it is paid";
    effects.emplace_back(SettlementFailed{{Errc::Unavailable, std::move(what)}, keep_peers});
    read_again(settlement, effects);
}

void Core::back_off(Instant now) {
    retry_at_ = now + backoff_;
    backoff_ = std::min(2 * backoff_, options_.retry_max);
}

}  // namespace draco::pod
