#include "draco/base/assert.hpp"
#include "draco/base/text_encoding.hpp"
#include "draco/crypto/ethereum_address.hpp"
#include "draco/identity/key_file.hpp"

#include <algorithm>

namespace draco::identity {

std::string_view to_string(KeyKind kind) {
    switch (kind) {
        case KeyKind::Node:
            return "node";
        case KeyKind::Account:
            return "account";
    }
    return "unknown";
}

KeyKind kind_of(const SecretKey& key) {
    return std::holds_alternative<types::NodeSecretKey>(key) ? KeyKind::Node : KeyKind::Account;
}

KeyKind kind_of(const PublicId& id) {
    return std::holds_alternative<types::NodeKey>(id) ? KeyKind::Node : KeyKind::Account;
}

PublicId public_id(const SecretKey& key) {
    if (const auto* node = std::get_if<types::NodeSecretKey>(&key)) return node->public_key();
    return crypto::ethereum_address(std::get<types::AccountSecretKey>(key).public_key());
}

std::string to_text(const PublicId& id) {
    if (const auto* node = std::get_if<types::NodeKey>(&id)) return to_base58(node->view());
    return crypto::to_text(std::get<types::Address>(id));
}

bool is_key_name(std::string_view name) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    return !name.empty() && name.size() <= kKeyNameBytesMax && std::ranges::all_of(name, allowed);
}

RawSecret raw_secret(const SecretKey& key) {
    if (const auto* node = std::get_if<types::NodeSecretKey>(&key))
        return RawSecret(node->seed().expose());
    return RawSecret(std::get<types::AccountSecretKey>(key).scalar().expose());
}

Result<SecretKey> make_key(KeyKind kind, const RawSecret& secret) {
    if (kind == KeyKind::Node) return types::NodeSecretKey(crypto::Ed25519Seed(secret.expose()));
    DRACO_TRY(account,
              types::AccountSecretKey::from_scalar(crypto::Secp256k1Scalar(secret.expose())));
    return SecretKey(std::move(account));
}

}  // namespace draco::identity
