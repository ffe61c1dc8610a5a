#pragma once
// What an epoch earned, and who was paid for it.

#include "draco/types/lane.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace draco::types {

// Parts of revenue are counted in these.
inline constexpr std::uint16_t kBasisPoints = 10'000;
// Different peers that one node can name in an epoch.
inline constexpr std::size_t kEpochPeersMax = 256;

using PeerShares = bcs::Bounded<std::vector<PeerShare>, kEpochPeersMax>;

// What the owner of a node was paid at the end of an epoch.
struct NodePayout {
    UsdAmount own{};         // for what the node delivered, after the shares of its peers
    UsdAmount to_peers{};    // to the owners of the peers that it named
    UsdAmount from_peers{};  // by nodes that named it
    FlkAmount flk{};         // emitted

    bool operator==(const NodePayout&) const = default;
};

// Of one node in one epoch.
struct NodeRevenue {
    UsdAmount usd{};                     // settled
    std::uint64_t bytes = 0;             // settled, of Commodity::Bandwidth
    PeerShares peers{};                  // in ascending order of peer, each once
    std::optional<NodePayout> payout{};  // when the epoch has ended

    bool operator==(const NodeRevenue&) const = default;
};

// Of all nodes in an epoch that has ended. usd = nodes + builders + protocol.
struct EpochRevenue {
    UsdAmount usd{};
    UsdAmount nodes{};  // with what their peers had of it
    UsdAmount builders{};
    UsdAmount protocol{};  // and what rounding left
    FlkAmount flk_burned{};
    FlkAmount flk_emitted{};

    bool operator==(const EpochRevenue&) const = default;
};

}  // namespace draco::types
