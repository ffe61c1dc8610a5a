#include "draco/crypto/ethereum_address.hpp"

#include "draco/base/text_encoding.hpp"

#include <algorithm>

namespace draco::crypto {
namespace {

bool is_lower(char c) {
    return c >= 'a' && c <= 'f';
}

bool is_upper(char c) {
    return c >= 'A' && c <= 'F';
}

}  // namespace

EthereumAddress ethereum_address(const Secp256k1PublicKey& key) {
    return EthereumAddress(keccak256(key.coordinates()).view().last<20>());
}

Result<EthereumAddress> recover_address(const Keccak256Digest& digest,
                                        const EcdsaSignature& signature) {
    DRACO_TRY(key, recover(digest, signature));
    return ethereum_address(key);
}

std::string to_text(const EthereumAddress& address) {
    std::string digits = to_hex(address.view());
    const Keccak256Digest hash = keccak256(as_bytes(digits));
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const int nibble = i % 2 == 0 ? hash.bytes[i / 2] >> 4 : hash.bytes[i / 2] & 15;
        if (is_lower(digits[i]) && nibble >= 8)
            digits[i] = static_cast<char>(digits[i] - 'a' + 'A');
    }
    return "0x" + digits;
}

Result<EthereumAddress> parse_ethereum_address(std::string_view text) {
    if (!text.starts_with("0x"))
        return fail(Errc::InvalidArgument, "an Ethereum address starts with 0x");
    const std::string_view digits = text.substr(2);
    DRACO_TRY(address, fixed_from_hex<EthereumAddress>(digits));
    const bool one_case =
        std::ranges::none_of(digits, is_lower) || std::ranges::none_of(digits, is_upper);
    if (one_case) return address;
    const std::string expected = to_text(address);
    if (text != expected) {
        const auto offset = std::ranges::mismatch(text, expected).in1 - text.begin();
        return fail(Errc::Corrupt,
                    "the Ethereum address's checksum does not match at offset " +
                        std::to_string(offset) + ": it was mistyped; copy it again");
    }
    return address;
}

}  // namespace draco::crypto
