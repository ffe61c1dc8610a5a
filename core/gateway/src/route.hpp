#pragma once
// Which service a request target names.

#include "draco/types/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace draco::gateway {

struct Route {
    types::ServiceId service;
    std::string target;  // below the service's root: begins with '/'

    bool operator==(const Route&) const = default;
};

// What "/b3/" stands for.
inline constexpr std::string_view kShortRoot = "/b3/";
inline constexpr types::ServiceId kShortService{0};
inline constexpr std::string_view kShortTarget = "/blake3/";

// Of a target in origin form:
//     /services/<number>[/rest][?query]      the number in decimal, without leading zeros
//     /b3/<rest>                             as /services/0/blake3/<rest>
// Nothing is decoded: an encoded number is none. nullopt for all else.
std::optional<Route> parse_route(std::string_view target);

// "/services/7"
std::string root_of(types::ServiceId service);

}  // namespace draco::gateway
