#include "account_commands.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/ethereum_address.hpp"
#include "draco/node/devnet_genesis.hpp"

#include "keys_commands.hpp"
#include "node_home.hpp"
#include "rpc_client.hpp"
#include "transaction_sender.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdio>

namespace draco {
namespace {

namespace json = boost::json;

void say_public(std::uint32_t index) {
    std::fprintf(stderr,
                 "note: development account %u; its key is public, never use it for real money\n",
                 index);
}

Result<std::string> account_name(const NodeHome& home, const std::string& given) {
    const bool is_index =
        !given.empty() && std::ranges::all_of(given, [](char c) { return c >= '0' && c <= '9'; });
    if (!is_index) return given.empty() ? std::string(identity::kDefaultKeyName) : given;
    DRACO_TRY(keys, home.keys());
    DRACO_TRY(all, keys.list());
    std::vector<std::string> accounts;
    for (const auto& info : all)
        if (info.kind == identity::KeyKind::Account) accounts.push_back(info.name);
    if (std::ranges::find(accounts, given) != accounts.end()) return given;
    const std::size_t index = given.size() > 4 ? accounts.size() : std::stoul(given);
    if (index >= accounts.size())
        return fail(Errc::NotFound,
                    "there is no account " + given + "; the home has " +
                        std::to_string(accounts.size()) + ": draco keys show");
    return accounts[index];
}

Result<types::AccountSecretKey> sender_key(const NodeHome& home, const SenderOptions& options) {
    if (options.dev_account) {
        DRACO_TRY(key, node::devnet_account(*options.dev_account));
        say_public(*options.dev_account);
        return key;
    }
    DRACO_TRY(name, account_name(home, options.account));
    DRACO_TRY(keys, home.keys());
    DRACO_TRY(password, home.password(options.password_file));
    DRACO_TRY(loaded, keys.load(identity::KeyKind::Account, name, password));
    return std::get<types::AccountSecretKey>(std::move(loaded.secret));
}

// Without a password: what a key file says of its id is enough to look.
Result<std::string> sender_address(const NodeHome& home, const SenderOptions& options) {
    if (options.dev_account) {
        DRACO_TRY(key, node::devnet_account(*options.dev_account));
        say_public(*options.dev_account);
        return crypto::to_text(crypto::ethereum_address(key.public_key()));
    }
    DRACO_TRY(name, account_name(home, options.account));
    DRACO_TRY(keys, home.keys());
    DRACO_TRY(all, keys.list());
    for (const auto& info : all)
        if (info.kind == identity::KeyKind::Account && info.name == name && info.id)
            return key_id_text(*info.id);
    return fail(Errc::NotFound,
                "the home " + home.path() + " has no account called " + name +
                    "; name an ADDRESS, --dev-account N, or draco keys generate");
}

Result<types::NodeKey> parse_node_key(const std::string& text) {
    if (const auto key = fixed_from_hex<types::NodeKey>(
            std::string_view(text).substr(text.starts_with("0x") ? 2 : 0)))
        return *key;
    const auto bytes = from_base58(text, types::NodeKey::kSize);
    if (!bytes || bytes->size() != types::NodeKey::kSize)
        return fail(Errc::InvalidArgument, "\"" + text + "\" is no node key in base58 or hex");
    types::NodeKey key;
    std::ranges::copy(*bytes, key.bytes.begin());
    return key;
}

Result<types::NodeKey> node_key(const NodeHome& home, const std::string& given) {
    if (!given.empty()) return parse_node_key(given);
    DRACO_TRY(keys, home.keys());
    DRACO_TRY(all, keys.list());
    for (const auto& info : all)
        if (info.kind == identity::KeyKind::Node && info.name == identity::kDefaultKeyName &&
            info.id)
            return std::get<types::NodeKey>(*info.id);
    return fail(Errc::NotFound,
                "the home " + home.path() + " has no node key; name the node: --stake-node KEY");
}

Result<> send_as_account(const Invocation& invocation,
                         const NodeHome& home,
                         const SenderOptions& options,
                         types::Method method) {
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(key, sender_key(home, options));
    DRACO_TRY(answer,
              send_transaction(home,
                               client,
                               std::move(key),
                               std::move(method),
                               {.fee_max = options.fee_max, .wait = !options.no_wait}));
    print_value(invocation, answer);
    return {};
}

Result<NodeHome> sender_home(const Invocation& invocation) {
    DRACO_TRY(path, home_path(invocation));
    return NodeHome::create(path);
}

}  // namespace

Result<> run_account_balance(const Invocation& invocation, const AccountOptions& options) {
    std::string address = options.address;
    if (address.empty()) {
        DRACO_TRY(home, sender_home(invocation));
        DRACO_TRY(own, sender_address(home, options.sender));
        address = own;
    }
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(account, client.ask("flk_get_account_info", {address}));
    print_value(invocation, account);
    return {};
}

Result<> run_account_transfer(const Invocation& invocation, const AccountOptions& options) {
    DRACO_TRY(to, crypto::parse_ethereum_address(options.address));
    DRACO_TRY(home, sender_home(invocation));
    if (options.usd) {
        DRACO_TRY(amount, types::parse_usd(options.amount));
        return send_as_account(
            invocation, home, options.sender, types::TransferUsd{.to = to, .amount = amount});
    }
    DRACO_TRY(amount, types::parse_flk(options.amount));
    return send_as_account(
        invocation, home, options.sender, types::TransferFlk{.to = to, .amount = amount});
}

Result<> run_stake_add(const Invocation& invocation, const StakeOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(node, node_key(home, options.node));
    DRACO_TRY(amount, types::parse_flk(options.amount));
    return send_as_account(
        invocation, home, options.sender, types::Stake{.node = node, .amount = amount});
}

Result<> run_stake_remove(const Invocation& invocation, const StakeOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(node, node_key(home, options.node));
    DRACO_TRY(amount, types::parse_flk(options.amount));
    return send_as_account(
        invocation, home, options.sender, types::Unstake{.node = node, .amount = amount});
}

Result<> run_stake_withdraw(const Invocation& invocation, const StakeOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(node, node_key(home, options.node));
    return send_as_account(invocation, home, options.sender, types::WithdrawUnstaked{.node = node});
}

Result<> run_stake_status(const Invocation& invocation, const StakeOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(node, node_key(home, options.node));
    DRACO_TRY(client, RpcClient::of(invocation));
    const std::string key = to_base58(node.view());
    DRACO_TRY(record, client.ask("flk_get_node_info", {key}));
    if (record.is_null())
        return fail(Errc::NotFound,
                    "the chain does not know node " + key +
                        "; it will after draco stake add AMOUNT --stake-node " + key);
    print_value(invocation, record);
    return {};
}

}  // namespace draco
