#include "draco/consensus/batch_store.hpp"

#include <algorithm>

namespace draco::consensus {
namespace {

// About what a batch takes beside its bytes.
constexpr std::size_t kBatchOverheadBytes = 512;

}  // namespace

std::size_t BatchStore::cost(const CheckedBatch& batch) {
    return (batch.has_content() ? batch.bytes : 0) + kBatchOverheadBytes;
}

BatchStore::Addition BatchStore::add(CheckedBatch batch, Round round, Demand demand) {
    if (batches_.contains(batch.digest)) return Addition::Known;
    std::size_t& held = bytes_[batch.batch->author.value()];
    const std::size_t bytes = cost(batch);
    if (demand == Demand::Pushed && (held + bytes > author_bytes_max_ || !has_room()))
        return Addition::OverQuota;
    held += bytes;
    total_bytes_ += bytes;
    const types::BatchDigest digest = batch.digest;
    round = std::max(round, floor_);
    batches_.emplace(digest, Entry{std::move(batch), round});
    by_round_[round].push_back(digest);
    return Addition::Added;
}

const CheckedBatch* BatchStore::find(const types::BatchDigest& digest) const {
    const auto found = batches_.find(digest);
    return found == batches_.end() ? nullptr : &found->second.batch;
}

const CheckedBatch* BatchStore::to_log(const types::BatchDigest& digest, Round round) {
    const auto found = batches_.find(digest);
    if (found == batches_.end() || !found->second.batch.has_content()) return nullptr;
    Entry& entry = found->second;
    if (entry.logged && round.value() <= entry.logged->value() + window_rounds_) return nullptr;
    entry.logged = round;
    return &entry.batch;
}

bool BatchStore::keep_until(const types::BatchDigest& digest, Round round) {
    const auto found = batches_.find(digest);
    if (found == batches_.end() || found->second.round >= round) return false;
    found->second.round = round;
    return true;
}

std::optional<Round> BatchStore::kept_until(const types::BatchDigest& digest) const {
    const auto found = batches_.find(digest);
    return found == batches_.end() ? std::nullopt : std::optional(found->second.round);
}

void BatchStore::erase(Entries::iterator entry) {
    const std::size_t bytes = cost(entry->second.batch);
    bytes_[entry->second.batch.batch->author.value()] -= bytes;
    total_bytes_ -= bytes;
    batches_.erase(entry);
}

void BatchStore::raise_floor(Round floor) {
    if (floor <= floor_) return;
    floor_ = floor;
    while (!by_round_.empty() && by_round_.begin()->first < floor) {
        const auto passed = by_round_.extract(by_round_.begin());
        for (const types::BatchDigest& digest : passed.mapped()) {
            const auto found = batches_.find(digest);
            if (found == batches_.end()) continue;
            if (found->second.round >= floor)
                by_round_[found->second.round].push_back(digest);
            else
                erase(found);
        }
    }
}

}  // namespace draco::consensus
