#include "draco/campaign/network.hpp"

#include "adversary.hpp"
#include "chain.hpp"
#include "checker.hpp"

#include <algorithm>

namespace draco::campaign {

namespace {

// Of a clock that is set by others, either way.
constexpr std::int64_t kSkewMaxMs = 50;
// A flood repeats itself: its messages are judged once.
constexpr std::size_t kJudgedMax = 512;

using Link = std::pair<std::size_t, std::size_t>;

Link link_between(std::size_t a, std::size_t b) {
    return {std::min(a, b), std::max(a, b)};
}

}  // namespace

bool Network::connected(std::size_t a, std::size_t b) const {
    return a != b && group_[a] == group_[b] && is_up(a) && is_up(b) &&
           !broken_.contains(link_between(a, b));
}

void Network::link_up(std::size_t a, std::size_t b) {
    const Link link = link_between(a, b);
    const std::uint64_t generation = ++link_generation_[link];
    for (const auto& [self, peer] : {std::pair(a, b), std::pair(b, a)})
        at(draw(options_.delay_min, options_.delay_max), [this, self, peer, link, generation] {
            if (link_generation_[link] == generation && connected(self, peer))
                step(self, consensus::LinkUp{machines_[peer].member});
        });
}

void Network::partition(const std::vector<std::vector<std::size_t>>& groups) {
    for (std::size_t g = 0; g < groups.size(); ++g)
        for (const std::size_t machine : groups[g]) group_[machine] = g;
    for (std::size_t a = 0; a < machines_.size(); ++a)
        for (std::size_t b = a + 1; b < machines_.size(); ++b)
            if (group_[a] != group_[b]) ++link_generation_[{a, b}];
}

void Network::block_direction(std::size_t from, std::size_t to) {
    one_way_.insert({from, to});
}

void Network::heal() {
    const std::vector<std::size_t> before = group_;
    group_.assign(machines_.size(), 0);
    const auto one_way = std::exchange(one_way_, {});
    for (std::size_t a = 0; a < machines_.size(); ++a)
        for (std::size_t b = a + 1; b < machines_.size(); ++b)
            if ((before[a] != before[b] || one_way.contains({a, b}) || one_way.contains({b, a})) &&
                connected(a, b))
                link_up(a, b);
}

void Network::calm() {
    options_.link_breaks_per_s = 0;
    options_.leader_delay = Duration{};
    for (Machine& m : machines_) {
        m.extra_delay = m.certificate_delay = Duration{};
        m.sync_max.reset();
        m.disk_full = false;
        m.crash_point.reset();
        m.clock_skew_ms = std::clamp<std::int64_t>(m.clock_skew_ms, -kSkewMaxMs, kSkewMaxMs);
    }
}

void Network::break_some_link() {
    if (options_.link_breaks_per_s == 0) return;
    const auto mean = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(1.0 / options_.link_breaks_per_s));
    at(draw(mean / 2, mean * 3 / 2), [this] {
        if (options_.link_breaks_per_s == 0) return;
        const std::size_t a = random_() % machines_.size();
        const std::size_t b = random_() % machines_.size();
        if (a != b && !broken_.contains(link_between(a, b))) {
            const Link link = link_between(a, b);
            ++link_generation_[link];
            broken_.insert(link);
            at(draw(milliseconds(1), milliseconds(300)), [this, link] {
                broken_.erase(link);
                if (connected(link.first, link.second)) link_up(link.first, link.second);
            });
        }
        break_some_link();
    });
}

AuthoritySet Network::receivers(std::size_t from, std::optional<AuthorityIndex> to) const {
    AuthoritySet members;
    for (std::size_t i = 0; i < options_.members; ++i) {
        const AuthorityIndex member(static_cast<std::uint16_t>(i));
        if (member != machines_[from].member && (!to || *to == member)) members.insert(member);
    }
    return members;
}

