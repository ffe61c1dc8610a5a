#include "chain_time.hpp"

#include <algorithm>

namespace draco {

void ChainTime::saw_block(Instant now, bool with_ours) {
    at_block_ = at(now);
    block_at_ = now;
    if (with_ours) moved_at_ = now;
}

Instant ChainTime::at(Instant now) const {
    return at_block_ + std::min(now - block_at_, kAfterBlock);
}

bool ChainTime::take_probe(Instant now) {
    if (now - moved_at_ < kStandstill) return false;
    moved_at_ = now;
    return true;
}

}  // namespace draco
