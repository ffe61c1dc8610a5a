#include "draco/resolver/core.hpp"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

namespace draco::resolver {

using types::ContentHash;
using types::NodeKey;
using types::SignedProviderRecord;

namespace {

std::uint64_t in_ms(Duration duration) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

Core::Core(types::ChainId chain, types::NodeSecretKey key, const Limits& limits)
    : chain_(chain),
      key_(std::move(key)),
      self_(key_.public_key()),
      limits_(limits),
      records_(limits.records) {}

void Core::step(const Event& event, const Moment& moment, Effects& effects) {
    moment_ = moment;
    records_.drop_expired(moment_.now);
    std::visit([&](const auto& one) { on(one, effects); }, event);
    while (!renewals_.empty() && renewals_.begin()->first <= moment_.now) {
        const ContentHash hash = renewals_.begin()->second;
        Provided& provided = provided_.at(hash);
        renew(hash, provided);
        owe_all(hash, provided);
    }
    std::vector<std::uint64_t> over;
    for (const auto& [find, search] : searches_)
        if (search.waiting.empty() || search.ends <= moment_.now) over.push_back(find);
    for (const std::uint64_t find : over) end_search(find, effects);
    tell_owed(effects);
}

std::optional<Instant> Core::wake_at() const {
    std::optional<Instant> wake = records_.first_expiry();
    const auto sooner = [&wake](Instant when) {
        if (!wake || when < *wake) wake = when;
    };
    if (!renewals_.empty()) sooner(renewals_.begin()->first);
    for (const auto& [find, search] : searches_) sooner(search.ends);
    for (const auto& [key, peer] : peers_)
        if (peer.is_up && !peer.owed.empty()) sooner(peer.tell_at);
    return wake;
}

interfaces::ProvidersStatus Core::status() const {
    interfaces::ProvidersStatus status = status_;
    status.provided = provided_.size();
    status.kept_records = records_.size();
    return status;
}

// ---- Who keeps what

void Core::on(const NodesChanged& event, Effects& /*effects*/) {
    std::vector<NodeKey> came;
    std::vector<NodeKey> left;
    std::ranges::set_difference(event.nodes, nodes_, std::back_inserter(came));
    std::ranges::set_difference(nodes_, event.nodes, std::back_inserter(left));
    nodes_ = event.nodes;
    for (auto& [hash, provided] : provided_) {
        const std::vector<ScoredNode> before = provided.keepers;
        const bool has_lost = std::ranges::any_of(before, [&](const ScoredNode& keeper) {
            return std::ranges::binary_search(left, keeper.second);
        });
        if (has_lost) {
            provided.keepers = best_of(hash, nodes_, kKeepers);
        } else {
            for (const NodeKey& node : came)
                provided.keepers.emplace_back(score_of(hash, node), node);
            std::ranges::sort(provided.keepers, std::greater<>());
            if (provided.keepers.size() > kKeepers) provided.keepers.resize(kKeepers);
        }
        for (const ScoredNode& keeper : provided.keepers)
            if (std::ranges::find(before, keeper) == before.end()) owe(keeper.second, hash);
    }
}

void Core::on(const PeerUp& event, Effects& /*effects*/) {
    Peer& peer = peers_[event.peer];
    peer = {.is_up = true,
            .owed = {},
            .tell_at = moment_.now,
            .budget = limits_.records_per_s,
            .budget_filled = moment_.now};
    for (const auto& [hash, provided] : provided_)
        for (const ScoredNode& keeper : provided.keepers)
            if (keeper.second == event.peer) peer.owed.insert(hash);
}

void Core::on(const PeerDown& event, Effects& /*effects*/) {
    peers_.erase(event.peer);
}

void Core::on(const SendFailed& event, Effects& /*effects*/) {
    const auto found = peers_.find(event.to);
    if (found == peers_.end()) return;
    // Which of its messages was lost is not worth remembering.
    Effects none;
    on(PeerUp{event.to}, none);
    found->second.tell_at = moment_.now + std::chrono::seconds(2);
}

// ---- Providing

void Core::on(const Provide& event, Effects& /*effects*/) {
    if (provided_.contains(event.hash) || provided_.size() >= limits_.provided_max) return;
    Provided& provided = provided_[event.hash];
    provided.keepers = best_of(event.hash, nodes_, kKeepers);
    renew(event.hash, provided);
    owe_all(event.hash, provided);
}

void Core::on(const Withdraw& event, Effects& effects) {
    const auto found = provided_.find(event.hash);
    if (found == provided_.end()) return;
    const auto keepers = std::move(found->second.keepers);
    renewals_.erase({found->second.renew_at, event.hash});
    provided_.erase(found);
    const SignedProviderRecord record = make_record(event.hash, true);
    Announce message;
    static_cast<void>(message.records.try_push_back(record));
    for (const ScoredNode& keeper : keepers) {
        if (keeper.second == self_) {
            static_cast<void>(keep(record));
            continue;
        }
        const auto peer = peers_.find(keeper.second);
        if (peer == peers_.end()) continue;
        peer->second.owed.erase(event.hash);
        effects.sends.push_back({keeper.second, bcs::encode(message)});
    }
}

SignedProviderRecord Core::make_record(const ContentHash& hash, bool is_withdrawn) {
    sequence_ = std::max(sequence_ + 1, moment_.unix_now.ms);
    return types::sign(chain_,
                       {.hash = hash,
                        .node = self_,
                        .expires = {moment_.unix_now.ms + in_ms(limits_.lifetime)},
                        .sequence = sequence_,
                        .is_withdrawn = is_withdrawn},
                       key_);
}

void Core::renew(const ContentHash& hash, Provided& provided) {
    renewals_.erase({provided.renew_at, hash});
    provided.record = make_record(hash, false);
    provided.renew_at = moment_.now + limits_.lifetime / 3;
    renewals_.emplace(provided.renew_at, hash);
}

void Core::owe_all(const ContentHash& hash, const Provided& provided) {
    for (const ScoredNode& keeper : provided.keepers) owe(keeper.second, hash);
}

void Core::owe(const NodeKey& keeper, const ContentHash& hash) {
    if (keeper == self_) {
        static_cast<void>(keep(provided_.at(hash).record));
        return;
    }
    const auto peer = peers_.find(keeper);
    if (peer != peers_.end()) peer->second.owed.insert(hash);
}

void Core::tell_owed(Effects& effects) {
    for (auto& [key, peer] : peers_) {
        if (!peer.is_up || peer.owed.empty() || peer.tell_at > moment_.now) continue;
        for (std::size_t i = 0; i < limits_.announce_burst && !peer.owed.empty(); ++i) {
            Announce message;
            while (!peer.owed.empty()) {
                const auto& record = provided_.at(*peer.owed.begin()).record;
                if (!message.records.try_push_back(record)) break;
                peer.owed.erase(peer.owed.begin());
            }
            effects.sends.push_back({key, bcs::encode(message)});
        }
        peer.tell_at = moment_.now + limits_.announce_pause;
    }
}

// ---- Keeping

void Core::on(const MessageReceived& event, Effects& /*effects*/) {
    const auto peer = peers_.find(event.from);
    const auto announce = decode_announce(event.message);
    if (peer == peers_.end() || !announce) {
        ++status_.refused_records;
        return;
    }
    for (const SignedProviderRecord& record : *announce->records)
        take_record(peer->second, event.from, record);
}

void Core::take_record(Peer& peer, const NodeKey& from, const SignedProviderRecord& record) {
    const types::ProviderRecord& said = record.record;
    if (!take_budget(peer) || said.node != from || !is_active(from) ||
        until(said.expires) <= moment_.now) {
        ++status_.refused_records;
        return;
    }
    if (!records_.is_news(said)) return;
    if (!is_among_best(said.hash, self_, nodes_, 2 * kKeepers) || !types::verify(chain_, record) ||
        !keep(record))
        ++status_.refused_records;
}

// Stake is what makes a record cost something.
bool Core::is_active(const NodeKey& node) const {
    return std::ranges::binary_search(nodes_, node);
}

bool Core::keep(const SignedProviderRecord& record) {
    return records_.is_news(record.record) && records_.put(record, until(record.record.expires));
}

bool Core::take_budget(Peer& peer) const {
    const auto elapsed_ms = in_ms(std::max(moment_.now - peer.budget_filled, Duration{0}));
    if (const std::uint64_t more = elapsed_ms * limits_.records_per_s / 1000; more > 0) {
        peer.budget = std::min(limits_.records_per_s, peer.budget + more);
        peer.budget_filled = moment_.now;
    }
    if (peer.budget == 0) return false;
    --peer.budget;
    return true;
}

Instant Core::until(UnixTime expires) const {
    if (expires <= moment_.unix_now) return moment_.now;
    const std::uint64_t left_ms =
        std::min(expires.ms - moment_.unix_now.ms, in_ms(limits_.lifetime_max));
    return moment_.now + std::chrono::milliseconds(left_ms);
}

void Core::on(const LookupReceived& event, Effects& effects) {
    const auto lookup = decode_lookup(event.request);
    if (!lookup) {
        effects.answers.push_back(
            {event.ticket, fail(Errc::InvalidArgument, lookup.error().context)});
        return;
    }
    Found found;
    for (const auto& record : records_.lookup(lookup->hash, event.from, kFoundMax))
        static_cast<void>(found.records.try_push_back(record));
    effects.answers.push_back({event.ticket, bcs::encode(found)});
}

// ---- Finding

void Core::on(const Find& event, Effects& effects) {
    ++status_.lookups;
    if (searches_.size() >= limits_.finds_max) {
        effects.done.push_back(
            {event.find, fail(Errc::Exhausted, "too many objects are looked for; come back")});
        return;
    }
    Search& search = searches_[event.find];
    search.hash = event.hash;
    search.ends = std::min(event.deadline, moment_.now + limits_.find_timeout);
    for (const ScoredNode& keeper : best_of(event.hash, nodes_, kKeepers)) {
        if (keeper.second == self_) {
            ++search.answered;
            note_named(search, records_.lookup(event.hash, self_, kFoundMax));
            continue;
        }
        search.waiting.insert(keeper.second);
        effects.asks.push_back({.find = event.find,
                                .keeper = keeper.second,
                                .request = bcs::encode(Lookup{event.hash}),
                                .deadline = search.ends});
    }
}

void Core::on(const AnswerReceived& event, Effects& /*effects*/) {
    const auto found = searches_.find(event.find);
    if (found == searches_.end() || found->second.waiting.erase(event.from) == 0) return;
    if (!event.answer) return;
    const auto answer = decode_found(*event.answer);
    if (!answer) {
        ++status_.refused_records;
        return;
    }
    ++found->second.answered;
    note_named(found->second, *answer->records);
}

void Core::note_named(Search& search, const std::vector<SignedProviderRecord>& records) {
    const bool had_none = search.named.empty();
    for (const SignedProviderRecord& record : records) {
        const types::ProviderRecord& said = record.record;
        if (said.node == self_) continue;
        const auto named = search.named.find(said.node);
        if (named != search.named.end()) {
            ++named->second;
            continue;
        }
        if (said.hash != search.hash || said.is_withdrawn || !is_active(said.node) ||
            until(said.expires) <= moment_.now || !types::verify(chain_, record)) {
            ++status_.refused_records;
            continue;
        }
        search.named.emplace(said.node, 1U);
    }
    if (had_none && !search.named.empty())
        search.ends = std::min(search.ends, moment_.now + limits_.find_grace);
}

// Those that are linked first, then those that more keepers name; among equals each node has an
// order of its own, so that not all ask the same.
void Core::end_search(std::uint64_t find, Effects& effects) {
    const Search search = std::move(searches_.at(find));
    searches_.erase(find);
    if (search.named.empty()) {
        ++status_.not_found;
        effects.done.push_back(
            {find,
             search.answered > 0
                 ? fail(Errc::NotFound, "no node says that it has the object")
                 : fail(Errc::Unavailable,
                        "none of the nodes that would know who has the object could be asked")});
        return;
    }
    using Rank = std::tuple<bool, std::uint32_t, Score>;
    std::vector<std::pair<Rank, NodeKey>> ranked;
    ranked.reserve(search.named.size());
    const ContentHash own(self_.bytes);
    for (const auto& [node, times] : search.named)
        ranked.emplace_back(Rank(peers_.contains(node), times, score_of(own, node)), node);
    std::ranges::sort(ranked, std::greater<>());
    std::vector<NodeKey> providers;
    providers.reserve(ranked.size());
    for (const auto& [rank, node] : ranked) providers.push_back(node);
    effects.done.push_back({find, std::move(providers)});
}

void Core::on(const TimePassed& /*event*/, Effects& /*effects*/) {}

}  // namespace draco::resolver
