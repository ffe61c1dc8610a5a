#include "keys_commands.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/crypto/bip39.hpp"
#include "draco/crypto/ethereum_address.hpp"
#include "draco/crypto/system_rng.hpp"
#include "draco/io/system_clock.hpp"
#include "draco/node/devnet_genesis.hpp"
#include "draco/node/genesis_file.hpp"
#include "draco/node/password_file.hpp"

#include "node_home.hpp"
#include "node_setup.hpp"
#include "progress.hpp"
#include "text_file.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <utility>

namespace draco {
namespace {

namespace json = boost::json;

// Says on a terminal what takes a second or two.
class Deriving {
public:
    Deriving() { line_.show("deriving the key from the password"); }

private:
    StatusLine line_;
};

json::object key_json(const identity::KeyInfo& info) {
    return {{"kind", identity::to_string(info.kind)},
            {"name", info.name},
            {"id", info.id ? json::value(key_id_text(*info.id)) : json::value(nullptr)},
            {"restored", info.restored}};
}

identity::KeyKind kind_of(const std::string& kind) {
    return kind == "node" ? identity::KeyKind::Node : identity::KeyKind::Account;
}

void print_keys(const Invocation& invocation, const std::vector<identity::KeyInfo>& keys) {
    if (invocation.json) {
        json::array all;
        for (const auto& info : keys) all.emplace_back(key_json(info));
        print_value(invocation, all);
        return;
    }
    std::vector<std::vector<std::string>> rows;
    rows.reserve(keys.size());
    for (const auto& info : keys)
        rows.push_back({std::string(identity::to_string(info.kind)),
                        info.name,
                        info.id ? key_id_text(*info.id) : "-",
                        info.restored ? "restored" : ""});
    print_table({"kind", "name", "id", ""}, rows);
}

Result<types::Genesis> genesis_of_one(const InitOptions& options,
                                      const types::NodeKey& key,
                                      const node::NodeConfig& config) {
    DRACO_TRY(endpoints, endpoints_of(config));
    return node::devnet_genesis(
        {.time = io::SystemClock().unix_now(),
         .epoch_ms = options.epoch_s * 1000,
         .nodes = {node::DevnetNode{.key = key, .endpoints = std::move(endpoints)}}});
}

Result<types::Genesis> genesis_from(const std::string& file) {
    DRACO_TRY(text, read_text_file(file, node::kGenesisBytesMax));
    return node::parse_genesis(text, file);
}

}  // namespace

std::string key_id_text(const identity::PublicId& id) {
    if (const auto* key = std::get_if<types::NodeKey>(&id)) return to_base58(key->view());
    return crypto::to_text(std::get<types::Address>(id));
}

Result<> run_init(const Invocation& invocation, const InitOptions& options) {
    DRACO_TRY(path, home_path(invocation));
    if (path_exists(path + "/" + std::string(node::kConfigFile)))
        return fail(Errc::AlreadyExists,
                    path + " is a node's home already; choose another with --home DIR");
    DRACO_TRY(config, config_with_ports(ports_from(options.port_base, 0), options.host));
    std::optional<types::Genesis> given;
    if (!options.genesis_file.empty()) {
        DRACO_TRY(genesis, genesis_from(options.genesis_file));
        given = std::move(genesis);
    }
    auto made = [&] {
        const Deriving sign;
        return create_node_home(path, config, options.password_file, options.light_keys);
    }();
    DRACO_TRY(key, std::move(made));
    DRACO_TRY(home, NodeHome::open(path));
    if (!given) {
        DRACO_TRY(genesis, genesis_of_one(options, key, config));
        given = std::move(genesis);
    }
    DRACO_TRY_VOID(node::save_genesis(home.disk(), *given, config.node.genesis_file));
    // The configuration is last: it makes the folder a node's home.
    DRACO_TRY_VOID(node::save_config(home.disk(), config));
    print_value(
        invocation,
        json::object{{"home", path},
                     {"node", to_base58(key.view())},
                     {"chain_id", given->chain.value()},
                     {"host", config.node.advertised_host},
                     {"listens", config.links.address},
                     {"links", config.links.port},
                     {"http", config.http.port},
                     {"session", config.session.port},
                     {"rpc", "http://127.0.0.1:" + std::to_string(config.rpc.port) + "/rpc/v0"}});
    return {};
}

Result<> run_keys_generate(const Invocation& invocation, const KeysOptions& options) {
    DRACO_TRY(path, home_path(invocation));
    DRACO_TRY(home, NodeHome::create(path));
    DRACO_TRY(password, home.password(options.password_file));
    DRACO_TRY(keys, home.keys(options.light_keys));
    crypto::SystemRng rng;
    const auto info = [&] {
        const Deriving sign;
        return keys.generate(kind_of(options.kind), options.name, password, rng);
    }();
    if (!info) return std::unexpected(info.error());
    print_value(invocation, key_json(*info));
    return {};
}

Result<> run_keys_import(const Invocation& invocation, const KeysOptions& options) {
    DRACO_TRY_VOID(node::check_private(options.mnemonic_file, "mnemonic file"));
    DRACO_TRY(path, home_path(invocation));
    DRACO_TRY(home, NodeHome::create(path));
    DRACO_TRY(password, home.password(options.password_file));
    DRACO_TRY(keys, home.keys(options.light_keys));
    DRACO_TRY(mnemonic, read_text_file(options.mnemonic_file, crypto::kMnemonicTextBytesMax));
    crypto::SystemRng rng;
    const auto info = [&] {
        const Deriving sign;
        return keys.import_mnemonic(
            options.name, mnemonic, "", options.mnemonic_index, password, rng);
    }();
    if (!info) return std::unexpected(info.error());
    print_value(invocation, key_json(*info));
    return {};
}

Result<> run_keys_show(const Invocation& invocation) {
    DRACO_TRY(path, home_path(invocation));
    DRACO_TRY(home, NodeHome::open(path));
    DRACO_TRY(keys, home.keys());
    DRACO_TRY(all, keys.list());
    print_keys(invocation, all);
    return {};
}

Result<> run_keys_backup(const Invocation& invocation, const KeysOptions& options) {
    DRACO_TRY(path, home_path(invocation));
    DRACO_TRY(home, NodeHome::open(path));
    DRACO_TRY(keys, home.keys());
    DRACO_TRY(backup_password, read_password(options.backup_password_file));
    DRACO_TRY_VOID(check_can_create(options.file));
    crypto::SystemRng rng;
    DRACO_TRY(all, keys.list());
    std::optional<StatusLine> line(std::in_place);
    std::size_t opened = 0;
    const auto password_of = [&](const identity::KeyInfo& info) {
        // Whoever asks for the next one has opened the one before.
        line->show("deriving the key that opens " + info.name + " (" + std::to_string(++opened) +
                   " of " + std::to_string(all.size()) + ", then the one that seals the backup)");
        return home.password(options.password_file);
    };
    const auto backup = keys.backup(password_of, backup_password, rng);
    line.reset();
    if (!backup) return std::unexpected(backup.error());
    DRACO_TRY_VOID(create_text_file(options.file, as_text(*backup)));
    print_value(invocation, json::object{{"file", options.file}, {"keys", all.size()}});
    return {};
}

Result<> run_keys_restore(const Invocation& invocation, const KeysOptions& options) {
    DRACO_TRY(path, home_path(invocation));
    DRACO_TRY(home, NodeHome::create(path));
    DRACO_TRY(password, home.password(options.password_file));
    DRACO_TRY(backup_password, read_password(options.backup_password_file));
    DRACO_TRY(backup, read_text_file(options.file, identity::kBackupBytesMax));
    DRACO_TRY(keys, home.keys(options.light_keys));
    crypto::SystemRng rng;
    std::optional<StatusLine> line(std::in_place);
    line->show("deriving the key that opens the backup");
    const auto added = keys.restore(
        as_bytes(backup), backup_password, password, rng, [&](std::size_t done, std::size_t count) {
            line->show("deriving the keys that seal: " + std::to_string(done) + " of " +
                       std::to_string(count) + " done");
        });
    line.reset();
    if (!added) return std::unexpected(added.error());
    print_keys(invocation, *added);
    return {};
}

}  // namespace draco
