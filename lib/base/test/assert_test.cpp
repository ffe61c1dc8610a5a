#include "draco/base/assert.hpp"

#include <gtest/gtest.h>

namespace draco {
namespace {

TEST(AssertDeathTest, SaysWhatWhereAndAborts) {
    // A broken invariant ends the process with the condition, the sentence and the place, in every
    // build type.
    EXPECT_DEATH(DRACO_ASSERT(1 + 1 == 3, "sums are right"),
                 "assertion failed at assert_test.cpp:[0-9]+: sums are right \\(1 \\+ 1 == 3\\)");
}

TEST(Assert, EvaluatesItsConditionOnce) {
    // The condition may be an expression with a cost; it is evaluated exactly once.
    int evaluated = 0;
    DRACO_ASSERT(++evaluated == 1, "first evaluation");
    EXPECT_EQ(evaluated, 1);
}

}  // namespace
}  // namespace draco
