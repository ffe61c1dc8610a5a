#include "draco/base/bytes.hpp"

#include "sha256_compress.hpp"

namespace draco::crypto::sha256_detail::portable {
namespace {

// `wk` is the schedule with the round constants added (FIPS 180-4, 6.2.2 steps 2 to 4).
void rounds(State& state, const Schedule& wk) {
    auto [a, b, c, d, e, f, g, h] = state;
    for (const std::uint32_t word : wk) {
        const std::uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
        const std::uint32_t choice = (e & f) ^ (~e & g);
        const std::uint32_t t1 = h + sum1 + choice + word;
        const std::uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
        const std::uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + sum0 + majority;
    }
    const State mixed = {a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < state.size(); ++i) state[i] += mixed[i];
}

}  // namespace

void compress(State& state, const std::uint8_t* blocks, std::size_t count) {
    for (; count > 0; --count, blocks += 64) {
        Schedule w;
        for (std::size_t t = 0; t < 16; ++t) w[t] = load_be<std::uint32_t>(blocks + 4 * t);
        extend_schedule(w);
        for (std::size_t t = 0; t < 64; ++t) w[t] += kRoundConstants[t];
        rounds(state, w);
    }
}

void hash_64(const std::uint8_t* in, std::uint8_t* out, std::size_t count) {
    for (; count > 0; --count, in += 64, out += 32) {
        State state = kInitialState;
        compress(state, in, 1);
        rounds(state, kPaddingOf64);
        for (std::size_t i = 0; i < 8; ++i) store_be(out + 4 * i, state[i]);
    }
}

}  // namespace draco::crypto::sha256_detail::portable
