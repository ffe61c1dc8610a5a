// A target names one service and what is below its root, or none.

#include "../src/route.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace draco::gateway {
namespace {

TEST(Route, NamesAServiceAndWhatIsBelowIt) {
    const std::vector<std::tuple<std::string, std::uint32_t, std::string>> cases = {
        {"/b3/ab/c?d=/e", 0, "/blake3/ab/c?d=/e"},
        {"/b3/", 0, "/blake3/"},
        {"/services/0/blake3/ab", 0, "/blake3/ab"},
        {"/services/7", 7, "/"},
        {"/services/7/", 7, "/"},
        {"/services/7?a=b", 7, "/?a=b"},
        {"/services/7//../%2e?x", 7, "//../%2e?x"},
        {"/services/10/services/3/", 10, "/services/3/"},
        {"/services/4294967295/x", 4'294'967'295, "/x"},
    };
    for (const auto& [target, service, below] : cases) {
        const auto route = parse_route(target);
        ASSERT_TRUE(route) << target;
        EXPECT_EQ(route->service, types::ServiceId(service)) << target;
        EXPECT_EQ(route->target, below) << target;
    }
}

TEST(Route, OtherTargetsNameNone) {
    for (const std::string target : {"",
                                     "/",
                                     "*",
                                     "/b3",
                                     "/B3/x",
                                     "b3/x",
                                     "/services",
                                     "/services/",
                                     "/services//x",
                                     "/services/?x",
                                     "/services/x",
                                     "/services/07/",
                                     "/services/00",
                                     "/services/-1/",
                                     "/services/+1/",
                                     "/services/ 1/",
                                     "/services/1x/",
                                     "/services/%30/",
                                     "/services/4294967296/",
                                     "/Services/0/"})
        EXPECT_EQ(parse_route(target), std::nullopt) << target;
}

}  // namespace
}  // namespace draco::gateway
