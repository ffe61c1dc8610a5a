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
                                         "node_transactions_max",
                                         "node_settlements_max",
                                         "lane_challenge_ms",
                                         "node_share_bps",
                                         "builder_share_bps",
                                         "protocol_share_bps",
                                         "peer_share_bps",
                                         "emission_flk_per_usd",
                                         "protocol_account"}));
    DRACO_TRY(epoch_ms, read_integer<std::uint64_t>(place.member("epoch_ms")));
    DRACO_TRY(size_min, read_integer<std::uint16_t>(place.member("committee_size_min")));
    DRACO_TRY(size_max, read_integer<std::uint16_t>(place.member("committee_size_max")));
    DRACO_TRY(stake_min, read_flk(place.member("stake_min_flk")));
    DRACO_TRY(unbonding, read_integer<std::uint64_t>(place.member("unbonding_epochs")));
    DRACO_TRY(fee_base, read_flk(place.member("fee_base_flk")));
    DRACO_TRY(fee_per_byte, read_flk(place.member("fee_per_byte_flk")));
    DRACO_TRY(transactions, read_integer<std::uint32_t>(place.member("node_transactions_max")));
    DRACO_TRY(settlements, read_integer<std::uint32_t>(place.member("node_settlements_max")));
    DRACO_TRY(challenge_ms, read_integer<std::uint64_t>(place.member("lane_challenge_ms")));
    DRACO_TRY(node_share, read_integer<std::uint16_t>(place.member("node_share_bps")));
    DRACO_TRY(builder_share, read_integer<std::uint16_t>(place.member("builder_share_bps")));
    DRACO_TRY(protocol_share, read_integer<std::uint16_t>(place.member("protocol_share_bps")));
    DRACO_TRY(peer_share, read_integer<std::uint16_t>(place.member("peer_share_bps")));
    DRACO_TRY(emission, read_flk(place.member("emission_flk_per_usd")));
    DRACO_TRY(protocol_account, read_address(place.member("protocol_account")));
    return types::ChainParameters{.epoch_ms = epoch_ms,
                                  .committee_size_min = size_min,
                                  .committee_size_max = size_max,
                                  .stake_min = stake_min,
                                  .unbonding_epochs = unbonding,
                                  .fee_base = fee_base,
                                  .fee_per_byte = fee_per_byte,
                                  .node_transactions_max = transactions,
                                  .node_settlements_max = settlements,
                                  .lane_challenge_ms = challenge_ms,
                                  .emission_flk_per_usd = emission,
                                  .protocol_account = protocol_account,
                                  .node_share_bps = node_share,
                                  .builder_share_bps = builder_share,
                                  .protocol_share_bps = protocol_share,
                                  .peer_share_bps = peer_share};
}

Result<types::Commodity> read_commodity(const JsonPlace& place) {
    DRACO_TRY(text, place.text());
    return at(place, types::parse_commodity(text));
}

Result<types::GenesisPrice> read_price(const JsonPlace& place) {
    DRACO_TRY_VOID(place.expect_members({"commodity", "usd", "units"}));
    DRACO_TRY(commodity, read_commodity(place.member("commodity")));
    DRACO_TRY(usd, read_usd(place.member("usd")));
    DRACO_TRY(units, read_integer<std::uint64_t>(place.member("units"), kAnyUint64));
    return types::GenesisPrice{.commodity = commodity, .price = {.usd = usd, .units = units}};
}

