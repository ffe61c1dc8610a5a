#include "draco/consensus/worker_core.hpp"

#include "draco/consensus/batch_age.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace draco::consensus {
namespace {

// The node repeats what it waits for at least every 16 deadlines (Synchronizer).
constexpr int kDeadlinesAwaited = 40;
constexpr std::size_t kReturnedBytesMax = std::size_t{256} << 10;
// Of higher rounds no sequence number can be.
constexpr Round kSealedRoundMax(~std::uint64_t{0} / kBatchesPerRound / 2);

// No header is waited for: every batch is sealed by its age or its size.
Parameters of_worker(Parameters parameters) {
    parameters.batch_bytes_with_header = 1;
    return parameters;
}

// How far the epoch had come: as far as own batches say, or f + 1 members. One alone may lie.
Round last_round(const types::Committee& committee,
                 AuthorityIndex self,
                 const std::vector<CheckedBatch>& batches) {
    std::vector<Round> last(committee.size());
    for (const CheckedBatch& batch : batches) {
        Round& of_author = last[batch.batch->author.value()];
        of_author = std::max(of_author, sealed_in(*batch.batch));
    }
    const Round own = last[self.value()];
    std::ranges::sort(last, std::greater{});
    return std::max(own, last[committee.faulty_max()]);
}

}  // namespace

WorkerCore::WorkerCore(WorkerSeat seat, const Parameters& parameters)
    : parameters_(of_worker(parameters)),
      chain_(seat.chain),
      committee_(std::move(seat.committee)),
      self_(seat.self),
      worker_(seat.worker),
      maker_(parameters_, chain_, committee_.epoch(), self_, worker_, committee_.quorum()),
      store_(committee_.size(),
             parameters_.peer_bytes_max,
             parameters_.held_bytes_max,
             parameters_.window_rounds),
      synchronizer_(parameters_, committee_.size(), self_),
      serving_(committee_.size(), parameters_.served_bytes_per_s) {
    report_.epoch = committee_.epoch();
}

Result<std::unique_ptr<WorkerCore>> WorkerCore::make(WorkerSeat seat,
                                                     Parameters parameters,
                                                     std::vector<Record> records) {
    DRACO_TRY_VOID(check(parameters));
    if (!seat.committee.has(seat.self))
        return fail(Errc::InvalidArgument, "the worker's node is not in the committee");
    std::unique_ptr<WorkerCore> core(new WorkerCore(std::move(seat), parameters));
    DRACO_TRY_VOID(core->recover(std::move(records)));
    return core;
}

Result<> WorkerCore::recover(std::vector<Record> records) {
    std::vector<CheckedBatch> batches;
    for (Record& record : records) {
        if (const auto* settled = std::get_if<BatchSettled>(&record)) {
            settled_.emplace(settled->batch, Round(0));
            continue;
        }
        auto* content = std::get_if<types::Batch>(&record);
        if (content == nullptr || content->epoch != committee_.epoch() ||
            !committee_.has(content->author) || content->worker != worker_)
            return fail(Errc::Corrupt, "the worker's log holds what no worker of this epoch wrote");
        batches.push_back(checked(chain_, std::move(*content)));
    }
    round_ = last_round(committee_, self_, batches);
    for (const CheckedBatch& batch : batches) {
        store_.add(batch, round_of_record(*batch.batch), BatchStore::Demand::Requested);
        static_cast<void>(store_.to_log(batch.digest, sealed_in(*batch.batch)));  // it is
        if (batch.batch->author == self_ && !settled_.contains(batch.digest)) maker_.restore(batch);
    }
    for (auto& [digest, round] : settled_) round = round_;
    static_cast<void>(maker_.drain());  // the node asks for all there is
    return {};
}

void WorkerCore::step(const WorkerEvent& event, Now now, WorkerEffects& out) {
    Turn turn{now, out};
    maker_.enter(round_);
    std::visit([&](const auto& happened) { on(happened, turn); }, event);
    report_ready(turn);
    flush_report(turn, reported_own_bytes_ != maker_.bytes());
    ask_others(turn);
    set_wake(turn);
}

