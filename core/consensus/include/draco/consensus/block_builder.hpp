#pragma once
// From a committed anchor to a block: a pure function of the anchor's history and the blocks before
// it, so all members build the same one, whichever rule committed the anchor.

#include "draco/consensus/dag.hpp"
#include "draco/types/block.hpp"

#include <deque>
#include <map>
#include <vector>

namespace draco::consensus {

// The last block that is known.
struct Tip {
    types::Height height;
    types::BlockDigest digest;
    UnixTime timestamp;

    bool operator==(const Tip&) const = default;
};

class BlockBuilder {
public:
    // A batch that a block of the last `memory_rounds` rounds ordered is not ordered again. With
    // Parameters::ordered_memory_rounds() none ever is: see batch_age.hpp.
    BlockBuilder(types::ChainId chain, Epoch epoch, Tip tip, std::uint64_t memory_rounds);

    // `history` is unsettled_history(dag, anchor).
    types::Block build(const Dag& dag,
                       VertexId anchor,
                       const std::vector<AuthoritySet>& history) const;

    bool extends_tip(const types::Block& block) const;

    // Makes a block the tip. Returns its digest. Precondition: it extends the tip.
    types::BlockDigest append(const types::Block& block);

    const Tip& tip() const { return tip_; }

    // Of a batch that can still be ordered: whether it has been.
    bool has_ordered(const types::BatchDigest& batch) const { return ordered_.contains(batch); }

private:
    struct LastAnchor {
        VertexId vertex;
        UnixTime created;
    };

    UnixTime created_of(const Dag& dag, VertexId parent) const;
    UnixTime timestamp(const Dag& dag, VertexId anchor) const;

    types::ChainId chain_;
    Epoch epoch_;
    Tip tip_;
    std::uint64_t memory_rounds_;
    std::optional<LastAnchor> last_anchor_;
    std::map<types::BatchDigest, Round> ordered_;  // with the anchor's round
    std::deque<std::pair<Round, std::vector<types::BatchDigest>>> by_round_;
};

}  // namespace draco::consensus
