#pragma once
// Randomness as a capability. lib/crypto's SystemRng is the operating system's; lib/simulon's is
// seeded and replayable.

#include "draco/base/assert.hpp"
#include "draco/base/bytes.hpp"

#include <cstdint>

namespace draco {

// Not required to be thread-safe: each owner has its own. Keys are drawn only from an Rng that is
// documented as cryptographically strong.
class Rng {
public:
    virtual ~Rng() = default;
    virtual void fill(MutByteView out) = 0;

    std::uint64_t next() {
        std::uint8_t raw[8];
        fill(raw);
        return load_le<std::uint64_t>(raw);
    }

    // Uniform in [0, bound), without modulo bias. Precondition: bound > 0.
    std::uint64_t below(std::uint64_t bound) {
        DRACO_ASSERT(bound > 0, "a range to draw from is not empty");
        const std::uint64_t biased = (0 - bound) % bound;  // 2^64 mod bound
        std::uint64_t drawn = next();
        while (drawn < biased) drawn = next();
        return drawn % bound;
    }
};

}  // namespace draco
