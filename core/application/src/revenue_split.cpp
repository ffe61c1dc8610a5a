#include "revenue_split.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>

namespace draco::application {
namespace {

using types::FlkAmount;
using types::kBasisPoints;
using types::NodePayout;
using types::UsdAmount;

template <class Amount>
void add_to(Amount& total, Amount amount) {
    const auto sum = total.plus(amount);
    DRACO_ASSERT(sum, "a part of the supply fits, as the supply does");
    total = *sum;
}

FlkAmount emission_max(const types::ChainParameters& parameters,
                       UsdAmount protocol_share,
                       FlkAmount burned) {
    const auto by_share = types::multiply_divide(
        parameters.emission_flk_per_usd.units, protocol_share.units, UsdAmount::whole(1).units);
    return by_share ? std::min(burned, FlkAmount{*by_share}) : burned;
}

class Split {
public:
    explicit Split(const types::ChainParameters& parameters) : parameters_(parameters) {}

    RevenueSplit run(const EpochEarnings& earnings) {
        UsdAmount of_services;
        for (const auto& [node, revenue] : earnings.nodes) add_to(split_.total.usd, revenue.usd);
        for (const auto& [service, revenue] : earnings.services) add_to(of_services, revenue);
        DRACO_ASSERT(of_services == split_.total.usd, "what a node earned, a service earned");
        split_.total.flk_burned = earnings.burned;
        for (const auto& [node, revenue] : earnings.nodes) pay_node(node, revenue);
        for (const auto& [service, revenue] : earnings.services) pay_builder(service, revenue);
        const auto rest = split_.total.usd.minus(split_.total.nodes);
        split_.total.protocol = rest.value().minus(split_.total.builders).value();
        emit(earnings);
        return std::move(split_);
    }

private:
    void pay_node(const types::NodeKey& node, const types::NodeRevenue& revenue) {
        const UsdAmount part = revenue.usd.portion(parameters_.node_share_bps, kBasisPoints);
        const UsdAmount for_peers = part.portion(parameters_.peer_share_bps, kBasisPoints);
        unsigned __int128 named = 0;
        for (const auto& share : *revenue.peers) named += share.bytes;
        // Who names more than it delivered divides what there is.
        const auto delivered = std::max<unsigned __int128>(revenue.bytes, named);
        UsdAmount given;
        for (const auto& [peer, bytes] : *revenue.peers) {
            const UsdAmount amount = for_peers.portion(bytes, delivered);
            add_to(split_.nodes[peer].from_peers, amount);
            add_to(given, amount);
        }
        NodePayout& payout = split_.nodes[node];
        payout.own = part.minus(given).value();
        payout.to_peers = given;
        add_to(split_.total.nodes, part);
    }

    void pay_builder(types::ServiceId service, UsdAmount revenue) {
        const UsdAmount part = revenue.portion(parameters_.builder_share_bps, kBasisPoints);
        split_.builders[service] = part;
        add_to(split_.total.builders, part);
    }

    void emit(const EpochEarnings& earnings) {
        const UsdAmount revenue = split_.total.usd;
        if (revenue.is_zero()) return;
        const FlkAmount most =
            emission_max(parameters_,
                         revenue.portion(parameters_.protocol_share_bps, kBasisPoints),
                         earnings.burned);
        for (const auto& [node, own] : earnings.nodes) {
            const FlkAmount amount = most.portion(own.usd.units, revenue.units);
            split_.nodes[node].flk = amount;
            add_to(split_.total.flk_emitted, amount);
        }
        DRACO_ASSERT(split_.total.flk_emitted <= most, "the emission stays within its bounds");
    }

    const types::ChainParameters& parameters_;
    RevenueSplit split_;
};

}  // namespace

RevenueSplit split_revenue(const types::ChainParameters& parameters,
                           const EpochEarnings& earnings) {
    return Split(parameters).run(earnings);
}

}  // namespace draco::application
