#include "draco/node/genesis_file.hpp"

#include "draco/base/text_encoding.hpp"

#include "disk_text.hpp"
#include "strict_json.hpp"

#include <algorithm>
#include <limits>

namespace draco::node {
namespace {

constexpr std::uint64_t kAnyUint64 = std::numeric_limits<std::uint64_t>::max();

// --- reading ---

template <class Value>
Result<Value> at(const JsonPlace& place, Result<Value> value) {
    if (!value) return place.expected("valid: " + value.error().context);
    return value;
}

Result<types::FlkAmount> read_flk(const JsonPlace& place) {
    DRACO_TRY(text, place.text());
    return at(place, types::parse_flk(text));
}

Result<types::UsdAmount> read_usd(const JsonPlace& place) {
    DRACO_TRY(text, place.text());
    return at(place, types::parse_usd(text));
}

Result<types::Address> read_address(const JsonPlace& place) {
    DRACO_TRY(text, place.text());
    return at(place, crypto::parse_ethereum_address(text));
}

Result<types::NodeKey> read_node_key(const JsonPlace& place) {
    DRACO_TRY(text, place.text());
    DRACO_TRY(bytes, at(place, from_base58(text, types::NodeKey::kSize)));
    if (bytes.size() != types::NodeKey::kSize) return place.expected("32 bytes in base58");
    types::NodeKey key;
    std::ranges::copy(bytes, key.bytes.begin());
    if (const auto sound = crypto::check_public_key(key); !sound)
        return place.expected("a node key: " + sound.error().context);
    return key;
}

template <class Integer>
Result<Integer> read_integer(const JsonPlace& place,
                             std::uint64_t max = std::numeric_limits<Integer>::max()) {
    DRACO_TRY(value, place.integer(0, max));
    return static_cast<Integer>(value);
}

Result<types::ChainParameters> read_parameters(const JsonPlace& place) {
    DRACO_TRY_VOID(place.expect_members({"epoch_ms",
                                         "committee_size_min",
                                         "committee_size_max",
                                         "stake_min_flk",
                                         "unbonding_epochs",
                                         "fee_base_flk",
                                         "fee_per_byte_flk",
                                         "node_transactions_max"}));
    DRACO_TRY(epoch_ms, read_integer<std::uint64_t>(place.member("epoch_ms")));
    DRACO_TRY(size_min, read_integer<std::uint16_t>(place.member("committee_size_min")));
    DRACO_TRY(size_max, read_integer<std::uint16_t>(place.member("committee_size_max")));
    DRACO_TRY(stake_min, read_flk(place.member("stake_min_flk")));
    DRACO_TRY(unbonding, read_integer<std::uint64_t>(place.member("unbonding_epochs")));
    DRACO_TRY(fee_base, read_flk(place.member("fee_base_flk")));
    DRACO_TRY(fee_per_byte, read_flk(place.member("fee_per_byte_flk")));
    DRACO_TRY(transactions, read_integer<std::uint32_t>(place.member("node_transactions_max")));
    return types::ChainParameters{.epoch_ms = epoch_ms,
                                  .committee_size_min = size_min,
                                  .committee_size_max = size_max,
                                  .stake_min = stake_min,
                                  .unbonding_epochs = unbonding,
                                  .fee_base = fee_base,
                                  .fee_per_byte = fee_per_byte,
                                  .node_transactions_max = transactions};
}

Result<types::GenesisAccount> read_account(const JsonPlace& place) {
    DRACO_TRY_VOID(place.expect_members({"address", "flk", "usd"}));
    DRACO_TRY(address, read_address(place.member("address")));
    DRACO_TRY(flk, read_flk(place.member("flk")));
    DRACO_TRY(usd, read_usd(place.member("usd")));
    return types::GenesisAccount{.address = address, .flk = flk, .usd = usd};
}

Result<types::NodeEndpoints> read_endpoints(const JsonPlace& place) {
    types::NodeEndpoints endpoints;
    const JsonPlace host_place = place.member("host");
    DRACO_TRY(host_text, host_place.text());
    DRACO_TRY(host, at(host_place, decltype(endpoints.host)::make(std::string(host_text))));
    endpoints.host = std::move(host);
    DRACO_TRY(link, read_integer<std::uint16_t>(place.member("link_port")));
    DRACO_TRY(http, read_integer<std::uint16_t>(place.member("http_port")));
    DRACO_TRY(session, read_integer<std::uint16_t>(place.member("session_port")));
    DRACO_TRY(rpc, read_integer<std::uint16_t>(place.member("rpc_port")));
    endpoints.link_port = link;
    endpoints.http_port = http;
    endpoints.session_port = session;
    endpoints.rpc_port = rpc;
    return endpoints;
}

Result<types::GenesisNode> read_node(const JsonPlace& place) {
    DRACO_TRY_VOID(place.expect_members({"key",
                                         "owner",
                                         "stake_flk",
                                         "host",
                                         "link_port",
                                         "http_port",
                                         "session_port",
                                         "rpc_port"}));
    DRACO_TRY(key, read_node_key(place.member("key")));
    DRACO_TRY(owner, read_address(place.member("owner")));
    DRACO_TRY(stake, read_flk(place.member("stake_flk")));
    DRACO_TRY(endpoints, read_endpoints(place));
    return types::GenesisNode{.key = key, .owner = owner, .stake = stake, .endpoints = endpoints};
}

template <class Entry>
Result<std::vector<Entry>> read_list(const JsonPlace& place,
                                     std::size_t count_max,
                                     Result<Entry> (*read)(const JsonPlace&)) {
    DRACO_TRY(places, place.elements(count_max));
    std::vector<Entry> entries;
    entries.reserve(places.size());
    for (const JsonPlace& each : places) {
        DRACO_TRY(entry, read(each));
        entries.push_back(std::move(entry));
    }
    return entries;
}

Result<types::Genesis> read_genesis(const JsonPlace& root) {
    DRACO_TRY_VOID(root.expect_members({"chain_id", "time_ms", "parameters", "accounts", "nodes"}));
    types::Genesis genesis;
    DRACO_TRY(chain, read_integer<std::uint64_t>(root.member("chain_id"), kAnyUint64));
    DRACO_TRY(time_ms, read_integer<std::uint64_t>(root.member("time_ms"), kAnyUint64));
    DRACO_TRY(parameters, read_parameters(root.member("parameters")));
    DRACO_TRY(accounts,
              read_list(root.member("accounts"), types::kGenesisAccountsMax, read_account));
    DRACO_TRY(nodes, read_list(root.member("nodes"), types::kGenesisNodesMax, read_node));
    DRACO_TRY(bounded_accounts, decltype(genesis.accounts)::make(std::move(accounts)));
    DRACO_TRY(bounded_nodes, decltype(genesis.nodes)::make(std::move(nodes)));
    genesis.chain = types::ChainId(chain);
    genesis.time = {time_ms};
    genesis.parameters = parameters;
    genesis.accounts = std::move(bounded_accounts);
    genesis.nodes = std::move(bounded_nodes);
    return genesis;
}

// --- writing ---

std::string escaped(std::string_view text) {
    constexpr std::string_view kHexDigits = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            out += "\\u00";
            out += kHexDigits[byte >> 4U];
            out += kHexDigits[byte & 0xFU];
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string render(const types::ChainParameters& parameters) {
    return "  \"parameters\": {\n    \"epoch_ms\": " + std::to_string(parameters.epoch_ms) +
           ",\n    \"committee_size_min\": " + std::to_string(parameters.committee_size_min) +
           ",\n    \"committee_size_max\": " + std::to_string(parameters.committee_size_max) +
           ",\n    \"stake_min_flk\": \"" + to_text(parameters.stake_min) +
           "\",\n    \"unbonding_epochs\": " + std::to_string(parameters.unbonding_epochs) +
           ",\n    \"fee_base_flk\": \"" + to_text(parameters.fee_base) +
           "\",\n    \"fee_per_byte_flk\": \"" + to_text(parameters.fee_per_byte) +
           "\",\n    \"node_transactions_max\": " +
           std::to_string(parameters.node_transactions_max) + "\n  }";
}

std::string render(const types::GenesisAccount& account) {
    return "{\"address\": \"" + to_text(account.address) + "\", \"flk\": \"" +
           to_text(account.flk) + "\", \"usd\": \"" + to_text(account.usd) + "\"}";
}

std::string render(const types::GenesisNode& node) {
    const types::NodeEndpoints& endpoints = node.endpoints;
    return "{\"key\": \"" + to_base58(node.key.view()) + "\", \"owner\": \"" + to_text(node.owner) +
           "\", \"stake_flk\": \"" + to_text(node.stake) +
           "\",\n     \"host\": " + escaped(*endpoints.host) +
           ", \"link_port\": " + std::to_string(endpoints.link_port) +
           ", \"http_port\": " + std::to_string(endpoints.http_port) +
           ", \"session_port\": " + std::to_string(endpoints.session_port) +
           ", \"rpc_port\": " + std::to_string(endpoints.rpc_port) + "}";
}

template <class Entry>
std::string render(std::string_view name, const std::vector<Entry>& entries) {
    std::string out = "  \"" + std::string(name) + "\": [";
    for (std::size_t i = 0; i < entries.size(); ++i)
        out += (i == 0 ? "\n    " : ",\n    ") + render(entries[i]);
    return out + (entries.empty() ? "]" : "\n  ]");
}

}  // namespace

Result<types::Genesis> parse_genesis(std::string_view json, std::string_view name) {
    if (json.size() > kGenesisBytesMax)
        return fail(
            Errc::InvalidArgument,
            std::string(name) + ": longer than " + std::to_string(kGenesisBytesMax) + " bytes");
    DRACO_TRY(document, parse_strict_json(json, name));
    DRACO_TRY(genesis, read_genesis(JsonPlace(document, name)));
    if (const auto sound = types::check(genesis); !sound)
        return fail(Errc::InvalidArgument, std::string(name) + ": " + sound.error().context);
    return genesis;
}

std::string render_genesis(const types::Genesis& genesis) {
    return "{\n  \"chain_id\": " + std::to_string(genesis.chain.value()) +
           ",\n  \"time_ms\": " + std::to_string(genesis.time.ms) + ",\n" +
           render(genesis.parameters) + ",\n" + render("accounts", *genesis.accounts) + ",\n" +
           render("nodes", *genesis.nodes) + "\n}\n";
}

Result<types::Genesis> load_genesis(Disk& home, std::string_view path) {
    DRACO_TRY(text, read_text(home, path, kGenesisBytesMax));
    return parse_genesis(text, path);
}

Result<> save_genesis(Disk& home, const types::Genesis& genesis, std::string_view path) {
    return replace_text(home, path, render_genesis(genesis));
}

}  // namespace draco::node
