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
    const unsigned shares = unsigned{parameters.node_share_bps} + parameters.builder_share_bps +
                            parameters.protocol_share_bps;
    if (shares != kBasisPoints)
        return refuse("node_share_bps, builder_share_bps and protocol_share_bps add up to " +
                      std::to_string(shares) + ", not to " + std::to_string(kBasisPoints));
    if (parameters.peer_share_bps > kBasisPoints)
        return refuse("peer_share_bps is more than " + std::to_string(kBasisPoints));
    return {};
}

Result<> check_services(const Genesis& genesis) {
    if (!unique(*genesis.prices, &GenesisPrice::commodity))
        return refuse("a commodity has two prices");
    if (!unique(*genesis.services, &GenesisService::id)) return refuse("a service id comes twice");
    for (const GenesisPrice& price : *genesis.prices)
        if (!price.price.sound())
            return refuse("the price of " + std::string(to_string(price.commodity)) +
                          " is for 0 units, or above 2^64 - 1 millionths of a USD");
    for (const GenesisService& service : *genesis.services)
        if (std::ranges::find(*genesis.prices,
                              service.service.commodity,
                              &GenesisPrice::commodity) == genesis.prices->end())
            return refuse("service " + std::to_string(service.id.value()) + " sells " +
                          std::string(to_string(service.service.commodity)) +
                          ", which has no price");
    return {};
}

}  // namespace

Result<> check(const Genesis& genesis) {
    DRACO_TRY_VOID(check(genesis.parameters));
    if (!unique(*genesis.accounts, &GenesisAccount::address))
        return refuse("an address comes twice");
    if (!unique(*genesis.nodes, &GenesisNode::key)) return refuse("a node key comes twice");
    DRACO_TRY_VOID(check_services(genesis));
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
