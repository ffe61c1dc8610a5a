#include "draco/pod/lane_units.hpp"

#include "draco/base/assert.hpp"

#include <limits>

namespace draco::pod {

std::uint64_t units_max(const types::Lane& lane) {
    constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();
    const auto paid = types::cost(lane.price, lane.settled);
    const auto cost_of_all = types::cost(lane.price, kAll);
    DRACO_ASSERT(paid && cost_of_all, "the price of a lane is sound");
    const auto funds = paid->plus(lane.reserve);
    if (!funds || *funds >= *cost_of_all) return kAll;
    // floor(price * n / units) <= funds  <=>  price * n < (funds + 1) * units. The product fits:
    // funds + 1 is at most the cost of all, and the price is not 0, or that would be 0 too.
    const unsigned __int128 limit = (funds->units + 1) * lane.price.units - 1;
    return static_cast<std::uint64_t>(limit / lane.price.usd.units);
}

}  // namespace draco::pod
