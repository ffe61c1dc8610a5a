// What is appended is delivered again, in order, after any way of ending; records can be read by
// position, and whole segments go once their marks are below the floor.
#include "draco/segment_log/segment_log.hpp"

#include "log_fixture.hpp"

#include <gtest/gtest.h>

namespace draco::segment_log {
namespace {

class SegmentLogTest : public LogFixture {};

TEST_F(SegmentLogTest, DeliversInOrderWhatWasSynced) {
    open();
    std::vector<Seen> expected;
    for (std::uint64_t i = 0; i < 100; ++i) {
        expected.push_back({i, i / 3, payload(i, i * 7 % 300)});
        ASSERT_TRUE(log->append(i / 3, expected.back().bytes));
        if (i % 5 == 4) ASSERT_TRUE(log->sync());
    }
    EXPECT_GT(log->segments().size(), 3U);
    reopen();
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(log->next_sequence(), 100U);
    reopen();
    EXPECT_EQ(seen, expected);
}

TEST_F(SegmentLogTest, ReadsRecordsByPosition) {
    open();
    std::vector<Position> positions;
    for (std::uint64_t i = 0; i < 60; ++i)
        positions.push_back(log->append(i, payload(i, 100 + i)).value());
    ASSERT_TRUE(log->sync());
    for (std::uint64_t i = 0; i < 60; ++i)
        EXPECT_EQ(log->read(positions[i]).value(), payload(i, 100 + i));
    auto wrong = positions[10];
    wrong.offset += 8;
    EXPECT_EQ(log->read(wrong).error().code, Errc::Corrupt);
    wrong = positions[10];
    wrong.record_bytes -= 1;
    EXPECT_EQ(log->read(wrong).error().code, Errc::Corrupt);
    wrong.record_bytes = ~std::uint32_t{0};
    EXPECT_EQ(log->read(wrong).error().code, Errc::Corrupt);
    wrong.segment = 1000;
    wrong.record_bytes = 8;
    EXPECT_FALSE(log->read(wrong));
}

TEST_F(SegmentLogTest, DropsOldSegmentsWithTheNextSync) {
    open();
    std::vector<Position> positions;
    for (std::uint64_t i = 0; i < 200; ++i) {
        positions.push_back(log->append(i, payload(i, 200)).value());
        ASSERT_TRUE(log->sync());
    }
    const auto before = log->segments();
    ASSERT_GT(before.size(), 5U);
    log->drop_below(before[3].mark_min + 1);
    EXPECT_EQ(log->segments().front().segment, before[3].segment);
    EXPECT_EQ(log->read(positions[0]).error().code, Errc::NotFound);
    EXPECT_TRUE(log->read(positions[before[3].first_sequence]));
    EXPECT_EQ(disk.list("log").value().size(), before.size());
    ASSERT_TRUE(log->sync());
    EXPECT_EQ(disk.list("log").value().size(), before.size() - 3);
    reopen();
    ASSERT_FALSE(seen.empty());
    EXPECT_EQ(seen.front().sequence, before[3].first_sequence);
    EXPECT_EQ(seen.back().sequence, 199U);
    log->drop_below(~std::uint64_t{0});
    EXPECT_EQ(log->segments().size(), 1U);
}

TEST_F(SegmentLogTest, KeepsItsBounds) {
    options.segments_max = 3;
    open();
    EXPECT_EQ(log->append(0, Bytes(options.record_bytes_max + 1)).error().code,
              Errc::InvalidArgument);
    std::uint64_t appended = 0;
    Result<Position> last = Position{};
    while (appended < 1000 && (last = log->append(appended, payload(appended, 500)))) ++appended;
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().code, Errc::Exhausted);
    EXPECT_LE(log->disk_bytes(), 3 * options.segment_bytes);
    // The log goes on once something is dropped.
    log->drop_below(appended);
    EXPECT_TRUE(log->append(appended, payload(appended, 500)));
    ASSERT_TRUE(log->sync());
    reopen();
    EXPECT_EQ(seen.back().sequence, appended);
}

TEST_F(SegmentLogTest, RefusesOptionsThatMakeNoSense) {
    for (const auto& spoil : std::vector<std::function<void(Options&)>>{
             [](Options& o) { o.directory = ""; },
             [](Options& o) { o.segment_bytes = 1000; },
             [](Options& o) { o.segment_bytes = kSegmentBytesMax * 2; },
             [](Options& o) { o.record_bytes_max = o.segment_bytes - 100; },
             [](Options& o) { o.segments_max = 1; }}) {
        Options spoiled = options;
        spoil(spoiled);
        const auto opened = SegmentLog::open(disk, spoiled, ignore_records());
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, Errc::InvalidArgument);
    }
}

TEST_F(SegmentLogTest, AnErrorOfTheVisitorEndsTheOpening) {
    open();
    ASSERT_TRUE(log->append(1, payload(1, 10)));
    ASSERT_TRUE(log->sync());
    log.reset();
    const auto opened = SegmentLog::open(
        disk, options, [](const Record&) -> Result<> { return fail(Errc::Unavailable, "no"); });
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::Unavailable);
}

TEST_F(SegmentLogTest, TakesNoWritesAfterOneFailed) {
    open();
    ASSERT_TRUE(log->append(1, payload(1, 10)));
    ASSERT_TRUE(log->sync());
    ASSERT_TRUE(log->append(2, payload(2, 10)));
    disk.set_options({.sync_error = 1});
    EXPECT_FALSE(log->sync());
    disk.set_options({});
    EXPECT_EQ(log->sync().error().code, Errc::Io);
    EXPECT_EQ(log->append(3, payload(3, 10)).error().code, Errc::Io);
    EXPECT_EQ(log->seal().error().code, Errc::Io);
    reopen();
    ASSERT_GE(seen.size(), 1U);
    EXPECT_EQ(seen.front().bytes, payload(1, 10));
    EXPECT_TRUE(log->append(4, payload(4, 10)));
    EXPECT_TRUE(log->sync());
}

TEST_F(SegmentLogTest, SealingAnIdleLogWritesNothingTwice) {
    open();
    ASSERT_TRUE(log->append(1, payload(1, 10)));
    ASSERT_TRUE(log->seal());
    const auto changes = disk.change_count();
    ASSERT_TRUE(log->seal());
    ASSERT_TRUE(log->protect());
    ASSERT_TRUE(log->sync());
    EXPECT_EQ(disk.change_count(), changes);
}

TEST_F(SegmentLogTest, ARecordInTwoPartsIsOneRecord) {
    // Of any sizes, also when a part is empty: it reads as if it had been in one piece.
    open();
    const Bytes whole = payload(7, 1'001);
    for (const std::size_t first :
         {std::size_t{0}, std::size_t{1}, std::size_t{500}, whole.size()}) {
        const auto position =
            log->append(1, ByteView(whole).first(first), ByteView(whole).subspan(first));
        ASSERT_TRUE(position);
        ASSERT_TRUE(log->sync());
        EXPECT_EQ(log->read(*position), whole);
    }
}

TEST_F(SegmentLogTest, OneWriteAndOneSyncPerGroup) {
    options.segment_bytes = options.group_bytes_max = 1U << 20;
    open();
    const auto changes = disk.change_count();
    for (std::uint64_t i = 0; i < 50; ++i) ASSERT_TRUE(log->append(i, payload(i, 100)));
    EXPECT_EQ(disk.change_count(), changes);
    ASSERT_TRUE(log->sync());
    EXPECT_EQ(disk.change_count(), changes + 2);
}

}  // namespace
}  // namespace draco::segment_log
