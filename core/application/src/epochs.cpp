#include "epochs.hpp"

#include "draco/base/assert.hpp"
#include "draco/types/hashing.hpp"

#include <algorithm>

namespace draco::application {
namespace {

using types::NodeRecord;
using types::Participation;

// The stake decides whether a node goes on, at the change and only there.
Participation next_participation(const NodeRecord& node, types::FlkAmount stake_min) {
    const bool wants =
        node.participation == Participation::OptedIn || node.participation == Participation::Active;
    return wants && node.stake >= stake_min ? Participation::Active : Participation::None;
}

Result<std::vector<Candidate>> settle_participation(const ChainRecord& chain, Writes& writes) {
    std::vector<Candidate> candidates;
    std::vector<std::pair<types::NodeKey, NodeRecord>> changed;
    auto nodes = writes.scan(kNodes);
    while (true) {
        DRACO_TRY(entry, nodes.next());
        if (!entry) break;
        NodeRecord& node = entry->value;
        const Participation next = next_participation(node, chain.parameters.stake_min);
        if (next == Participation::Active) candidates.push_back({entry->key, node.stake});
        if (next == node.participation) continue;
        node.participation = next;
        changed.emplace_back(entry->key, node);
    }
    for (const auto& [key, node] : changed) DRACO_TRY_VOID(writes.put(kNodes, key, node));
    return candidates;
}

// Uniform below `bound` but for a bias of bound / 2^128.
unsigned __int128 draw_below(blake3_tree::OutputReader& random, unsigned __int128 bound) {
    std::uint8_t bytes[16];
    random.read(bytes);
    const unsigned __int128 high = load_le<std::uint64_t>(bytes + 8);
    return ((high << 64U) | load_le<std::uint64_t>(bytes)) % bound;
}

}  // namespace

std::vector<types::NodeKey> draw_committee(types::ChainId chain,
                                           const types::BlockDigest& seed,
                                           std::vector<Candidate> candidates,
                                           std::size_t size_max) {
    auto hasher = types::begin_message(types::MessageKind::CommitteeDraw, chain);
    hasher.update(seed.view());
    auto random = hasher.output();
    unsigned __int128 total = 0;
    for (const Candidate& candidate : candidates) total += candidate.stake.units;
    std::vector<types::NodeKey> drawn;
    while (drawn.size() < size_max && !candidates.empty()) {
        // Without any stake (a chain that asks for none) the first ones are as good as others.
        unsigned __int128 ticket = total == 0 ? 0 : draw_below(random, total);
        auto winner = candidates.begin();
        while (ticket >= winner->stake.units && std::next(winner) != candidates.end()) {
            ticket -= winner->stake.units;
            ++winner;
        }
        total -= winner->stake.units;
        drawn.push_back(winner->key);
        candidates.erase(winner);
    }
    std::ranges::sort(drawn);
    return drawn;
}

Result<bool> epoch_is_over(const ChainRecord& chain) {
    DRACO_TRY(current, types::Committee::make(chain.epoch.epoch, *chain.epoch.committee));
    return chain.epoch.end_signals.count() >= current.quorum();
}

Result<types::Committee> change_epoch(const types::ChainHead& head,
                                      ChainRecord& chain,
                                      Writes& writes) {
    DRACO_TRY(candidates, settle_participation(chain, writes));
    const std::size_t candidate_count = candidates.size();
    auto members = draw_committee(
        chain.chain, head.digest, std::move(candidates), chain.parameters.committee_size_max);
    if (candidate_count < chain.parameters.committee_size_min)
        members.assign(chain.epoch.committee->begin(), chain.epoch.committee->end());
    const types::Epoch next(chain.epoch.epoch.value() + 1);
    DRACO_TRY(keys, types::CommitteeKeys::make(members));
    chain.epoch = {.epoch = next, .started = head.timestamp, .committee = keys};
    chain.burned_at_start = chain.supply.flk_burned;
    DRACO_TRY_VOID(writes.put(kCommittees, next, chain.epoch.committee));
    return types::Committee::make(next, std::move(members));
}

}  // namespace draco::application
