// The timeout follows what was measured, up at once and down slowly, and stays within its bounds.

#include "../src/resend_timeout.hpp"

#include <gtest/gtest.h>

namespace draco {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ResendTimeout, IsLongBeforeAnythingIsMeasured) {
    EXPECT_EQ(ResendTimeout().current(), ResendTimeout::kUnmeasured);
}

TEST(ResendTimeout, StaysAboveItsMinimumWhenAllIsFast) {
    ResendTimeout timeout;
    for (int i = 0; i < 100; ++i) timeout.measured(milliseconds(80));
    EXPECT_EQ(timeout.current(), ResendTimeout::kMin);
}

// RFC 6298 2.2 and 2.3, by hand.
TEST(ResendTimeout, IsTheSmoothedTimeAndFourDeviations) {
    ResendTimeout timeout;
    timeout.measured(seconds(4));
    EXPECT_EQ(timeout.current(), seconds(12));  // 4 + 4 * 2
    timeout.measured(seconds(8));
    EXPECT_EQ(timeout.current(), milliseconds(14'500));  // 4.5 + 4 * 2.5
}

TEST(ResendTimeout, OutlastsASlowMachineThatIsSteady) {
    ResendTimeout timeout;
    for (int i = 0; i < 200; ++i) {
        timeout.measured(seconds(9));
        EXPECT_GT(timeout.current(), seconds(9));
    }
    EXPECT_LT(timeout.current(), seconds(10));
    for (int i = 0; i < 200; ++i) timeout.measured(milliseconds(100));
    EXPECT_EQ(timeout.current(), ResendTimeout::kMin);
}

TEST(ResendTimeout, HasAMaximum) {
    ResendTimeout timeout;
    timeout.measured(seconds(500));
    EXPECT_EQ(timeout.current(), ResendTimeout::kMax);
    EXPECT_EQ(ResendTimeout::backed_off(seconds(3)), seconds(6));
    EXPECT_EQ(ResendTimeout::backed_off(seconds(40)), ResendTimeout::kMax);
}

}  // namespace
}  // namespace draco
