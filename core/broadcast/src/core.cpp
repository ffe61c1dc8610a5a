#include "draco/broadcast/core.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace draco::broadcast {

namespace {

std::shared_ptr<const Bytes> encode(const Message& message) {
    return std::make_shared<const Bytes>(bcs::encode(message));
}

}  // namespace

Core::Core(std::uint64_t seed, const Limits& limits) : limits_(limits), random_(seed) {}

void Core::step(const Event& event, Instant now, Effects& effects) {
    drop_aged(now);
    std::visit([&](const auto& one) { on(one, now, effects); }, event);
}

std::optional<Instant> Core::wake_at() const {
    std::optional<Instant> wake;
    if (!advertise_.empty()) wake = advertise_.begin()->first;
    if (!deadlines_.empty())
        wake = wake ? std::min(*wake, deadlines_.begin()->first) : deadlines_.begin()->first;
    return wake;
}

// ---- Events

void Core::on(const PeerUp& event, Instant now, Effects& effects) {
    if (!peers_.contains(event.peer) && peers_.size() >= limits_.peers_max) {
        // One that is down makes room: what it had coming to it is forgotten.
        const auto idle = std::ranges::find_if(
            peers_, [](const auto& one) { return !one.second.is_up && one.second.wanted == 0; });
        if (idle == peers_.end()) return;
        peers_.erase(idle);
    }
    auto [place, is_new] = peers_.try_emplace(event.peer);
    Peer& peer = place->second;
    peer.is_up = true;
    if (is_new) {
        peer.messages = {.left = limits_.messages_per_s, .filled = now};
        peer.pulls = {.left = limits_.pull_bytes_per_s, .filled = now};
    }
    std::vector<PayloadDigest> recent;
    for (auto one = order_.rbegin(); one != order_.rend() && recent.size() < kAdvertiseMax; ++one) {
        Seen& seen = seen_.at(*one);
        if (seen.payload == nullptr) continue;
        recent.push_back(*one);
        seen.holders.erase(event.peer);  // it may have restarted
    }
    advertise(event.peer, recent, effects);
}

void Core::on(const PeerDown& event, Instant now, Effects& effects) {
    const auto peer = peers_.find(event.peer);
    if (peer == peers_.end()) return;
    peer->second.is_up = false;
    std::vector<PayloadDigest> asked;
    for (const auto& [digest, wanted] : wanted_)
        if (std::ranges::find(wanted.holders, event.peer) != wanted.holders.end())
            asked.push_back(digest);
    for (const PayloadDigest& digest : asked) {
        Wanted& wanted = wanted_.at(digest);
        if (wanted.holders.front() == event.peer) {
            ask_next(digest, now, effects);
        } else {
            std::erase(wanted.holders, event.peer);
            --peer->second.wanted;
        }
    }
}

void Core::on(const Publish& event, Instant now, Effects& effects) {
    const auto topic = static_cast<std::uint8_t>(event.topic);
    const PayloadDigest digest = digest_of(topic, event.payload);
    if (const auto seen = seen_.find(digest); seen != seen_.end()) {
        if (seen->second.state != State::Dropped) return;
        // Heard, and not passed on because it was no news here: peers may still lack it.
        unschedule(digest, seen->second);
        seen_.erase(seen);
        order_.erase(std::prev(std::ranges::find(order_.rbegin(), order_.rend(), digest).base()));
    }
    forget_wanted(digest);
    Seen seen{.state = State::Accepted,
              .topic = topic,
              .payload = std::make_shared<const Bytes>(event.payload),
              .when = now};
    remember(digest, std::move(seen));
    pass_on(digest, now, effects);
}

void Core::on(const MessageReceived& event, Instant now, Effects& effects) {
    const auto peer = peers_.find(event.from);
    if (peer == peers_.end()) return;
    if (is_muted(event.from, now) || !peer->second.messages.take(1, limits_.messages_per_s, now)) {
        ++counts_.over_rate;
        return;
    }
    auto message = decode_message(event.message);
    if (!message) {
        fault(event.from, now);
        return;
    }
    std::visit([&](auto& one) { receive(event.from, one, now, effects); }, *message);
}

