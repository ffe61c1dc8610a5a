#include "json_values.hpp"

#include "draco/crypto/ethereum_address.hpp"

#include <algorithm>

namespace draco::rpc {
namespace {

namespace json = boost::json;

std::string_view participation_text(types::Participation participation) {
    switch (participation) {
        case types::Participation::None:
            return "none";
        case types::Participation::OptedIn:
            return "opted_in";
        case types::Participation::Active:
            return "active";
        case types::Participation::OptedOut:
            return "opted_out";
    }
    return "unknown";
}

json::array acks_json(const std::vector<types::AckReceipt>& acks) {
    json::array made;
    made.reserve(acks.size());
    for (const types::AckReceipt& ack : acks) {
        const bool settled = ack.outcome == types::AckOutcome::Settled;
        json::object entry{{"settled", settled}, {"reason", nullptr}};
        if (!settled) entry["reason"] = types::to_string(ack.outcome);
        put_amount(entry, "usd", ack.usd);
        made.emplace_back(std::move(entry));
    }
    return made;
}

void put_outcome(json::object& to, const types::Receipt& receipt) {
    const bool executed = receipt.revert == types::Revert::None;
    to["height"] = receipt.height.value();
    to["index"] = receipt.index;
    to["success"] = executed;
    to["revert"] = nullptr;
    if (!executed) to["revert"] = types::to_string(receipt.revert);
    put_amount(to, "fee", receipt.fee);
    if (!receipt.acks->empty()) to["acks"] = acks_json(*receipt.acks);
}

}  // namespace

std::string hex_text(ByteView bytes) {
    return "0x" + to_hex(bytes);
}

std::string node_key_text(const types::NodeKey& key) {
    return to_base58(key.view());
}

std::optional<types::NodeKey> parse_node_key(std::string_view text) {
    const std::string_view digits = text.starts_with("0x") ? text.substr(2) : text;
    if (const auto key = fixed_from_hex<types::NodeKey>(digits)) return *key;
    const auto bytes = from_base58(text, types::NodeKey::kSize);
    if (!bytes || bytes->size() != types::NodeKey::kSize) return std::nullopt;
    types::NodeKey key;
    std::ranges::copy(*bytes, key.bytes.begin());
    return key;
}

std::string units_text(unsigned __int128 units) {
    std::string digits;
    do {
        digits += static_cast<char>('0' + static_cast<int>(units % 10));
        units /= 10;
    } while (units != 0);
    std::ranges::reverse(digits);
    return digits;
}

json::object account_json(const types::Address& address, const types::Account& account) {
    json::object made{{"address", crypto::to_text(address)}};
    put_amount(made, "flk", account.flk);
    put_amount(made, "usd", account.usd);
    made["nonce"] = account.nonce.value();
    return made;
}

json::object endpoints_json(const types::NodeEndpoints& endpoints) {
    return {{"host", *endpoints.host},
            {"link_port", endpoints.link_port},
            {"http_port", endpoints.http_port},
            {"session_port", endpoints.session_port},
            {"rpc_port", endpoints.rpc_port}};
}

json::object node_json(const types::NodeKey& key, const types::NodeRecord& node) {
    json::object made{{"key", node_key_text(key)}, {"owner", crypto::to_text(node.owner)}};
    put_amount(made, "stake", node.stake);
    made["unbonding"] = nullptr;
    if (node.unbonding) {
        json::object unbonding;
        put_amount(unbonding, "amount", node.unbonding->amount);
        unbonding["release_epoch"] = node.unbonding->release.value();
        made["unbonding"] = std::move(unbonding);
    }
    made["participation"] = participation_text(node.participation);
    made["endpoints"] = endpoints_json(node.endpoints);
    made["nonce"] = node.nonce.value();
    made["counted_epoch"] = node.counted_epoch.value();
    made["transactions"] = node.transactions;
    made["settlements"] = node.settlements;
    return made;
}

json::object outcome_json(const types::Receipt& receipt) {
    json::object made;
    put_outcome(made, receipt);
    return made;
}

json::object receipt_json(const types::TransactionHash& hash, const types::Receipt& receipt) {
    json::object made{{"hash", hex_text(hash.view())}};
    put_outcome(made, receipt);
    return made;
}

json::object parameters_json(const types::ChainParameters& parameters) {
    json::object made{{"epoch_ms", parameters.epoch_ms},
                      {"committee_size_min", parameters.committee_size_min},
                      {"committee_size_max", parameters.committee_size_max}};
    put_amount(made, "stake_min", parameters.stake_min);
    made["unbonding_epochs"] = parameters.unbonding_epochs;
    put_amount(made, "fee_base", parameters.fee_base);
    put_amount(made, "fee_per_byte", parameters.fee_per_byte);
    made["node_transactions_max"] = parameters.node_transactions_max;
    made["node_settlements_max"] = parameters.node_settlements_max;
    made["lane_challenge_ms"] = parameters.lane_challenge_ms;
    made["node_share_bps"] = parameters.node_share_bps;
    made["builder_share_bps"] = parameters.builder_share_bps;
    made["protocol_share_bps"] = parameters.protocol_share_bps;
    made["peer_share_bps"] = parameters.peer_share_bps;
    put_amount(made, "emission_flk_per_usd", parameters.emission_flk_per_usd);
    made["protocol_account"] = crypto::to_text(parameters.protocol_account);
    return made;
}

json::object supply_json(const types::Supply& supply) {
    json::object made;
    put_amount(made, "flk", supply.flk);
    put_amount(made, "usd", supply.usd);
    put_amount(made, "flk_burned", supply.flk_burned);
    put_amount(made, "flk_emitted", supply.flk_emitted);
    return made;
}

json::object price_json(const types::UnitPrice& price) {
    json::object made;
    put_amount(made, "usd", price.usd);
    made["units"] = price.units;
    return made;
}

json::object lane_json(const types::LaneKey& key, const types::Lane& lane) {
    json::object made{{"payer", crypto::to_text(key.payer)},
                      {"node", node_key_text(key.node)},
                      {"lane", key.index.value()},
                      {"instance", lane.instance.value()},
                      {"service", lane.service.value()},
                      {"commodity", types::to_string(lane.commodity)},
                      {"price", price_json(lane.price)},
                      {"session_key", to_hex(lane.session_key.view())}};
    put_amount(made, "reserve", lane.reserve);
    made["settled"] = lane.settled;
    put_amount(made, "paid", types::cost(lane.price, lane.settled).value_or(types::UsdAmount{}));
    made["closes_ms"] = nullptr;
    if (lane.closes) made["closes_ms"] = lane.closes->ms;
    return made;
}

void put_node_revenue(json::object& to, const types::NodeRevenue& revenue) {
    put_amount(to, "revenue", revenue.usd);
    to["bytes"] = revenue.bytes;
    json::array peers;
    peers.reserve(revenue.peers->size());
    for (const auto& [peer, bytes] : *revenue.peers)
        peers.emplace_back(json::object{{"peer", node_key_text(peer)}, {"bytes", bytes}});
    to["peers"] = std::move(peers);
    to["payout"] = nullptr;
    if (!revenue.payout) return;
    json::object payout;
    put_amount(payout, "own", revenue.payout->own);
    put_amount(payout, "to_peers", revenue.payout->to_peers);
    put_amount(payout, "from_peers", revenue.payout->from_peers);
    put_amount(payout, "flk", revenue.payout->flk);
    to["payout"] = std::move(payout);
}

void put_epoch_revenue(json::object& to, const types::EpochRevenue& revenue) {
    put_amount(to, "revenue", revenue.usd);
    put_amount(to, "nodes", revenue.nodes);
    put_amount(to, "builders", revenue.builders);
    put_amount(to, "protocol", revenue.protocol);
    put_amount(to, "flk_burned", revenue.flk_burned);
    put_amount(to, "flk_emitted", revenue.flk_emitted);
}

json::array keys_json(std::span<const types::NodeKey> keys) {
    json::array made;
    made.reserve(keys.size());
    for (const types::NodeKey& key : keys) made.emplace_back(node_key_text(key));
    return made;
}

}  // namespace draco::rpc
