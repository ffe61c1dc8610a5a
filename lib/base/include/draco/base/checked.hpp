#pragma once
// Integer arithmetic that cannot wrap in silence: nullopt where the mathematical result does not
// fit.

#include <concepts>
#include <optional>

namespace draco {

// std::integral leaves the 128-bit integers out.
template <class T>
concept MachineInteger =
    std::integral<T> || std::same_as<T, __int128> || std::same_as<T, unsigned __int128>;

template <MachineInteger T>
constexpr std::optional<T> checked_add(T a, T b) {
    T result;
    if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
    return result;
}

template <MachineInteger T>
constexpr std::optional<T> checked_sub(T a, T b) {
    T result;
    if (__builtin_sub_overflow(a, b, &result)) return std::nullopt;
    return result;
}

template <MachineInteger T>
constexpr std::optional<T> checked_mul(T a, T b) {
    T result;
    if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
    return result;
}

}  // namespace draco
