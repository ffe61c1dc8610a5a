#pragma once
// draco devnet load: many transfers to all nodes of a devnet, and whether all of it adds up.

#include "invocation.hpp"

#include <cstdint>

namespace draco {

struct LoadOptions {
    std::uint64_t transfers = 10'000;
    std::size_t accounts = 100;
    std::size_t in_flight = 2000;
    std::uint64_t rate_tps = 0;      // 0: as fast as the nodes take them
    std::uint64_t seconds = 0;       // 0: until all transfers are sent
    std::uint64_t patience_s = 120;  // without any progress
};

// Funds the accounts from the development accounts, sends, waits until everything is executed, then
// compares the nodes with each other and every balance with the plain sums. An error if anything
// differs.
Result<> run_devnet_load(const Invocation& invocation, const LoadOptions& options);

}  // namespace draco
