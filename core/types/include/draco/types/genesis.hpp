#pragma once
// How a chain begins. Every node of a chain has the same genesis; its digest names the chain
// towards those who know only the number.

#include "draco/base/clock.hpp"
#include "draco/types/revenue.hpp"
#include "draco/types/transaction.hpp"

#include <cstdint>
#include <vector>

namespace draco::types {

using GenesisDigest = FixedBytes<struct GenesisDigestTag, 32>;

inline constexpr std::size_t kGenesisAccountsMax = 65'536;
inline constexpr std::size_t kGenesisNodesMax = 4'096;

// What governance may change later. Part of the state.
struct ChainParameters {
    std::uint64_t epoch_ms = 0;            // an epoch lasts at least this long
    std::uint16_t committee_size_min = 0;  // a smaller committee does not replace the one in office
    std::uint16_t committee_size_max = 0;
    FlkAmount stake_min{};                    // of a node that takes part
    std::uint64_t unbonding_epochs = 0;       // unstaked FLK is withheld this long
    FlkAmount fee_base{};                     // of each account transaction, burned
    FlkAmount fee_per_byte{};                 // of its encoding, burned
    std::uint32_t node_transactions_max = 0;  // free ones, of each node in each epoch

    std::uint32_t node_settlements_max = 64;    // SettleLanes, beside those
    std::uint64_t lane_challenge_ms = 600'000;  // between the closing of a lane and its end
    // The most FLK emitted for each USD of the protocol's share; also never more than was burned in
    // the epoch. At most what a USD buys, else paying oneself pays (docs/decisions/017).
    FlkAmount emission_flk_per_usd{};
    Address protocol_account{};
    // Of the revenue; together kBasisPoints.
    std::uint16_t node_share_bps = 7'000;
    std::uint16_t builder_share_bps = 1'000;
    std::uint16_t protocol_share_bps = 2'000;
    std::uint16_t peer_share_bps = 2'000;  // of what a node gets for what it had from peers

    bool operator==(const ChainParameters&) const = default;
};

struct GenesisAccount {
    Address address{};
    FlkAmount flk{};
    UsdAmount usd{};

    bool operator==(const GenesisAccount&) const = default;
};

// Takes part from the first epoch on.
struct GenesisNode {
    NodeKey key{};
    Address owner{};
    FlkAmount stake{};
    NodeEndpoints endpoints{};

    bool operator==(const GenesisNode&) const = default;
};

struct GenesisPrice {
    Commodity commodity = Commodity::Bandwidth;
    UnitPrice price{};

    bool operator==(const GenesisPrice&) const = default;
};

struct GenesisService {
    ServiceId id{};
    Service service{};

    bool operator==(const GenesisService&) const = default;
};

struct Genesis {
    static constexpr auto kKind = MessageKind::Genesis;
    using Digest = GenesisDigest;

    ChainId chain{};
    UnixTime time{};
    ChainParameters parameters{};
    bcs::Bounded<std::vector<GenesisAccount>, kGenesisAccountsMax> accounts{};
    bcs::Bounded<std::vector<GenesisNode>, kGenesisNodesMax> nodes{};
    bcs::Bounded<std::vector<GenesisPrice>, kCommoditiesMax> prices{};
    bcs::Bounded<std::vector<GenesisService>, kServicesMax> services{};

    bool operator==(const Genesis&) const = default;
};

// InvalidArgument, naming the part, unless addresses, keys and ids are unique, amounts add up
// within their type, the parameters make sense, every service sells something that has a price, and
// enough nodes have enough stake for a committee.
Result<> check(const Genesis& genesis);

}  // namespace draco::types
