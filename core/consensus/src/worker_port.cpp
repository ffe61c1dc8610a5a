#include "worker_port.hpp"

#include <algorithm>
#include <utility>

namespace draco::consensus {

void LaneInbox::handle(LaneBytes bytes) {
    auto decoded = bcs::decode<FromWorker>(bytes.message);
    if (!decoded) return;
    FromLane news{lane_, {}, {}};
    std::visit(
        [&](auto&& message) {
            news.epoch = message.epoch;
            using Said = std::decay_t<decltype(message)>;
            if constexpr (std::is_same_v<Said, types::Batch>)
                news.message = checked(chain_, std::forward<decltype(message)>(message));
            else
                news.message = std::forward<decltype(message)>(message);
        },
        *std::move(decoded));
    if (!conductor_.tell(std::move(news))) port_.lost(lane_);
}

WorkerPort::WorkerPort(interfaces::Links& links, std::vector<interfaces::PeerAddress> workers)
    : links_(links), workers_(std::move(workers)) {}

void WorkerPort::set_inboxes(std::vector<affair::Address<LaneBytes>> inboxes) {
    const std::lock_guard lock(mutex_);
    inboxes_ = std::move(inboxes);
}

std::optional<std::size_t> WorkerPort::lane_of(const types::NodeKey& key) const {
    const auto found = std::ranges::find(workers_, key, &interfaces::PeerAddress::key);
    if (found == workers_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - workers_.begin());
}

void WorkerPort::on_message(const types::NodeKey& from, ByteView message) {
    if (const auto lane = lane_of(from)) {
        std::optional<affair::Address<LaneBytes>> inbox;
        {
            const std::lock_guard lock(mutex_);
            if (*lane < inboxes_.size()) inbox = inboxes_[*lane];
        }
        if (inbox && !inbox->tell(LaneBytes{to_bytes(message)})) lost(*lane);
        return;
    }
    auto theirs = bcs::decode<OwnWorkers>(message);
    if (!theirs) return;
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(news_.workers_of, [&](const auto& each) { return each.first == from; });
        if (news_.workers_of.size() >= types::kCommitteeMax) return;
        news_.workers_of.emplace_back(from, *std::move(theirs));
    }
    poke_();
}

void WorkerPort::on_link_up(const types::NodeKey& peer) {
    {
        const std::lock_guard lock(mutex_);
        if (const auto lane = lane_of(peer))
            news_.lanes.emplace_back(*lane, true);
        else if (std::ranges::find(news_.peers_up, peer) == news_.peers_up.end())
            news_.peers_up.push_back(peer);
    }
    poke_();
}

void WorkerPort::on_link_down(const types::NodeKey& peer) {
    const auto lane = lane_of(peer);
    if (!lane) return;
    {
        const std::lock_guard lock(mutex_);
        news_.lanes.emplace_back(*lane, false);
    }
    poke_();
}

WorkerPort::News WorkerPort::take_news() {
    const std::lock_guard lock(mutex_);
    return std::exchange(news_, {});
}

void WorkerPort::lost(std::size_t lane) {
    {
        const std::lock_guard lock(mutex_);
        if (!news_.lost.insert(lane).second) return;
    }
    poke_();
}

void WorkerPort::tell(std::size_t lane, ByteView message) {
    const auto sent =
        links_.send(workers_[lane].key, interfaces::Protocol::Worker, Channel::Consensus, message);
    if (!sent && sent.error().code == Errc::Exhausted) lost(lane);
}

}  // namespace draco::consensus
