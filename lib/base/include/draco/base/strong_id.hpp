#pragma once
// A number whose meaning is its Tag: a Round never converts to a Height, nor to an integer by
// accident.
//     struct RoundTag;  using Round = StrongId<RoundTag, std::uint64_t>;
// Value type; ordered; hashable. Arithmetic is written on value(), where overflow is visible.

#include <compare>
#include <concepts>
#include <cstddef>
#include <functional>

namespace draco {

template <class Tag, std::unsigned_integral Rep>
class StrongId {
public:
    using Representation = Rep;

    constexpr StrongId() = default;

    constexpr explicit StrongId(Rep value) : value_(value) {}

    constexpr Rep value() const { return value_; }

    constexpr bool operator==(const StrongId&) const = default;
    constexpr auto operator<=>(const StrongId&) const = default;

private:
    Rep value_ = 0;
};

}  // namespace draco

template <class Tag, std::unsigned_integral Rep>
struct std::hash<draco::StrongId<Tag, Rep>> {
    std::size_t operator()(draco::StrongId<Tag, Rep> id) const noexcept {
        return std::hash<Rep>{}(id.value());
    }
};
