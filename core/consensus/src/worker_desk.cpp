#include "draco/consensus/worker_desk.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace draco::consensus {
namespace {

template <class M>
WorkerSend to_lane(std::size_t lane, const M& message) {
    return {lane, std::make_shared<const Bytes>(encode_to_worker(message))};
}

// As many messages as it takes; each begins as `empty` is.
template <class M, class Item>
void send_all(std::size_t lane,
              const M& empty,
              const std::vector<Item>& items,
              std::vector<WorkerSend>& out) {
    M message = empty;
    for (const Item& item : items) {
        if (message.batches.try_push_back(item)) continue;
        out.push_back(to_lane(lane, message));
        message = empty;
        static_cast<void>(message.batches.try_push_back(item));
    }
    if (!message.batches->empty()) out.push_back(to_lane(lane, message));
}

}  // namespace

// The clock tells this life's numbers from those of an earlier one.
void WorkerDesk::up(std::size_t lane, UnixTime now) {
    Lane fresh;
    fresh.up = true;
    fresh.asks_all = true;
    fresh.asked_all = std::max(lanes_[lane].asked_all + 1, now.ms);
    fresh.unsettled = std::move(lanes_[lane].unsettled);
    fresh.own_bytes = lanes_[lane].own_bytes;
    lanes_[lane] = std::move(fresh);
}

void WorkerDesk::down(std::size_t lane) {
    lanes_[lane].up = false;
    lanes_[lane].knows_all = false;
}

bool WorkerDesk::any_up() const {
    return std::ranges::any_of(lanes_, &Lane::up);
}

void WorkerDesk::reported(std::size_t lane, const WorkerReport& report) {
    Lane& l = lanes_[lane];
    l.own_bytes = report.own_bytes;
    l.given_bytes = 0;
    for (const BatchHead& head : *report.held)
        if (!l.knows_all) l.reported.insert(head.digest);
    for (const types::BatchDigest& digest : *report.settled) l.unsettled.erase(digest);
}

bool WorkerDesk::has_reported(std::size_t lane, const types::BatchDigest& digest) const {
    return lanes_[lane].reported.contains(digest);
}

bool WorkerDesk::awaits(std::size_t lane, const AllReported& all) const {
    const Lane& l = lanes_[lane];
    return l.up && !l.knows_all && all.epoch == epoch_ && all.number == l.asked_all;
}

void WorkerDesk::all_reported(std::size_t lane) {
    Lane& l = lanes_[lane];
    l.knows_all = true;
    l.reported.clear();
    l.has_progress = true;
    l.ends = over_;
    for (const auto& [digest, how] : l.unsettled) l.settle[how].push_back(digest);
}

bool WorkerDesk::settles(std::size_t lane, const types::BatchDigest& digest) {
    return lanes_[lane].unsettled.contains(digest);
}

void WorkerDesk::hold(std::size_t lane, const BatchName& batch) {
    if (lanes_[lane].up) lanes_[lane].hold.push_back(batch);
}

void WorkerDesk::fetch(std::size_t lane, const BatchName& batch) {
    if (lanes_[lane].up) lanes_[lane].fetch.push_back(batch);
}

void WorkerDesk::keep(const CheckedBatch& batch, Round round) {
    Lane& lane = lanes_[lane_of(batch.batch->worker)];
    if (lane.up) lane.keep[round].push_back(batch.digest);
}

void WorkerDesk::settle(const CheckedBatch& own, Settlement how) {
    Lane& lane = lanes_[lane_of(own.batch->worker)];
    lane.unsettled.insert_or_assign(own.digest, how);
    if (lane.up) lane.settle[how].push_back(own.digest);
}

void WorkerDesk::announce(const CheckedBatch& own) {
    Lane& lane = lanes_[lane_of(own.batch->worker)];
    if (lane.up) lane.announce.push_back(own.digest);
}

void WorkerDesk::progress(Round round, Round floor, Round prune_below) {
    const Progress next{epoch_, round, floor, prune_below};
    if (next == progress_) return;
    progress_ = next;
    for (Lane& lane : lanes_) lane.has_progress = true;
}

bool WorkerDesk::submit(const std::vector<types::TransactionBytes>& transactions) {
    if (!any_up()) return false;
    while (!lanes_[next_].up) next_ = (next_ + 1) % lanes_.size();
    Lane& lane = lanes_[next_];
    next_ = (next_ + 1) % lanes_.size();
    SubmitTransactions message{epoch_, {}};
    for (const types::TransactionBytes& transaction : transactions) {
        lane.given_bytes += transaction->size();
        if (message.transactions.try_push_back(transaction)) continue;
        lane.submit.push_back(std::exchange(message, {epoch_, {}}));
        static_cast<void>(message.transactions.try_push_back(transaction));
    }
    if (!message.transactions->empty()) lane.submit.push_back(std::move(message));
    return true;
}

void WorkerDesk::end_epoch() {
    over_ = true;
    for (Lane& lane : lanes_) lane.ends = lane.knows_all;
}

std::size_t WorkerDesk::own_bytes() const {
    return std::accumulate(
        lanes_.begin(), lanes_.end(), std::size_t{0}, [](std::size_t sum, const Lane& lane) {
            return sum + lane.own_bytes + lane.given_bytes;
        });
}

void WorkerDesk::flush(std::vector<WorkerSend>& out) {
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane)
        if (lanes_[lane].up) flush(lane, out);
}

void WorkerDesk::flush(std::size_t index, std::vector<WorkerSend>& out) {
    Lane& lane = lanes_[index];
    if (std::exchange(lane.asks_all, false))
        out.push_back(to_lane(index, ReportAll{epoch_, lane.asked_all, progress_.round}));
    for (const auto& [round, batches] : lane.keep)
        send_all(index, KeepBatches{epoch_, round, {}}, batches, out);
    lane.keep.clear();
    send_all(index, HoldBatches{epoch_, {}}, std::exchange(lane.hold, {}), out);
    send_all(index, FetchBatches{epoch_, {}}, std::exchange(lane.fetch, {}), out);
    for (const auto& [how, batches] : lane.settle)
        send_all(index, SettleBatches{epoch_, how, {}}, batches, out);
    lane.settle.clear();
    send_all(index, AnnounceBatches{epoch_, {}}, std::exchange(lane.announce, {}), out);
    // A lane that has not said all might forget what it is not known to hold.
    if (lane.knows_all && std::exchange(lane.has_progress, false))
        out.push_back(to_lane(index, progress_));
    for (const SubmitTransactions& message : lane.submit) out.push_back(to_lane(index, message));
    lane.submit.clear();
    if (std::exchange(lane.ends, false)) out.push_back(to_lane(index, EpochOver{epoch_}));
}

}  // namespace draco::consensus
