#include "account_commands.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/ethereum_address.hpp"

#include "account_sender.hpp"
#include "keys_commands.hpp"
#include "rpc_client.hpp"

namespace draco {
namespace {

Result<types::NodeKey> chosen_node(const NodeHome& home, const std::string& given) {
    if (!given.empty()) return parse_node_key(given);
    auto own = home.node_key();
    if (!own && own.error().code == Errc::NotFound)
        own.error().context += "; name the node: --stake-node KEY";
    return own;
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
        return send_as_account(invocation,
                               home,
                               options.sender,
                               types::TransferUsd{.to = to, .amount = amount},
                               types::to_text(amount) + " USD to " + crypto::to_text(to));
    }
    DRACO_TRY(amount, types::parse_flk(options.amount));
    return send_as_account(invocation,
                           home,
                           options.sender,
                           types::TransferFlk{.to = to, .amount = amount},
                           types::to_text(amount) + " FLK to " + crypto::to_text(to));
}

Result<> run_stake_add(const Invocation& invocation, const StakeOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(node, chosen_node(home, options.node));
    DRACO_TRY(amount, types::parse_flk(options.amount));
    return send_as_account(
        invocation, home, options.sender, types::Stake{.node = node, .amount = amount});
}

Result<> run_stake_remove(const Invocation& invocation, const StakeOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(node, chosen_node(home, options.node));
    DRACO_TRY(amount, types::parse_flk(options.amount));
    return send_as_account(
        invocation, home, options.sender, types::Unstake{.node = node, .amount = amount});
}

Result<> run_stake_withdraw(const Invocation& invocation, const StakeOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(node, chosen_node(home, options.node));
    return send_as_account(invocation, home, options.sender, types::WithdrawUnstaked{.node = node});
}

Result<> run_stake_status(const Invocation& invocation, const StakeOptions& options) {
    DRACO_TRY(home, sender_home(invocation));
    DRACO_TRY(node, chosen_node(home, options.node));
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
