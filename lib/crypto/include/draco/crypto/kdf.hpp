#pragma once
// Message authentication and key derivation: HMAC (RFC 2104), HKDF (RFC 5869), PBKDF2 (RFC 8018),
// scrypt (RFC 7914). Thread-safe.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/crypto/secret.hpp"

#include <cstddef>
#include <cstdint>

namespace draco::crypto {

// Secrets, because a MAC is compared with constant_time_equal, never ==.
using HmacSha256 = SecretBytes<struct HmacSha256Tag, 32>;
using HmacSha512 = SecretBytes<struct HmacSha512Tag, 64>;

HmacSha256 hmac_sha256(ByteView key, ByteView message);
HmacSha512 hmac_sha512(ByteView key, ByteView message);

inline constexpr std::size_t kHkdfSha256BytesMax = std::size_t{255} * 32;

// Extract, then expand. Precondition (asserted): out.size() <= kHkdfSha256BytesMax.
void hkdf_sha256(ByteView salt, ByteView input_key, ByteView info, MutByteView out);

// Precondition (asserted): 0 < iterations < 2^31, and no argument has 2^31 bytes or more. Linear in
// iterations * out.size(): bound both where they are read from a file.
void pbkdf2_hmac_sha512(ByteView password,
                        ByteView salt,
                        std::uint32_t iterations,
                        MutByteView out);

struct ScryptParameters {
    std::uint64_t n;  // cost; a power of 2, at least 2
    std::uint32_t r;  // block size, in units of 128 bytes
    std::uint32_t p;  // parallelization
};

// What a foreign file's parameters may cost. The defaults allow Ethereum keystore v3 as written
// by every wallet (n = 2^18, r = 8, p = 1: 256 MiB, about a second), and a few times more.
struct ScryptLimits {
    std::uint64_t memory_bytes_max = std::uint64_t{1} << 29;  // of 128 r (n + p) + O(r)
    std::uint64_t work_max = std::uint64_t{1} << 23;          // of n r p
};

// InvalidArgument for parameters outside RFC 7914 section 2 or no output, Exhausted for those
// beyond the limits or if the memory cannot be had. Nothing is allocated before both are checked.
Result<> scrypt(ByteView password,
                ByteView salt,
                const ScryptParameters& parameters,
                MutByteView out,
                const ScryptLimits& limits = {});

}  // namespace draco::crypto
