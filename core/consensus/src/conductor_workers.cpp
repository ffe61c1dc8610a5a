#include "draco/base/text_encoding.hpp"

#include "conductor.hpp"

#include <utility>

namespace draco::consensus {
namespace {

constexpr std::size_t kLaneMailbox = 4096;
// Until what filled the link to a worker, or its inbox, has drained.
constexpr Duration kLanePause = std::chrono::milliseconds(100);

}  // namespace

Result<> Conductor::open_lanes() {
    std::vector<affair::Address<LaneBytes>> inboxes;
    for (std::size_t lane = 0; lane < setting_.workers.lanes(); ++lane) {
        DRACO_TRY(
            inbox,
            setting_.parts.registry.spawn<LaneInbox>(
                {.name = "consensus worker " + std::to_string(lane), .capacity = kLaneMailbox},
                [&] {
                    return std::make_unique<LaneInbox>(
                        setting_.workers, lane, setting_.chain, self_.address());
                }));
        inboxes.push_back(inbox.address());
        lanes_.push_back(std::move(inbox));
    }
    lanes_up_.assign(lanes_.size(), false);
    setting_.workers.set_inboxes(std::move(inboxes));
    return {};
}

Result<> Conductor::take_worker_news() {
    WorkerPort::News news = setting_.workers.take_news();
    for (const types::NodeKey& peer : news.peers_up)
        if (is_of_committee(peer)) announce_workers(peer);
    bool moved = false;
    for (auto& [member, workers] : news.workers_of)
        moved = learn_workers(member, std::move(workers)) || moved;
    for (const auto& [lane, up] : news.lanes) DRACO_TRY_VOID(set_lane(lane, up));
    for (const std::size_t lane : news.lost) {
        if (!lanes_up_[lane]) continue;
        DRACO_TRY_VOID(set_lane(lane, false));
        lanes_restart_at_[lane] = setting_.parts.executor.clock().now() + kLanePause;
    }
    DRACO_TRY_VOID(restart_lanes());
    if (moved)
        for (std::size_t lane = 0; lane < lanes_.size(); ++lane) tell_peers(lane);
    return {};
}

Result<> Conductor::set_lane(std::size_t lane, bool up) {
    if (up && !lanes_up_[lane])
        log_.info("a worker process is linked", {{"index", lane}});
    else if (!up && lanes_up_[lane])
        log_.warn("a worker process is gone; blocks wait for what it holds", {{"index", lane}});
    lanes_up_[lane] = up;
    lanes_restart_at_.erase(lane);
    if (up) greet(lane);
    for (Engine* engine : {running_.get(), previous_.get()})
        if (engine != nullptr) DRACO_TRY_VOID(engine->step(WorkerLink{lane, up}));
    return {};
}

Result<> Conductor::restart_lanes() {
    const Instant now = setting_.parts.executor.clock().now();
    const auto restarts = lanes_restart_at_;
    for (const auto& [lane, at] : restarts)
        if (at <= now) DRACO_TRY_VOID(set_lane(lane, true));
    return {};
}

void Conductor::announce_workers(const types::NodeKey& peer) {
    OwnWorkers own;
    for (const interfaces::PeerAddress& worker : setting_.workers.workers()) {
        auto host = bcs::Bounded<std::string, kHostBytesMax>::make(worker.host);
        if (!host) continue;
        static_cast<void>(
            own.workers.try_push_back(WorkerAddress{worker.key, *std::move(host), worker.port}));
    }
    static_cast<void>(setting_.parts.links.send(
        peer, interfaces::Protocol::Worker, Channel::Consensus, bcs::encode(own)));
}

bool Conductor::is_of_committee(const types::NodeKey& key) const {
    const auto has = [&](const Engine* engine) {
        return engine != nullptr && engine->committee().index_of(key).has_value();
    };
    return has(running_.get()) || has(previous_.get());
}

// True if they have moved.
bool Conductor::learn_workers(const types::NodeKey& member, OwnWorkers workers) {
    if (!is_of_committee(member)) return false;
    if (workers.workers->size() != lanes_.size())
        log_.error(
            "a member has another number of worker processes than this node: their batches do not "
            "reach each other, and neither votes for the other's; all members need the same number",
            {{"member", to_base58(member.view())},
             {"its", workers.workers->size()},
             {"own", lanes_.size()}});
    OwnWorkers& known = workers_of_[member];
    if (known == workers) return false;
    known = std::move(workers);
    return true;
}

void Conductor::tell_peers(std::size_t lane) {
    if (!lanes_up_[lane]) return;
    PeerWorkers peers;
    for (const auto& [member, workers] : workers_of_)
        if (lane < workers.workers->size())
            static_cast<void>(
                peers.workers.try_push_back(PeerWorker{member, (*workers.workers)[lane]}));
    setting_.workers.tell(lane, encode_to_process(peers));
}

void Conductor::greet(std::size_t lane) {
    for (const Engine* engine : {previous_.get(), running_.get()})
        if (engine != nullptr) begin_in(lane, engine->committee());
    tell_peers(lane);
}

void Conductor::begin_in(std::size_t lane, const types::Committee& committee) {
    BeginEpoch begin{committee.epoch(),
                     types::WorkerIndex(static_cast<std::uint16_t>(lane)),
                     {},
                     setting_.key.public_key()};
    for (const types::NodeKey& member : committee.members())
        static_cast<void>(begin.members.try_push_back(member));
    setting_.workers.tell(lane, encode_to_process(begin));
}

// The workers hear of a new epoch before its engine says anything; others, where the workers are.
Result<> Conductor::begin_in_lanes(const types::Committee& committee) {
    for (const types::NodeKey& peer : setting_.parts.links.connected())
        if (committee.index_of(peer)) announce_workers(peer);
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
        if (!lanes_up_[lane]) continue;
        begin_in(lane, committee);
        if (running_) DRACO_TRY_VOID(running_->step(WorkerLink{lane, true}));
    }
    return {};
}

Result<> Conductor::handle(FromLane news) {
    return judged(turn_with(std::move(news)));
}

Result<> Conductor::turn_with(FromLane news) {
    DRACO_TRY_VOID(take_worker_news());
    if (auto* returned = std::get_if<TransactionsReturned>(&news.message)) {
        resubmit(*returned->transactions);
        return turn(std::nullopt);
    }
    if (Engine* engine = engine_of(news.epoch)) {
        WorkerSaid said{news.lane, {}};
        if (auto* batch = std::get_if<CheckedBatch>(&news.message))
            said.message = std::move(*batch);
        else if (auto* report = std::get_if<WorkerReport>(&news.message))
            said.message = std::move(*report);
        else
            said.message = std::get<AllReported>(news.message);
        DRACO_TRY_VOID(engine->step(said));
    }
    return turn(std::nullopt);
}

}  // namespace draco::consensus
