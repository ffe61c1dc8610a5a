#include "draco/crypto/bip39.hpp"

#include "draco/crypto/bip32.hpp"
#include "draco/crypto/ethereum_address.hpp"
#include "draco/crypto/sha2.hpp"
#include "draco/testing/seed.hpp"

#include "vector_file.hpp"

#include <gmock/gmock.h>

#include <random>

namespace draco::crypto {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::read_vectors;
using testing::unhex;

constexpr std::string_view kJunk = "test test test test test test test test test test test junk";

std::string text_of(const Mnemonic& mnemonic) {
    return std::string(mnemonic.text().expose_text());
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words(1);
    for (const char c : text)
        if (c == ' ')
            words.emplace_back();
        else
            words.back().push_back(c);
    return words;
}

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

TEST(Bip39, MatchesTheOfficialVectors) {
    // Entropy to words and back, seed, and the BIP-32 root that follows.
    for (const auto& row : read_vectors("bip39.txt", 4)) {
        const auto made = Mnemonic::from_entropy(unhex(row[0]));
        ASSERT_TRUE(made);
        EXPECT_EQ(text_of(*made), row[1]);
        const auto parsed = Mnemonic::parse(row[1]);
        ASSERT_TRUE(parsed);
        EXPECT_EQ(to_hex(parsed->entropy()), row[0]);
        const auto seed = parsed->seed("TREZOR");
        ASSERT_TRUE(seed);
        EXPECT_EQ(to_hex(seed->expose()), row[2]);
        const auto root = Bip32SecretKey::from_seed(seed->expose());
        ASSERT_TRUE(root);
        EXPECT_EQ(root->to_text().expose_text(), row[3]);
    }
}

TEST(Bip39, DevelopersMnemonicGivesItsAccounts) {
    // The addresses that every local Ethereum chain funds.
    const auto seed = Mnemonic::parse(kJunk)->seed("");
    ASSERT_TRUE(seed);
    const auto root = Bip32SecretKey::from_seed(seed->expose());
    ASSERT_TRUE(root);
    for (const auto& row : read_vectors("ethereum.txt", 5)) {
        const auto path = parse_bip32_path("m/44'/60'/0'/0/" + row[0]);
        ASSERT_TRUE(path);
        const auto account = root->descendant(*path);
        ASSERT_TRUE(account);
        EXPECT_EQ(to_hex(account->key().scalar().expose()), row[1]);
        EXPECT_EQ(to_text(ethereum_address(account->key().public_key())), row[2]);
    }
}

TEST(Bip39, PassphrasesAreNormalized) {
    // Composed, compatibility and decomposed characters give the seeds of other implementations;
    // two spellings of one text give one seed.
    for (const auto& row : read_vectors("bip39_passphrase.txt", 3)) {
        const auto seed = Mnemonic::from_entropy(unhex(row[0]))->seed(as_text(unhex(row[1])));
        ASSERT_TRUE(seed);
        EXPECT_EQ(to_hex(seed->expose()), row[2]);
    }
    const auto mnemonic = Mnemonic::parse(kJunk);
    EXPECT_EQ(to_hex(mnemonic->seed("\xc3\xa9")->expose()),    // U+00E9
              to_hex(mnemonic->seed("e\xcc\x81")->expose()));  // e, U+0301
}

TEST(Bip39, RefusesBadPassphrases) {
    // Invalid UTF-8 of each sort, and text beyond the bound; the widest decomposition fits.
    const auto mnemonic = Mnemonic::parse(kJunk);
    for (const std::string_view bad :
         {"\x80", "\xc3", "\xff", "a\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"})
        EXPECT_EQ(mnemonic->seed(bad).error().code, Errc::InvalidArgument);
    EXPECT_EQ(mnemonic->seed(std::string(kPassphraseBytesMax + 1, 'a')).error().code,
              Errc::Exhausted);
    std::string widest;
    while (widest.size() + 3 <= kPassphraseBytesMax) widest += "\xef\xb7\xba";  // U+FDFA
    EXPECT_TRUE(mnemonic->seed(widest));
}

TEST(Bip39, ListIsTheOfficialOne) {
    // The SHA-256 of bip-0039/english.txt, from the words themselves: word i is in the mnemonic
    // whose entropy starts with i.
    std::string list;
    for (std::size_t i = 0; i < 2048; ++i) {
        Bytes entropy(16, 0);
        entropy[0] = static_cast<std::uint8_t>(i >> 3);
        entropy[1] = static_cast<std::uint8_t>(i << 5);
        list += words_of(text_of(*Mnemonic::from_entropy(entropy))).front() + "\n";
    }
    EXPECT_EQ(to_hex(sha256(as_bytes(list)).view()),
              "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
}

TEST(Bip39, RoundTripsAndSeesWrongWords) {
    // Random mnemonics of each length; any other last word breaks the checksum except the
    // 2^(11 - checksum bits) that share it.
    std::mt19937_64 rng(draco::testing::test_seed(1));
    for (std::size_t size = 0; size <= 40; ++size) {
        Bytes entropy(size);
        for (auto& byte : entropy) byte = static_cast<std::uint8_t>(rng());
        const auto mnemonic = Mnemonic::from_entropy(entropy);
        ASSERT_EQ(mnemonic.has_value(), size >= 16 && size <= 32 && size % 4 == 0) << size;
        if (!mnemonic) continue;
        std::vector<std::string> words = words_of(text_of(*mnemonic));
        EXPECT_EQ(words.size(), size / 4 * 3);
        EXPECT_TRUE(equal(Mnemonic::parse(join(words))->entropy(), entropy));
        int accepted = 0;
        for (std::size_t i = 0; i < 2048; ++i) {
            Bytes other(16, 0);
            other[0] = static_cast<std::uint8_t>(i >> 3);
            other[1] = static_cast<std::uint8_t>(i << 5);
            words.back() = words_of(text_of(*Mnemonic::from_entropy(other))).front();
            const auto parsed = Mnemonic::parse(join(words));
            accepted += parsed ? 1 : 0;
            if (!parsed) {
                EXPECT_EQ(parsed.error().code, Errc::Corrupt);
            }
        }
        EXPECT_EQ(accepted, 1 << (11 - size / 4));
    }
}

TEST(Bip39, TakesAnyAsciiWhiteSpace) {
    // Copied text with line breaks and margins is the same mnemonic.
    std::string spaced = " \t";
    for (const char c : kJunk) spaced += c == ' ' ? std::string("\r\n ") : std::string(1, c);
    const auto mnemonic = Mnemonic::parse(spaced + "\n");
    ASSERT_TRUE(mnemonic);
    EXPECT_EQ(text_of(*mnemonic), kJunk);
}

TEST(Bip39, NamesTheWordThatIsWrongWithoutRepeatingIt) {
    // Position, not content: errors are logged.
    std::vector<std::string> words = words_of(kJunk);
    words[4] = "hunter2";
    const auto mnemonic = Mnemonic::parse(join(words));
    ASSERT_FALSE(mnemonic);
    EXPECT_EQ(mnemonic.error().code, Errc::InvalidArgument);
    EXPECT_THAT(mnemonic.error().context, HasSubstr("word 5"));
    EXPECT_THAT(mnemonic.error().context, Not(HasSubstr("hunter2")));
}

TEST(Bip39, RefusesOtherCountsCasesAndLengths) {
    // Every number of words but 12, capitals, prefixes of words, and text beyond the bound.
    for (std::size_t count = 0; count <= 30; ++count) {
        const auto mnemonic = Mnemonic::parse(join(std::vector<std::string>(count, "abandon")));
        ASSERT_FALSE(mnemonic) << count;
        EXPECT_EQ(
            mnemonic.error().code,
            count >= 12 && count <= 24 && count % 3 == 0 ? Errc::Corrupt : Errc::InvalidArgument)
            << count;
    }
    std::string capitals(kJunk);
    capitals[0] = 'T';
    EXPECT_FALSE(Mnemonic::parse(capitals));
    for (std::size_t size = 0; size < kJunk.size(); ++size)
        EXPECT_FALSE(Mnemonic::parse(kJunk.substr(0, size))) << size;
    EXPECT_EQ(Mnemonic::parse(std::string(kMnemonicTextBytesMax + 1, ' ')).error().code,
              Errc::Exhausted);
    EXPECT_FALSE(Mnemonic::parse(std::string(kMnemonicTextBytesMax, ' ')));
}

}  // namespace
}  // namespace draco::crypto
