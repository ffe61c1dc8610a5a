#include "draco/crypto/kdf.hpp"

#include "draco/base/assert.hpp"
#include "draco/base/checked.hpp"

#include "sodium_ready.hpp"

#include <openssl/evp.h>
#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/crypto_auth_hmacsha512.h>
#include <sodium/crypto_pwhash_scryptsalsa208sha256.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>

namespace draco::crypto {
namespace {

// libsodium declares its inputs non-null, also where they are empty.
const std::uint8_t* non_null(ByteView bytes) {
    static constexpr std::uint8_t kNothing = 0;
    return bytes.empty() ? &kNothing : bytes.data();
}

template <class State>
void wipe_object(State& state) {
    wipe({reinterpret_cast<std::uint8_t*>(&state), sizeof state});
}

// 128 r (n + p) plus libsodium's scratch of 256 r + 64 bytes; nullopt if beyond 2^64.
std::optional<std::uint64_t> scrypt_memory_bytes(const ScryptParameters& parameters) {
    const std::uint64_t block = std::uint64_t{128} * parameters.r;
    const auto blocks = checked_add<std::uint64_t>(parameters.n, std::uint64_t{parameters.p} + 2);
    const auto bytes = blocks ? checked_mul(*blocks, block) : std::nullopt;
    return bytes ? checked_add<std::uint64_t>(*bytes, 64) : std::nullopt;
}

std::optional<std::uint64_t> scrypt_work(const ScryptParameters& parameters) {
    return checked_mul(parameters.n, std::uint64_t{parameters.r} * parameters.p);
}

Result<> check(const ScryptParameters& parameters, const ScryptLimits& limits) {
    const auto& [n, r, p] = parameters;
    if (n < 2 || !std::has_single_bit(n))
        return fail(Errc::InvalidArgument,
                    "scrypt n is " + std::to_string(n) + ", not a power of 2 above 1");
    if (r == 0 || p == 0 || std::uint64_t{r} * p >= std::uint64_t{1} << 30)
        return fail(Errc::InvalidArgument,
                    "scrypt r = " + std::to_string(r) + " and p = " + std::to_string(p) +
                        " are not positive with a product below 2^30");
    const auto memory = scrypt_memory_bytes(parameters);
    const auto work = scrypt_work(parameters);
    if (!memory || *memory > limits.memory_bytes_max || !work || *work > limits.work_max)
        return fail(Errc::Exhausted,
                    "scrypt n = " + std::to_string(n) + ", r = " + std::to_string(r) +
                        ", p = " + std::to_string(p) + " cost more than the " +
                        std::to_string(limits.memory_bytes_max) + " bytes or " +
                        std::to_string(limits.work_max) + " block mixes allowed here");
    return {};
}

}  // namespace

HmacSha256 hmac_sha256(ByteView key, ByteView message) {
    return HmacSha256::make([&](std::span<std::uint8_t, 32> out) {
        crypto_auth_hmacsha256_state state;
        crypto_auth_hmacsha256_init(&state, non_null(key), key.size());
        crypto_auth_hmacsha256_update(&state, non_null(message), message.size());
        crypto_auth_hmacsha256_final(&state, out.data());
        wipe_object(state);
    });
}

HmacSha512 hmac_sha512(ByteView key, ByteView message) {
    return HmacSha512::make([&](std::span<std::uint8_t, 64> out) {
        crypto_auth_hmacsha512_state state;
        crypto_auth_hmacsha512_init(&state, non_null(key), key.size());
        crypto_auth_hmacsha512_update(&state, non_null(message), message.size());
        crypto_auth_hmacsha512_final(&state, out.data());
        wipe_object(state);
    });
}

void hkdf_sha256(ByteView salt, ByteView input_key, ByteView info, MutByteView out) {
    DRACO_ASSERT(out.size() <= kHkdfSha256BytesMax, "HKDF output is within its bound");
    const HmacSha256 pseudorandom_key = hmac_sha256(salt, input_key);
    ByteView previous;
    for (std::uint8_t counter = 1; !out.empty(); ++counter) {
        SecretBuffer message(previous.size() + info.size() + 1);
        const MutByteView to = message.expose();
        std::ranges::copy(previous, to.begin());
        std::ranges::copy(info, to.subspan(previous.size()).begin());
        to.back() = counter;
        const HmacSha256 block = hmac_sha256(pseudorandom_key.expose(), message.expose());
        const std::size_t taken = std::min(out.size(), block.kSize);
        std::ranges::copy(block.expose().first(taken), out.begin());
        previous = out.first(taken);
        out = out.subspan(taken);
    }
}

void pbkdf2_hmac_sha512(ByteView password,
                        ByteView salt,
                        std::uint32_t iterations,
                        MutByteView out) {
    constexpr std::size_t kIntMax = std::numeric_limits<int>::max();
    DRACO_ASSERT(iterations > 0 && iterations <= kIntMax, "iterations fit OpenSSL's int");
    DRACO_ASSERT(password.size() <= kIntMax && salt.size() <= kIntMax && out.size() <= kIntMax,
                 "lengths fit OpenSSL's int");
    const int status = PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(password.data()),
                                         static_cast<int>(password.size()),
                                         salt.data(),
                                         static_cast<int>(salt.size()),
                                         static_cast<int>(iterations),
                                         EVP_sha512(),
                                         static_cast<int>(out.size()),
                                         out.data());
    DRACO_ASSERT(status == 1, "OpenSSL computes PBKDF2");
}

Result<> scrypt(ByteView password,
                ByteView salt,
                const ScryptParameters& parameters,
                MutByteView out,
                const ScryptLimits& limits) {
    DRACO_TRY_VOID(check(parameters, limits));
    if (out.empty() || out.size() > std::uint64_t{32} * std::numeric_limits<std::uint32_t>::max())
        return fail(Errc::InvalidArgument,
                    "scrypt gives 1 to 32 * (2^32 - 1) bytes, not " + std::to_string(out.size()));
    prepare_sodium();
    if (crypto_pwhash_scryptsalsa208sha256_ll(non_null(password),
                                              password.size(),
                                              non_null(salt),
                                              salt.size(),
                                              parameters.n,
                                              parameters.r,
                                              parameters.p,
                                              out.data(),
                                              out.size()) != 0)
        return fail(Errc::Exhausted, "no memory for scrypt: give it less or try again");
    return {};
}

}  // namespace draco::crypto