void WorkerCore::on(const TransactionsSubmitted& event, Turn& turn) {
    // Whoever takes transactions may hear of the epoch's end later.
    if (over_) return give_back(event.transactions, turn);
    std::vector<CheckedBatch> sealed;
    for (const types::TransactionBytes& transaction : event.transactions)
        if (!maker_.submit(transaction, turn.now.instant, sealed))
            turn.out.busy.push_back(transaction);
    for (const CheckedBatch& batch : sealed) announce(batch, turn);
}

void WorkerCore::on(const WakeUp& /*event*/, Turn& turn) {
    const Instant now = turn.now.instant;
    const auto deadline = maker_.seal_deadline();
    if (deadline && now >= *deadline)
        if (const auto batch = maker_.seal(now)) announce(*batch, turn);
    maker_.end_grace(now);
}

void WorkerCore::on(const PeerMessage& event, Turn& turn) {
    if (!committee_.has(event.from) || event.from == self_) return;
    std::visit([&](const auto& message) { receive(event.from, message, turn); }, event.message);
}

void WorkerCore::on(const NodeMessage& event, Turn& turn) {
    std::visit(
        [&](const auto& order) {
            if (order.epoch == committee_.epoch()) obey(order, turn);
        },
        event.message);
}

// --- batches ---

// Until a header names it, a batch is kept for as long as a header of now could be ordered.
Round WorkerCore::keep_fresh() const {
    return Round(std::max(round_, floor_).value() + parameters_.gc_depth_rounds);
}

// Its record must outlive every header that may name it, and not what a liar writes into it.
Round WorkerCore::round_of_record(const types::Batch& batch) const {
    return std::clamp(sealed_in(batch), round_, Round(round_.value() + parameters_.window_rounds));
}

const CheckedBatch* WorkerCore::find(const types::BatchDigest& digest) const {
    const CheckedBatch* held = store_.find(digest);
    return held != nullptr ? held : maker_.find(digest);
}

void WorkerCore::announce(const CheckedBatch& batch, Turn& turn) {
    store_.add(batch, keep_fresh(), BatchStore::Demand::Requested);
    log_batch(batch, turn);
    send(std::nullopt, *batch.batch, turn);
}

void WorkerCore::log_batch(const CheckedBatch& batch, Turn& turn) {
    const Round round = round_of_record(*batch.batch);
    if (const CheckedBatch* unlogged = store_.to_log(batch.digest, round))
        turn.out.persist.push_back(persist_batch(round, unlogged->batch));
}

void WorkerCore::receive(AuthorityIndex from, const CheckedBatch& batch, Turn& turn) {
    const types::Batch& content = *batch.batch;
    const bool wanted = synchronizer_.wants(batch.digest);
    if (content.worker != worker_ || (!wanted && content.author != from)) return;
    const auto demand = wanted ? BatchStore::Demand::Requested : BatchStore::Demand::Pushed;
    const auto addition = store_.add(batch, keep_fresh(), demand);
    if (addition == BatchStore::Addition::OverQuota) return;
    synchronizer_.batch_arrived(batch.digest);
    if (const auto awaited = awaited_.extract(batch.digest)) {
        store_.keep_until(batch.digest, awaited.mapped().round);
        if (awaited.mapped().content) send_content(batch, turn);
    }
    log_batch(batch, turn);
    if (addition == BatchStore::Addition::Added) report(batch, turn);
    if (batch.bytes > parameters_.batch_bytes_small && content.author == from)
        send(from, BatchStored{committee_.epoch(), batch.digest}, turn);
}

void WorkerCore::receive(AuthorityIndex from, const BatchStored& stored, Turn& /*turn*/) {
    maker_.stored(stored.batch, from);
}

void WorkerCore::receive(AuthorityIndex from, const BatchRequest& request, Turn& turn) {
    for (const types::BatchDigest& digest : *request.batches) {
        const CheckedBatch* batch = find(digest);
        if (batch == nullptr) continue;
        if (!serving_.spend(from, batch->bytes, turn.now.instant)) return;
        send(from, *batch->batch, turn);
    }
}

