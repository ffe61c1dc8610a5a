// Whatever a target is, it names at most one service, and what is below its root.

#include "draco/base/assert.hpp"
#include "draco/base/bytes.hpp"

#include "../src/route.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace draco;  // NOLINT(google-build-using-namespace)

void check(std::string_view target) {
    const auto route = gateway::parse_route(target);
    if (!route) return;
    DRACO_ASSERT(route->target.starts_with('/'), "below the root");
    const auto again = gateway::parse_route(gateway::root_of(route->service) + route->target);
    DRACO_ASSERT(again && *again == *route, "written in full it is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(as_text({data, size}));
    check(text);
    check("/services/" + text);
    check("/b3/" + text);
    return 0;
}
