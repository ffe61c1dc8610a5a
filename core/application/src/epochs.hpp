#pragma once
// The change of epochs: who serves in the next one, and who is drawn for its committee.

#include "draco/base/result.hpp"
#include "draco/types/committee.hpp"

#include "tables.hpp"

#include <vector>

namespace draco::application {

struct Candidate {
    types::NodeKey key;
    types::FlkAmount stake;
};

// At most `size_max` of the candidates, each drawn with a chance in proportion to its stake among
// those not drawn yet. The same seed draws the same. Ascending by key. O(candidates * size_max).
std::vector<types::NodeKey> draw_committee(types::ChainId chain,
                                           const types::BlockDigest& seed,
                                           std::vector<Candidate> candidates,
                                           std::size_t size_max);

// Whether a quorum has signalled the end of the running epoch.
Result<bool> epoch_is_over(const ChainRecord& chain);

// After the block with `head`, an epoch's last: begins the next one in `chain` and `writes`, and
// returns its committee. Too few candidates: the committee stays.
Result<types::Committee> change_epoch(const types::ChainHead& head,
                                      ChainRecord& chain,
                                      Writes& writes);

}  // namespace draco::application
