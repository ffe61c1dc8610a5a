#include "draco/consensus/batch_age.hpp"
#include "draco/consensus/core.hpp"

#include <algorithm>

namespace draco::consensus {
namespace {

// Contents of blocks that are to be delivered, asked for ahead of the first of them.
constexpr std::size_t kContentBytesAheadMax = std::size_t{16} << 20;

}  // namespace

void Core::on(const WorkerLink& event, Turn& turn) {
    if (!desk_ || event.lane >= desk_->lanes()) return;
    if (event.up)
        desk_->up(event.lane, turn.now.unix);
    else
        desk_->down(event.lane);
    asked_contents_.clear();
}

void Core::on(const WorkerSaid& event, Turn& turn) {
    if (!desk_ || event.lane >= desk_->lanes()) return;
    std::visit([&](const auto& message) { hear(event.lane, message, turn); }, event.message);
}

void Core::hear(std::size_t /*lane*/, const CheckedBatch& content, Turn& /*turn*/) {
    if (asked_contents_.erase(content.digest) == 0) return;
    contents_.insert_or_assign(content.digest, content);
    progressed_ = true;
}

void Core::hear(std::size_t lane, const WorkerReport& report, Turn& /*turn*/) {
    if (report.epoch != committee_.epoch()) return;
    desk_->reported(lane, report);
    for (const BatchHead& head : *report.held) {
        if (!committee_.has(head.author) || desk_->lane_of(head.worker) != lane ||
            head.bytes > types::kBatchBytesMax)
            continue;
        const CheckedBatch batch = hollow(committee_.epoch(), head);
        if (head.author == self_) adopt_own(lane, batch);
        if (head.kept_until < batch_floor()) continue;
        if (batches_.add(batch, head.kept_until, BatchStore::Demand::Requested) ==
            BatchStore::Addition::Added)
            progressed_ = true;
        else if (const auto known = batches_.kept_until(head.digest); *known > head.kept_until)
            desk_->keep(batch, *known);
        synchronizer_.batch_arrived(head.digest);
    }
}

// What a worker reports again may have been ordered, in this life or in an earlier one.
void Core::adopt_own(std::size_t lane, const CheckedBatch& batch) {
    if (ended_ || maker_.find(batch.digest) != nullptr || desk_->settles(lane, batch.digest))
        return;
    const Round round = std::max(dag_.quorum_round().value_or(Round(0)), dag_.floor());
    // No header names it for a long time: the worker knows more of the epoch than this node yet.
    if (sealed_in(*batch.batch).value() > round.value() + parameters_.window_rounds)
        return desk_->settle(batch, Settlement::Dissolved);
    const bool is_ordered = builder_.has_ordered(batch.digest);
    const auto& last = committer_.last();
    // So old that who has forgotten that it was ordered cannot tell: its transactions can, when
    // they are submitted anew.
    const bool is_forgotten =
        last &&
        sealed_in(*batch.batch).value() + parameters_.ordered_memory_rounds() < last->value();
    if (!is_ordered && is_forgotten) return desk_->settle(batch, Settlement::Dissolved);
    maker_.adopt(batch);
    if (!is_ordered) return;
    types::Height height = delivered_;
    for (const Undelivered& block : undelivered_)
        if (std::ranges::find(*block.block.batches, batch.digest) != block.block.batches->end())
            height = block.block.height;
    maker_.ordered(batch.digest, height);
}

void Core::hear(std::size_t lane, const AllReported& all, Turn& turn) {
    if (!desk_->awaits(lane, all)) return;
    forget_lost(lane, turn);
    batches_.for_each([&](const CheckedBatch& batch, Round round) {
        if (desk_->lane_of(batch.batch->worker) == lane) desk_->keep(batch, round);
    });
    if (!participates()) desk_->end_epoch();
    desk_->all_reported(lane);
    progressed_ = true;
}

// The worker has lost its disk, or forgot them while nobody told it to keep them.
void Core::forget_lost(std::size_t lane, Turn& turn) {
    const auto is_lost = [&](const CheckedBatch& batch) {
        return !batch.has_content() && desk_->lane_of(batch.batch->worker) == lane &&
               !desk_->has_reported(lane, batch.digest);
    };
    for (const BatchStore::Lost& lost : batches_.take_out(is_lost))
        synchronizer_.want_batch({lost.batch.digest, lost.batch.batch->worker, lost.batch.bytes},
                                 lost.batch.batch->author,
                                 lost.round,
                                 Synchronizer::Named::ByCertificate,
                                 turn.now.instant);
    for (const CheckedBatch& own : maker_.all())
        if (is_lost(own)) static_cast<void>(maker_.remove(own.digest));
}

void Core::hold_missing(Turn& turn) {
    for (const auto& due : synchronizer_.due(turn.now.instant)) {
        desk_->hold(desk_->lane_of(due.worker), {due.digest, due.author, due.round});
    }
}

const CheckedBatch* Core::content_of(const types::BatchDigest& digest) const {
    const auto found = contents_.find(digest);
    if (found != contents_.end()) return &found->second;
    // Of a log that was written without workers there are contents here too.
    const CheckedBatch* held = batches_.find(digest);
    return held != nullptr && held->has_content() ? held : nullptr;
}

void Core::fetch(const types::BatchDigest& digest, Round round) {
    const CheckedBatch* known = batches_.find(digest);
    const BatchName name{digest, known == nullptr ? self_ : known->batch->author, round};
    asked_contents_.insert(digest);
    for (std::size_t lane = 0; lane < desk_->lanes(); ++lane)
        if (known == nullptr || desk_->lane_of(known->batch->worker) == lane)
            desk_->fetch(lane, name);
}

void Core::fetch_contents() {
    if (ended_) return;
    std::size_t bytes = 0;
    for (const Undelivered& block : undelivered_) {
        for (const types::BatchDigest& digest : *block.block.batches) {
            const CheckedBatch* content = content_of(digest);
            if (content == nullptr && !asked_contents_.contains(digest))
                fetch(digest, block.block.anchor_round);
            const CheckedBatch* known = content != nullptr ? content : batches_.find(digest);
            bytes += known == nullptr ? 0 : known->bytes;
        }
        if (bytes > kContentBytesAheadMax) return;
    }
}

// Rounds go on while a worker that holds what is to be executed is away, or has lost it. The block
// is executed elsewhere, and comes from there.
void Core::watch_contents(Turn& turn) {
    const Instant now = turn.now.instant;
    const bool waits_for_the_application =
        delivered_.value() >= executed_.value() + parameters_.blocks_ahead_max;
    if (undelivered_.empty() || ended_ || waits_for_the_application) {
        contents_due_.reset();
        return;
    }
    const types::Height waits = undelivered_.front().block.height;
    if (!contents_due_ || awaited_ != waits) {
        awaited_ = waits;
        contents_due_ = now + parameters_.retry;
    } else if (now >= *contents_due_) {
        contents_due_ = now + parameters_.retry;
        asked_contents_.clear();
        turn.out.follow_blocks = true;
    }
}

void Core::forget_contents(const types::Block& block) {
    for (const types::BatchDigest& digest : *block.batches) {
        contents_.erase(digest);
        asked_contents_.erase(digest);
    }
}

void Core::tell_workers(Turn& turn) {
    desk_->progress(dag_.quorum_round().value_or(Round(0)), batch_floor(), pruned_below_);
    desk_->flush(turn.out.to_workers);
}

}  // namespace draco::consensus
