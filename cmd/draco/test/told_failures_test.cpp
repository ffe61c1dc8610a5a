// Proves that each kind of failure is told once for each place, until the place has worked again.

#include "../src/told_failures.hpp"

#include <gtest/gtest.h>

namespace draco {
namespace {

TEST(ToldFailures, KindsThatAlternateAreToldOnceEach) {
    ToldFailures told;
    EXPECT_TRUE(told.is_new(2, Errc::Unavailable));
    EXPECT_TRUE(told.is_new(2, Errc::DeadlineExceeded));
    EXPECT_FALSE(told.is_new(2, Errc::Unavailable));
    EXPECT_FALSE(told.is_new(2, Errc::DeadlineExceeded));
    EXPECT_TRUE(told.is_new(3, Errc::Unavailable));
}

TEST(ToldFailures, WhatHasWorkedIsToldOfAgain) {
    ToldFailures told;
    EXPECT_FALSE(told.works(1));
    EXPECT_TRUE(told.is_new(1, Errc::Unavailable));
    EXPECT_TRUE(told.is_new(2, Errc::Unavailable));
    EXPECT_TRUE(told.works(1));
    EXPECT_FALSE(told.works(1));
    EXPECT_TRUE(told.is_new(1, Errc::Unavailable));
    EXPECT_FALSE(told.is_new(2, Errc::Unavailable));
}

}  // namespace
}  // namespace draco
