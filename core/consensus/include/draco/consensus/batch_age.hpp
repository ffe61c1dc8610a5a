#pragma once
// In which rounds a header may name a batch. Without an end to that, its author could have a batch
// ordered again when every member has forgotten that it was ordered.
//
// A batch says in its sequence number in which round it was sealed, and honest members vote for a
// header only if it names batches that were sealed in its round or in one of the `rounds_max`
// before it. A block orders vertices of at most gc_depth_rounds below the anchor before its own. So
// who remembers what the blocks of the last Parameters::ordered_memory_rounds() ordered orders no
// batch twice: an anchor that is older is older than the batch.

#include "draco/types/dag.hpp"

#include <cstdint>

namespace draco::consensus {

// Sequence numbers of one author and round.
inline constexpr std::uint64_t kBatchesPerRound = std::uint64_t{1} << 20;

constexpr std::uint64_t first_sequence(types::Round sealed) {
    return sealed.value() * kBatchesPerRound;
}

constexpr types::Round sealed_in(const types::Batch& batch) {
    return types::Round(batch.sequence / kBatchesPerRound);
}

// Whether a header of this round may name the batch.
constexpr bool is_of_age(const types::Batch& batch, types::Round header, std::uint64_t rounds_max) {
    const types::Round sealed = sealed_in(batch);
    return sealed <= header && header.value() - sealed.value() <= rounds_max;
}

}  // namespace draco::consensus