void Core::on(const Judged& event, Instant now, Effects& effects) {
    const auto found = seen_.find(event.digest);
    if (found == seen_.end() || found->second.state != State::Judging) return;
    Seen& seen = found->second;
    if (event.verdict == interfaces::GossipVerdict::Accept) {
        ++counts_.accepted;
        seen.state = State::Accepted;
        pass_on(event.digest, now, effects);
        return;
    }
    seen.state = State::Dropped;
    store_bytes_ -= seen.payload->size();
    seen.payload = nullptr;
    seen.holders.clear();
    if (event.verdict == interfaces::GossipVerdict::Reject) {
        ++counts_.rejected;
        fault(seen.from, now);
    }
}

void Core::on(const TimePassed& /*event*/, Instant now, Effects& effects) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const PayloadDigest digest = deadlines_.begin()->second;
        ++counts_.pulls_failed;
        const auto peer = peers_.find(wanted_.at(digest).holders.front());
        if (peer != peers_.end()) ++peer->second.timeouts;
        ask_next(digest, now, effects);
    }
    advertise_due(now, effects);
}

// ---- Messages

void Core::receive(const types::NodeKey& from, Push& message, Instant now, Effects& effects) {
    const PayloadDigest digest = digest_of(message.topic, *message.payload);
    take_payload(from, message.topic, std::move(message.payload).take(), digest, now, effects);
}

void Core::receive(const types::NodeKey& from, Advertise& message, Instant now, Effects& effects) {
    for (const PayloadDigest& digest : *message.digests) {
        const auto seen = seen_.find(digest);
        if (seen == seen_.end()) {
            want(from, digest, now, effects);
        } else if (seen->second.advertise_at) {
            seen->second.holders.insert(from);
        }
    }
}

void Core::receive(const types::NodeKey& from, Pull& message, Instant now, Effects& effects) {
    const auto seen = seen_.find(message.digest);
    if (seen == seen_.end() || seen->second.state != State::Accepted) {
        effects.sends.push_back({from, encode(Absent{message.digest})});
        return;
    }
    const Bytes& payload = *seen->second.payload;
    if (!peers_.at(from).pulls.take(payload.size() + 1, limits_.pull_bytes_per_s, now)) {
        ++counts_.over_rate;
        return;
    }
    auto bounded = bcs::Bounded<Bytes, interfaces::kGossipBytesMax>::make(payload);
    if (!bounded) return;
    effects.sends.push_back({from, encode(Deliver{seen->second.topic, *std::move(bounded)})});
}

void Core::receive(const types::NodeKey& from, Deliver& message, Instant now, Effects& effects) {
    const PayloadDigest digest = digest_of(message.topic, *message.payload);
    const auto wanted = wanted_.find(digest);
    if (wanted == wanted_.end() || wanted->second.holders.front() != from) {
        // A late answer is honest; what nobody has heard of is not.
        if (seen_.contains(digest) || wanted != wanted_.end()) {
            ++counts_.duplicates;
        } else {
            fault(from, now);
        }
        return;
    }
    peers_.at(from).timeouts = 0;
    take_payload(from, message.topic, std::move(message.payload).take(), digest, now, effects);
}

void Core::receive(const types::NodeKey& from, Absent& message, Instant now, Effects& effects) {
    const auto wanted = wanted_.find(message.digest);
    if (wanted != wanted_.end() && wanted->second.holders.front() == from)
        ask_next(message.digest, now, effects);
}

