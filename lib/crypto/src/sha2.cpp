#include "draco/crypto/sha2.hpp"

#include "draco/base/assert.hpp"

#include "sha256_compress.hpp"

#include <sodium/crypto_hash_sha512.h>

namespace draco::crypto {
namespace {

using sha256_detail::kInitialState;
using sha256_detail::State;
namespace portable = sha256_detail::portable;
namespace sha_ni = sha256_detail::sha_ni;

bool use_sha_ni(Sha256Path path) {
    DRACO_ASSERT(sha256_path_available(path), "a SHA-256 path is used only where it is available");
    return path == Sha256Path::ShaNi;
}

void compress(Sha256Path path, State& state, const std::uint8_t* blocks, std::size_t count) {
    if (use_sha_ni(path))
        sha_ni::compress(state, blocks, count);
    else
        portable::compress(state, blocks, count);
}

}  // namespace

bool sha256_path_available(Sha256Path path) {
    static const bool kShaNi = sha_ni::available();
    return path == Sha256Path::Portable || kShaNi;
}

Sha256Path sha256_best_path() {
    return sha256_path_available(Sha256Path::ShaNi) ? Sha256Path::ShaNi : Sha256Path::Portable;
}

Sha256::Sha256(Sha256Path path) : state_(kInitialState), path_(path) {}

void Sha256::update(ByteView part) {
    const auto used = static_cast<std::size_t>(bytes_ % 64);
    bytes_ += part.size();
    if (used > 0) {
        const std::size_t fill = std::min(64 - used, part.size());
        std::ranges::copy(part.first(fill), pending_.begin() + static_cast<std::ptrdiff_t>(used));
        part = part.subspan(fill);
        if (used + fill < 64) return;
        compress(path_, state_, pending_.data(), 1);
    }
    compress(path_, state_, part.data(), part.size() / 64);
    std::ranges::copy(part.last(part.size() % 64), pending_.begin());
}

Sha256Digest Sha256::digest() const {
    const auto used = static_cast<std::size_t>(bytes_ % 64);
    std::array<std::uint8_t, 128> last{};
    std::ranges::copy(std::span(pending_).first(used), last.begin());
    last[used] = 0x80;
    const std::size_t blocks = used < 56 ? 1 : 2;
    store_be(last.data() + 64 * blocks - 8, bytes_ * 8);
    State state = state_;
    compress(path_, state, last.data(), blocks);
    Sha256Digest digest;
    for (std::size_t i = 0; i < state.size(); ++i) store_be(digest.data() + 4 * i, state[i]);
    return digest;
}

Sha256Digest sha256(ByteView message, Sha256Path path) {
    Sha256 hash(path);
    hash.update(message);
    return hash.digest();
}

Sha512Digest sha512(ByteView message) {
    Sha512Digest digest;
    crypto_hash_sha512(digest.data(), message.data(), message.size());
    return digest;
}

void sha256_64_many(const std::uint8_t* in, std::uint8_t* out, std::size_t count, Sha256Path path) {
    if (use_sha_ni(path))
        sha_ni::hash_64(in, out, count);
    else
        portable::hash_64(in, out, count);
}

void sha256_prefixed_64_many(std::uint8_t prefix,
                             const std::uint8_t* in,
                             std::uint8_t* out,
                             std::size_t count,
                             Sha256Path path) {
    if (use_sha_ni(path)) return sha_ni::hash_prefixed_64(prefix, in, out, count);
    for (; count > 0; --count, in += 64, out += 32) {
        Sha256 hash(path);
        hash.update({&prefix, 1});
        hash.update({in, 64});
        std::ranges::copy(hash.digest().bytes, out);
    }
}

}  // namespace draco::crypto
