#pragma once
// SHA-256 and SHA-512 (FIPS 180-4). SHA-256 has two implementations, one on the SHA-NI instructions
// and one portable; the fastest that this processor has is chosen at run time, and every function
// takes a Sha256Path so that the other can be asked for by name.
//
// A tree node of two 32-byte children is 64 bytes of input, so these have entry points of their
// own: no buffering, a second block whose message schedule is a constant, and two messages
// interleaved in the batch forms. All functions are thread-safe; nothing here allocates or fails.

#include "draco/base/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace draco::crypto {

using Sha256Digest = FixedBytes<struct Sha256DigestTag, 32>;
using Sha512Digest = FixedBytes<struct Sha512DigestTag, 64>;

enum class Sha256Path {
    Portable,
    ShaNi,  // x86-64 SHA extensions
};

bool sha256_path_available(Sha256Path path);
// The fastest available path.
Sha256Path sha256_best_path();

// Precondition of everything below that takes a path (asserted): it is available.

Sha256Digest sha256(ByteView message, Sha256Path path = sha256_best_path());
Sha512Digest sha512(ByteView message);

// SHA-256 of `count` messages of exactly 64 bytes each, contiguous at `in`; digest i goes to
// out + 32 * i. `out` may be `in`, so a level of a tree can be folded in place; any other overlap
// is not allowed.
void sha256_64_many(const std::uint8_t* in,
                    std::uint8_t* out,
                    std::size_t count,
                    Sha256Path path = sha256_best_path());

inline void sha256_64(const std::uint8_t* in64, std::uint8_t* out32) {
    sha256_64_many(in64, out32, 1);
}

// The same for 65-byte messages: `prefix`, then the 64 bytes at in + 64 * i (a domain-separated
// tree node).
void sha256_prefixed_64_many(std::uint8_t prefix,
                             const std::uint8_t* in,
                             std::uint8_t* out,
                             std::size_t count,
                             Sha256Path path = sha256_best_path());

inline void sha256_prefixed_64(std::uint8_t prefix, const std::uint8_t* in64, std::uint8_t* out32) {
    sha256_prefixed_64_many(prefix, in64, out32, 1);
}

// Incremental SHA-256: the digest of the concatenation of all updates. Value type: a copy continues
// from the same prefix. Not wiped, so not for secret messages.
class Sha256 {
public:
    explicit Sha256(Sha256Path path = sha256_best_path());

    void update(ByteView part);
    // The digest of everything so far; further updates continue as if it had not been asked for.
    Sha256Digest digest() const;

private:
    std::array<std::uint32_t, 8> state_;
    std::array<std::uint8_t, 64> pending_{};  // the first bytes_ % 64 bytes of it are in use
    std::uint64_t bytes_ = 0;
    Sha256Path path_;
};

}  // namespace draco::crypto
