#include "draco/crypto/ethereum_address.hpp"

#include "vector_file.hpp"

#include <gmock/gmock.h>

#include <cctype>

namespace draco::crypto {
namespace {

// EIP-55, "Test Cases".
constexpr std::string_view kExamples[] = {
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
};

std::string with_case(std::string_view text, int (*convert)(int)) {
    std::string changed(text);
    for (std::size_t i = 2; i < changed.size(); ++i)
        changed[i] = static_cast<char>(convert(static_cast<unsigned char>(changed[i])));
    return changed;
}

TEST(EthereumAddress, MatchesTheEip55Examples) {
    // Encoding gives the published capitals; each example, and both plain cases, decode to it.
    for (const std::string_view example : kExamples) {
        const auto address = parse_ethereum_address(example);
        ASSERT_TRUE(address) << example;
        EXPECT_EQ(to_text(*address), example);
        EXPECT_EQ(parse_ethereum_address(with_case(example, std::tolower)), *address);
        EXPECT_EQ(parse_ethereum_address(with_case(example, std::toupper)), *address);
    }
}

TEST(EthereumAddress, RefusesAWrongChecksumByName) {
    // Any one letter in the other case is Corrupt and names its offset, unless that leaves one case
    // only.
    for (const std::string_view example : kExamples)
        for (std::size_t i = 2; i < example.size(); ++i) {
            if (std::isalpha(static_cast<unsigned char>(example[i])) == 0) continue;
            std::string changed(example);
            changed[i] = static_cast<char>(changed[i] ^ 0x20);
            if (changed == with_case(changed, std::tolower) ||
                changed == with_case(changed, std::toupper))
                continue;
            const auto address = parse_ethereum_address(changed);
            ASSERT_FALSE(address) << changed;
            EXPECT_EQ(address.error().code, Errc::Corrupt);
            EXPECT_THAT(address.error().context,
                        ::testing::HasSubstr("offset " + std::to_string(i)));
        }
}

TEST(EthereumAddress, RefusesWhatIsNoAddress) {
    // Every truncation, a longer one, other prefixes and other digits.
    const std::string good(kExamples[4]);
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_EQ(parse_ethereum_address(good.substr(0, size)).error().code, Errc::InvalidArgument);
    EXPECT_FALSE(parse_ethereum_address(good + "0"));
    EXPECT_FALSE(parse_ethereum_address("0X" + good.substr(2)));
    EXPECT_FALSE(parse_ethereum_address(good.substr(2)));
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string changed = good;
        changed[i] = 'g';
        EXPECT_FALSE(parse_ethereum_address(changed)) << i;
    }
}

}  // namespace
}  // namespace draco::crypto
