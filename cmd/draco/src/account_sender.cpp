#include "account_sender.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/ethereum_address.hpp"
#include "draco/node/devnet_genesis.hpp"

#include "keys_commands.hpp"
#include "rpc_client.hpp"
#include "transaction_sender.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdio>

namespace draco {
namespace {

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

Result<std::string> account_id(const NodeHome& home, const std::string& name) {
    DRACO_TRY(keys, home.keys());
    DRACO_TRY(all, keys.list());
    for (const auto& info : all)
        if (info.kind == identity::KeyKind::Account && info.name == name && info.id)
            return key_id_text(*info.id);
    return fail(Errc::NotFound,
                "the home " + home.path() + " has no account called " + name +
                    "; make one with draco keys generate, or name another: --account NAME, on a "
                    "development network --dev-account N");
}

}  // namespace

Result<types::AccountSecretKey> sender_key(const NodeHome& home, const SenderOptions& options) {
    if (options.dev_account) {
        DRACO_TRY(key, node::devnet_account(*options.dev_account));
        say_public(*options.dev_account);
        return key;
    }
    DRACO_TRY(name, account_name(home, options.account));
    DRACO_TRY_VOID(account_id(home, name));
    DRACO_TRY(keys, home.keys());
    DRACO_TRY(password, home.password(options.password_file));
    DRACO_TRY(loaded, keys.load(identity::KeyKind::Account, name, password));
    return std::get<types::AccountSecretKey>(std::move(loaded.secret));
}

Result<std::string> sender_address(const NodeHome& home, const SenderOptions& options) {
    if (options.dev_account) {
        DRACO_TRY(key, node::devnet_account(*options.dev_account));
        say_public(*options.dev_account);
        return crypto::to_text(crypto::ethereum_address(key.public_key()));
    }
    DRACO_TRY(name, account_name(home, options.account));
    return account_id(home, name);
}

Result<types::NodeKey> parse_node_key(std::string_view text) {
    if (const auto key =
            fixed_from_hex<types::NodeKey>(text.substr(text.starts_with("0x") ? 2 : 0)))
        return *key;
    const auto bytes = from_base58(text, types::NodeKey::kSize);
    if (!bytes || bytes->size() != types::NodeKey::kSize)
        return fail(Errc::InvalidArgument,
                    "\"" + std::string(text) + "\" is no node key in base58 or hex");
    types::NodeKey key;
    std::ranges::copy(*bytes, key.bytes.begin());
    return key;
}

Result<> send_as_account(const Invocation& invocation,
                         const NodeHome& home,
                         const SenderOptions& options,
                         types::Method method,
                         const std::string& what) {
    DRACO_TRY(client, RpcClient::of(invocation));
    DRACO_TRY(key, sender_key(home, options));
    DRACO_TRY(answer,
              send_transaction(home,
                               client,
                               std::move(key),
                               std::move(method),
                               {.fee_max = options.fee_max, .wait = !options.no_wait}));
    if (!invocation.json && !what.empty())
        std::printf("%s %s\n",
                    options.no_wait ? "handed to the node, not yet executed:" : "sent",
                    what.c_str());
    print_value(invocation, answer);
    return {};
}

Result<NodeHome> sender_home(const Invocation& invocation) {
    DRACO_TRY(path, home_path(invocation));
    return NodeHome::create(path);
}

}  // namespace draco
