#pragma once
// What a log in use knows, and how it writes.

#include "draco/base/disk.hpp"
#include "draco/segment_log/segment_log.hpp"

#include "format.hpp"

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace draco::segment_log {

// Files open for reading; more are closed, the lowest segment first.
inline constexpr std::size_t kReadFilesMax = 32;

// Names the file and says what to do. `rest` continues "FILE: ".
std::unexpected<Error> corrupt(const std::string& path, std::string rest);

struct SegmentLog::State {
    struct Segment {
        SegmentInfo info;
        std::uint64_t file_bytes = 0;
    };

    State(Disk& disk_in, Options options_in)
        : disk(disk_in), options(std::move(options_in)), format(options.id) {}

    std::string path_of(std::uint64_t segment) const {
        return options.directory + "/" + segment_file_name(segment);
    }

    Segment& active() { return live.back(); }

    const Segment& active() const { return live.back(); }

    // Whether this many bytes fit behind what was appended, and `heads` bare groups behind them.
    bool fits(std::uint64_t bytes, std::size_t heads) const {
        return end + group.size() + bytes + heads * kGroupHeadBytes <= active().file_bytes;
    }

    bool has_unsynced() const { return !group.empty() || durable_offset != end; }

    Result<> usable() const;

    // Passes a result on; a failure ends all writing.
    template <class T>
    Result<T> noting_failure(Result<T> result) {
        if (!result) failed = true;
        return result;
    }

    Result<> open_for_writing(const std::string& path);
    // Makes the file of the next segment under its final name, durably.
    Result<> create_segment(std::uint64_t segment, std::uint64_t previous_end);
    // Goes on in a new segment. The group being built is written first.
    Result<> rotate();
    Result<> write_group();
    Result<> write_bare_group(GroupKind kind);
    Result<> sync_file();
    Result<> sync_all();
    Result<> protect();
    Result<> remove_dropped();
    Result<std::shared_ptr<const File>> file_for_reading(std::uint64_t segment) const;
    GroupHead next_head(GroupKind kind) const;

    Disk& disk;
    const Options options;
    const Format format;

    std::unique_ptr<File> file;          // of the active segment
    std::deque<Segment> live;            // oldest first; the last one is active
    std::vector<Segment> dropped;        // files to be removed
    std::uint64_t written_floor = 0;     // the `floor` of what was written last
    std::uint64_t durable_floor = 0;     // and of what was synced last
    std::uint32_t end = 0;               // of what was written to the active segment
    std::uint32_t durable_offset = 0;    // of it, what is synced
    std::uint32_t protected_offset = 0;  // damage before it is recognised
    Checksum chain;                      // of the group that ends at `end`
    Bytes group;  // being built: room for its head, then records. Empty: none
    std::vector<Checksum> group_heads;
    bool failed = false;

    mutable std::mutex reading;  // what follows
    std::uint64_t readable_from = 0;
    mutable std::map<std::uint64_t, std::shared_ptr<const File>> read_files;
};

}  // namespace draco::segment_log
