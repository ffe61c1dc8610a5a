// Damage to what had been durable is reported as Corrupt, with the file; a torn tail is not.
#include "../src/format.hpp"
#include "log_fixture.hpp"

#include <gtest/gtest.h>

namespace draco::segment_log {
namespace {

class SegmentLogDamage : public LogFixture {
protected:
    // Fills some segments; the last group is protected if `protect`.
    void fill(std::uint64_t records, bool protect) {
        open();
        for (std::uint64_t i = 0; i < records; ++i) {
            ASSERT_TRUE(log->append(i, payload(i, 90 + i % 40)));
            if (i % 3 == 2) ASSERT_TRUE(log->sync());
        }
        ASSERT_TRUE(protect ? log->seal() : log->sync());
        segments_ = log->segments();
        log.reset();
    }

    std::string path(std::uint64_t segment) const { return "log/" + segment_file_name(segment); }

    Bytes content(const std::string& file) {
        auto opened = disk.open(file, OpenMode::Read).value();
        Bytes bytes(opened->size().value());
        EXPECT_EQ(opened->read_at(0, bytes).value(), bytes.size());
        return bytes;
    }

    void write(const std::string& file, std::uint64_t offset, ByteView bytes) {
        auto opened = disk.open(file, OpenMode::Create).value();
        ASSERT_TRUE(opened->write_at(offset, bytes));
        ASSERT_TRUE(opened->sync());
        ASSERT_TRUE(disk.sync_directory("log"));
    }

    // Opens without leaving a trace: the files are put back.
    Result<std::vector<Seen>> peek() {
        std::vector<std::pair<std::string, Bytes>> files;
        for (const auto& entry : disk.list("log").value())
            files.emplace_back("log/" + entry.name, content("log/" + entry.name));
        std::vector<Seen> found;
        auto opened = SegmentLog::open(disk, options, collect(found));
        const bool good = opened.has_value();
        const Error error = good ? Error{} : opened.error();
        if (good) opened->reset();
        for (const auto& [file, bytes] : files) write(file, 0, bytes);
        if (!good) return std::unexpected(error);
        return found;
    }

