#include "draco/identity/key_store.hpp"

#include "draco/crypto/bip32.hpp"
#include "draco/crypto/bip39.hpp"
#include "draco/identity/backup.hpp"

#include "durable_file.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace draco::identity {
namespace {

constexpr std::string_view kFileEnding = ".json";

struct KeyPlace {
    KeyKind kind;
    std::string name;
};

std::optional<KeyPlace> place_of(std::string_view file_name) {
    if (!file_name.ends_with(kFileEnding)) return std::nullopt;
    file_name.remove_suffix(kFileEnding.size());
    for (const KeyKind kind : {KeyKind::Node, KeyKind::Account}) {
        const std::string prefix = std::string(to_string(kind)) + "-";
        if (file_name.starts_with(prefix) && is_key_name(file_name.substr(prefix.size())))
            return KeyPlace{kind, std::string(file_name.substr(prefix.size()))};
    }
    return std::nullopt;
}

std::string text(KeyKind kind, std::string_view name) {
    return std::string(to_string(kind)) + " key \"" + std::string(name) + "\"";
}

Error in_file(Error error, const std::string& path) {
    error.context = path + ": " + error.context;
    return error;
}

Result<> check_name(std::string_view name) {
    if (is_key_name(name)) return {};
    return fail(Errc::InvalidArgument,
                "a key's name is 1 to " + std::to_string(kKeyNameBytesMax) +
                    " lower-case letters, digits, '-' and '_'");
}

}  // namespace

Result<KeyStore> KeyStore::open(Disk& disk, std::string directory, KeyStoreOptions options) {
    if (!directory.empty()) {
        DRACO_TRY_VOID(disk.create_directory(directory));
        DRACO_TRY_VOID(disk.sync_directory(directory_of(directory)));
    }
    return KeyStore(disk, std::move(directory), options);
}

std::string KeyStore::path_of(KeyKind kind, std::string_view name) const {
    const std::string file =
        std::string(to_string(kind)) + "-" + std::string(name) + std::string(kFileEnding);
    return directory_.empty() ? file : directory_ + "/" + file;
}

Result<SealedKey> KeyStore::read(KeyKind kind, std::string_view name) const {
    DRACO_TRY_VOID(check_name(name));
    const std::string path = path_of(kind, name);
    auto content = read_file(*disk_, path, kKeyFileBytesMax);
    if (!content && content.error().code == Errc::NotFound)
        return fail(Errc::NotFound,
                    "there is no " + text(kind, name) + " (" + path +
                        "): generate it, or restore it from a backup");
    if (!content) return std::unexpected(std::move(content).error());
    auto sealed = decode_key_file(*content);
    if (!sealed) return std::unexpected(in_file(std::move(sealed).error(), path));
    if (sealed->info.kind != kind || sealed->info.name != name)
        return fail(Errc::Corrupt,
                    path + " holds the " + text(sealed->info.kind, sealed->info.name) +
                        ": give it back its name");
    return sealed;
}

Result<> KeyStore::write(const SealedKey& sealed) {
    return replace_file(
        *disk_, path_of(sealed.info.kind, sealed.info.name), encode_key_file(sealed));
}

Result<KeyInfo> KeyStore::add(
    const SecretKey& key, std::string name, bool restored, const Password& password, Rng& rng) {
    DRACO_TRY_VOID(check_name(name));
    const std::string path = path_of(kind_of(key), name);
    DRACO_TRY(taken, disk_->exists(path));
    if (taken)
        return fail(Errc::AlreadyExists,
                    "there is already a " + text(kind_of(key), name) + " (" + path +
                        "): choose another name");
    DRACO_TRY(keys, list());
    if (keys.size() >= kKeysMax)
        return fail(Errc::Exhausted,
                    "a key store holds at most " + std::to_string(kKeysMax) + " keys");
    DRACO_TRY(sealed, seal_key(key, std::move(name), restored, password, options_.scrypt_n, rng));
    DRACO_TRY_VOID(write(sealed));
    return sealed.info;
}

Result<KeyInfo> KeyStore::generate(KeyKind kind,
                                   std::string name,
                                   const Password& password,
                                   Rng& rng) {
    if (kind == KeyKind::Node)
        return add(types::NodeSecretKey::generate(rng), std::move(name), false, password, rng);
    return add(types::AccountSecretKey::generate(rng), std::move(name), false, password, rng);
}

Result<KeyInfo> KeyStore::import_secret(
    KeyKind kind, std::string name, const RawSecret& secret, const Password& password, Rng& rng) {
    DRACO_TRY(key, make_key(kind, secret));
    return add(key, std::move(name), true, password, rng);
}

