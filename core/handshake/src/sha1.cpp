#include "sha1.hpp"

#include <bit>

namespace draco::handshake {
namespace {

constexpr std::size_t kBlockBytes = 64;
using State = std::array<std::uint32_t, 5>;

void compress(State& state, const std::uint8_t* block) {
    std::array<std::uint32_t, 80> w{};
    for (std::size_t t = 0; t < 16; ++t) w[t] = load_be<std::uint32_t>(block + 4 * t);
    for (std::size_t t = 16; t < w.size(); ++t)
        w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    auto [a, b, c, d, e] = state;
    for (std::size_t t = 0; t < w.size(); ++t) {
        std::uint32_t f = b ^ c ^ d;
        std::uint32_t k = t < 40 ? 0x6ED9EBA1 : 0xCA62C1D6;
        if (t < 20) {
            f = (b & c) | (~b & d);
            k = 0x5A827999;
        } else if (t >= 40 && t < 60) {
            f = (b & c) | (b & d) | (c & d);
            k = 0x8F1BBCDC;
        }
        const std::uint32_t next = std::rotl(a, 5) + f + e + k + w[t];
        e = d;
        d = c;
        c = std::rotl(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

}  // namespace

std::array<std::uint8_t, 20> sha1(ByteView message) {
    State state{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    Bytes padded = to_bytes(message);
    padded.push_back(0x80);
    while (padded.size() % kBlockBytes != kBlockBytes - 8) padded.push_back(0);
    padded.resize(padded.size() + 8);
    store_be<std::uint64_t>(padded.data() + padded.size() - 8, message.size() * 8);
    for (std::size_t at = 0; at < padded.size(); at += kBlockBytes)
        compress(state, padded.data() + at);
    std::array<std::uint8_t, 20> digest{};
    for (std::size_t i = 0; i < state.size(); ++i) store_be(digest.data() + 4 * i, state[i]);
    return digest;
}

}  // namespace draco::handshake
