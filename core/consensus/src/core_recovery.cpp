#include "draco/consensus/core.hpp"

#include <algorithm>
#include <ranges>
#include <set>
#include <string>
#include <utility>

namespace draco::consensus {
namespace {

Result<> refuse(std::string_view what) {
    return fail(Errc::Corrupt,
                "the consensus log cannot be continued: " + std::string(what) +
                    "; start this epoch as an observer");
}

}  // namespace

// Blocks come first, for the floor; batches before the headers that name them, certificates before
// the question which own headers have one.
Result<> Core::recover(Recovery recovery) {
    mode_ = recovery.mode;
    std::vector<types::Block> blocks;
    std::vector<CheckedMessage> checked_records;
    for (Record& record : recovery.records) {
        Result<CheckedMessage, Refusal> judged = std::unexpected(Refusal::BadShape);
        const auto judge = [&](auto&& body) {
            judged = verify(std::forward<decltype(body)>(body),
                            self_,
                            committee_,
                            chain_,
                            SignatureCheck::Skipped);
        };
        if (auto* block = std::get_if<types::Block>(&record)) {
            blocks.push_back(std::move(*block));
            continue;
        }
        if (const auto* vote = std::get_if<OwnVote>(&record)) {
            if (!committee_.has(vote->author)) return refuse("it votes for a stranger");
            voter_.restore(*vote);
            continue;
        }
        if (auto* header = std::get_if<OwnHeader>(&record)) judge(std::move(header->header));
        if (auto* batch = std::get_if<types::Batch>(&record)) judge(std::move(*batch));
        if (auto* certificate = std::get_if<types::Certificate>(&record))
            judge(std::move(*certificate));
        if (!judged) return refuse("of a record, " + std::string(to_string(judged.error())));
        checked_records.push_back(*std::move(judged));
    }
    DRACO_TRY_VOID(recover_blocks(blocks, recovery.executed));
    recover_dag(checked_records);
    for (const types::Block& block : blocks)
        for (const types::BatchDigest& batch : *block.batches) maker_.ordered(batch, block.height);
    static_cast<void>(maker_.executed(executed_));
    if (desk_) return_own();
    return {};
}

Result<> Core::recover_blocks(const std::vector<types::Block>& blocks, types::Height executed) {
    if (!blocks.empty() && blocks.front().height.value() > builder_.tip().height.value() + 1) {
        // The log was pruned: take the first block's word for what was before it.
        const types::Block& first = blocks.front();
        const Tip before{types::Height(first.height.value() - 1), first.parent, {}};
        builder_ =
            BlockBuilder(chain_, committee_.epoch(), before, parameters_.ordered_memory_rounds());
        delivered_ = before.height;
    }
    std::vector<VertexId> none;
    for (const types::Block& block : blocks) {
        if (!builder_.extends_tip(block) || !has_sound_rounds(block))
            return refuse("its blocks do not follow each other");
        builder_.append(block);
        committer_.ordered(block);
        dag_.raise_floor(floor_after(block.anchor_round), none);
        settle_vertices(block, none);
        // Which of them are certified, the others' signatures will say again.
        unsecured_.push_back({block.height, lowest_round(block)});
        if (block.height <= executed) {
            delivered_ = block.height;
            delivered_time_ = block.timestamp;
            const types::BlockStatement statement{
                block.epoch, block.height, block.parent, builder_.tip().digest};
            std::optional<types::NodeSignature> signature;
            if (participates()) signature = key_.sign(types::digest_of(chain_, statement).view());
            signatures_.committed(statement, self_, signature);
        } else {
            undelivered_.push_back({block, builder_.tip().digest});
        }
    }
    executed_ = delivered_;
    return {};
}

// A batch that was sealed anew stands in the log beside the new one: of those with the same content
// the last one counts.
void Core::restore_own(std::vector<CheckedBatch> batches) {
    std::ranges::sort(batches, std::ranges::greater{}, [](const CheckedBatch& batch) {
        return batch.batch->sequence;
    });
    std::set<types::BatchDigest> contents;
    std::erase_if(batches, [&](const CheckedBatch& batch) {
        types::Batch content = *batch.batch;
        content.sequence = 0;
        return !contents.insert(types::digest_of(chain_, content)).second;
    });
    for (const CheckedBatch& batch : std::views::reverse(batches)) maker_.restore(batch);
}

// Own batches of a life without workers: no worker could send them.
void Core::return_own() {
    returned_ = maker_.unordered_after(builder_.tip().height);
    for (const CheckedBatch& own : maker_.all()) static_cast<void>(maker_.remove(own.digest));
}

void Core::recover_dag(const std::vector<CheckedMessage>& records) {
    // Until a header names it, a batch of unknown age is kept for as long as a new one.
    const Round fresh(dag_.floor().value() + parameters_.gc_depth_rounds);
    std::vector<VertexId> accepted;
    std::map<Round, CheckedHeader> own_headers;
    std::vector<CheckedBatch> own_batches;
    for (const CheckedMessage& record : records) {
        if (const auto* batch = std::get_if<CheckedBatch>(&record)) {
            batches_.add(*batch, fresh, BatchStore::Demand::Requested);
            if (batch->batch->author == self_) own_batches.push_back(*batch);
        } else if (const auto* certificate = std::get_if<CheckedCertificate>(&record)) {
            dag_.add(*certificate, accepted);
        } else if (const auto* header = std::get_if<CheckedHeader>(&record)) {
            own_headers.insert_or_assign(header->header.header.round, *header);
        }
    }
    restore_own(std::move(own_batches));
    for (const VertexId vertex : accepted)
        for (const types::BatchReference& batch : *dag_.find(vertex)->header.batches)
            batches_.keep_until(batch.digest, vertex.round);
    if (own_headers.empty()) return;
    const auto& [last_round, last] = *own_headers.rbegin();
    for (const auto& [round, header] : own_headers)
        if (round == last_round || dag_.find({round, self_}) != nullptr)
            maker_.taken(round, header.header.header);
    const auto vote = types::digest_of(chain_, types::VoteContent{last.digest});
    if (dag_.find({last_round, self_}) == nullptr)
        aggregator_.start(last, self_, key_.sign(vote.view()));
    dag_.note_proposal(last.header.header);
    proposer_.proposed(last, {});
}

}  // namespace draco::consensus
