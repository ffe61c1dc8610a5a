#pragma once
// The tables of the state. Ids, names and encodings are part of the state root.

#include "draco/atomo/database.hpp"
#include "draco/types/genesis.hpp"
#include "draco/types/receipt.hpp"
#include "draco/types/revenue.hpp"
#include "draco/types/state.hpp"

#include <compare>
#include <cstdint>

namespace draco::application {

// What there is one of.
struct ChainRecord {
    types::ChainId chain{};
    types::GenesisDigest genesis{};
    types::ChainParameters parameters{};
    types::ChainHead head{};
    types::EpochInfo epoch{};
    types::Supply supply{};
    types::UsdAmount pot{};              // the revenue of the running epoch, not yet paid out
    types::FlkAmount burned_at_start{};  // what was burned until the running epoch began
};

// In the order of time.
struct LaneEnd {
    UnixTime due{};
    types::LaneKey lane{};

    auto operator<=>(const LaneEnd&) const = default;
};

struct RevenueKey {
    types::Epoch epoch{};
    types::NodeKey node{};

    auto operator<=>(const RevenueKey&) const = default;
};

inline constexpr std::uint8_t kChainKey = 0;

inline constexpr atomo::Table<1, "accounts", types::Address, types::Account> kAccounts;
inline constexpr atomo::Table<2, "nodes", types::NodeKey, types::NodeRecord> kNodes;
inline constexpr atomo::Table<3, "chain", std::uint8_t, ChainRecord> kChain;
inline constexpr atomo::Table<4, "committees", types::Epoch, types::CommitteeKeys> kCommittees;
inline constexpr atomo::
    Table<5, "receipts", types::TransactionHash, types::Receipt, atomo::Authenticated::No>
        kReceipts;

inline constexpr atomo::Table<6, "lanes", types::LaneKey, types::Lane> kLanes;
// Of the lanes that close.
inline constexpr atomo::Table<7, "lane-ends", LaneEnd, types::LaneInstance> kLaneEnds;
inline constexpr atomo::Table<8, "services", types::ServiceId, types::Service> kServices;
inline constexpr atomo::Table<9, "prices", types::Commodity, types::UnitPrice> kPrices;
// Of the running epoch, and of the last one with what was paid out.
inline constexpr atomo::Table<10, "node-revenues", RevenueKey, types::NodeRevenue> kNodeRevenues;
// Of the running epoch.
inline constexpr atomo::Table<11, "service-revenues", types::ServiceId, types::UsdAmount>
    kServiceRevenues;
// Of epochs that have ended.
inline constexpr atomo::Table<12, "epoch-revenues", types::Epoch, types::EpochRevenue>
    kEpochRevenues;

using Tables = atomo::Schema<kAccounts,
                             kNodes,
                             kChain,
                             kCommittees,
                             kReceipts,
                             kLanes,
                             kLaneEnds,
                             kServices,
                             kPrices,
                             kNodeRevenues,
                             kServiceRevenues,
                             kEpochRevenues>;
using Writes = atomo::Transaction<Tables>;

}  // namespace draco::application
