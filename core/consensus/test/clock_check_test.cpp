#include "draco/consensus/clock_check.hpp"

#include "fixture.hpp"

#include <gtest/gtest.h>

namespace draco::consensus::test {
namespace {

class ClockCheckTest : public ::testing::Test {
protected:
    // By the own clock the header is so old when it comes.
    void hear(std::size_t author, std::uint64_t round, std::int64_t age_ms) {
        check.heard(member(author),
                    Round(round),
                    UnixTime{static_cast<std::uint64_t>(1'000'000 - age_ms)},
                    UnixTime{1'000'000});
    }

    TestCommittee four = TestCommittee::make(4);
    ClockCheck check{four.committee, 500};
};

TEST_F(ClockCheckTest, NeedsBothSigns) {
    // Old headers of more than f members, and own headers that are passed over.
    for (std::size_t author = 1; author < 4; ++author) hear(author, 5, 800);
    EXPECT_FALSE(check.is_ahead()) << "a long way";
    check.passed_over();
    EXPECT_FALSE(check.is_ahead()) << "that happens";
    check.passed_over();
    EXPECT_TRUE(check.is_ahead());
    check.certified();
    EXPECT_FALSE(check.is_ahead());
    for (int i = 0; i < 9; ++i) check.passed_over();
    hear(1, 6, 400);
    EXPECT_TRUE(check.is_ahead()) << "two of four";
    hear(2, 6, -3'000);
    EXPECT_FALSE(check.is_ahead()) << "one of four may lie";
}

TEST_F(ClockCheckTest, TheNewestHeaderOfEachCounts) {
    // One that comes again, or late, says nothing new.
    check.passed_over();
    check.passed_over();
    hear(1, 5, 100);
    hear(2, 5, 100);
    hear(1, 5, 2'000);
    hear(2, 4, 2'000);
    EXPECT_FALSE(check.is_ahead());
    hear(1, 6, 2'000);
    hear(2, 6, 2'000);
    EXPECT_TRUE(check.is_ahead());
}

}  // namespace
}  // namespace draco::consensus::test