void Core::take_payload(const types::NodeKey& from,
                        std::uint8_t topic,
                        Bytes payload,
                        const PayloadDigest& digest,
                        Instant now,
                        Effects& effects) {
    const auto known_topic = topic_from(topic);
    if (!known_topic) return fault(from, now);
    if (const auto seen = seen_.find(digest); seen != seen_.end()) {
        ++counts_.duplicates;
        if (seen->second.advertise_at) seen->second.holders.insert(from);
        return;
    }
    forget_wanted(digest);
    auto shared = std::make_shared<const Bytes>(std::move(payload));
    Seen seen{.state = State::Judging,
              .topic = topic,
              .payload = shared,
              .when = now,
              .from = from,
              .holders = {from}};
    remember(digest, std::move(seen));
    effects.judge =
        Judge{.digest = digest, .topic = *known_topic, .from = from, .payload = std::move(shared)};
}

// ---- Passing on

void Core::pass_on(const PayloadDigest& digest, Instant now, Effects& effects) {
    Seen& seen = seen_.at(digest);
    if (seen.payload->size() <= kPushBytesMax) {
        push_to_some(digest, effects);
        schedule(digest, seen, now + limits_.advertise_delay);
    } else {
        schedule(digest, seen, now);
        advertise_due(now, effects);
    }
}

void Core::push_to_some(const PayloadDigest& digest, Effects& effects) {
    const Seen& seen = seen_.at(digest);
    std::vector<types::NodeKey> candidates;
    for (const auto& [key, peer] : peers_)
        if (peer.is_up && !seen.holders.contains(key)) candidates.push_back(key);
    auto payload = bcs::Bounded<Bytes, kPushBytesMax>::make(*seen.payload);
    if (!payload) return;
    const auto message = encode(Push{seen.topic, *std::move(payload)});
    const std::size_t count = std::min(limits_.fan_out, candidates.size());
    for (std::size_t i = 0; i < count; ++i) {
        std::swap(candidates[i], candidates[i + draw(candidates.size() - i)]);
        effects.sends.push_back({candidates[i], message});
    }
}

void Core::advertise_due(Instant now, Effects& effects) {
    std::map<types::NodeKey, std::vector<PayloadDigest>> by_peer;
    while (!advertise_.empty() && advertise_.begin()->first <= now) {
        const PayloadDigest digest = advertise_.begin()->second;
        Seen& seen = seen_.at(digest);
        for (const auto& [key, peer] : peers_)
            if (peer.is_up && !seen.holders.contains(key)) by_peer[key].push_back(digest);
        ++seen.rounds;
        const Instant next = now + limits_.advertise_delay * (1LL << std::min(seen.rounds, 20U));
        unschedule(digest, seen);
        if (seen.rounds < limits_.advertise_rounds) {
            schedule(digest, seen, next);
        } else {
            seen.holders.clear();
        }
    }
    for (const auto& [key, digests] : by_peer) advertise(key, digests, effects);
}

void Core::advertise(const types::NodeKey& to,
                     const std::vector<PayloadDigest>& digests,
                     Effects& effects) const {
    for (std::size_t from = 0; from < digests.size(); from += kAdvertiseMax) {
        Advertise message;
        for (std::size_t i = from; i < digests.size(); ++i)
            if (!message.digests.try_push_back(digests[i])) break;
        effects.sends.push_back({to, encode(std::move(message))});
    }
}

void Core::schedule(const PayloadDigest& digest, Seen& seen, Instant when) {
    if (advertise_.size() >= limits_.advertised_max) {
        const PayloadDigest soonest = advertise_.begin()->second;
        Seen& gives_way = seen_.at(soonest);
        unschedule(soonest, gives_way);
        gives_way.holders.clear();
    }
    seen.advertise_at = when;
    advertise_.emplace(when, digest);
}

void Core::unschedule(const PayloadDigest& digest, Seen& seen) {
    if (seen.advertise_at) advertise_.erase({*seen.advertise_at, digest});
    seen.advertise_at.reset();
}

// ---- Pulling

