#pragma once
// What nodes sell, at which price, and whose services sell it.

#include "draco/bcs/bcs.hpp"
#include "draco/types/ids.hpp"
#include "draco/types/keys.hpp"
#include "draco/types/money.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace draco::types {

// Values are part of the state: only ever append.
enum class Commodity : std::uint8_t {
    Bandwidth,  // in bytes delivered
};

inline constexpr std::size_t kCommoditiesMax = 16;
inline constexpr std::size_t kServicesMax = 1024;
inline constexpr std::size_t kServiceNameBytesMax = 32;

std::string_view to_string(Commodity commodity);
// Inverse of to_string. InvalidArgument names those that there are.
Result<Commodity> parse_commodity(std::string_view text);

// `usd` for every `units` units of a commodity. Invariant, of every price on the chain: sound().
struct UnitPrice {
    UsdAmount usd{};
    std::uint64_t units = 1;

    bool operator==(const UnitPrice&) const = default;

    // Any count of units then has a cost.
    constexpr bool sound() const {
        return units != 0 && usd.units <= std::numeric_limits<std::uint64_t>::max();
    }
};

// What the first `count` units cost together: usd * count / units, rounded down. Never decreasing
// in `count`. What is delivered between two counts costs the difference of their costs, so
// however a delivery is cut into pieces, they add up to the same sum. nullopt unless the price is
// sound.
std::optional<UsdAmount> cost(const UnitPrice& price, std::uint64_t count);

using ServiceName = bcs::Bounded<std::string, kServiceNameBytesMax>;

// A program that nodes run, and what it sells.
struct Service {
    ServiceName name{};
    Address builder{};  // is paid the builder's share of its revenue
    Commodity commodity = Commodity::Bandwidth;

    bool operator==(const Service&) const = default;
};

}  // namespace draco::types
