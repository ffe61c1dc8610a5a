#include "draco/crypto/ed25519_verifier.hpp"

#include "ed25519_curve.hpp"
#include "ed25519_rules.hpp"

#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_hash_sha512.h>

namespace draco::crypto::ed25519_detail {

struct PreparedKey {
    FieldBytes encoded;
    PointFault fault = PointFault::None;
    bool is_on_curve = false;
    Multiples of_minus_key;  // if it is
};

namespace {

// h of rule 5.
FieldBytes challenge(std::span<const std::uint8_t, 32> commitment,
                     const FieldBytes& key,
                     ByteView message) {
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, commitment.data(), commitment.size());
    crypto_hash_sha512_update(&state, key.data(), key.size());
    if (!message.empty()) crypto_hash_sha512_update(&state, message.data(), message.size());
    std::array<std::uint8_t, crypto_hash_sha512_BYTES> hash;
    crypto_hash_sha512_final(&state, hash.data());
    FieldBytes reduced_hash;
    crypto_core_ed25519_scalar_reduce(reduced_hash.data(), hash.data());
    return reduced_hash;
}

}  // namespace

std::shared_ptr<const PreparedKey> prepare(std::span<const std::uint8_t, 32> key) {
    auto prepared = std::make_shared<PreparedKey>();
    std::ranges::copy(key, prepared->encoded.begin());
    prepared->fault = check_encoding(key);
    if (prepared->fault != PointFault::None) return prepared;
    const auto point = decode_point(key);
    prepared->is_on_curve = point.has_value();
    if (point) prepared->of_minus_key = multiples_of(negated(*point));
    return prepared;
}

Result<> verify(const PreparedKey& key,
                ByteView message,
                std::span<const std::uint8_t, 64> signature) {
    DRACO_TRY_VOID(check_encodings(key.fault, signature));
    if (!key.is_on_curve) return refuse(kEquationFails);
    const auto commitment = signature.first<32>();
    const FieldBytes h = challenge(commitment, key.encoded, message);
    const Point expected =
        sum_of_products(signature.last<32>(), base_multiples(), h, key.of_minus_key);
    if (!std::ranges::equal(encode(expected), commitment)) return refuse(kEquationFails);
    return {};
}

}  // namespace draco::crypto::ed25519_detail
