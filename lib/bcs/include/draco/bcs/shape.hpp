#pragma once
// Which C++ types have a BCS encoding, and the least number of bytes each takes.

#include "draco/base/bytes.hpp"
#include "draco/base/strong_id.hpp"
#include "draco/bcs/bounded.hpp"
#include "draco/bcs/packed_strings.hpp"
#include "draco/bcs/reflect.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace draco::bcs {

// BCS specification: sequences have at most 2^31 - 1 elements, structs and enums nest at most 500
// deep.
inline constexpr std::uint32_t kLengthMax = 0x7FFF'FFFF;
inline constexpr std::uint32_t kDepthMax = 500;

namespace detail {

template <class T, template <class...> class Template>
inline constexpr bool kIs = false;
template <template <class...> class Template, class... Args>
inline constexpr bool kIs<Template<Args...>, Template> = true;

template <class T>
inline constexpr bool kIsArray = false;
template <class T, std::size_t N>
inline constexpr bool kIsArray<std::array<T, N>> = true;

template <class T>
inline constexpr bool kIsFixedBytes = false;
template <class Tag, std::size_t N>
inline constexpr bool kIsFixedBytes<FixedBytes<Tag, N>> = true;

template <class T>
inline constexpr bool kIsStrongId = false;
template <class Tag, class Rep>
inline constexpr bool kIsStrongId<StrongId<Tag, Rep>> = true;

template <class T>
inline constexpr bool kIsBounded = false;
template <class Container, std::size_t N>
inline constexpr bool kIsBounded<Bounded<Container, N>> = true;

template <class T>
inline constexpr bool kIsPackedStrings = false;
template <std::size_t Bytes, std::size_t Count>
inline constexpr bool kIsPackedStrings<PackedStrings<Bytes, Count>> = true;

template <class T, class... Kinds>
concept OneOf = (std::same_as<T, Kinds> || ...);

}  // namespace detail

// u8 ... u128 and i8 ... i128. Characters, bool and floating point are not integers of BCS.
template <class T>
concept Integer =
    detail::OneOf<T, __int128, unsigned __int128> ||
    (std::integral<T> && !detail::OneOf<T, bool, char, wchar_t, char8_t, char16_t, char32_t>);

template <class T>
concept Text = detail::OneOf<T, std::string, std::string_view>;

template <class T>
concept Tuple = detail::kIs<T, std::tuple> || detail::kIs<T, std::pair>;

template <class T>
concept Aggregate = std::is_class_v<T> && std::is_aggregate_v<T> && !detail::kIsArray<T>;

// Every pattern of sizeof(T) bytes is a value and its little-endian encoding is its memory.
template <class T>
concept PlainBytes =
    (Integer<T> && (sizeof(T) == 1 || std::endian::native == std::endian::little)) ||
    detail::kIsFixedBytes<T>;

// The least number of bytes an encoded T takes. 0 only for types that carry no information.
template <class T>
consteval std::size_t encoded_bytes_min() {
    if constexpr (Integer<T> || detail::kIsFixedBytes<T> || detail::kIsStrongId<T>) {
        return sizeof(T);
    } else if constexpr (std::same_as<T, std::monostate>) {
        return 0;
    } else if constexpr (detail::kIsArray<T>) {
        return std::tuple_size_v<T> * encoded_bytes_min<typename T::value_type>();
    } else if constexpr (Tuple<T>) {
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (std::size_t{0} + ... + encoded_bytes_min<std::tuple_element_t<I, T>>());
        }(std::make_index_sequence<std::tuple_size_v<T>>());
    } else if constexpr (Aggregate<T>) {
        return decltype(with_fields(std::declval<T&>(), []<class... Fields>(Fields&...) {
            return std::integral_constant<std::size_t,
                                          (std::size_t{0} + ... + encoded_bytes_min<Fields>())>();
        }))::value;
    } else {
        return 1;  // bool, enumerator, or the length or tag that every other kind starts with
    }
}

}  // namespace draco::bcs
