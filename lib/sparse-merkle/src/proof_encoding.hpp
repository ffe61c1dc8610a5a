#pragma once
// The writing side of proof.hpp.

#include "draco/base/bytes.hpp"
#include "draco/sparse_merkle/types.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace draco::sparse_merkle {

enum class ProofKind : std::uint8_t { Present = 0, AbsentEmpty = 1, AbsentOther = 2 };

// `siblings` from the root downwards, zero where empty. `other` iff kind is AbsentOther.
Bytes encode_proof(ProofKind kind,
                   std::span<const Digest> siblings,
                   const std::optional<Leaf>& other);

}  // namespace draco::sparse_merkle