    std::vector<SegmentInfo> segments_;
};

// Where the log's last whole group ends, found from its bytes alone.
std::size_t used_bytes(ByteView file) {
    std::size_t used = file.size();
    while (used > 0 && file[used - 1] == 0) --used;
    return used;
}

TEST_F(SegmentLogDamage, EachFlippedByteOfAProtectedLogIsReported) {
    fill(70, true);
    ASSERT_GE(segments_.size(), 3U);
    const auto whole = peek();
    ASSERT_TRUE(whole);
    ASSERT_EQ(whole->size(), 70U);
    std::size_t reported = 0;
    for (const SegmentInfo& info : segments_) {
        const bool last = &info == &segments_.back();
        const Bytes bytes = content(path(info.segment));
        // The mark at the end of a segment, or of the log, protects and carries nothing.
        const std::size_t used = (used_bytes(bytes) + 7) / 8 * 8;
        const std::size_t protected_bytes = used - kGroupHeadBytes;
        for (std::size_t at = 0; at < used; at += 1) {
            const std::uint8_t flipped = bytes[at] ^ static_cast<std::uint8_t>(1U << (at % 8));
            write(path(info.segment), at, {&flipped, 1});
            const auto found = peek();
            write(path(info.segment), at, {&bytes[at], 1});
            if (at < protected_bytes) {
                ASSERT_FALSE(found) << "segment " << info.segment << ", byte " << at;
                ASSERT_EQ(found.error().code, Errc::Corrupt);
                ASSERT_NE(found.error().context.find(path(info.segment)), std::string::npos)
                    << found.error().context;
                ++reported;
            } else {
                // Nothing is lost with it.
                ASSERT_TRUE(found) << "segment " << info.segment << ", byte " << at << ": "
                                   << to_string(found.error());
                ASSERT_EQ(*found, *whole);
            }
        }
        if (last) EXPECT_GT(reported, 8000U);
    }
}

TEST_F(SegmentLogDamage, TheLastUnprotectedGroupLooksTorn) {
    fill(70, false);
    const std::string file = path(segments_.back().segment);
    const Bytes bytes = content(file);
    const std::uint8_t flipped = bytes[used_bytes(bytes) - 1] ^ 1U;
    write(file, used_bytes(bytes) - 1, {&flipped, 1});
    reopen();
    // Record 69 is a group of its own.
    EXPECT_EQ(seen.size(), 69U);
    EXPECT_EQ(log->next_sequence(), 69U);
}

TEST_F(SegmentLogDamage, OpeningProtectsWhatItDelivered) {
    fill(70, false);
    reopen();
    log.reset();
    const std::string file = path(segments_.back().segment);
    const Bytes bytes = content(file);
    const std::size_t at = used_bytes(bytes) - kGroupHeadBytes - 5;
    const std::uint8_t flipped = bytes[at] ^ 1U;
    write(file, at, {&flipped, 1});
    EXPECT_EQ(peek().error().code, Errc::Corrupt);
}

TEST_F(SegmentLogDamage, EachMissingFileIsReported) {
    fill(70, true);
    for (const SegmentInfo& info : segments_) {
        const Bytes bytes = content(path(info.segment));
        ASSERT_TRUE(disk.remove(path(info.segment)));
        const auto found = peek();
        write(path(info.segment), 0, bytes);
        ASSERT_FALSE(found) << "segment " << info.segment;
        EXPECT_EQ(found.error().code, Errc::Corrupt);
        EXPECT_NE(found.error().context.find(path(info.segment)), std::string::npos);
    }
    EXPECT_TRUE(peek());
}

TEST_F(SegmentLogDamage, EachTruncationOfAFileIsReported) {
    fill(70, true);
    for (const SegmentInfo& info : segments_) {
        const Bytes bytes = content(path(info.segment));
        for (std::size_t size = 0; size < bytes.size(); size += 61) {
            auto opened = disk.open(path(info.segment), OpenMode::ReadWrite).value();
            ASSERT_TRUE(opened->truncate(size));
            const auto found = peek();
            write(path(info.segment), 0, bytes);
            ASSERT_FALSE(found) << "segment " << info.segment << " of " << size << " bytes";
            EXPECT_EQ(found.error().code, Errc::Corrupt);
        }
    }
}

TEST_F(SegmentLogDamage, BytesOfAnotherLogDoNotPass) {
    fill(20, true);
    const Bytes theirs = content(path(0));
    Options other = options;
    other.id.bytes[1] = 1;
    const auto opened = SegmentLog::open(disk, other, ignore_records());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::Corrupt);
    EXPECT_NE(opened.error().context.find("another log"), std::string::npos);
}

TEST_F(SegmentLogDamage, ASegmentUnderAnotherNumberDoesNotPass) {
    fill(70, true);
    const Bytes first = content(path(0));
    write(path(1), 0, first);
    EXPECT_EQ(peek().error().code, Errc::Corrupt);
}

// A life that ends with groups A, B and C, of which only A is synced and B is lost; C is whole.
void leave_remains(Disk& disk, const Options& options, std::size_t b_bytes) {
    auto log = SegmentLog::open(disk, options, ignore_records()).value();
    ASSERT_TRUE(log->append(1, payload(1, 104)));
    ASSERT_TRUE(log->sync());
    const auto lost = log->append(2, payload(2, b_bytes)).value();
    ASSERT_TRUE(log->append(3, payload(3, 104)));
    log.reset();
    const std::uint8_t garbage = 0xa5;
    auto file = disk.open("log/" + segment_file_name(0), OpenMode::ReadWrite).value();
    ASSERT_TRUE(file->write_at(lost.offset + 60, {&garbage, 1}));
}

TEST_F(SegmentLogDamage, RemainsOfACutOffTailNeverComeBack) {
    options.group_bytes_max = 1;  // each record is a group, written at once
    // The second life's groups end where C begins: with the one that each opening writes, or, were
    // there none, with B written again in the same bytes.
    const std::size_t opened_and_group = 2 * kGroupHeadBytes + kRecordHeadBytes + 104;
    for (const std::size_t b_bytes :
         {opened_and_group - kGroupHeadBytes - kRecordHeadBytes, std::size_t{104}}) {
        simulon::SimulatedDisk fresh(3);
        leave_remains(fresh, options, b_bytes);
        std::vector<Seen> found;
        auto made = SegmentLog::open(fresh, options, collect(found)).value();
        ASSERT_EQ(found.size(), 1U);
        ASSERT_TRUE(made->append(2, payload(2, 104)));
        ASSERT_TRUE(made->sync());
        made.reset();
        found.clear();
        made = SegmentLog::open(fresh, options, collect(found)).value();
        ASSERT_EQ(found.size(), 2U) << "B of " << b_bytes << " bytes";
        EXPECT_EQ(found.back().mark, 2U);
    }
}

TEST_F(SegmentLogDamage, ReadReportsWhatWasDamagedSince) {
    open();
    const auto position = log->append(1, payload(1, 100)).value();
    ASSERT_TRUE(log->sync());
    ASSERT_TRUE(disk.flip_bit(path(0), (position.offset + 50) * 8));
    EXPECT_EQ(log->read(position).error().code, Errc::Corrupt);
}

}  // namespace
}  // namespace draco::segment_log
