#pragma once
// Values of the chain as JSON. Hashes and bytes are hex with 0x, amounts decimal text in whole
// tokens with the integer of smallest units beside them, times milliseconds since 1970.

#include "draco/base/bytes.hpp"
#include "draco/base/text_encoding.hpp"
#include "draco/types/genesis.hpp"
#include "draco/types/receipt.hpp"
#include "draco/types/revenue.hpp"
#include "draco/types/state.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace draco::rpc {

std::string hex_text(ByteView bytes);

// Base58, as a genesis has it.
std::string node_key_text(const types::NodeKey& key);
// That, or 64 hex digits with or without 0x.
std::optional<types::NodeKey> parse_node_key(std::string_view text);

// Decimal digits of an integer beyond 64 bits.
std::string units_text(unsigned __int128 units);

// "name": "1.5" and "name_units": "1500000".
template <class Amount>
void put_amount(boost::json::object& to, std::string_view name, Amount amount) {
    to[name] = types::to_text(amount);
    to[std::string(name) + "_units"] = units_text(amount.units);
}

boost::json::object account_json(const types::Address& address, const types::Account& account);
boost::json::object endpoints_json(const types::NodeEndpoints& endpoints);
boost::json::object node_json(const types::NodeKey& key, const types::NodeRecord& node);
// A receipt without the hash.
boost::json::object outcome_json(const types::Receipt& receipt);
boost::json::object receipt_json(const types::TransactionHash& hash, const types::Receipt& receipt);
boost::json::object parameters_json(const types::ChainParameters& parameters);
boost::json::object supply_json(const types::Supply& supply);
boost::json::object price_json(const types::UnitPrice& price);
boost::json::object lane_json(const types::LaneKey& key, const types::Lane& lane);
void put_node_revenue(boost::json::object& to, const types::NodeRevenue& revenue);
void put_epoch_revenue(boost::json::object& to, const types::EpochRevenue& revenue);
boost::json::array keys_json(std::span<const types::NodeKey> keys);

}  // namespace draco::rpc
