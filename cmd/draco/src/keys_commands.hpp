#pragma once
// draco init, draco keys generate|show|backup|restore.

#include "draco/identity/key_file.hpp"

#include "invocation.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace draco {

struct InitOptions {
    std::string genesis_file;  // empty: the chain of a devnet with this node alone
    std::string password_file;
    std::string host = "127.0.0.1";
    std::uint16_t port_base = 4200;
    std::uint64_t epoch_s = 30;
    bool light_keys = false;
};

// A new home: config.toml, keys with a password file, genesis.json. AlreadyExists if it has a
// configuration.
Result<> run_init(const Invocation& invocation, const InitOptions& options);

struct KeysOptions {
    std::string kind = "account";
    std::string name = "default";
    std::string password_file;
    std::string backup_password_file;
    std::string file;
    std::string mnemonic_file;
    std::uint32_t mnemonic_index = 0;
    bool light_keys = false;
};

Result<> run_keys_generate(const Invocation& invocation, const KeysOptions& options);
Result<> run_keys_import(const Invocation& invocation, const KeysOptions& options);
Result<> run_keys_show(const Invocation& invocation);
Result<> run_keys_backup(const Invocation& invocation, const KeysOptions& options);
Result<> run_keys_restore(const Invocation& invocation, const KeysOptions& options);

// The text of a key's id where people see it: base58 of a node's, an address as Ethereum has it.
std::string key_id_text(const identity::PublicId& id);

}  // namespace draco
