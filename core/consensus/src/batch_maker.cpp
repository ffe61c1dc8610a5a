#include "draco/consensus/batch_maker.hpp"

#include "draco/base/assert.hpp"
#include "draco/consensus/batch_age.hpp"

#include <algorithm>
#include <utility>

namespace draco::consensus {

BatchMaker::BatchMaker(const Parameters& parameters,
                       types::ChainId chain,
                       Epoch epoch,
                       AuthorityIndex self,
                       types::WorkerIndex worker,
                       std::size_t quorum)
    : parameters_(parameters),
      chain_(chain),
      epoch_(epoch),
      self_(self),
      worker_(worker),
      quorum_(quorum) {}

void BatchMaker::enter(Round round) {
    next_sequence_ = std::max(next_sequence_, first_sequence(round));
}

bool BatchMaker::submit(const types::TransactionBytes& transaction,
                        Instant now,
                        std::vector<CheckedBatch>& sealed) {
    const std::size_t size = transaction->size();
    if (size < types::kTransactionBytesMin || bytes_ + size > parameters_.own_bytes_max)
        return false;
    const bool full =
        open_bytes_ + size > parameters_.batch_bytes || open_.size() == decltype(open_)::kCountMax;
    if (full && !open_.empty()) sealed.push_back(*seal(now));
    if (open_.empty()) opened_at_ = now;
    const bool fits = open_.try_push_back(*transaction);
    DRACO_ASSERT(fits, "a full batch was closed");
    open_bytes_ += size;
    bytes_ += size;
    return true;
}

std::optional<Instant> BatchMaker::seal_deadline() const {
    if (open_bytes_ <= parameters_.batch_bytes_with_header) return std::nullopt;
    return opened_at_ + parameters_.batch_delay_max;
}

CheckedBatch BatchMaker::close() {
    bytes_ -= open_bytes_;
    open_bytes_ = 0;
    return checked(
        chain_, types::Batch{epoch_, self_, worker_, next_sequence_++, std::exchange(open_, {})});
}

std::optional<CheckedBatch> BatchMaker::seal(Instant now) {
    if (open_.empty()) return std::nullopt;
    CheckedBatch batch = close();
    const types::BatchReference reference{batch.digest, worker_, batch.bytes};
    own_.emplace(batch.digest, Own{batch, {}});
    bytes_ += batch.bytes;
    ++unordered_;
    // While those before it are still on their way, the links are full, and it is behind them.
    const bool is_on_time = batch.bytes <= parameters_.batch_bytes_with_header ||
                            (batch.bytes <= parameters_.batch_bytes_small && waiting_.empty());
    if (is_on_time || quorum_ == 1) {
        ready_.push_back(reference);
    } else {
        Waiting waiting{reference, {}, now + parameters_.batch_grace};
        waiting.holders.insert(self_);
        waiting_.push_back(waiting);
    }
    return batch;
}

void BatchMaker::restore(const CheckedBatch& batch) {
    next_sequence_ = std::max(next_sequence_, batch.batch->sequence + 1);
    if (!own_.emplace(batch.digest, Own{batch, {}}).second) return;
    bytes_ += batch.bytes;
    ++unordered_;
    ready_.push_back({batch.digest, batch.batch->worker, batch.bytes});
}

void BatchMaker::adopt(const CheckedBatch& batch) {
    if (!own_.emplace(batch.digest, Own{batch, {}}).second) return;
    bytes_ += batch.bytes;
    ++unordered_;
    const types::BatchReference reference{batch.digest, batch.batch->worker, batch.bytes};
    for (const auto& [round, proposed] : proposed_)
        if (std::ranges::find(proposed, reference) != proposed.end()) return;
    ready_.push_back(reference);
}

void BatchMaker::stored(const types::BatchDigest& digest, AuthorityIndex by) {
    const auto found = std::ranges::find(
        waiting_, digest, [](const Waiting& waiting) { return waiting.reference.digest; });
    if (found == waiting_.end()) return;
    found->holders.insert(by);
    if (found->holders.count() < quorum_) return;
    ready_.push_back(found->reference);
    waiting_.erase(found);
    let_small_pass();
}

void BatchMaker::let_small_pass() {
    while (!waiting_.empty() && waiting_.front().reference.bytes <= parameters_.batch_bytes_small) {
        ready_.push_back(waiting_.front().reference);
        waiting_.pop_front();
    }
}

void BatchMaker::end_grace(Instant now) {
    // Sealed in order, with one grace time: the first is due first.
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
        ready_.push_back(waiting_.front().reference);
        waiting_.pop_front();
    }
    let_small_pass();
}

std::optional<Instant> BatchMaker::grace_deadline() const {
    if (waiting_.empty()) return std::nullopt;
    return waiting_.front().deadline;
}

bool BatchMaker::is_unordered(const types::BatchDigest& digest) const {
    const auto found = own_.find(digest);
    return found != own_.end() && !found->second.height;
}

bool BatchMaker::has_ready() {
    while (!ready_.empty() && !is_unordered(ready_.front().digest)) ready_.pop_front();
    return !ready_.empty();
}

