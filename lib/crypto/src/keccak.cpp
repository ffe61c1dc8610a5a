#include "draco/crypto/keccak.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace draco::crypto {
namespace {

constexpr std::size_t kRateBytes = 136;

using KeccakState = std::array<std::uint64_t, 25>;  // lane (x, y) at x + 5 y

// The round constants come from an 8-bit LFSR, x^8 + x^6 + x^5 + x^4 + 1 (Keccak reference 1.2).
constexpr std::array<std::uint64_t, 24> kRoundConstants = [] {
    std::array<std::uint64_t, 24> constants{};
    std::uint8_t lfsr = 1;
    for (std::uint64_t& constant : constants)
        for (unsigned j = 0; j < 7; ++j) {
            if ((lfsr & 1) != 0) constant |= std::uint64_t{1} << ((1U << j) - 1);
            lfsr = static_cast<std::uint8_t>(lfsr << 1 ^ ((lfsr & 0x80) != 0 ? 0x71 : 0));
        }
    return constants;
}();

// Steps rho and pi walk one cycle through all lanes but (0, 0): step t writes kPiLane[t], rotated
// by kRhoBits[t] = (t + 1)(t + 2) / 2.
struct Walk {
    std::array<std::size_t, 24> pi_lane{};
    std::array<int, 24> rho_bits{};
};

constexpr Walk kWalk = [] {
    Walk walk;
    std::size_t x = 1;
    std::size_t y = 0;
    for (std::size_t t = 0; t < 24; ++t) {
        const std::size_t next_y = (2 * x + 3 * y) % 5;
        x = y;
        y = next_y;
        walk.pi_lane[t] = x + 5 * y;
        walk.rho_bits[t] = static_cast<int>((t + 1) * (t + 2) / 2 % 64);
    }
    return walk;
}();

void permute(KeccakState& a) {
    for (const std::uint64_t round_constant : kRoundConstants) {
        std::array<std::uint64_t, 5> parity;
#pragma clang loop unroll(full)
        for (std::size_t x = 0; x < 5; ++x)
            parity[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
#pragma clang loop unroll(full)
        for (std::size_t i = 0; i < 25; ++i)  // theta
            a[i] ^= parity[(i + 4) % 5] ^ std::rotl(parity[(i + 1) % 5], 1);

        std::uint64_t moving = a[1];
#pragma clang loop unroll(full)
        for (std::size_t t = 0; t < 24; ++t) {  // rho and pi
            const std::uint64_t displaced = a[kWalk.pi_lane[t]];
            a[kWalk.pi_lane[t]] = std::rotl(moving, kWalk.rho_bits[t]);
            moving = displaced;
        }
#pragma clang loop unroll(full)
        for (std::size_t y = 0; y < 25; y += 5) {  // chi
            const std::array<std::uint64_t, 5> row = {a[y], a[y + 1], a[y + 2], a[y + 3], a[y + 4]};
            for (std::size_t x = 0; x < 5; ++x)
                a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
        a[0] ^= round_constant;  // iota
    }
}

void absorb(KeccakState& state, const std::uint8_t* block) {
    for (std::size_t i = 0; i < kRateBytes / 8; ++i)
        state[i] ^= load_le<std::uint64_t>(block + 8 * i);
    permute(state);
}

}  // namespace

Keccak256Digest keccak256(ByteView message) {
    KeccakState state{};
    for (; message.size() >= kRateBytes; message = message.subspan(kRateBytes))
        absorb(state, message.data());
    std::array<std::uint8_t, kRateBytes> last{};
    std::ranges::copy(message, last.begin());
    last[message.size()] ^= 0x01;
    last[kRateBytes - 1] ^= 0x80;
    absorb(state, last.data());
    Keccak256Digest digest;
    for (std::size_t i = 0; i < 4; ++i) store_le(digest.data() + 8 * i, state[i]);
    return digest;
}

}  // namespace draco::crypto
