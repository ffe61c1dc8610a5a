#include "draco/base/clock.hpp"

#include <gtest/gtest.h>

namespace draco {
namespace {

constexpr Instant kFirst{Duration::min()};
constexpr Instant kLast{Duration::max()};
constexpr Duration kTick{1};

TEST(Instant, AddsAndSubtracts) {
    // Plain arithmetic, up to both ends of the time line.
    constexpr Instant at{Duration(100)};
    static_assert(at + Duration(5) == Instant{Duration(105)});
    static_assert(at - Duration(5) == Instant{Duration(95)});
    static_assert(at + Duration(-200) == Instant{Duration(-100)});
    static_assert(at - Instant{Duration(130)} == Duration(-30));
    static_assert(Instant{} + Duration::max() == kLast);
    static_assert(Instant{} + Duration::min() == kFirst);
    static_assert(kLast - Instant{} == Duration::max());
}

TEST(Instant, SaturatesAtBothEnds) {
    // Overflow in a constant expression would not compile.
    static_assert(kLast + kTick == kLast);
    static_assert(kFirst + -kTick == kFirst);
    static_assert(kLast - -kTick == kLast);
    static_assert(kFirst - kTick == kFirst);
    static_assert(Instant{kTick} + Duration::max() == kLast);
    static_assert(Instant{-kTick} + Duration::min() == kFirst);
    static_assert(Instant{} - Duration::min() == kLast);
    static_assert(kLast - kFirst == Duration::max());
    static_assert(kFirst - kLast == Duration::min());
}

}  // namespace
}  // namespace draco
