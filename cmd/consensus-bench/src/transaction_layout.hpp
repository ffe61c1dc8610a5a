#pragma once
// What the bytes of a transaction mean to this bench; the rest is filling.

#include "draco/base/bytes.hpp"

#include <chrono>
#include <cstdint>

namespace draco::consensus_bench {

// Of the clock that all processes of a machine share.
inline std::uint64_t monotonic_us() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
}

inline constexpr std::size_t kSentAt = 0;      // monotonic_us, u64
inline constexpr std::size_t kSequenceAt = 8;  // of the client, u64
// One in so many is measured.
inline constexpr std::uint64_t kSampleEvery = 16;
// A frame of a client: length, u32, then the transaction.
inline constexpr std::size_t kFrameHeaderBytes = 4;

}  // namespace draco::consensus_bench
