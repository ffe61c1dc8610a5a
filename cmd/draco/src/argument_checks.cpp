#include "argument_checks.hpp"

#include "draco/crypto/ethereum_address.hpp"
#include "draco/identity/key_file.hpp"
#include "draco/node/peer_address.hpp"
#include "draco/types/money.hpp"

#include "account_sender.hpp"
#include "chain_commands.hpp"
#include "content_address.hpp"
#include "http_exchange.hpp"
#include "lane_commands.hpp"
#include "node_setup.hpp"
#include "sim_command.hpp"

#include <charconv>

namespace draco {
namespace {

template <class Amount>
Result<> check_more_than_nothing(Result<Amount> amount) {
    DRACO_TRY_VOID(amount);
    if (!amount->is_zero()) return {};
    return fail(Errc::InvalidArgument, "0 does nothing and costs its fee; give an amount");
}

Result<> check_content_address(std::string_view text) {
    DRACO_TRY_VOID(parse_content_address(std::string(text)));
    return {};
}

Result<> check_key_name(std::string_view name) {
    if (identity::is_key_name(name)) return {};
    return fail(Errc::InvalidArgument,
                "a key's name has 1 to " + std::to_string(identity::kKeyNameBytesMax) +
                    " lower-case letters, digits, '-' and '_'");
}

}  // namespace

Result<> check_flk(std::string_view text) {
    return check_more_than_nothing(types::parse_flk(text));
}

Result<> check_usd(std::string_view text) {
    return check_more_than_nothing(types::parse_usd(text));
}

CLI::Validator flk_amount() {
    return parses<types::FlkAmount>("FLK", types::parse_flk);
}

CLI::Validator some_flk() {
    return parses<void>("FLK", check_flk);
}

CLI::Validator some_usd() {
    return parses<void>("USD", check_usd);
}

CLI::Validator node_key() {
    return parses<types::NodeKey>("NODE-KEY", parse_node_key);
}

CLI::Validator peer_address() {
    return parses<interfaces::PeerAddress>("KEY@HOST:PORT", node::parse_peer_address);
}

CLI::Validator host_and_port() {
    return parses<node::HostAndPort>("HOST:PORT", node::parse_host_and_port);
}

CLI::Validator whole_number() {
    return CLI::Validator(
        [](std::string& text) {
            std::uint64_t number = 0;
            const char* const end = text.data() + text.size();
            const auto [at, error] = std::from_chars(text.data(), end, number);
            if (error == std::errc() && at == end) return std::string();
            return "\"" + text + "\" is no whole number from 0 to 2^64 - 1";
        },
        "NUMBER");
}

CLI::Validator session_key() {
    return parses<types::SessionKey>("SESSION-KEY", parse_session_key);
}

CLI::Validator transaction_hash() {
    return parses<void>("HASH", check_transaction_hash);
}

CLI::Validator content_address() {
    return parses<void>("HASH", check_content_address);
}

CLI::Validator key_name() {
    return parses<void>("NAME", check_key_name);
}

CLI::Validator host() {
    return parses<void>("HOST", node::check_host);
}

CLI::Validator scenario() {
    return parses<void>("SCENARIO", check_scenario);
}

CLI::Validator node_url() {
    return parses<HttpUrl>("URL", HttpUrl::parse);
}

Result<> check_ports(std::uint16_t base, std::size_t nodes, const std::string& host) {
    DRACO_TRY_VOID(config_with_ports(ports_from(base, nodes - 1), host));
    return {};
}

CLI::Validator address() {
    return parses<types::Address>("ADDRESS", crypto::parse_ethereum_address);
}

CLI::Validator port_base() {
    return CLI::Range(0, 65'000);
}

}  // namespace draco
