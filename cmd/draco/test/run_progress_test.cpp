// A run moves the bar while it is under way, and each run moves it equally far in all.

#include "../src/run_progress.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace draco {
namespace {

using namespace std::chrono_literals;

TEST(RunProgress, MovesWithinARun) {
    std::vector<std::uint64_t> told;
    std::uint64_t sum = 0;
    RunProgress progress(8'000, [&](std::uint64_t ms) {
        told.push_back(ms);
        sum += ms;
    });
    for (std::uint64_t run = 1; run <= 3; ++run) {
        told.clear();
        for (Duration time{}; time < 12s; time += 100us) progress.at(time);
        EXPECT_EQ(told.size(), 8'000U);
        progress.run_ended();
        EXPECT_EQ(sum, run * 8'000);
    }
    progress.at(2s);  // ends early
    EXPECT_EQ(sum, 26'000U);
    progress.run_ended();
    EXPECT_EQ(sum, 32'000U);
}

}  // namespace
}  // namespace draco
