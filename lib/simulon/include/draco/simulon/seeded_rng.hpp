#pragma once
// A replayable Rng: xoshiro256** (Blackman and Vigna, 2018) seeded through SplitMix64. Not
// cryptographically strong: nothing outside a simulation may draw keys from it.
//
// fork() gives independent streams by name. A child depends on the parent's seed and the name only,
// not on how much was drawn from the parent, so a new consumer never perturbs the others.

#include "draco/base/rng.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace draco::simulon {

class SeededRng final : public Rng {
public:
    explicit SeededRng(std::uint64_t seed);

    void fill(MutByteView out) override;

    SeededRng fork(std::string_view purpose, std::uint64_t index = 0) const;

    std::uint64_t seed() const { return seed_; }

    // True with the given probability; 0 and 1 are exact and draw nothing.
    bool chance(double probability);

    // Uniform in [low, high]. Precondition: low <= high.
    std::uint64_t between(std::uint64_t low, std::uint64_t high);

private:
    std::uint64_t advance();

    std::uint64_t seed_;
    std::array<std::uint64_t, 4> state_;
};

}  // namespace draco::simulon
