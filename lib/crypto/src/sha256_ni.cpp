#include "sha256_compress.hpp"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#include <cstring>

// Only these functions are compiled for the extensions, so nothing else of this program can execute
// them on a processor without.
#pragma clang attribute push(__attribute__((target("sha,sse4.1"))), apply_to = function)

namespace draco::crypto::sha256_detail::sha_ni {
namespace {

// The state as the instructions want it: the words A, B, E, F and C, D, G, H, highest lane first.
struct Halves {
    __m128i abef;
    __m128i cdgh;
};

__m128i load(const void* from) {
    return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

void store(void* to, __m128i value) {
    _mm_storeu_si128(static_cast<__m128i*>(to), value);
}

Halves from_state(const State& state) {
    const __m128i cdab = _mm_shuffle_epi32(load(state.data()), 0xB1);
    const __m128i efgh = _mm_shuffle_epi32(load(state.data() + 4), 0x1B);
    return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
}

struct Words {
    __m128i abcd;
    __m128i efgh;
};

Words to_words(const Halves& halves) {
    const __m128i feba = _mm_shuffle_epi32(halves.abef, 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(halves.cdgh, 0xB1);
    return {_mm_blend_epi16(feba, dchg, 0xF0), _mm_alignr_epi8(dchg, feba, 8)};
}

__m128i swap_bytes_of_words(__m128i words) {
    return _mm_shuffle_epi8(words, _mm_set_epi64x(0x0c0d0e0f08090a0bULL, 0x0405060700010203ULL));
}

[[gnu::always_inline]] inline void four_rounds(Halves& s, __m128i wk) {
    s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, wk);
    s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_shuffle_epi32(wk, 0x0E));
}

[[gnu::always_inline]] inline void add(Halves& s, const Halves& other) {
    s.abef = _mm_add_epi32(s.abef, other.abef);
    s.cdgh = _mm_add_epi32(s.cdgh, other.cdgh);
}

// Compresses one block into each of the lanes. The lanes are independent, so two of them hide the
// latency of the round instruction.
template <std::size_t Lanes>
[[gnu::always_inline]] inline void compress_lanes(Halves (&states)[Lanes],
                                                  const std::uint8_t* (&blocks)[Lanes]) {
    Halves s[Lanes];
    __m128i w[Lanes][4];
    for (std::size_t lane = 0; lane < Lanes; ++lane) {
        s[lane] = states[lane];
        for (std::size_t i = 0; i < 4; ++i)
            w[lane][i] = swap_bytes_of_words(load(blocks[lane] + 16 * i));
    }
#pragma clang loop unroll(full)
    for (std::size_t group = 0; group < 16; ++group) {
        const __m128i k = load(kRoundConstants.data() + 4 * group);
        for (std::size_t lane = 0; lane < Lanes; ++lane) {
            auto& ring =
                w[lane];  // ring[group % 4] holds the group's words, then those of group + 4
            __m128i& now = ring[group % 4];
            if (group >= 4) {
                const __m128i back1 = ring[(group + 3) % 4];
                const __m128i back7 = _mm_alignr_epi8(back1, ring[(group + 2) % 4], 4);
                const __m128i partial = _mm_sha256msg1_epu32(now, ring[(group + 1) % 4]);
                now = _mm_sha256msg2_epu32(_mm_add_epi32(partial, back7), back1);
            }
            four_rounds(s[lane], _mm_add_epi32(now, k));
        }
    }
    for (std::size_t lane = 0; lane < Lanes; ++lane) add(states[lane], s[lane]);
}

template <std::size_t Lanes>
[[gnu::always_inline]] inline void compress_padding_of_64(Halves (&states)[Lanes]) {
    Halves s[Lanes];
    for (std::size_t lane = 0; lane < Lanes; ++lane) s[lane] = states[lane];
#pragma clang loop unroll(full)
    for (std::size_t group = 0; group < 16; ++group) {
        const __m128i wk = load(kPaddingOf64.data() + 4 * group);
        for (std::size_t lane = 0; lane < Lanes; ++lane) four_rounds(s[lane], wk);
    }
    for (std::size_t lane = 0; lane < Lanes; ++lane) add(states[lane], s[lane]);
}

template <std::size_t Lanes>
[[gnu::always_inline]] inline void store_digests(const Halves (&states)[Lanes], std::uint8_t* out) {
    for (std::size_t lane = 0; lane < Lanes; ++lane) {
        const auto [abcd, efgh] = to_words(states[lane]);
        store(out + 32 * lane, swap_bytes_of_words(abcd));
        store(out + 32 * lane + 16, swap_bytes_of_words(efgh));
    }
}

// All lanes are read before any digest is written, so `out` may be `in`.
template <std::size_t Lanes>
void hash_64_lanes(const std::uint8_t* in, std::uint8_t* out) {
    Halves states[Lanes];
    const std::uint8_t* blocks[Lanes];
    for (std::size_t lane = 0; lane < Lanes; ++lane) {
        states[lane] = from_state(kInitialState);
        blocks[lane] = in + 64 * lane;
    }
    compress_lanes(states, blocks);
    compress_padding_of_64(states);
    store_digests(states, out);
}

template <std::size_t Lanes>
void hash_prefixed_64_lanes(std::uint8_t prefix, const std::uint8_t* in, std::uint8_t* out) {
    Halves states[Lanes];
    alignas(16) std::uint8_t message[Lanes][128];
    const std::uint8_t* first[Lanes];
    const std::uint8_t* second[Lanes];
    for (std::size_t lane = 0; lane < Lanes; ++lane) {
        states[lane] = from_state(kInitialState);
        message[lane][0] = prefix;
        std::memcpy(message[lane] + 1, in + 64 * lane, 64);
        std::memcpy(message[lane] + 65, kPaddingOf65.data(), kPaddingOf65.size());
        first[lane] = message[lane];
        second[lane] = message[lane] + 64;
    }
    compress_lanes(states, first);
    compress_lanes(states, second);
    store_digests(states, out);
}

}  // namespace

bool available() {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    constexpr unsigned kSsse3AndSse41 = 1U << 9 | 1U << 19;
    constexpr unsigned kSha = 1U << 29;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kSsse3AndSse41) != kSsse3AndSse41)
        return false;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & kSha) != 0;
}