void WorkerCore::want(const BatchName& name, bool content, Turn& turn) {
    Awaited& awaited = awaited_[name.digest];
    awaited.round = std::max(awaited.round, name.round);
    awaited.content = awaited.content || content;
    awaited.until = turn.now.instant + parameters_.request_deadline * kDeadlinesAwaited;
    synchronizer_.want_batch({name.digest, worker_, 0},
                             name.author,
                             name.round,
                             Synchronizer::Named::ByCertificate,
                             turn.now.instant);
}

void WorkerCore::ask_others(Turn& turn) {
    const auto due = synchronizer_.batches_due_at();
    if (!due || *due > turn.now.instant) return;
    std::erase_if(awaited_, [&](const auto& item) {
        if (item.second.until > turn.now.instant) return false;
        synchronizer_.batch_arrived(item.first);
        return true;
    });
    for (const auto& query : synchronizer_.due_batches(committee_.epoch(), turn.now.instant))
        send(query.to, query.request, turn);
}

// --- what the node says ---

void WorkerCore::obey(const ReportAll& order, Turn& turn) {
    round_ = std::max(round_, std::min(order.round, kSealedRoundMax));
    for (const CheckedBatch& own : maker_.all())
        store_.add(own, keep_fresh(), BatchStore::Demand::Requested);
    std::vector<CheckedBatch> held;
    store_.for_each([&](const CheckedBatch& batch, Round) {
        if (batch.batch->author != self_ || maker_.find(batch.digest) != nullptr)
            held.push_back(batch);
    });
    // As they were sealed, or nearly.
    std::ranges::sort(held, {}, [](const CheckedBatch& batch) { return batch.batch->sequence; });
    for (const CheckedBatch& batch : held) {
        store_.keep_until(batch.digest, keep_fresh());
        log_batch(batch, turn);
        report(batch, turn);
    }
    flush_report(turn, true);
    tell_node(Channel::Consensus,
              AllReported{committee_.epoch(), order.number},
              Release::AfterPersist,
              turn);
}

void WorkerCore::obey(const Progress& order, Turn& turn) {
    round_ = std::max(round_, std::min(order.round, kSealedRoundMax));
    floor_ = std::max(floor_, std::min(order.floor, kSealedRoundMax));
    maker_.enter(round_);
    store_.raise_floor(floor_);
    synchronizer_.raise_floor(floor_);
    std::erase_if(awaited_, [&](const auto& item) { return item.second.round < floor_; });
    std::erase_if(settled_, [&](const auto& item) {
        return item.second.value() + parameters_.window_rounds < order.prune_below.value();
    });
    turn.out.prune_below = order.prune_below;
}

void WorkerCore::obey(const HoldBatches& order, Turn& turn) {
    for (const BatchName& name : *order.batches) {
        const CheckedBatch* batch = store_.find(name.digest);
        if (batch == nullptr) {
            if (store_.has_room()) want(name, false, turn);
            continue;
        }
        store_.keep_until(name.digest, name.round);
        report(*batch, turn);
    }
}

void WorkerCore::obey(const FetchBatches& order, Turn& turn) {
    for (const BatchName& name : *order.batches) {
        store_.keep_until(name.digest, name.round);
        if (const CheckedBatch* batch = find(name.digest))
            send_content(*batch, turn);
        else
            want(name, true, turn);
    }
}

void WorkerCore::obey(const KeepBatches& order, Turn& /*turn*/) {
    for (const types::BatchDigest& digest : *order.batches) store_.keep_until(digest, order.round);
}

void WorkerCore::obey(const SettleBatches& order, Turn& turn) {
    for (const types::BatchDigest& digest : *order.batches) settle(digest, order.how, turn);
}

void WorkerCore::obey(const AnnounceBatches& order, Turn& turn) {
    for (const types::BatchDigest& digest : *order.batches)
        if (const CheckedBatch* batch = maker_.find(digest)) announce(*batch, turn);
}

void WorkerCore::obey(const SubmitTransactions& order, Turn& turn) {
    const std::size_t refused = turn.out.busy.size();
    on(TransactionsSubmitted{*order.transactions}, turn);
    const std::vector<types::TransactionBytes> returned(
        turn.out.busy.begin() + static_cast<std::ptrdiff_t>(refused), turn.out.busy.end());
    turn.out.busy.resize(refused);
    give_back(returned, turn);
}

