#pragma once
// The seed of a random test. Owner: the test runner. A random test derives all its randomness from
// test_seed(), which is DRACO_SEED from the environment or, without it, the fallback the test
// names, so a run is repeatable by default and a failure replays with one command. The runner
// prints that command after a failed test.

#include <cstdint>

namespace draco::testing {

// Returns DRACO_SEED if set (decimal or 0x...), else `fallback`, and remembers it for the failure
// message.
std::uint64_t test_seed(std::uint64_t fallback);

// Scales iteration counts of random tests: DRACO_TEST_SCALE (default 1) times `count`.
std::uint64_t scaled(std::uint64_t count);

}  // namespace draco::testing
