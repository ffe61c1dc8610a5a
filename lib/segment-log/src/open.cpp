// Opening a log: which files there must be, what they must hold, and where the log ends.

#include "segment_scan.hpp"
#include "state.hpp"

#include <algorithm>
#include <utility>

namespace draco::segment_log {
namespace {

std::string at_offset(std::uint64_t offset) {
    return " at offset " + std::to_string(offset);
}

Result<> check(const Options& options) {
    const auto refuse = [&](const std::string& what) {
        return fail(Errc::InvalidArgument, "the log's options: " + what);
    };
    if (options.directory.empty()) return refuse("a log needs a directory of its own");
    if (options.segment_bytes < kSegmentBytesMin || options.segment_bytes > kSegmentBytesMax ||
        options.segment_bytes % kSegmentBytesMin != 0)
        return refuse("segment_bytes must be a multiple of " + std::to_string(kSegmentBytesMin) +
                      " up to " + std::to_string(kSegmentBytesMax));
    if (options.record_bytes_max > options.segment_bytes - kSegmentOverheadBytes)
        return refuse("a segment must hold a record of record_bytes_max and " +
                      std::to_string(kSegmentOverheadBytes) + " bytes more");
    if (options.segments_max < 2) return refuse("segments_max must be at least 2");
    return {};
}

struct SegmentFile {
    std::string path;
    Bytes bytes;
    Checked<SegmentHeader> header;
};

Result<Bytes> read_whole(const File& file, std::uint64_t bytes_expected) {
    Bytes bytes(bytes_expected);
    DRACO_TRY(read, file.read_at(0, bytes));
    bytes.resize(read);
    return bytes;
}

// Opens the log of a directory that has segments.
class Recovery {
public:
    Recovery(SegmentLog::State& log, std::vector<std::uint64_t> numbers)
        : log_(log), numbers_(std::move(numbers)) {}

    Result<> run(const RecordVisitor& visit);

private:
    Result<SegmentFile> load(std::uint64_t segment) const;
    Result<> take_last(std::uint64_t segment);
    Result<> check_last(const SegmentFile& file, const SegmentScan& scan) const;
    // What was scanned last ends where this segment says.
    Result<> check_followed(const SegmentFile& file) const;
    Result<> visit_segment(std::uint64_t segment, const RecordVisitor& visit);

