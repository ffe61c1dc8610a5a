#pragma once
// The fields of an aggregate and the names of fields, types and enumerators, without a line of
// boilerplate in the described types. An aggregate here is a struct without constructors, base
// classes, private members or C arrays, with at most kFieldsMax fields.
//
// How: T{any, any, ...} compiles for up to as many placeholders as T has fields; structured
// bindings then name them. Names are read from the compiler's spelling of the address of a field,
// or of an enumerator, used as a template argument (clang's __PRETTY_FUNCTION__).

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace draco::bcs {

inline constexpr std::size_t kFieldsMax = 32;

namespace detail {

struct Placeholder {
    template <class T>
    operator T() const;  // NOLINT(google-explicit-constructor): stands in for a value of any type
};

template <class T, class... Placeholders>
consteval std::size_t count_fields() {
    if constexpr (requires { T{Placeholders{}..., Placeholder{}}; })
        return count_fields<T, Placeholders..., Placeholder>();
    else
        return sizeof...(Placeholders);
}

}  // namespace detail

template <class T>
inline constexpr std::size_t kFieldCount = detail::count_fields<std::remove_const_t<T>>();

// Calls visit(field_0, field_1, ...) with references to the fields in declared order.
template <class T, class Visit>
constexpr decltype(auto) with_fields(T& object, Visit&& visit) {
    constexpr std::size_t kCount = kFieldCount<T>;
    static_assert(kCount <= kFieldsMax, "split this struct: it has more fields than kFieldsMax");
    // clang-format off
    if constexpr (kCount == 0) return visit();
    else if constexpr (kCount == 1) { auto& [f0] = object; return visit(f0); }
    else if constexpr (kCount == 2) { auto& [f0, f1] = object; return visit(f0, f1); }
    else if constexpr (kCount == 3) { auto& [f0, f1, f2] = object; return visit(f0, f1, f2); }
    else if constexpr (kCount == 4) { auto& [f0, f1, f2, f3] = object; return visit(f0, f1, f2, f3); }
    else if constexpr (kCount == 5) { auto& [f0, f1, f2, f3, f4] = object; return visit(f0, f1, f2, f3, f4); }
    else if constexpr (kCount == 6) { auto& [f0, f1, f2, f3, f4, f5] = object; return visit(f0, f1, f2, f3, f4, f5); }
    else if constexpr (kCount == 7) { auto& [f0, f1, f2, f3, f4, f5, f6] = object; return visit(f0, f1, f2, f3, f4, f5, f6); }
    else if constexpr (kCount == 8) { auto& [f0, f1, f2, f3, f4, f5, f6, f7] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7); }
    else if constexpr (kCount == 9) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8); }
    else if constexpr (kCount == 10) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9); }
    else if constexpr (kCount == 11) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10); }
    else if constexpr (kCount == 12) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11); }
    else if constexpr (kCount == 13) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12); }
    else if constexpr (kCount == 14) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13); }
    else if constexpr (kCount == 15) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14); }
    else if constexpr (kCount == 16) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15); }
    else if constexpr (kCount == 17) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16); }
    else if constexpr (kCount == 18) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17); }
    else if constexpr (kCount == 19) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18); }
    else if constexpr (kCount == 20) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19); }
    else if constexpr (kCount == 21) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20); }
    else if constexpr (kCount == 22) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21); }
    else if constexpr (kCount == 23) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22); }
    else if constexpr (kCount == 24) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23); }
    else if constexpr (kCount == 25) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24); }
    else if constexpr (kCount == 26) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25); }
    else if constexpr (kCount == 27) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26); }
    else if constexpr (kCount == 28) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27); }
    else if constexpr (kCount == 29) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28); }
    else if constexpr (kCount == 30) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29); }
    else if constexpr (kCount == 31) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30); }
    else if constexpr (kCount == 32) { auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31] = object; return visit(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31); }
    // clang-format on
}

namespace detail {

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"

template <class T>
struct Nowhere {
    T value;
};
// Declared so that its fields have addresses to spell; never defined, never read.
template <class T>
extern const Nowhere<T> kNowhere;

template <class T>
consteval auto field_addresses() {
    return with_fields(kNowhere<T>.value, [](auto&... field) { return std::tuple{&field...}; });
}

#pragma clang diagnostic pop

template <auto Value>
consteval std::string_view spelling() {
    const std::string_view function = __PRETTY_FUNCTION__;  // "... [Value = <spelling>]"
    const std::size_t from = function.find("Value = ") + 8;
    return function.substr(from, function.size() - 1 - from);
}

consteval std::string_view after_last(std::string_view text, char separator) {
    return text.substr(text.rfind(separator) + 1);
}

template <class Enum, std::uint32_t Index>
consteval bool is_enumerator() {
    if constexpr (std::in_range<std::underlying_type_t<Enum>>(Index))
        return spelling<static_cast<Enum>(Index)>().front() != '(';  // "(Enum)7" has no name
    else
        return false;
}

template <class Enum, std::uint32_t Count = 0>
consteval std::uint32_t count_enumerators() {
    if constexpr (is_enumerator<Enum, Count>())
        return count_enumerators<Enum, Count + 1>();
    else
        return Count;
}

}  // namespace detail

template <class T>
inline constexpr auto kFieldNames = []<std::size_t... I>(std::index_sequence<I...>) {
    constexpr auto kAddresses = detail::field_addresses<T>();
    return std::array<std::string_view, sizeof...(I)>{
        detail::after_last(detail::spelling<std::get<I>(kAddresses)>(), '.')...};
}(std::make_index_sequence<kFieldCount<T>>());

// "Header" for draco::types::Header, "vector" for std::vector<int>.
template <class T>
consteval std::string_view type_name() {
    const std::string_view function = __PRETTY_FUNCTION__;  // "... [T = <spelling>]"
    const std::size_t from = function.find("T = ") + 4;
    const std::string_view full = function.substr(from, function.size() - 1 - from);
    return detail::after_last(full.substr(0, full.find('<')), ':');
}

// How many enumerators a scoped enumeration has whose values are 0, 1, 2, ...: counts up to the
// first value without a name.
template <class Enum>
    requires std::is_scoped_enum_v<Enum>
inline constexpr std::uint32_t kEnumeratorCount = detail::count_enumerators<Enum>();

}  // namespace draco::bcs
