// Bugs at the core's boundary must be found by the campaign: or it is worth nothing.
#include "draco/campaign/scenario.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace draco::campaign {
namespace {

struct Plant {
    PlantedBug bug;
    const char* name;
    const char* scenario;
    std::uint64_t seeds_max;  // it is found within so many
    const char* complaint;

    friend void PrintTo(const Plant& plant, std::ostream* out) { *out << plant.name; }
};

class PlantedBugs : public ::testing::TestWithParam<Plant> {};

// The seed and the complaint are printed, so that one sees how it was found.
TEST_P(PlantedBugs, IsFound) {
    const Plant& plant = GetParam();
    const Scenario* scenario = find_scenario(plant.scenario);
    ASSERT_NE(scenario, nullptr);
    for (std::uint64_t seed = 1; seed <= plant.seeds_max; ++seed) {
        const Report report = run(*scenario, seed, {.bug = plant.bug});
        if (report.verdict) continue;
        RecordProperty("seed", std::to_string(seed));
        std::cout << plant.name << ": " << to_string(report) << "\n";
        EXPECT_TRUE(report.verdict.error().context.contains(plant.complaint)) << to_string(report);
        return;
    }
    FAIL() << plant.name << " is not found by " << plant.scenario << " within " << plant.seeds_max
           << " seeds";
}

INSTANTIATE_TEST_SUITE_P(
    AtTheBoundary,
    PlantedBugs,
    ::testing::Values(
        Plant{PlantedBug::VotesForgotten, "votes forgotten", "consensus/equivocation", 100, ""},
        Plant{PlantedBug::HeadersForgotten, "headers forgotten", "consensus/default", 100, ""},
        Plant{PlantedBug::SentBeforeDurable, "sent before durable", "consensus/default", 100, ""},
        Plant{PlantedBug::GcDepthDiffers, "gc depth differs", "consensus/stragglers", 50, ""},
        Plant{PlantedBug::WindowDiffers, "reputation window differs", "consensus/default", 200, ""},
        Plant{PlantedBug::ForgedTransaction, "forged transaction", "consensus/default", 1, ""}),
    [](const auto& plant) {
        std::string name = plant.param.name;
        for (char& c : name)
            if (c == ' ') c = '_';
        return name;
    });

}  // namespace
}  // namespace draco::campaign