Result<KeyInfo> KeyStore::import_mnemonic(std::string name,
                                          std::string_view mnemonic,
                                          std::string_view passphrase,
                                          std::uint32_t index,
                                          const Password& password,
                                          Rng& rng) {
    using crypto::kBip32Hardened;
    if (index >= kBip32Hardened)
        return fail(Errc::InvalidArgument, "the index of an account is below 2^31");
    DRACO_TRY(words, crypto::Mnemonic::parse(mnemonic));
    DRACO_TRY(seed, words.seed(passphrase));
    DRACO_TRY(root, crypto::Bip32SecretKey::from_seed(seed.expose()));
    const std::uint32_t path[] = {
        kBip32Hardened + 44, kBip32Hardened + 60, kBip32Hardened + 0, 0, index};
    DRACO_TRY(derived, root.descendant(path));
    return add(derived.key().clone(), std::move(name), true, password, rng);
}

Result<KeyInfo> KeyStore::import_file(KeyKind kind,
                                      std::string name,
                                      ByteView file,
                                      const Password& file_password,
                                      const Password& password,
                                      Rng& rng) {
    DRACO_TRY(sealed, decode_foreign_key_file(file));
    if (sealed.info.kind != kind)
        return fail(
            Errc::InvalidArgument,
            "the file has the format of a key of kind " + std::string(to_string(sealed.info.kind)));
    DRACO_TRY(key, open_key(sealed, file_password));
    return add(key, std::move(name), true, password, rng);
}

Result<std::vector<KeyInfo>> KeyStore::list() const {
    DRACO_TRY(entries, disk_->list(directory_));
    std::vector<KeyInfo> keys;
    for (const DirectoryEntry& entry : entries) {
        const auto place = entry.is_directory ? std::nullopt : place_of(entry.name);
        if (!place) continue;
        if (keys.size() >= kKeysMax)
            return fail(Errc::Exhausted,
                        "a key store holds at most " + std::to_string(kKeysMax) + " keys");
        DRACO_TRY(sealed, read(place->kind, place->name));
        keys.push_back(std::move(sealed.info));
    }
    std::ranges::sort(keys, {}, [](const KeyInfo& key) { return std::pair(key.kind, key.name); });
    return keys;
}

Result<LoadedKey> KeyStore::load(KeyKind kind,
                                 std::string_view name,
                                 const Password& password) const {
    DRACO_TRY(sealed, read(kind, name));
    auto secret = open_key(sealed, password);
    if (!secret) return std::unexpected(in_file(std::move(secret).error(), path_of(kind, name)));
    return LoadedKey{std::move(sealed.info), *std::move(secret)};
}

Result<Bytes> KeyStore::export_file(KeyKind kind, std::string_view name) const {
    DRACO_TRY(sealed, read(kind, name));
    return encode_key_file(sealed);
}

Result<> KeyStore::clear_restored(KeyKind kind, std::string_view name) {
    DRACO_TRY(sealed, read(kind, name));
    if (!sealed.info.restored) return {};
    sealed.info.restored = false;
    return write(sealed);
}

Result<Bytes> KeyStore::backup(const PasswordOf& password_of,
                               const Password& backup_password,
                               Rng& rng) const {
    DRACO_TRY(infos, list());
    std::vector<BackupKey> keys;
    for (const KeyInfo& info : infos) {
        DRACO_TRY(password, password_of(info));
        DRACO_TRY(loaded, load(info.kind, info.name, password));
        keys.push_back({info.kind, info.name, raw_secret(loaded.secret)});
    }
    return seal_backup(keys, backup_password, options_.scrypt_n, rng);
}

Result<std::vector<KeyInfo>> KeyStore::restore(ByteView backup,
                                               const Password& backup_password,
                                               const Password& password,
                                               Rng& rng,
                                               const KeysDone& done) {
    DRACO_TRY(keys, open_backup(backup, backup_password));
    DRACO_TRY(present, list());

    struct Addition {
        SecretKey key;
        std::string name;
    };

    std::vector<Addition> additions;
    for (BackupKey& key : keys) {
        DRACO_TRY(secret, make_key(key.kind, key.secret));
        const auto same = std::ranges::find_if(present, [&](const KeyInfo& info) {
            return info.kind == key.kind && info.name == key.name;
        });
        if (same == present.end()) {
            additions.push_back({std::move(secret), std::move(key.name)});
        } else if (same->id != public_id(secret)) {
            return fail(Errc::AlreadyExists,
                        "the " + text(key.kind, key.name) +
                            " is here already and is another one than the backup's: restore into "
                            "an empty directory");
        }
    }
    std::vector<KeyInfo> added;
    for (Addition& addition : additions) {
        DRACO_TRY(info, add(addition.key, std::move(addition.name), true, password, rng));
        added.push_back(std::move(info));
        if (done) done(added.size(), additions.size());
    }
    return added;
}

}  // namespace draco::identity
