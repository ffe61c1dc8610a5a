#include "draco/types/genesis.hpp"

#include "draco/types/committee.hpp"

#include <algorithm>
#include <string>

namespace draco::types {
namespace {

std::unexpected<Error> refuse(const std::string& what) {
    return fail(Errc::InvalidArgument, "genesis: " + what);
}

template <class Entry, class Key>
bool unique(const std::vector<Entry>& entries, Key Entry::* key) {
    std::vector<Key> keys;
    keys.reserve(entries.size());
    for (const Entry& entry : entries) keys.push_back(entry.*key);
    std::ranges::sort(keys);
    return std::ranges::adjacent_find(keys) == keys.end();
}

Result<> check(const ChainParameters& parameters) {
    if (parameters.epoch_ms == 0) return refuse("epoch_ms is 0");
    if (parameters.committee_size_min == 0) return refuse("committee_size_min is 0");
    if (parameters.committee_size_max < parameters.committee_size_min ||
        parameters.committee_size_max > kCommitteeMax)
        return refuse("committee_size_max is not between committee_size_min and " +
                      std::to_string(kCommitteeMax));
    if (parameters.node_transactions_max == 0)
        return refuse("node_transactions_max is 0, so no epoch could end");
    return {};
}

}  // namespace

Result<> check(const Genesis& genesis) {
    DRACO_TRY_VOID(check(genesis.parameters));
    if (!unique(*genesis.accounts, &GenesisAccount::address))
        return refuse("an address comes twice");
    if (!unique(*genesis.nodes, &GenesisNode::key)) return refuse("a node key comes twice");
    FlkAmount flk;
    UsdAmount usd;
    const auto add = [](auto& total, auto amount) {
        const auto sum = total.plus(amount);
        if (sum) total = *sum;
        return sum.has_value();
    };
    std::size_t eligible = 0;
    for (const GenesisAccount& account : *genesis.accounts)
        if (!add(flk, account.flk) || !add(usd, account.usd))
            return refuse("the amounts add up to more than fits");
    for (const GenesisNode& node : *genesis.nodes) {
        if (!add(flk, node.stake)) return refuse("the amounts add up to more than fits");
        if (node.stake >= genesis.parameters.stake_min) ++eligible;
    }
    if (eligible < genesis.parameters.committee_size_min)
        return refuse(std::to_string(eligible) + " nodes have the stake to take part; at least " +
                      std::to_string(genesis.parameters.committee_size_min) + " are needed");
    return {};
}

}  // namespace draco::types
