#pragma once
// The numbers that name things on the chain. Each is a type of its own.

#include "draco/base/strong_id.hpp"

#include <cstdint>

namespace draco::types {

using ChainId = StrongId<struct ChainIdTag, std::uint64_t>;
// One committee's term; also the life of one consensus instance.
using Epoch = StrongId<struct EpochTag, std::uint64_t>;
// Blocks from genesis (height 0) on, across epochs.
using Height = StrongId<struct HeightTag, std::uint64_t>;
// Rounds of the DAG, from 0 (genesis vertices) in each epoch.
using Round = StrongId<struct RoundTag, std::uint64_t>;
// A member's place in the committee of one epoch: 0 .. n-1, in ascending order of node keys.
using AuthorityIndex = StrongId<struct AuthorityIndexTag, std::uint16_t>;
using WorkerIndex = StrongId<struct WorkerIndexTag, std::uint16_t>;
// The count of transactions a sender has had executed; a transaction carries the next one, from 1.
using Nonce = StrongId<struct NonceTag, std::uint64_t>;
using ServiceId = StrongId<struct ServiceIdTag, std::uint32_t>;
// Tells the lanes of one payer to one node apart.
using LaneIndex = StrongId<struct LaneIndexTag, std::uint16_t>;
// Tells the lanes apart that had the same index one after the other: the nonce of the transaction
// that opened it, so no account ever opens two lanes of one instance.
using LaneInstance = StrongId<struct LaneInstanceTag, std::uint64_t>;

}  // namespace draco::types
