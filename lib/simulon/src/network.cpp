#include "network.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace draco::simulon {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

std::string pair_name(std::uint32_t from, std::uint32_t to) {
    return "link from node " + std::to_string(from) + " to " + std::to_string(to);
}

// The time that `bytes` take, rounded up.
Duration transmission_time(std::uint64_t bytes, std::uint64_t bytes_per_s) {
    const auto ns =
        (static_cast<unsigned __int128>(bytes) * kSecond + bytes_per_s - 1) / bytes_per_s;
    return Duration(static_cast<Duration::rep>(ns));
}

std::uint64_t bytes_in(Duration time, std::uint64_t bytes_per_s) {
    const auto ns = static_cast<unsigned __int128>(time.count());
    return static_cast<std::uint64_t>(ns * bytes_per_s / kSecond);
}

}  // namespace

Network::Direction* Network::find(std::uint32_t from, std::uint32_t to) {
    Table& table = tables_[from];
    const auto at = std::ranges::lower_bound(table.peers, to);
    if (at == table.peers.end() || *at != to) return nullptr;
    return &table.links[static_cast<std::size_t>(at - table.peers.begin())];
}

bool Network::connected(std::uint32_t from, std::uint32_t to) const {
    return std::ranges::binary_search(tables_[from].peers, to);
}

Network::Direction& Network::direction(std::uint32_t from, std::uint32_t to) {
    Direction* link = find(from, to);
    DRACO_ASSERT(link != nullptr, "only connected nodes have a link");
    return *link;
}

void Network::connect(std::uint32_t a, std::uint32_t b, const LinkOptions& options) {
    DRACO_ASSERT(a != b && !connected(a, b), "a link joins two nodes once");
    const auto add = [&](std::uint32_t from, std::uint32_t to) {
        Table& table = tables_[from];
        const auto at = std::ranges::lower_bound(table.peers, to) - table.peers.begin();
        table.peers.insert(table.peers.begin() + at, to);
        table.links.insert(
            table.links.begin() + at,
            Direction(options, core_.rng.fork("link", std::uint64_t{from} << 32 | to)));
    };
    add(a, b);
    add(b, a);
    refresh(a, b);
}

void Network::refresh(std::uint32_t a, std::uint32_t b) {
    Direction& there = direction(a, b);
    Direction& back = direction(b, a);
    const bool is_up = !there.taken_down && nodes_[a]->running() && nodes_[b]->running();
    if (there.is_up == is_up) return;
    there.is_up = back.is_up = is_up;
    if (is_up)
        went_up(a, b);
    else
        went_down(a, b);
}

void Network::node_changed(std::uint32_t node) {
    for (const std::uint32_t peer : peers(node)) {
        if (!nodes_[node]->running()) direction(node, peer).recent.clear();
        refresh(node, peer);
    }
}

void Network::set_taken_down(std::uint32_t a, std::uint32_t b, bool taken_down) {
    direction(a, b).taken_down = direction(b, a).taken_down = taken_down;
    refresh(a, b);
}

void Network::went_down(std::uint32_t a, std::uint32_t b) {
    lose_in_flight(direction(a, b), b);
    lose_in_flight(direction(b, a), a);
    notify(EventKind::LinkDown, a, b);
    notify(EventKind::LinkDown, b, a);
}

void Network::lose_in_flight(Direction& link, std::uint32_t to) {
    ++link.epoch;
    link.drained_at = {};
    Instant last = core_.now;
    for (const Direction::Lane& lane : link.lanes) last = std::max(last, lane.last_arrival);
    if (last == core_.now || !nodes_[to]->running()) return;
    const auto span = static_cast<std::uint64_t>((last - core_.now).count());
    const std::uint64_t portion = link.rng.below(3);  // none, all, or a part
    if (portion == 0) return;
    const std::uint64_t drained = portion == 1 ? span : link.rng.below(span + 1);
    link.drained_at = core_.now + Duration(static_cast<Duration::rep>(drained + 1));
}

