#pragma once
// Bytes as values and views, fixed-size byte strings that cannot be mixed up, and byte-order
// conversion.

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace draco {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutByteView = std::span<std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes to_bytes(ByteView bytes) {
    return {bytes.begin(), bytes.end()};
}

inline void append(Bytes& to, ByteView bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

// Not constant-time: never for secrets or MACs.
inline bool equal(ByteView a, ByteView b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// A byte string of a fixed length whose meaning is its Tag: two kinds never compare, convert or
// swap by accident.
//     struct ContentHashTag;  using ContentHash = FixedBytes<ContentHashTag, 32>;
// Value type; zero-initialised; ordered lexicographically; hashable.
template <class Tag, std::size_t N>
struct FixedBytes {
    static constexpr std::size_t kSize = N;
    std::array<std::uint8_t, N> bytes{};

    constexpr FixedBytes() = default;

    constexpr explicit FixedBytes(const std::array<std::uint8_t, N>& value) : bytes(value) {}

    constexpr explicit FixedBytes(std::span<const std::uint8_t, N> value) {
        std::ranges::copy(value, bytes.begin());
    }

    constexpr const std::uint8_t* data() const { return bytes.data(); }

    constexpr std::uint8_t* data() { return bytes.data(); }

    static constexpr std::size_t size() { return N; }

    constexpr std::span<const std::uint8_t, N> view() const { return bytes; }

    constexpr std::span<std::uint8_t, N> view() { return bytes; }

    constexpr bool is_zero() const { return *this == FixedBytes{}; }

    constexpr bool operator==(const FixedBytes&) const = default;
    constexpr auto operator<=>(const FixedBytes&) const = default;
};

template <std::unsigned_integral T>
constexpr T load_le(const std::uint8_t* from) {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
        value = static_cast<T>(value | static_cast<T>(static_cast<T>(from[i]) << (8 * i)));
    return value;
}

template <std::unsigned_integral T>
constexpr T load_be(const std::uint8_t* from) {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
        value = static_cast<T>(static_cast<T>(value << (sizeof(T) > 1 ? 8 : 0)) | from[i]);
    return value;
}

template <std::unsigned_integral T>
constexpr void store_le(std::uint8_t* to, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) to[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

template <std::unsigned_integral T>
constexpr void store_be(std::uint8_t* to, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
        to[sizeof(T) - 1 - i] = static_cast<std::uint8_t>(value >> (8 * i));
}

}  // namespace draco

template <class Tag, std::size_t N>
struct std::hash<draco::FixedBytes<Tag, N>> {
    std::size_t operator()(const draco::FixedBytes<Tag, N>& value) const noexcept {
        return std::hash<std::string_view>{}(draco::as_text(value.view()));
    }
};
