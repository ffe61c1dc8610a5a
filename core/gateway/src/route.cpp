#include "route.hpp"

#include <charconv>
#include <cstdint>
#include <system_error>

namespace draco::gateway {
namespace {

constexpr std::string_view kServicesRoot = "/services/";

std::optional<types::ServiceId> parse_number(std::string_view digits) {
    if (digits.starts_with('0') && digits.size() > 1) return std::nullopt;
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return types::ServiceId(number);
}

}  // namespace

std::optional<Route> parse_route(std::string_view target) {
    if (target.starts_with(kShortRoot))
        return Route{
            .service = kShortService,
            .target = std::string(kShortTarget) + std::string(target.substr(kShortRoot.size()))};
    if (!target.starts_with(kServicesRoot)) return std::nullopt;
    target.remove_prefix(kServicesRoot.size());
    const std::string_view digits = target.substr(0, target.find_first_of("/?"));
    const auto service = parse_number(digits);
    if (!service) return std::nullopt;
    target.remove_prefix(digits.size());
    std::string below = target.starts_with('/') ? "" : "/";
    below += target;
    return Route{.service = *service, .target = std::move(below)};
}

std::string root_of(types::ServiceId service) {
    return std::string(kServicesRoot) + std::to_string(service.value());
}

}  // namespace draco::gateway
