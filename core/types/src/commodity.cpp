#include "draco/types/commodity.hpp"

#include <array>

namespace draco::types {
namespace {

constexpr std::array kCommodities = {Commodity::Bandwidth};

}  // namespace

std::string_view to_string(Commodity commodity) {
    switch (commodity) {
        case Commodity::Bandwidth:
            return "bandwidth";
    }
    return "unknown";
}

Result<Commodity> parse_commodity(std::string_view text) {
    std::string known;
    for (const Commodity commodity : kCommodities) {
        if (text == to_string(commodity)) return commodity;
        known += (known.empty() ? "" : ", ") + std::string(to_string(commodity));
    }
    return fail(Errc::InvalidArgument,
                "'" + std::string(text.substr(0, 60)) + "' is no commodity; there are: " + known);
}

std::optional<UsdAmount> cost(const UnitPrice& price, std::uint64_t count) {
    if (!price.sound()) return std::nullopt;
    // Two factors of 64 bits.
    return UsdAmount{price.usd.units * count / price.units};
}

}  // namespace draco::types
