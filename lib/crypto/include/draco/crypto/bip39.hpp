#pragma once
// BIP-39: entropy of 128 to 256 bits as 12 to 24 English words, and the seed that BIP-32 starts
// from. Thread-safe.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/crypto/secret.hpp"

#include <cstddef>
#include <string_view>

namespace draco::crypto {

inline constexpr std::size_t kMnemonicTextBytesMax = 1024;
inline constexpr std::size_t kPassphraseBytesMax = 1024;

using Bip39Seed = SecretBytes<struct Bip39SeedTag, 64>;

class Mnemonic {
public:
    // InvalidArgument unless 16, 20, 24, 28 or 32 bytes.
    static Result<Mnemonic> from_entropy(ByteView entropy);

    // Lower-case words with ASCII white space between and around them. InvalidArgument, with the
    // position of the word, for a wrong number of words or one not in the list; Corrupt if the
    // checksum does not match; Exhausted beyond kMnemonicTextBytesMax. No error repeats a word.
    static Result<Mnemonic> parse(std::string_view text);

    ByteView entropy() const { return entropy_.expose(); }

    // The words with one space between them.
    SecretBuffer text() const;

    // PBKDF2-HMAC-SHA512 of the text, 2048 iterations, salted with the passphrase, which is
    // normalized to NFKD. InvalidArgument if that is not UTF-8, Exhausted beyond
    // kPassphraseBytesMax. About a millisecond.
    Result<Bip39Seed> seed(std::string_view passphrase) const;

private:
    explicit Mnemonic(ByteView entropy) : entropy_(entropy) {}

    SecretBuffer entropy_;
};

}  // namespace draco::crypto
