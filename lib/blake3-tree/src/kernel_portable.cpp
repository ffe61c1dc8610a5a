#include "draco/base/bytes.hpp"

#include "kernel.hpp"

#include <bit>
#include <cstring>

namespace draco::blake3_tree {
namespace {

void mix(std::uint32_t* v, int a, int b, int c, int d, std::uint32_t x, std::uint32_t y) {
    v[a] += v[b] + x;
    v[d] = std::rotr(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
    v[d] = std::rotr(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 7);
}

// Leaves the 16 words of state, before the final feed-forward, in `v`.
void run_rounds(std::uint32_t* v,
                const std::uint32_t* chaining,
                const std::uint8_t* message,
                std::uint8_t message_bytes,
                std::uint64_t counter,
                std::uint8_t flags) {
    std::uint32_t m[16];
    for (std::size_t i = 0; i < 16; ++i) m[i] = load_le<std::uint32_t>(message + 4 * i);
    std::memcpy(v, chaining, 32);
    std::memcpy(v + 8, kIv, 16);
    v[12] = static_cast<std::uint32_t>(counter);
    v[13] = static_cast<std::uint32_t>(counter >> 32);
    v[14] = message_bytes;
    v[15] = flags;
    for (const auto& s : kSchedule.word) {
        mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
        mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
        mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
        mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
        mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
        mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
        mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
        mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
}

void compress(std::uint32_t* chaining,
              const std::uint8_t* message,
              std::uint8_t message_bytes,
              std::uint64_t counter,
              std::uint8_t flags) {
    std::uint32_t v[16];
    run_rounds(v, chaining, message, message_bytes, counter, flags);
    for (int i = 0; i < 8; ++i) chaining[i] = v[i] ^ v[i + 8];
}

void compress_wide(const std::uint32_t* chaining,
                   const std::uint8_t* message,
                   std::uint8_t message_bytes,
                   std::uint64_t counter,
                   std::uint8_t flags,
                   std::uint8_t* out) {
    std::uint32_t v[16];
    run_rounds(v, chaining, message, message_bytes, counter, flags);
    for (std::size_t i = 0; i < 8; ++i) {
        store_le(out + 4 * i, v[i] ^ v[i + 8]);
        store_le(out + 32 + 4 * i, v[i + 8] ^ chaining[i]);
    }
}

void hash_chunks(const std::uint8_t* input,
                 std::size_t count,
                 const std::uint32_t* key_words,
                 std::uint64_t first_chunk,
                 std::uint8_t mode_flags,
                 std::uint8_t* out) {
    for (std::size_t chunk = 0; chunk < count; ++chunk, out += kHashBytes) {
        std::uint32_t chaining[8];
        std::memcpy(chaining, key_words, sizeof chaining);
        for (std::size_t i = 0; i < kChunkMessages; ++i, input += kMessageBytes) {
            const int edge = (i == 0 ? kChunkStart : 0) | (i + 1 == kChunkMessages ? kChunkEnd : 0);
            compress(chaining,
                     input,
                     kMessageBytes,
                     first_chunk + chunk,
                     static_cast<std::uint8_t>(mode_flags | edge));
        }
        for (std::size_t i = 0; i < 8; ++i) store_le(out + 4 * i, chaining[i]);
    }
}

void hash_parents(const std::uint8_t* children,
                  std::size_t count,
                  const std::uint32_t* key_words,
                  std::uint8_t mode_flags,
                  std::uint8_t* out) {
    for (std::size_t parent = 0; parent < count; ++parent) {
        std::uint32_t chaining[8];
        std::memcpy(chaining, key_words, sizeof chaining);
        compress(chaining,
                 children + parent * kMessageBytes,
                 kMessageBytes,
                 0,
                 static_cast<std::uint8_t>(mode_flags | kParent));
        for (std::size_t i = 0; i < 8; ++i)
            store_le(out + parent * kHashBytes + 4 * i, chaining[i]);
    }
}

}  // namespace

constinit const Kernel kPortableKernel = {compress, compress_wide, hash_chunks, hash_parents};

}  // namespace draco::blake3_tree
