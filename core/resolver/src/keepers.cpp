#include "draco/resolver/keepers.hpp"

#include "draco/blake3_tree/hasher.hpp"

#include <algorithm>
#include <functional>

namespace draco::resolver {

Score score_of(const types::ContentHash& hash, const types::NodeKey& node) {
    static const blake3_tree::Mode kMode =
        blake3_tree::Mode::derive_key("draco.network 2026 record keeper v1");
    blake3_tree::Hasher hasher(kMode);
    hasher.update(hash.view());
    hasher.update(node.view());
    return Score(hasher.finish().bytes);
}

std::vector<ScoredNode> best_of(const types::ContentHash& hash,
                                std::span<const types::NodeKey> nodes,
                                std::size_t count) {
    std::vector<ScoredNode> scored;
    scored.reserve(nodes.size());
    for (const types::NodeKey& node : nodes) scored.emplace_back(score_of(hash, node), node);
    const auto middle =
        scored.begin() + static_cast<std::ptrdiff_t>(std::min(count, scored.size()));
    std::partial_sort(scored.begin(), middle, scored.end(), std::greater<>());
    scored.erase(middle, scored.end());
    return scored;
}

bool is_among_best(const types::ContentHash& hash,
                   const types::NodeKey& node,
                   std::span<const types::NodeKey> nodes,
                   std::size_t count) {
    const ScoredNode own(score_of(hash, node), node);
    const auto better = std::ranges::count_if(nodes, [&](const types::NodeKey& other) {
        return ScoredNode(score_of(hash, other), other) > own;
    });
    return std::cmp_less(better, count) && std::ranges::find(nodes, node) != nodes.end();
}

}  // namespace draco::resolver