void WorkerCore::obey(const EpochOver& /*order*/, Turn& turn) {
    if (std::exchange(over_, true)) return;
    give_back(maker_.unordered_after(types::Height(0)), turn);
    static_cast<void>(maker_.seal(turn.now.instant));
    for (const CheckedBatch& batch : maker_.all()) settle(batch.digest, Settlement::Executed, turn);
    static_cast<void>(maker_.drain());
}

void WorkerCore::settle(const types::BatchDigest& digest, Settlement how, Turn& turn) {
    if (const auto batch = maker_.remove(digest)) {
        if (how == Settlement::Dissolved) {
            std::vector<types::TransactionBytes> transactions;
            for (const ByteView each : batch->batch->transactions)
                transactions.push_back(
                    types::TransactionBytes::make(Bytes(each.begin(), each.end())).value());
            give_back(transactions, turn);
        }
        settled_.emplace(digest, round_);
        turn.out.persist.push_back(
            {round_of_record(*batch->batch), encode_record(BatchSettled{digest})});
    }
    if (!report_.settled.try_push_back(digest)) {
        flush_report(turn, true);
        static_cast<void>(report_.settled.try_push_back(digest));
    }
}

// --- to the node ---

void WorkerCore::report(const CheckedBatch& batch, Turn& turn) {
    if (report_.held->size() == kWorkerBatchesMax) flush_report(turn, false);
    const Round kept = store_.kept_until(batch.digest).value_or(keep_fresh());
    static_cast<void>(report_.held.try_push_back(head_of(batch, kept)));
}

void WorkerCore::report_ready(Turn& turn) {
    for (const CheckedBatch& batch : maker_.drain()) report(batch, turn);
}

void WorkerCore::flush_report(Turn& turn, bool even_if_empty) {
    if (report_.held->empty() && report_.settled->empty() && !even_if_empty) return;
    report_.own_bytes = maker_.bytes();
    reported_own_bytes_ = report_.own_bytes;
    tell_node(Channel::Consensus, report_, Release::AfterPersist, turn);
    report_ = {committee_.epoch(), 0, {}, {}};
}

void WorkerCore::send_content(const CheckedBatch& batch, Turn& turn) {
    tell_node(Channel::Bulk, *batch.batch, Release::AtOnce, turn);
}

void WorkerCore::give_back(const std::vector<types::TransactionBytes>& transactions, Turn& turn) {
    TransactionsReturned returned{committee_.epoch(), {}};
    std::size_t bytes = 0;
    const auto flush = [&] {
        if (returned.transactions->empty()) return;
        tell_node(Channel::Bulk, returned, Release::AtOnce, turn);
        returned.transactions = {};
        bytes = 0;
    };
    for (const types::TransactionBytes& transaction : transactions) {
        if (bytes > 0 && bytes + transaction->size() > kReturnedBytesMax) flush();
        if (!returned.transactions.try_push_back(transaction)) {
            flush();
            static_cast<void>(returned.transactions.try_push_back(transaction));
        }
        bytes += transaction->size();
    }
    flush();
}

void WorkerCore::set_wake(Turn& turn) const {
    std::optional<Instant> wake;
    for (const auto time :
         {maker_.seal_deadline(), maker_.grace_deadline(), synchronizer_.batches_due_at()})
        if (time && (!wake || *time < *wake)) wake = time;
    turn.out.wake = wake;
}

template <class M>
void WorkerCore::send(std::optional<AuthorityIndex> to, const M& message, Turn& turn) {
    if (committee_.size() == 1) return;
    turn.out.sends.push_back({to,
                              channel_of<M>(),
                              std::make_shared<const Bytes>(encode_message(message)),
                              Release::AtOnce});
}

template <class M>
void WorkerCore::tell_node(Channel channel, const M& message, Release release, Turn& turn) {
    turn.out.to_node.push_back(
        {channel, std::make_shared<const Bytes>(encode_from_worker(message)), release});
}

}  // namespace draco::consensus