Duration Network::leader_delay(const consensus::Message& message) const {
    const types::Header* header = nullptr;
    if (const auto* signed_header = std::get_if<types::SignedHeader>(&message))
        header = &signed_header->header;
    if (const auto* certificate = std::get_if<types::Certificate>(&message))
        header = &certificate->header;
    if (header == nullptr) return {};
    return header->round.value() % options_.members == header->author.value()
               ? options_.leader_delay
               : Duration{};
}

void Network::transmit(std::size_t from, const consensus::Send& send) {
    auto message = consensus::decode_message(*send.message);
    if (!message) return checker_->violation("a message that does not decode was sent");
    note("send", *send.message);
    AuthoritySet to = receivers(from, send.to);
    Machine& m = machines_[from];
    const bool lies = m.adversary != nullptr && !liars_are_silent_;
    if (lies) to = m.adversary->receivers(*message, to);
    note_sent(from, *message);
    count(*message, send.message->size(), to.count());
    Duration extra = m.extra_delay + leader_delay(*message);
    if (std::holds_alternative<types::Certificate>(*message)) extra += m.certificate_delay;
    std::vector<Forgery> forgeries;
    if (lies) forgeries = m.adversary->speak(*message, *send.message);
    auto checked =
        consensus::verify(*std::move(message), m.member, *committee_, kChain, options_.signatures);
    if (!checked) return checker_->refused_at_the_gate(m.member, checked.error());
    put_on_links(from,
                 to,
                 send.channel,
                 std::make_shared<const Parcel>(Parcel{*std::move(checked)}),
                 send.message->size(),
                 extra);
    transmit_forgeries(from, forgeries);
}

void Network::transmit_forgeries(std::size_t from, const std::vector<Forgery>& forgeries) {
    for (const Forgery& forgery : forgeries) {
        ++lies_told_;
        note("lie", forgery.message);
        if (const auto parcel = judge(machines_[from].member, forgery.message))
            put_on_links(from, forgery.to, forgery.channel, parcel, forgery.message.size(), {});
        else
            ++lies_refused_;
    }
}

// Null unless it decodes and passes the whole gate.
std::shared_ptr<const Network::Parcel> Network::judge(AuthorityIndex from, const Bytes& forged) {
    const std::pair key(from.value(), forged);
    if (const auto known = judged_.find(key); known != judged_.end()) return known->second;
    if (judged_.size() >= kJudgedMax) judged_.clear();
    std::shared_ptr<const Parcel>& verdict = judged_[key];
    auto message = consensus::decode_message(forged);
    if (!message) return nullptr;
    const consensus::Message shown = *message;
    auto checked = consensus::verify(*std::move(message), from, *committee_, kChain);
    if (!checked) return nullptr;
    checker_->sent(from, shown);
    verdict = std::make_shared<const Parcel>(Parcel{*std::move(checked)});
    return verdict;
}

void Network::put_on_links(std::size_t from,
                           AuthoritySet to,
                           Channel channel,
                           const std::shared_ptr<const Parcel>& parcel,
                           std::size_t bytes,
                           Duration extra) {
    for (std::size_t peer = 0; peer < machines_.size(); ++peer) {
        if (!to.contains(machines_[peer].member) || !connected(from, peer) ||
            one_way_.contains({from, peer}))
            continue;
        Instant& last = fifo_[{from, peer, channel}];
        const Duration delay = draw(options_.delay_min, options_.delay_max) + extra;
        last =
            std::max(leaves(machines_[from].link_free, channel, bytes) + delay, last + Duration(1));
        const Link link = link_between(from, peer);
        at(last - now_, [this, from, peer, link, parcel, generation = link_generation_[link]] {
            if (link_generation_[link] == generation && connected(from, peer))
                deliver(from, peer, *parcel);
        });
    }
}

void Network::deliver(std::size_t from, std::size_t to, const Parcel& parcel) {
    const AuthorityIndex sender = machines_[from].member;
    Machine& m = machines_[to];
    if (m.adversary != nullptr && !liars_are_silent_)
        transmit_forgeries(to, m.adversary->answer(sender, parcel.checked));
    step(to, consensus::MessageReceived{sender, parcel.checked});
}

}  // namespace draco::campaign
