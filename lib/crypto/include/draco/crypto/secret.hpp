#pragma once
// Memory that holds secrets. A secret is move-only, copied only by name (clone), wiped when it is
// destroyed, moved from or replaced, and has neither operator== nor any way to be printed. Its
// bytes are reached by name (expose), so that every place where they leave is found by searching
// for that word. Wiping covers the object's own memory; registers and pages swapped to disk are out
// of reach.

#include "draco/base/bytes.hpp"
#include "draco/base/rng.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace draco::crypto {

// Overwrites with zeros in a way that the compiler does not remove.
void wipe(MutByteView bytes);

// In time that depends on the lengths only; false if these differ.
bool constant_time_equal(ByteView a, ByteView b);

// A secret of fixed length whose meaning is its Tag, as in FixedBytes.
template <class Tag, std::size_t N>
class SecretBytes {
public:
    static constexpr std::size_t kSize = N;

    // Copies; wiping the source is its owner's business.
    explicit SecretBytes(std::span<const std::uint8_t, N> source) {
        std::ranges::copy(source, bytes_.begin());
    }

    SecretBytes(SecretBytes&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }

    SecretBytes& operator=(SecretBytes&& other) noexcept {
        if (this != &other) {
            bytes_ = other.bytes_;
            wipe(other.bytes_);
        }
        return *this;
    }

    SecretBytes(const SecretBytes&) = delete;
    SecretBytes& operator=(const SecretBytes&) = delete;

    ~SecretBytes() { wipe(bytes_); }

    // Calls write(std::span<std::uint8_t, N>) on the memory of a new, zeroed secret.
    template <class Write>
    static SecretBytes make(Write&& write) {
        SecretBytes secret;
        write(std::span<std::uint8_t, N>(secret.bytes_));
        return secret;
    }

    // `rng` must be documented as cryptographically strong.
    static SecretBytes draw(Rng& rng) {
        return make([&](std::span<std::uint8_t, N> out) { rng.fill(out); });
    }

    SecretBytes clone() const { return SecretBytes(expose()); }

    std::span<const std::uint8_t, N> expose() const { return bytes_; }

private:
    SecretBytes() = default;

    std::array<std::uint8_t, N> bytes_{};
};

// A secret whose length is known only at run time and fixed at construction. The memory never
// moves. A moved-from buffer is empty.
class SecretBuffer {
public:
    explicit SecretBuffer(std::size_t size) : bytes_(size) {}

    explicit SecretBuffer(ByteView source) : bytes_(to_bytes(source)) {}

    SecretBuffer(SecretBuffer&& other) noexcept = default;
    SecretBuffer& operator=(SecretBuffer&& other) noexcept;
    SecretBuffer(const SecretBuffer&) = delete;
    SecretBuffer& operator=(const SecretBuffer&) = delete;
    ~SecretBuffer();

    SecretBuffer clone() const { return SecretBuffer(ByteView(bytes_)); }

    std::size_t size() const { return bytes_.size(); }

    ByteView expose() const { return bytes_; }

    MutByteView expose() { return bytes_; }

    std::string_view expose_text() const { return as_text(bytes_); }

private:
    Bytes bytes_;
};

}  // namespace draco::crypto