    SegmentLog::State& log_;
    std::vector<std::uint64_t> numbers_;  // ascending
    std::uint64_t floor_ = 0;
    SegmentScan before_;
};

Result<SegmentFile> Recovery::load(std::uint64_t segment) const {
    const std::string path = log_.path_of(segment);
    if (!std::ranges::binary_search(numbers_, segment))
        return corrupt(path, "the file is missing, and the log has segments after it");
    DRACO_TRY(file, log_.disk.open(path, OpenMode::Read));
    DRACO_TRY(size, file->size());
    if (size > kSegmentBytesMax) return corrupt(path, "it is longer than a segment may be");
    DRACO_TRY(bytes, read_whole(*file, size));
    std::string why;
    const auto header = log_.format.decode_segment_header(bytes, why);
    if (!header) return corrupt(path, why);
    if (header->value.segment != segment)
        return corrupt(path, "it is segment " + std::to_string(header->value.segment));
    if (header->value.file_bytes != bytes.size())
        return corrupt(path,
                       "it is " + std::to_string(bytes.size()) + " bytes long, and was made of " +
                           std::to_string(header->value.file_bytes));
    return SegmentFile{path, std::move(bytes), *header};
}

Result<> Recovery::check_last(const SegmentFile& file, const SegmentScan& scan) const {
    const std::uint64_t segment = scan.info.segment;
    if (scan.ended)
        return corrupt(log_.path_of(segment + 1),
                       "the file is missing: " + file.path + at_offset(scan.end) +
                           " says that the log goes on there");
    const auto witness = testimony_beyond(log_.format, segment, file.bytes, scan.end);
    if (!witness) return {};
    return corrupt(file.path,
                   scan.damage + at_offset(scan.damage_offset) + ", but the group" +
                       at_offset(*witness) + " says that it had been durable");
}

Result<> Recovery::check_followed(const SegmentFile& file) const {
    const SegmentHeader& next = file.header.value;
    if (before_.end == next.previous_end && before_.chain == next.previous_chain &&
        before_.info.first_sequence + before_.info.records == next.first_sequence)
        return {};
    return corrupt(log_.path_of(before_.info.segment),
                   before_.damage + at_offset(before_.damage_offset) +
                       ", but the segment after it says that it ends" +
                       at_offset(next.previous_end));
}

Result<> Recovery::take_last(std::uint64_t segment) {
    DRACO_TRY(file, load(segment));
    DRACO_TRY(scan, scan_segment(log_.format, file.header, file.bytes, nullptr));
    DRACO_TRY_VOID(check_last(file, scan));
    floor_ = scan.floor;
    DRACO_TRY_VOID(log_.open_for_writing(file.path));
    log_.end = scan.end;
    log_.chain = scan.chain;
    // What was read may be in the system's memory only.
    DRACO_TRY_VOID(log_.file->sync());
    return log_.disk.sync_directory(log_.options.directory);
}

Result<> Recovery::visit_segment(std::uint64_t segment, const RecordVisitor& visit) {
    DRACO_TRY(file, load(segment));
    if (!log_.live.empty()) DRACO_TRY_VOID(check_followed(file));
    DRACO_TRY(scan, scan_segment(log_.format, file.header, file.bytes, &visit));
    log_.live.push_back({.info = scan.info, .file_bytes = file.bytes.size()});
    before_ = std::move(scan);
    return {};
}

Result<> Recovery::run(const RecordVisitor& visit) {
    const std::uint64_t last = numbers_.back();
    DRACO_TRY_VOID(take_last(last));
    for (std::uint64_t segment = floor_; segment <= last; ++segment)
        DRACO_TRY_VOID(visit_segment(segment, visit));
    for (const std::uint64_t segment : numbers_) {
        if (segment >= floor_) break;
        DRACO_TRY_VOID(log_.disk.remove(log_.path_of(segment)));
    }
    log_.written_floor = log_.durable_floor = log_.readable_from = floor_;
    log_.durable_offset = log_.protected_offset = log_.end;
    if (!log_.fits(kGroupHeadBytes, 1)) return {};
    // Durable before anything is written behind it: remains of an earlier life must never follow a
    // group that this life writes again in the same bytes.
    DRACO_TRY_VOID(log_.write_bare_group(GroupKind::Opened));
    DRACO_TRY_VOID(log_.sync_file());
    log_.protected_offset = log_.end;
    return {};
}

Result<> make_directory(Disk& disk, const std::string& directory) {
    DRACO_TRY_VOID(disk.create_directory(directory));
    // Each name on the way is durable once its parent is synced.
    std::string_view path = directory;
    while (!path.empty()) {
        const auto slash = path.rfind('/');
        path = slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
        DRACO_TRY_VOID(disk.sync_directory(path));
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<SegmentLog>> SegmentLog::open(Disk& disk,
                                                     Options options,
                                                     const RecordVisitor& visit) {
    DRACO_TRY_VOID(check(options));
    DRACO_TRY_VOID(make_directory(disk, options.directory));
    auto state = std::make_unique<State>(disk, std::move(options));
    DRACO_TRY(entries, disk.list(state->options.directory));
    std::vector<std::uint64_t> numbers;
    for (const DirectoryEntry& entry : entries) {
        if (entry.is_directory) continue;
        if (const auto segment = segment_of_file_name(entry.name)) numbers.push_back(*segment);
        if (entry.name.ends_with(kUnfinishedSuffix))
            DRACO_TRY_VOID(disk.remove(state->options.directory + "/" + entry.name));
    }
    if (numbers.empty()) {
        DRACO_TRY_VOID(state->create_segment(0, 0));
    } else {
        DRACO_TRY_VOID(Recovery(*state, std::move(numbers)).run(visit));
    }
    return std::unique_ptr<SegmentLog>(new SegmentLog(std::move(state)));
}

}  // namespace draco::segment_log
