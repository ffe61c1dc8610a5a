#include "draco/simulon/seeded_rng.hpp"

#include "mix.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace draco::simulon {

SeededRng::SeededRng(std::uint64_t seed) : seed_(seed) {
    // mix() is a bijection over distinct inputs, so at most one word is zero.
    std::uint64_t next = seed;
    for (auto& word : state_) {
        word = mix(next);
        next += 0x9e3779b97f4a7c15;
    }
}

std::uint64_t SeededRng::advance() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

void SeededRng::fill(MutByteView out) {
    while (out.size() >= 8) {
        store_le(out.data(), advance());
        out = out.subspan(8);
    }
    if (out.empty()) return;
    std::uint8_t last[8];
    store_le(last, advance());
    std::copy_n(last, out.size(), out.data());
}

SeededRng SeededRng::fork(std::string_view purpose, std::uint64_t index) const {
    return SeededRng(combine(combine(mix(seed_), as_bytes(purpose)), index));
}

bool SeededRng::chance(double probability) {
    if (probability <= 0) return false;
    if (probability >= 1) return true;
    constexpr double kUnit = 1.0 / static_cast<double>(std::uint64_t{1} << 53);
    return static_cast<double>(next() >> 11) * kUnit < probability;
}

std::uint64_t SeededRng::between(std::uint64_t low, std::uint64_t high) {
    DRACO_ASSERT(low <= high, "a range to draw from is not empty");
    if (high - low == std::numeric_limits<std::uint64_t>::max()) return next();
    return low + below(high - low + 1);
}

}  // namespace draco::simulon
