#pragma once
// The genesis of a chain as a file that people can read and compare: JSON, amounts as decimal text,
// node keys in base58, addresses as Ethereum writes them.
//
//     {"chain_id": 1337, "time_ms": 1764086400000,
//      "parameters": {"epoch_ms", "committee_size_min", "committee_size_max", "stake_min_flk",
//                     "unbonding_epochs", "fee_base_flk", "fee_per_byte_flk",
//                     "node_transactions_max", "node_settlements_max", "lane_challenge_ms",
//                     "node_share_bps", "builder_share_bps", "protocol_share_bps",
//                     "peer_share_bps", "emission_flk_per_usd", "protocol_account"},
//      "prices": [{"commodity": "bandwidth", "usd", "units"}],  usd for so many units
//      "services": [{"id", "name", "builder", "commodity"}],
//      "accounts": [{"address", "flk", "usd"}],
//      "nodes": [{"key", "owner", "stake_flk", "host", "link_port", "http_port", "session_port",
//                 "rpc_port"}]}

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"
#include "draco/types/genesis.hpp"

#include <string>
#include <string_view>

namespace draco::node {

inline constexpr std::string_view kGenesisFile = "genesis.json";
inline constexpr std::size_t kGenesisBytesMax = std::size_t{32} << 20;

// Strict: all members, no others, none twice; then types::check and check_public_key of each node.
// InvalidArgument with the line, or the path of the value ("nodes[2].key"), and what is expected.
Result<types::Genesis> parse_genesis(std::string_view json, std::string_view name = kGenesisFile);

std::string render_genesis(const types::Genesis& genesis);

Result<types::Genesis> load_genesis(Disk& home, std::string_view path = kGenesisFile);
// Replaces it atomically and durably.
Result<> save_genesis(Disk& home,
                      const types::Genesis& genesis,
                      std::string_view path = kGenesisFile);

}  // namespace draco::node