void compress(State& state, const std::uint8_t* blocks, std::size_t count) {
    Halves lane[1] = {from_state(state)};
    for (; count > 0; --count, blocks += 64) {
        const std::uint8_t* block[1] = {blocks};
        compress_lanes(lane, block);
    }
    const auto [abcd, efgh] = to_words(lane[0]);
    store(state.data(), abcd);
    store(state.data() + 4, efgh);
}

void hash_64(const std::uint8_t* in, std::uint8_t* out, std::size_t count) {
    for (; count >= 2; count -= 2, in += 128, out += 64) hash_64_lanes<2>(in, out);
    if (count == 1) hash_64_lanes<1>(in, out);
}

void hash_prefixed_64(std::uint8_t prefix,
                      const std::uint8_t* in,
                      std::uint8_t* out,
                      std::size_t count) {
    for (; count >= 2; count -= 2, in += 128, out += 64) hash_prefixed_64_lanes<2>(prefix, in, out);
    if (count == 1) hash_prefixed_64_lanes<1>(prefix, in, out);
}

}  // namespace draco::crypto::sha256_detail::sha_ni

#pragma clang attribute pop

#else

namespace draco::crypto::sha256_detail::sha_ni {

bool available() {
    return false;
}

void compress(State&, const std::uint8_t*, std::size_t) {}

void hash_64(const std::uint8_t*, std::uint8_t*, std::size_t) {}

void hash_prefixed_64(std::uint8_t, const std::uint8_t*, std::uint8_t*, std::size_t) {}

}  // namespace draco::crypto::sha256_detail::sha_ni

#endif
