#include "draco/consensus/block_builder.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>
#include <set>

namespace draco::consensus {

BlockBuilder::BlockBuilder(types::ChainId chain, Epoch epoch, Tip tip, std::uint64_t memory_rounds)
    : chain_(chain), epoch_(epoch), tip_(tip), memory_rounds_(memory_rounds) {}

// The last block's anchor is settled, so the DAG may never have had it; what else an anchor names
// is in no block yet, so the DAG has it.
UnixTime BlockBuilder::created_of(const Dag& dag, VertexId parent) const {
    if (last_anchor_ && last_anchor_->vertex == parent) return last_anchor_->created;
    const types::Certificate* certificate = dag.find(parent);
    DRACO_ASSERT(certificate != nullptr,
                 "an anchor's parents are in the DAG, but for the last anchor");
    return certificate->header.created;
}

// The lower median: of the n - f values at most f are faulty, so it lies between two honest ones.
UnixTime BlockBuilder::timestamp(const Dag& dag, VertexId anchor) const {
    const types::Header& header = dag.find(anchor)->header;
    std::vector<UnixTime> created;
    header.parent_authors.for_each([&](AuthorityIndex author) {
        created.push_back(created_of(dag, {Round(anchor.round.value() - 1), author}));
    });
    if (created.empty()) created.push_back(header.created);
    const auto middle = created.begin() + static_cast<std::ptrdiff_t>((created.size() - 1) / 2);
    std::ranges::nth_element(created, middle);
    return std::max(UnixTime{tip_.timestamp.ms + 1}, *middle);
}

types::Block BlockBuilder::build(const Dag& dag,
                                 VertexId anchor,
                                 const std::vector<AuthoritySet>& history) const {
    types::Block block;
    block.epoch = epoch_;
    block.height = types::Height(tip_.height.value() + 1);
    block.parent = tip_.digest;
    block.timestamp = timestamp(dag, anchor);
    block.anchor_round = anchor.round;
    block.anchor = *dag.digest(anchor);
    block.anchor_created = dag.find(anchor)->header.created;
    // What does not fit is proposed again by its author, whose header is never seen to carry it.
    std::set<types::BatchDigest> seen;
    bool fits = true;
    for (std::size_t depth = history.size(); depth-- > 0;) {
        const Round round(anchor.round.value() - depth);
        history[depth].for_each([&](AuthorityIndex author) {
            for (const types::BatchReference& batch : *dag.find({round, author})->header.batches)
                if (fits && !ordered_.contains(batch.digest) && seen.insert(batch.digest).second)
                    fits = block.batches.try_push_back(batch.digest);
        });
    }
    bool all_rounds = true;
    for (const AuthoritySet& authors : history)
        all_rounds = block.vertices.try_push_back(authors) && all_rounds;
    DRACO_ASSERT(all_rounds, "the window is at most kBlockRoundsMax rounds");
    return block;
}

bool BlockBuilder::extends_tip(const types::Block& block) const {
    return block.epoch == epoch_ && block.height.value() == tip_.height.value() + 1 &&
           block.parent == tip_.digest && block.timestamp > tip_.timestamp;
}

types::BlockDigest BlockBuilder::append(const types::Block& block) {
    DRACO_ASSERT(extends_tip(block), "blocks are appended in order");
    tip_ = {block.height, types::digest_of(chain_, block), block.timestamp};
    for (const types::BatchDigest& batch : *block.batches)
        ordered_.insert_or_assign(batch, block.anchor_round);
    by_round_.emplace_back(block.anchor_round, *block.batches);
    last_anchor_.reset();
    if (!block.vertices->empty())
        block.vertices->front().for_each([&](AuthorityIndex author) {
            last_anchor_ = {{block.anchor_round, author}, block.anchor_created};
        });
    while (by_round_.front().first.value() + memory_rounds_ < block.anchor_round.value()) {
        for (const types::BatchDigest& batch : by_round_.front().second) ordered_.erase(batch);
        by_round_.pop_front();
    }
    return tip_.digest;
}

}  // namespace draco::consensus
