#pragma once
// The keys of a node or an operator: a directory of encrypted key files, `<kind>-<name>.json`.
//
// Owner: whoever starts the node, or a command. Not thread-safe; one process at a time writes (two
// that create the same name at once: one may replace the other's file). Calls block on the disk and
// on scrypt (a second and 256 MiB in production): for start-up and commands, never inside an object
// of the running node.
//
// A change is a temporary file, synced, renamed, and its directory synced: after a crash a key is
// there whole or not at all. Files are as private as the disk makes them (io::PosixDisk: 0600).

#include "draco/base/disk.hpp"
#include "draco/identity/key_file.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace draco::identity {

inline constexpr std::size_t kKeysMax = 256;  // of one store and of one backup
inline constexpr std::size_t kBackupBytesMax = std::size_t{64} << 10;
inline constexpr std::string_view kDefaultKeyName = "default";

struct KeyStoreOptions {
    std::uint64_t scrypt_n = kScryptNProduction;
};

struct LoadedKey {
    KeyInfo info;
    SecretKey secret;
};

// So many of all keys are done: for who watches long work.
using KeysDone = std::function<void(std::size_t done, std::size_t all)>;

// Which password opens the key: asked once for each.
using PasswordOf = std::function<Result<Password>(const KeyInfo&)>;

class KeyStore {
public:
    // `directory` ("" is the root) is created if absent. `disk` outlives the store.
    static Result<KeyStore> open(Disk& disk, std::string directory, KeyStoreOptions options = {});

    // Errors of all that add a key: AlreadyExists (kind and name), InvalidArgument (name,
    // password), Exhausted (kKeysMax), and the disk's. `rng` must be cryptographically strong.
    Result<KeyInfo> generate(KeyKind kind, std::string name, const Password& password, Rng& rng);
    // Imported keys are marked restored: who else has them is not known here.
    Result<KeyInfo> import_secret(KeyKind kind,
                                  std::string name,
                                  const RawSecret& secret,
                                  const Password& password,
                                  Rng& rng);
    // The account key m/44'/60'/0'/0/index (BIP-44) of a BIP-39 mnemonic. InvalidArgument, Corrupt
    // (its checksum), without repeating a word.
    Result<KeyInfo> import_mnemonic(std::string name,
                                    std::string_view mnemonic,
                                    std::string_view passphrase,
                                    std::uint32_t index,
                                    const Password& password,
                                    Rng& rng);
    // A file of geth, ethers or EIP-2335 tools, opened with `file_password`.
    Result<KeyInfo> import_file(KeyKind kind,
                                std::string name,
                                ByteView file,
                                const Password& file_password,
                                const Password& password,
                                Rng& rng);

    // Ordered by kind and name. Files that are not named as keys are ignored; a damaged one is
    // Corrupt and named.
    Result<std::vector<KeyInfo>> list() const;
    // NotFound, Corrupt, Unauthenticated (wrong password).
    Result<LoadedKey> load(KeyKind kind, std::string_view name, const Password& password) const;
    // The file as it is, for geth, ethers and MetaMask (account keys).
    Result<Bytes> export_file(KeyKind kind, std::string_view name) const;
    // The key is safe to sign with again: what it may have signed elsewhere lies behind.
    Result<> clear_restored(KeyKind kind, std::string_view name);

    // All keys in one file, sealed by one password.
    Result<Bytes> backup(const PasswordOf& password_of,
                         const Password& backup_password,
                         Rng& rng) const;
    // Adds the keys of a backup, marked restored and encrypted with `password`. A key that is here
    // already under its name is left as it is, so an interrupted restore can be repeated;
    // AlreadyExists, and nothing is added, if another key has its name. Unauthenticated: wrong
    // backup password. Corrupt: the backup is damaged. Returns the keys added.
    Result<std::vector<KeyInfo>> restore(ByteView backup,
                                         const Password& backup_password,
                                         const Password& password,
                                         Rng& rng,
                                         const KeysDone& done = {});

private:
    KeyStore(Disk& disk, std::string directory, KeyStoreOptions options)
        : disk_(&disk), directory_(std::move(directory)), options_(options) {}

    std::string path_of(KeyKind kind, std::string_view name) const;
    Result<SealedKey> read(KeyKind kind, std::string_view name) const;
    Result<> write(const SealedKey& sealed);
    Result<KeyInfo> add(
        const SecretKey& key, std::string name, bool restored, const Password& password, Rng& rng);

    Disk* disk_;
    std::string directory_;
    KeyStoreOptions options_;
};

}  // namespace draco::identity
