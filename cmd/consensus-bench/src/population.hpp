#pragma once
// Keys and genesis of a bench of so many validators: the same in every process, and known to all.

#include "draco/types/genesis.hpp"
#include "draco/types/keys.hpp"

#include <cstddef>
#include <vector>

namespace draco::consensus_bench {

// In the order of their public keys, which is that of the committee.
std::vector<types::NodeSecretKey> validator_keys(std::size_t validators);

// Of a worker process of a validator.
types::NodeSecretKey worker_key(std::size_t validator, std::size_t worker);

types::Genesis make_genesis(const std::vector<types::NodeSecretKey>& keys);

}  // namespace draco::consensus_bench
