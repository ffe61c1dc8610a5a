#pragma once
// Ethereum addresses: the last 20 bytes of the Keccak-256 of a public key's coordinates, and their
// text form with EIP-55's checksum in the case of its letters.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/crypto/keccak.hpp"
#include "draco/crypto/secp256k1.hpp"

#include <string>
#include <string_view>

namespace draco::crypto {

using EthereumAddress = FixedBytes<struct EthereumAddressTag, 20>;

EthereumAddress ethereum_address(const Secp256k1PublicKey& key);

// recover(), then ethereum_address().
Result<EthereumAddress> recover_address(const Keccak256Digest& digest,
                                        const EcdsaSignature& signature);

// "0x" and 40 digits, capitals as EIP-55 has them.
std::string to_text(const EthereumAddress& address);

// Text of one case only carries no checksum and is accepted (EIP-55). InvalidArgument if it is not
// 0x and 40 hex digits; Corrupt, with the offset of the first wrong letter, if the checksum does
// not match: it was mistyped.
Result<EthereumAddress> parse_ethereum_address(std::string_view text);

}  // namespace draco::crypto
