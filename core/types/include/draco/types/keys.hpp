#pragma once
// Who acts: the four kinds of key (docs/decisions/007), each a type of its own with a versioned
// tag.

#include "draco/crypto/ed25519.hpp"
#include "draco/crypto/ethereum_address.hpp"
#include "draco/crypto/secp256k1.hpp"

namespace draco::types {

// Links, DAG signatures, gossip, block signatures.
struct NodeKeyKind {
    static constexpr std::uint8_t kTag = 0x11;
};

// Epoch checkpoints; fresh per epoch.
struct ConsensusKeyKind {
    static constexpr std::uint8_t kTag = 0x21;
};

// Delivery acknowledgements.
struct SessionKeyKind {
    static constexpr std::uint8_t kTag = 0x41;
};

using NodeKey = crypto::Ed25519PublicKey<NodeKeyKind>;
using NodeSignature = crypto::Ed25519Signature<NodeKeyKind>;
using NodeSecretKey = crypto::Ed25519SecretKey<NodeKeyKind>;

using SessionKey = crypto::Ed25519PublicKey<SessionKeyKind>;
using SessionSignature = crypto::Ed25519Signature<SessionKeyKind>;
using SessionSecretKey = crypto::Ed25519SecretKey<SessionKeyKind>;

// An account owner: an Ethereum address, signing with secp256k1.
using Address = crypto::EthereumAddress;
using AccountSignature = crypto::EcdsaSignature;
using AccountSecretKey = crypto::Secp256k1SecretKey;

}  // namespace draco::types
