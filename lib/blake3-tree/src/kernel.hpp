#pragma once
// The compression function (section 2.2) as each instruction set performs it. This header and the
// kernels include no code with external linkage: see CMakeLists.txt.

#include <cstddef>
#include <cstdint>

namespace draco::blake3_tree {

// Flags of a compression.
inline constexpr std::uint8_t kChunkStart = 1;
inline constexpr std::uint8_t kChunkEnd = 2;
inline constexpr std::uint8_t kParent = 4;
inline constexpr std::uint8_t kRoot = 8;
inline constexpr std::uint8_t kKeyedHash = 16;
inline constexpr std::uint8_t kDeriveKeyContext = 32;
inline constexpr std::uint8_t kDeriveKeyMaterial = 64;

inline constexpr std::size_t kMessageBytes = 64;
inline constexpr std::size_t kHashBytes = 32;
inline constexpr std::size_t kChunkMessages = 16;
inline constexpr int kRounds = 7;

inline constexpr std::uint32_t kIv[8] = {
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};

// word[r][i] is the message word that round r uses in the i-th place (table 2, applied r times).
struct MessageSchedule {
    std::uint8_t word[kRounds][16];
};

inline constexpr MessageSchedule kSchedule = [] {
    constexpr std::uint8_t kPermutation[16] = {
        2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};
    MessageSchedule schedule{};
    for (std::uint8_t i = 0; i < 16; ++i) schedule.word[0][i] = i;
    for (int r = 1; r < kRounds; ++r)
        for (int i = 0; i < 16; ++i) schedule.word[r][i] = schedule.word[r - 1][kPermutation[i]];
    return schedule;
}();

// `chaining` holds 8 words; `message` is 64 bytes, zero-padded after message_bytes.
struct Kernel {
    // Replaces `chaining` by the chaining value of the compression.
    void (*compress)(std::uint32_t* chaining,
                     const std::uint8_t* message,
                     std::uint8_t message_bytes,
                     std::uint64_t counter,
                     std::uint8_t flags);
    // All 64 output bytes of the compression.
    void (*compress_wide)(const std::uint32_t* chaining,
                          const std::uint8_t* message,
                          std::uint8_t message_bytes,
                          std::uint64_t counter,
                          std::uint8_t flags,
                          std::uint8_t* out);
    // Chaining values of `count` consecutive whole chunks, 32 bytes each.
    void (*hash_chunks)(const std::uint8_t* input,
                        std::size_t count,
                        const std::uint32_t* key_words,
                        std::uint64_t first_chunk,
                        std::uint8_t mode_flags,
                        std::uint8_t* out);
    // Chaining values of `count` parents of 2 * count consecutive chaining values. `out` may be
    // `children`.
    void (*hash_parents)(const std::uint8_t* children,
                         std::size_t count,
                         const std::uint32_t* key_words,
                         std::uint8_t mode_flags,
                         std::uint8_t* out);
};

extern const Kernel kPortableKernel;
extern const Kernel kSse41Kernel;
extern const Kernel kAvx2Kernel;
extern const Kernel kAvx512Kernel;

}  // namespace draco::blake3_tree