void Network::went_up(std::uint32_t a, std::uint32_t b) {
    direction(b, a).lanes.fill({core_.now, notify(EventKind::LinkUp, a, b)});
    direction(a, b).lanes.fill({core_.now, notify(EventKind::LinkUp, b, a)});
    resend_recent(a, b, direction(a, b));
    resend_recent(b, a, direction(b, a));
}

Instant Network::notify(EventKind kind, std::uint32_t node, std::uint32_t peer) {
    Direction& link = direction(peer, node);
    link.notified_at =
        std::max({core_.now + core_.options.link_notice_delay, link.drained_at, link.notified_at});
    if (nodes_[node]->running())
        core_.queue.add(
            link.notified_at,
            {.kind = kind, .node = node, .peer = peer, .epoch = nodes_[node]->incarnation()});
    return link.notified_at;
}

void Network::resend_recent(std::uint32_t from, std::uint32_t to, Direction& link) {
    for (const auto& [channel, message] : link.recent)
        if (link.rng.chance(link.options.resend))
            transmit(link, from, to, core_.now, channel, message);
}

Result<> Network::send(Node& sender, PeerId peer, Channel channel, Bytes message) {
    const std::uint32_t from = sender.host().id.value();
    const std::uint32_t to = peer.value();
    if (message.size() > kMessageBytesMax)
        return fail(Errc::InvalidArgument,
                    "a message of " + std::to_string(message.size()) + " bytes is longer than " +
                        std::to_string(kMessageBytesMax));
    Direction* link = find(from, to);
    if (link == nullptr) return fail(Errc::NotFound, "there is no " + pair_name(from, to));
    if (!link->is_up) return fail(Errc::Unavailable, pair_name(from, to) + " is down");
    const Instant depart = sender.world_time();
    if (const std::uint64_t rate = link->options.bandwidth_bytes_per_s; rate != 0) {
        const Instant free_at = link->lanes[static_cast<std::size_t>(channel)].free_at;
        const std::uint64_t waiting = free_at > depart ? bytes_in(free_at - depart, rate) : 0;
        if (waiting + message.size() > link->options.queue_bytes_max)
            return fail(Errc::Exhausted,
                        pair_name(from, to) + ": " + std::to_string(waiting) + " bytes wait");
    }
    if (link->options.resend > 0) {
        link->recent.emplace_back(channel, message);
        if (link->recent.size() > kResendWindow) link->recent.erase(link->recent.begin());
    }
    transmit(*link, from, to, depart, channel, std::move(message));
    return {};
}

void Network::transmit(Direction& link,
                       std::uint32_t from,
                       std::uint32_t to,
                       Instant depart,
                       Channel channel,
                       Bytes message) {
    ++core_.counts.messages_sent;
    core_.trace.note(std::uint64_t{from} << 32 | to);
    core_.trace.note(message);
    Direction::Lane& lane = link.lanes[static_cast<std::size_t>(channel)];
    lane.free_at = std::max(lane.free_at, depart);
    if (const std::uint64_t rate = link.options.bandwidth_bytes_per_s; rate != 0)
        lane.free_at = lane.free_at + transmission_time(message.size(), rate);
    if (link.is_cut || link.rng.chance(link.options.loss)) return;
    lane.last_arrival =
        std::max(lane.last_arrival, lane.free_at + link.options.latency.draw(link.rng));
    core_.queue.add(lane.last_arrival,
                    {.kind = EventKind::Message,
                     .channel = channel,
                     .node = to,
                     .peer = from,
                     .epoch = link.epoch,
                     .message = std::move(message)});
}

bool Network::arrives(const Event& message) {
    const Direction& link = direction(message.peer, message.node);
    if (link.is_cut) return false;
    return message.epoch == link.epoch ||
           (message.epoch + 1 == link.epoch && message.due < link.drained_at);
}

}  // namespace draco::simulon