std::vector<types::BatchReference> BatchMaker::take(Round round) {
    std::vector<types::BatchReference> batches;
    std::size_t bytes = 0;
    std::deque<types::BatchReference> left;
    for (const types::BatchReference& ready : ready_) {
        if (!is_unordered(ready.digest)) continue;
        const bool fits = batches.size() < types::kHeaderBatchesMax &&
                          bytes + ready.bytes <= parameters_.header_payload_bytes;
        if (fits &&
            is_of_age(*own(ready.digest).batch, round, parameters_.batch_age_rounds_max())) {
            bytes += ready.bytes;
            batches.push_back(ready);
        } else {
            left.push_back(ready);
        }
    }
    ready_ = std::move(left);
    if (!batches.empty()) proposed_[round] = batches;
    return batches;
}

std::vector<CheckedBatch> BatchMaker::drain() {
    std::vector<CheckedBatch> batches;
    for (const types::BatchReference& ready : ready_)
        if (const CheckedBatch* batch = find(ready.digest)) batches.push_back(*batch);
    ready_.clear();
    return batches;
}

const CheckedBatch* BatchMaker::find(const types::BatchDigest& digest) const {
    const auto found = own_.find(digest);
    return found == own_.end() ? nullptr : &found->second.batch;
}

std::vector<CheckedBatch> BatchMaker::all() const {
    std::vector<CheckedBatch> batches;
    batches.reserve(own_.size());
    for (const auto& [digest, own] : own_) batches.push_back(own.batch);
    return batches;
}

const CheckedBatch& BatchMaker::own(const types::BatchDigest& digest) const {
    const CheckedBatch* batch = find(digest);
    DRACO_ASSERT(batch != nullptr, "an own batch is kept until it is executed");
    return *batch;
}

void BatchMaker::taken(Round round, const types::Header& header) {
    const auto named = [&](const types::BatchReference& ready) {
        return std::ranges::find(*header.batches, ready) != header.batches->end();
    };
    std::erase_if(ready_, named);
    if (!header.batches->empty()) proposed_[round] = *header.batches;
}

void BatchMaker::make_ready_again(const std::vector<types::BatchReference>& batches) {
    for (auto batch = batches.rbegin(); batch != batches.rend(); ++batch)
        if (is_unordered(batch->digest)) ready_.push_front(*batch);
}

void BatchMaker::abandon(Round round) {
    const auto found = proposed_.find(round);
    if (found == proposed_.end()) return;
    make_ready_again(found->second);
    proposed_.erase(found);
}

void BatchMaker::raise_floor(Round floor) {
    while (!proposed_.empty() && proposed_.begin()->first < floor) {
        make_ready_again(proposed_.begin()->second);
        proposed_.erase(proposed_.begin());
    }
}

bool BatchMaker::is_too_old(const types::BatchReference& ready, Round floor) const {
    const auto found = own_.find(ready.digest);
    return found != own_.end() && !found->second.height &&
           sealed_in(*found->second.batch.batch).value() + parameters_.batch_age_rounds_max() <
               floor.value();
}

std::vector<CheckedBatch> BatchMaker::renew(Round floor) {
    std::vector<CheckedBatch> renewed;
    for (types::BatchReference& ready : ready_) {
        if (!is_too_old(ready, floor)) continue;
        const auto found = own_.find(ready.digest);
        types::Batch batch = *found->second.batch.batch;
        batch.sequence = next_sequence_++;
        CheckedBatch fresh = checked(chain_, std::move(batch));
        ready.digest = fresh.digest;
        own_.erase(found);
        own_.emplace(fresh.digest, Own{fresh, {}});
        renewed.push_back(std::move(fresh));
    }
    return renewed;
}

std::vector<CheckedBatch> BatchMaker::give_up(Round floor) {
    std::vector<CheckedBatch> old;
    for (const types::BatchReference& ready : ready_)
        if (is_too_old(ready, floor)) old.push_back(own(ready.digest));
    for (const CheckedBatch& batch : old) remove(batch.digest);
    return old;
}

std::optional<CheckedBatch> BatchMaker::remove(const types::BatchDigest& digest) {
    const auto found = own_.find(digest);
    if (found == own_.end()) return std::nullopt;
    const Own own = std::move(found->second);
    own_.erase(found);
    bytes_ -= own.batch.bytes;
    if (!own.height) --unordered_;
    return own.batch;
}

void BatchMaker::ordered(const types::BatchDigest& digest, types::Height height) {
    const auto found = own_.find(digest);
    if (found == own_.end() || found->second.height) return;
    found->second.height = height;
    --unordered_;
}

std::vector<CheckedBatch> BatchMaker::executed(types::Height height) {
    std::vector<CheckedBatch> executed;
    std::erase_if(own_, [&](const auto& item) {
        const Own& own = item.second;
        if (!own.height || *own.height > height) return false;
        bytes_ -= own.batch.bytes;
        executed.push_back(own.batch);
        return true;
    });
    return executed;
}

std::vector<types::TransactionBytes> BatchMaker::unordered_after(types::Height height) const {
    std::vector<const types::Batch*> batches;
    for (const auto& [digest, own] : own_)
        if (!own.height || *own.height > height) batches.push_back(own.batch.batch.get());
    std::ranges::sort(batches, {}, &types::Batch::sequence);
    std::vector<types::TransactionBytes> transactions;
    const auto copy = [&](const decltype(open_)& from) {
        for (const ByteView each : from)
            transactions.push_back(
                types::TransactionBytes::make(Bytes(each.begin(), each.end())).value());
    };
    for (const types::Batch* batch : batches) copy(batch->transactions);
    copy(open_);
    return transactions;
}

}  // namespace draco::consensus
