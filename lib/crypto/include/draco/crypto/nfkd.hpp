#pragma once
// Unicode's compatibility decomposition (NFKD, UAX 15), so that a passphrase is the same bytes
// however it was typed. Thread-safe.

#include "draco/base/result.hpp"
#include "draco/crypto/secret.hpp"

#include <string_view>

namespace draco::crypto {

// NFKD of `text` after the bytes of `prefix`. InvalidArgument if `text` is not UTF-8. Allocates 72
// bytes for each of the text; leaves no copy in memory.
Result<SecretBuffer> nfkd(std::string_view text, std::string_view prefix = {});

}  // namespace draco::crypto
