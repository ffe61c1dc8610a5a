#include "draco/consensus/clock_check.hpp"

#include "fixture.hpp"

#include <gtest/gtest.h>

namespace draco::consensus::test {
namespace {

class ClockCheckTest : public ::testing::Test {
protected:
    // The author's header after one of `round` that this member voted for is so much older than
    // that vote.
    void follow(std::size_t author, std::uint64_t round, std::int64_t older_ms) {
        check.voted(member(author), Round(round), UnixTime{1'000'000});
        check.followed(member(author),
                       Round(round),
                       UnixTime{static_cast<std::uint64_t>(1'000'000 - older_ms)});
    }

    TestCommittee four = TestCommittee::make(4);
    ClockCheck check{four.committee, 500};
};

TEST_F(ClockCheckTest, NeedsBothSigns) {
    // Members whose clocks are proved to be behind, more than f, and own headers that are passed
    // over.
    for (std::size_t author = 1; author < 4; ++author) follow(author, 5, 800);
    EXPECT_FALSE(check.is_ahead()) << "nobody waits";
    check.passed_over();
    EXPECT_FALSE(check.is_ahead()) << "that happens";
    check.passed_over();
    EXPECT_TRUE(check.is_ahead());
    check.certified();
    EXPECT_FALSE(check.is_ahead());
    for (int i = 0; i < 9; ++i) check.passed_over();
    follow(1, 6, 400);
    EXPECT_TRUE(check.is_ahead()) << "two of four";
    follow(2, 6, -3'000);
    EXPECT_FALSE(check.is_ahead()) << "one of four may lie";
}

TEST_F(ClockCheckTest, OnlyWhatFollowsAVoteProvesAnything) {
    // Headers after rounds that this member did not vote in may be of any time; and of each author
    // the newest proof counts.
    check.passed_over();
    check.passed_over();
    for (std::size_t author = 1; author < 4; ++author)
        check.followed(member(author), Round(5), UnixTime{0});
    EXPECT_FALSE(check.is_ahead());
    follow(1, 5, 100);
    follow(2, 5, 100);
    check.followed(member(1), Round(5), UnixTime{0});
    check.followed(member(2), Round(4), UnixTime{0});
    EXPECT_FALSE(check.is_ahead());
    follow(1, 6, 2'000);
    follow(2, 6, 2'000);
    EXPECT_TRUE(check.is_ahead());
}

}  // namespace
}  // namespace draco::consensus::test
