#include "draco/crypto/bip39.hpp"

#include "draco/base/assert.hpp"
#include "draco/crypto/kdf.hpp"
#include "draco/crypto/nfkd.hpp"
#include "draco/crypto/sha2.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace draco::crypto {
namespace {

constexpr std::string_view kWordText =
#include "bip39_english.inc"
    ;
constexpr std::size_t kWordCount = 2048;
constexpr std::size_t kWordBits = 11;
constexpr std::size_t kWordsMax = 24;
constexpr std::size_t kIterations = 2048;

constexpr bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// The next run of characters that are no white space, removed from `text`; empty at its end.
constexpr std::string_view take_word(std::string_view& text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    std::size_t size = 0;
    while (size < text.size() && !is_space(text[size])) ++size;
    const std::string_view word = text.substr(0, size);
    text.remove_prefix(size);
    return word;
}

const std::array<std::string_view, kWordCount>& words() {
    static const std::array<std::string_view, kWordCount> kWords = [] {
        std::array<std::string_view, kWordCount> list;
        std::string_view text = kWordText;
        for (std::string_view& word : list) word = take_word(text);
        DRACO_ASSERT(take_word(text).empty() && std::ranges::is_sorted(list),
                     "BIP-39's list has 2048 words in order");
        return list;
    }();
    return kWords;
}

bool valid_entropy_size(std::size_t bytes) {
    return bytes >= 16 && bytes <= 32 && bytes % 4 == 0;
}

// The word index at a position in a string of 11-bit words, most significant bit first.
std::size_t word_at(ByteView bits, std::size_t position) {
    std::size_t index = 0;
    for (std::size_t i = position * kWordBits; i < (position + 1) * kWordBits; ++i)
        index = index << 1 | (bits[i / 8] >> (7 - i % 8) & 1U);
    return index;
}

void set_word(MutByteView zeroed_bits, std::size_t position, std::size_t index) {
    for (std::size_t i = 0; i < kWordBits; ++i) {
        const std::size_t bit = position * kWordBits + i;
        zeroed_bits[bit / 8] |=
            static_cast<std::uint8_t>((index >> (kWordBits - 1 - i) & 1U) << (7 - bit % 8));
    }
}

// Entropy and the first byte of its SHA-256, of which the last word takes as many bits as it needs.
SecretBuffer with_checksum(ByteView entropy) {
    SecretBuffer bits(entropy.size() + 1);
    std::ranges::copy(entropy, bits.expose().begin());
    bits.expose().back() = sha256(entropy).bytes[0];
    return bits;
}

std::size_t word_count(std::size_t entropy_bytes) {
    return entropy_bytes / 4 * 3;
}

}  // namespace

Result<Mnemonic> Mnemonic::from_entropy(ByteView entropy) {
    if (!valid_entropy_size(entropy.size()))
        return fail(Errc::InvalidArgument,
                    "a mnemonic's entropy has 16, 20, 24, 28 or 32 bytes, not " +
                        std::to_string(entropy.size()));
    return Mnemonic(entropy);
}

Result<Mnemonic> Mnemonic::parse(std::string_view text) {
    if (text.size() > kMnemonicTextBytesMax)
        return fail(Errc::Exhausted, "a mnemonic has at most 1024 bytes of text");
    SecretBuffer bits((kWordsMax * kWordBits + 7) / 8);
    std::size_t count = 0;
    for (auto word = take_word(text); !word.empty(); word = take_word(text), ++count) {
        if (count == kWordsMax)
            return fail(Errc::InvalidArgument, "a mnemonic has at most 24 words");
        const auto at = std::ranges::lower_bound(words(), word);
        if (at == words().end() || *at != word)
            return fail(Errc::InvalidArgument,
                        "word " + std::to_string(count + 1) +
                            " of the mnemonic is not in BIP-39's English list");
        set_word(bits.expose(), count, static_cast<std::size_t>(at - words().begin()));
    }
    const std::size_t entropy_bytes = count / 3 * 4;
    if (count % 3 != 0 || !valid_entropy_size(entropy_bytes))
        return fail(Errc::InvalidArgument,
                    "a mnemonic has 12, 15, 18, 21 or 24 words, not " + std::to_string(count));
    const ByteView entropy = bits.expose().first(entropy_bytes);
    if (word_at(with_checksum(entropy).expose(), count - 1) != word_at(bits.expose(), count - 1))
        return fail(Errc::Corrupt,
                    "the mnemonic's checksum does not match: a word is wrong or out of place");
    return Mnemonic(entropy);
}

SecretBuffer Mnemonic::text() const {
    const SecretBuffer bits = with_checksum(entropy());
    const std::size_t count = word_count(entropy().size());
    std::size_t size = count - 1;
    for (std::size_t i = 0; i < count; ++i) size += words()[word_at(bits.expose(), i)].size();
    SecretBuffer text(size);
    MutByteView rest = text.expose();
    for (std::size_t i = 0; i < count; ++i) {
        const std::string_view word = words()[word_at(bits.expose(), i)];
        std::ranges::copy(as_bytes(word), rest.begin());
        rest = rest.subspan(word.size());
        if (i + 1 == count) break;
        rest.front() = ' ';
        rest = rest.subspan(1);
    }
    return text;
}

Result<Bip39Seed> Mnemonic::seed(std::string_view passphrase) const {
    if (passphrase.size() > kPassphraseBytesMax)
        return fail(Errc::Exhausted, "a mnemonic's passphrase has at most 1024 bytes");
    DRACO_TRY(salt, nfkd(passphrase, "mnemonic"));
    const SecretBuffer password = text();
    return Bip39Seed::make([&](std::span<std::uint8_t, 64> out) {
        pbkdf2_hmac_sha512(password.expose(), salt.expose(), kIterations, out);
    });
}

}  // namespace draco::crypto