void Core::want(const types::NodeKey& from,
                const PayloadDigest& digest,
                Instant now,
                Effects& effects) {
    Peer& peer = peers_.at(from);
    if (peer.wanted >= limits_.wanted_per_peer_max) return;
    auto found = wanted_.find(digest);
    if (found == wanted_.end()) {
        if (wanted_.size() >= limits_.wanted_max) return;
        found = wanted_.emplace(digest, Wanted{}).first;
    }
    auto& holders = found->second.holders;
    if (holders.size() >= limits_.holders_max || std::ranges::find(holders, from) != holders.end())
        return;
    holders.push_back(from);
    ++peer.wanted;
    if (holders.size() == 1) ask_first(digest, found->second, now, effects);
}

void Core::ask_first(const PayloadDigest& digest, Wanted& wanted, Instant now, Effects& effects) {
    deadlines_.erase({wanted.deadline, digest});
    wanted.deadline = now + limits_.pull_timeout;
    deadlines_.emplace(wanted.deadline, digest);
    effects.sends.push_back({wanted.holders.front(), encode(Pull{digest})});
}

// Those that answered last time come first.
void Core::ask_next(const PayloadDigest& digest, Instant now, Effects& effects) {
    Wanted& wanted = wanted_.at(digest);
    --peers_.at(wanted.holders.front()).wanted;
    wanted.holders.pop_front();
    if (wanted.holders.empty()) return forget_wanted(digest);
    const auto best = std::ranges::min_element(
        wanted.holders, {}, [this](const auto& key) { return peers_.at(key).timeouts; });
    std::iter_swap(wanted.holders.begin(), best);
    ask_first(digest, wanted, now, effects);
}

void Core::forget_wanted(const PayloadDigest& digest) {
    const auto found = wanted_.find(digest);
    if (found == wanted_.end()) return;
    for (const auto& key : found->second.holders) --peers_.at(key).wanted;
    deadlines_.erase({found->second.deadline, digest});
    wanted_.erase(found);
}

// ---- Bounds

void Core::fault(const types::NodeKey& key, Instant now) {
    ++counts_.malformed;
    const auto peer = peers_.find(key);
    if (peer == peers_.end() || ++peer->second.faults < limits_.faults_max) return;
    peer->second.faults = 0;
    peer->second.muted_until = now + limits_.mute;
    ++counts_.mutes;
}

bool Core::is_muted(const types::NodeKey& key, Instant now) const {
    const auto peer = peers_.find(key);
    return peer != peers_.end() && peer->second.muted_until && *peer->second.muted_until > now;
}

void Core::remember(const PayloadDigest& digest, Seen seen) {
    while (!order_.empty() && (seen_.size() >= limits_.seen_max ||
                               store_bytes_ + seen.payload->size() > limits_.store_bytes_max))
        drop_oldest();
    store_bytes_ += seen.payload->size();
    seen_.emplace(digest, std::move(seen));
    order_.push_back(digest);
}

void Core::drop_oldest() {
    const auto oldest = seen_.find(order_.front());
    order_.pop_front();
    unschedule(oldest->first, oldest->second);
    if (oldest->second.payload) store_bytes_ -= oldest->second.payload->size();
    seen_.erase(oldest);
}

void Core::drop_aged(Instant now) {
    while (!order_.empty() && seen_.at(order_.front()).when + limits_.age_max <= now) drop_oldest();
}

bool Core::Bucket::take(std::uint64_t amount, std::uint64_t per_s, Instant now) {
    const auto elapsed = std::max<std::int64_t>((now - filled).count(), 0);
    constexpr std::int64_t kSecond = 1'000'000'000;
    if (elapsed >= kSecond) {
        left = per_s;
        filled = now;
    } else if (const auto more = static_cast<std::uint64_t>(elapsed / 1000) * per_s / 1'000'000;
               more > 0) {
        left = std::min(per_s, left + more);
        filled = now;
    }
    if (left < amount) return false;
    left -= amount;
    return true;
}

// SplitMix64 (Steele, Lea, Flood, 2014).
std::uint64_t Core::draw(std::uint64_t bound) {
    random_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = random_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return (mixed ^ (mixed >> 31U)) % bound;
}

}  // namespace draco::broadcast
