#pragma once
// How a chain begins. Every node of a chain has the same genesis; its digest names the chain
// towards those who know only the number.

#include "draco/base/clock.hpp"
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

struct Genesis {
    static constexpr auto kKind = MessageKind::Genesis;
    using Digest = GenesisDigest;

    ChainId chain{};
    UnixTime time{};
    ChainParameters parameters{};
    bcs::Bounded<std::vector<GenesisAccount>, kGenesisAccountsMax> accounts{};
    bcs::Bounded<std::vector<GenesisNode>, kGenesisNodesMax> nodes{};

    bool operator==(const Genesis&) const = default;
};

// InvalidArgument, naming the part, unless addresses and keys are unique, amounts add up within
// their type, the parameters make sense, and enough nodes have enough stake for a committee.
Result<> check(const Genesis& genesis);

}  // namespace draco::types
