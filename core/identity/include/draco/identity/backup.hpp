#pragma once
// Secret keys in one sealed file (docs/formats/keystore.md): scrypt, then ChaCha20-Poly1305 over
// all keys with the header as associated data, then a checksum, which tells damage from a wrong
// password. Pure functions; thread-safe.

#include "draco/identity/key_file.hpp"

#include <string>
#include <vector>

namespace draco::identity {

struct BackupKey {
    KeyKind kind = KeyKind::Node;
    std::string name;
    RawSecret secret;
};

// Errors: Exhausted (more than kKeysMax keys), InvalidArgument (the password), those of scrypt.
Result<Bytes> seal_backup(const std::vector<BackupKey>& keys,
                          const Password& password,
                          std::uint64_t scrypt_n,
                          Rng& rng);
// Unauthenticated: wrong password. Corrupt: damaged, or not a backup. Exhausted: beyond the bounds.
Result<std::vector<BackupKey>> open_backup(ByteView backup, const Password& password);

}  // namespace draco::identity
