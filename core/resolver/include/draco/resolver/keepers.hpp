#pragma once
// Who keeps the records of an object: the active nodes with the highest scores for it (rendezvous
// hashing; Thaler and Ravishankar, 1998). A node that comes or goes moves only the records that are
// its own. Pure functions.
//
//     score = BLAKE3 derive_key("draco.network 2026 record keeper v1", hash || node key)

#include "draco/types/content.hpp"
#include "draco/types/keys.hpp"

#include <span>
#include <utility>
#include <vector>

namespace draco::resolver {

inline constexpr std::size_t kKeepers = 8;

using Score = FixedBytes<struct KeeperScoreTag, 32>;
using ScoredNode = std::pair<Score, types::NodeKey>;

Score score_of(const types::ContentHash& hash, const types::NodeKey& node);

// At most `count` of the nodes, the best first. Costs a hash for each node.
std::vector<ScoredNode> best_of(const types::ContentHash& hash,
                                std::span<const types::NodeKey> nodes,
                                std::size_t count);

// Whether `node`, which is one of `nodes`, is among the best `count`.
bool is_among_best(const types::ContentHash& hash,
                   const types::NodeKey& node,
                   std::span<const types::NodeKey> nodes,
                   std::size_t count);

}  // namespace draco::resolver
