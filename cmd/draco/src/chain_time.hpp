#pragma once
// Time by the chain: it passes while blocks are executed and stands while none is, so that a pause
// of the whole chain, or of the machine that it runs on, makes nothing seem lost.

#include "draco/base/clock.hpp"

namespace draco {

class ChainTime {
public:
    // After the last block that was seen the time passes for so long, and then stands.
    static constexpr Duration kAfterBlock = std::chrono::seconds(1);
    // When nothing was executed for so long, something has to be sent again: a chain whose nodes
    // have lost all that they were sent makes no block.
    static constexpr Duration kStandstill = std::chrono::seconds(20);

    explicit ChainTime(Instant now) : at_block_(now), block_at_(now), moved_at_(now) {}

    // A block was executed; with transactions that are waited for, or without. `now` never goes
    // back.
    void saw_block(Instant now, bool with_ours);

    // The time by the chain. Never goes back.
    Instant at(Instant now) const;

    bool stands(Instant now) const { return now - block_at_ > kAfterBlock; }

    // Whether something is to be sent again for the chain to move: once in each kStandstill.
    bool take_probe(Instant now);

private:
    Instant at_block_;  // the chain's time when the last one was seen
    Instant block_at_;
    Instant moved_at_;  // with ours, or probed
};

}  // namespace draco