Result<types::GenesisService> read_service(const JsonPlace& place) {
    DRACO_TRY_VOID(place.expect_members({"id", "name", "builder", "commodity"}));
    DRACO_TRY(id, read_integer<std::uint32_t>(place.member("id")));
    const JsonPlace name_place = place.member("name");
    DRACO_TRY(name_text, name_place.text());
    DRACO_TRY(name, at(name_place, types::ServiceName::make(std::string(name_text))));
    DRACO_TRY(builder, read_address(place.member("builder")));
    DRACO_TRY(commodity, read_commodity(place.member("commodity")));
    return types::GenesisService{
        .id = types::ServiceId(id),
        .service = {.name = std::move(name), .builder = builder, .commodity = commodity}};
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
    DRACO_TRY_VOID(root.expect_members(
        {"chain_id", "time_ms", "parameters", "prices", "services", "accounts", "nodes"}));
    types::Genesis genesis;
    DRACO_TRY(chain, read_integer<std::uint64_t>(root.member("chain_id"), kAnyUint64));
    DRACO_TRY(time_ms, read_integer<std::uint64_t>(root.member("time_ms"), kAnyUint64));
    DRACO_TRY(parameters, read_parameters(root.member("parameters")));
    DRACO_TRY(prices, read_list(root.member("prices"), types::kCommoditiesMax, read_price));
    DRACO_TRY(services, read_list(root.member("services"), types::kServicesMax, read_service));
    DRACO_TRY(accounts,
              read_list(root.member("accounts"), types::kGenesisAccountsMax, read_account));
    DRACO_TRY(nodes, read_list(root.member("nodes"), types::kGenesisNodesMax, read_node));
    DRACO_TRY(bounded_prices, decltype(genesis.prices)::make(std::move(prices)));
    DRACO_TRY(bounded_services, decltype(genesis.services)::make(std::move(services)));
    DRACO_TRY(bounded_accounts, decltype(genesis.accounts)::make(std::move(accounts)));
    DRACO_TRY(bounded_nodes, decltype(genesis.nodes)::make(std::move(nodes)));
    genesis.chain = types::ChainId(chain);
    genesis.time = {time_ms};
    genesis.parameters = parameters;
    genesis.prices = std::move(bounded_prices);
    genesis.services = std::move(bounded_services);
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
           std::to_string(parameters.node_transactions_max) +
           ",\n    \"node_settlements_max\": " + std::to_string(parameters.node_settlements_max) +
           ",\n    \"lane_challenge_ms\": " + std::to_string(parameters.lane_challenge_ms) +
           ",\n    \"node_share_bps\": " + std::to_string(parameters.node_share_bps) +
           ",\n    \"builder_share_bps\": " + std::to_string(parameters.builder_share_bps) +
           ",\n    \"protocol_share_bps\": " + std::to_string(parameters.protocol_share_bps) +
           ",\n    \"peer_share_bps\": " + std::to_string(parameters.peer_share_bps) +
           ",\n    \"emission_flk_per_usd\": \"" + to_text(parameters.emission_flk_per_usd) +
           "\",\n    \"protocol_account\": \"" + to_text(parameters.protocol_account) + "\"\n  }";
}

std::string render(const types::GenesisPrice& price) {
    return "{\"commodity\": \"" + std::string(to_string(price.commodity)) + "\", \"usd\": \"" +
           to_text(price.price.usd) + "\", \"units\": " + std::to_string(price.price.units) + "}";
}

std::string render(const types::GenesisService& service) {
    return "{\"id\": " + std::to_string(service.id.value()) +
           ", \"name\": " + escaped(*service.service.name) + ", \"builder\": \"" +
           to_text(service.service.builder) + "\", \"commodity\": \"" +
           std::string(to_string(service.service.commodity)) + "\"}";
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
           render(genesis.parameters) + ",\n" + render("prices", *genesis.prices) + ",\n" +
           render("services", *genesis.services) + ",\n" + render("accounts", *genesis.accounts) +
           ",\n" + render("nodes", *genesis.nodes) + "\n}\n";
}

Result<types::Genesis> load_genesis(Disk& home, std::string_view path) {
    DRACO_TRY(text, read_text(home, path, kGenesisBytesMax));
    return parse_genesis(text, path);
}

Result<> save_genesis(Disk& home, const types::Genesis& genesis, std::string_view path) {
    return replace_text(home, path, render_genesis(genesis));
}

}  // namespace draco::node
