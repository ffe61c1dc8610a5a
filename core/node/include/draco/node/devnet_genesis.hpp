#pragma once
// The chain of a development network: everybody knows the keys to its money.

#include "draco/base/clock.hpp"
#include "draco/base/result.hpp"
#include "draco/types/genesis.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace draco::node {

inline constexpr std::uint64_t kDevnetChain = 1337;
inline constexpr std::uint64_t kDevnetEpochMs = 30'000;
inline constexpr std::uint32_t kDevnetAccounts = 10;
// What each development account is given, in whole tokens, and the stake of each node beside it.
inline constexpr std::uint64_t kDevnetFunds = 1'000'000;
inline constexpr std::uint64_t kDevnetNodeStake = 10'000;
inline constexpr std::uint64_t kDevnetStakeMin = 1'000;
// The accounts that get the protocol's share of revenue, and the builder's of service 0.
inline constexpr std::uint32_t kDevnetProtocol = 8;
inline constexpr std::uint32_t kDevnetBuilder = 9;
// Public, and the same on every Ethereum developer's machine.
inline constexpr std::string_view kDevnetMnemonic =
    "test test test test test test test test test test test junk";

// The key at m/44'/60'/0'/0/index of the mnemonic. InvalidArgument from kDevnetAccounts on.
Result<types::AccountSecretKey> devnet_account(std::uint32_t index);

struct DevnetNode {
    types::NodeKey key;
    types::NodeEndpoints endpoints;
};

struct DevnetOptions {
    UnixTime time;
    std::uint64_t epoch_ms = kDevnetEpochMs;
    std::vector<DevnetNode> nodes;  // node i belongs to account i modulo kDevnetAccounts
};

// The first ten accounts have FLK and stablecoin, every node has stake. The committee may be as
// small as four nodes (or all, if there are fewer) and grows to a hundred. Service 0, "cdn", sells
// bandwidth at 0.02 USD for a GiB.
Result<types::Genesis> devnet_genesis(const DevnetOptions& options);

}  // namespace draco::node
