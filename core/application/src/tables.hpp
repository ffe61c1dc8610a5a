#pragma once
// The tables of the state. Ids, names and encodings are part of the state root.

#include "draco/atomo/database.hpp"
#include "draco/types/genesis.hpp"
#include "draco/types/receipt.hpp"
#include "draco/types/state.hpp"

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
};

inline constexpr std::uint8_t kChainKey = 0;

inline constexpr atomo::Table<1, "accounts", types::Address, types::Account> kAccounts;
inline constexpr atomo::Table<2, "nodes", types::NodeKey, types::NodeRecord> kNodes;
inline constexpr atomo::Table<3, "chain", std::uint8_t, ChainRecord> kChain;
inline constexpr atomo::Table<4, "committees", types::Epoch, types::CommitteeKeys> kCommittees;
inline constexpr atomo::
    Table<5, "receipts", types::TransactionHash, types::Receipt, atomo::Authenticated::No>
        kReceipts;

using Tables = atomo::Schema<kAccounts, kNodes, kChain, kCommittees, kReceipts>;
using Writes = atomo::Transaction<Tables>;

}  // namespace draco::application
