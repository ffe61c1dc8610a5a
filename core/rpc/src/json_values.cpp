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

void put_outcome(json::object& to, const types::Receipt& receipt) {
    const bool executed = receipt.revert == types::Revert::None;
    to["height"] = receipt.height.value();
    to["index"] = receipt.index;
    to["success"] = executed;
    to["revert"] = nullptr;
    if (!executed) to["revert"] = types::to_string(receipt.revert);
    put_amount(to, "fee", receipt.fee);
}

}  // namespace

std::string hex_text(ByteView bytes) {
    return "0x" + to_hex(bytes);
}

std::string node_key_text(const types::NodeKey& key) {
    return to_hex(key.view());
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
    return made;
}

json::object supply_json(const types::Supply& supply) {
    json::object made;
    put_amount(made, "flk", supply.flk);
    put_amount(made, "usd", supply.usd);
    put_amount(made, "flk_burned", supply.flk_burned);
    return made;
}

json::array keys_json(std::span<const types::NodeKey> keys) {
    json::array made;
    made.reserve(keys.size());
    for (const types::NodeKey& key : keys) made.emplace_back(node_key_text(key));
    return made;
}

}  // namespace draco::rpc
