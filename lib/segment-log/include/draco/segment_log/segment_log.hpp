#pragma once
// An append-only log of records in preallocated segment files on a Disk.
//
// Every record has a `mark`, a number its owner chooses (a round, a height): whole segments are
// dropped from the front once all their marks are below a floor. Records are written in groups: one
// write and one sync make everything durable that was appended since the last sync.
//
// After a crash, open() delivers a prefix of what was appended, with every record of a successful
// sync() in it. A torn tail that was never durable is cut off in silence; what had been durable and
// is damaged or missing is Corrupt. The README says what is detected and what cannot be.
//
// Owner and threads: one owner, one call at a time; only read() may be made by any thread at any
// time while the log lives. All calls block on the Disk: make them in a task.
//
// Errors: Io and Exhausted (no space) of the Disk. After one of them in a call that writes, the log
// takes no more writes (they return Io): open it again, in this process or the next.

#include "draco/base/bytes.hpp"
#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace draco::segment_log {

inline constexpr std::uint64_t kSegmentBytesMin = 4096;
inline constexpr std::uint64_t kSegmentBytesMax = std::uint64_t{1} << 30;
// A segment holds at least one record of Options::record_bytes_max beside this.
inline constexpr std::uint64_t kSegmentOverheadBytes = 1024;

struct LogIdTag;
// Names one log among all: bytes of another log never pass for this one's.
using LogId = FixedBytes<LogIdTag, 32>;

struct Options {
    std::string directory;  // created if absent; nobody else's
    LogId id;
    std::uint64_t segment_bytes = std::uint64_t{64} << 20;  // of new segments
    std::size_t segments_max = 4096;
    std::size_t record_bytes_max = std::size_t{16} << 20;
    // A group that grows beyond this is written at once, and synced by the next sync().
    std::size_t group_bytes_max = std::size_t{8} << 20;
    // Read at the next start, if ever: large groups are written past the system's cache.
    bool is_rarely_read = false;
};

// Where a record is, for as long as its segment is not dropped.
struct Position {
    std::uint64_t segment = 0;
    std::uint32_t offset = 0;
    std::uint32_t record_bytes = 0;

    auto operator<=>(const Position&) const = default;
};

struct Record {
    Position position;
    std::uint64_t sequence = 0;  // counts the records of the log, from 0, without gaps
    std::uint64_t mark = 0;
    ByteView bytes;  // valid during the visit
};

// An error ends open() with that error.
using RecordVisitor = std::function<Result<>(const Record&)>;

struct SegmentInfo {
    std::uint64_t segment = 0;
    std::uint64_t first_sequence = 0;
    std::uint64_t records = 0;
    std::uint64_t mark_min = 0;  // of its records; both 0 if it has none
    std::uint64_t mark_max = 0;
};

class SegmentLog {
public:
    // Creates the log if the directory holds none; else checks it and visits every record that was
    // not dropped, in order. All of them are durable when it returns. Memory: one segment.
    // Errors: InvalidArgument (the options), Corrupt (which file, which offset, what to do), those
    // of the visitor.
    static Result<std::unique_ptr<SegmentLog>> open(Disk& disk,
                                                    Options options,
                                                    const RecordVisitor& visit);
    ~SegmentLog();
    SegmentLog(const SegmentLog&) = delete;
    SegmentLog& operator=(const SegmentLog&) = delete;

    // Adds a record at the end; durable after the next sync(). Copies `bytes`, or `first` and
    // `rest` behind it as one record, to memory; reaches
    // the disk only when the group or the segment is full. Marks may come in any order. Errors:
    // InvalidArgument (more than record_bytes_max), Exhausted (segments_max are in use and none was
    // dropped: nothing changed, the log goes on working).
    Result<Position> append(std::uint64_t mark, ByteView bytes) { return append(mark, bytes, {}); }

    Result<Position> append(std::uint64_t mark, ByteView first, ByteView rest);

    // Makes every appended record durable, and removes the files of dropped segments.
    Result<> sync();

    // Damage to the last synced group looks like a torn tail until something follows it. This makes
    // it recognisable: syncs, then writes a mark behind the last group, without waiting until that
    // mark is durable too. For a log that goes idle. No-op if nothing came since the last mark.
    Result<> protect();
    // protect(), and the mark is durable. For a clean shutdown; the log may be used afterwards.
    Result<> seal();

    // Drops the longest run of oldest segments whose marks all are below `mark_floor`; never the
    // one being written. Reads of them fail at once, and their files go with the next sync().
    void drop_below(std::uint64_t mark_floor);

    // A record that is synced. Thread-safe. Checks it. NotFound: its segment was dropped. Corrupt:
    // damaged, or no record is there.
    Result<Bytes> read(const Position& position) const;

    // What is not dropped, oldest first; the last one is being written.
    std::vector<SegmentInfo> segments() const;
    std::uint64_t next_sequence() const;
    // On the disk, including the files of dropped segments that are not removed yet.
    std::uint64_t disk_bytes() const;

    struct State;

private:
    explicit SegmentLog(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace draco::segment_log
