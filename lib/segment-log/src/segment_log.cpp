#include "draco/segment_log/segment_log.hpp"

#include "draco/base/assert.hpp"

#include "state.hpp"

#include <algorithm>
#include <utility>

namespace draco::segment_log {
namespace {

// Room that append() leaves in a segment: for the next opening, a new floor, protect(), and the
// end.
constexpr std::size_t kReservedGroups = 4;

static_assert(kSegmentHeaderBytes + kGroupHeadBytes + kRecordHeadBytes + kAlignBytes +
                  kReservedGroups * kGroupHeadBytes <=
              kSegmentOverheadBytes);

}  // namespace

std::unexpected<Error> corrupt(const std::string& path, std::string rest) {
    return fail(Errc::Corrupt,
                path + ": " + std::move(rest) +
                    "; the log is not used as it is: restore the file from a copy, or remove the "
                    "log's directory and let the node fetch again what it held");
}

Result<> SegmentLog::State::usable() const {
    if (!failed) return {};
    return fail(
        Errc::Io,
        options.directory + ": the log takes no more writes since one failed; open it again");
}

GroupHead SegmentLog::State::next_head(GroupKind kind) const {
    const SegmentInfo& info = active().info;
    return {.kind = kind,
            .segment = info.segment,
            .offset = end,
            .body_bytes = 0,
            .records = 0,
            .first_sequence = info.first_sequence + info.records - group_heads.size(),
            .durable = {info.segment, durable_offset},
            .floor = live.front().info.segment,
            .previous_chain = chain,
            .body = format.checksum_of_heads({})};
}

Result<> SegmentLog::State::open_for_writing(const std::string& path) {
    DRACO_TRY(opened, disk.open(path, OpenMode::ReadWrite));
    if (options.is_rarely_read) opened->expect_no_readers();
    file = std::move(opened);
    return {};
}

Result<> SegmentLog::State::create_segment(std::uint64_t segment, std::uint64_t previous_end) {
    const std::uint64_t first_sequence =
        live.empty() ? 0 : active().info.first_sequence + active().info.records;
    const SegmentHeader header{.segment = segment,
                               .file_bytes = options.segment_bytes,
                               .first_sequence = first_sequence,
                               .previous_end = previous_end,
                               .previous_chain = chain,
                               .floor = live.empty() ? segment : live.front().info.segment};
    const std::string path = path_of(segment);
    const std::string unfinished = path + std::string(kUnfinishedSuffix);
    DRACO_TRY(made, disk.open(unfinished, OpenMode::Truncate));
    DRACO_TRY_VOID(made->preallocate(options.segment_bytes));
    Bytes bytes(kSegmentHeaderBytes);
    const Checksum link = format.encode(header, bytes);
    DRACO_TRY_VOID(made->write_at(0, bytes));
    DRACO_TRY_VOID(made->sync());
    DRACO_TRY_VOID(disk.rename(unfinished, path));
    DRACO_TRY_VOID(disk.sync_directory(options.directory));
    // The handle belongs to the old name on some disks.
    DRACO_TRY_VOID(open_for_writing(path));
    live.push_back({.info = {.segment = segment, .first_sequence = first_sequence},
                    .file_bytes = options.segment_bytes});
    chain = link;
    end = durable_offset = protected_offset = kSegmentHeaderBytes;
    written_floor = durable_floor = header.floor;
    return {};
}

Result<> SegmentLog::State::rotate() {
    DRACO_TRY_VOID(sync_all());
    const auto full = std::move(file);
    const std::uint32_t full_end = end;
    Bytes mark(kGroupHeadBytes);
    format.encode(next_head(GroupKind::End), mark);
    DRACO_TRY_VOID(create_segment(active().info.segment + 1, full_end));
    // Only now: it says that the next segment exists.
    DRACO_TRY_VOID(full->write_at(full_end, mark));
    DRACO_TRY_VOID(full->sync());
    return remove_dropped();
}

Result<> SegmentLog::State::write_group() {
    if (group.empty()) return {};
    GroupHead head = next_head(GroupKind::Records);
    head.body_bytes = static_cast<std::uint32_t>(group.size() - kGroupHeadBytes);
    head.records = static_cast<std::uint32_t>(group_heads.size());
    head.body = format.checksum_of_heads(group_heads);
    chain = format.encode(head, MutByteView(group).first(kGroupHeadBytes));
    DRACO_TRY_VOID(file->write_at(end, group));
    end += static_cast<std::uint32_t>(group.size());
    written_floor = head.floor;
    group.clear();
    group_heads.clear();
    return {};
}

Result<> SegmentLog::State::write_bare_group(GroupKind kind) {
    DRACO_ASSERT(group.empty(), "what was appended comes first");
    Bytes bytes(kGroupHeadBytes);
    chain = format.encode(next_head(kind), bytes);
    DRACO_TRY_VOID(file->write_at(end, bytes));
    end += static_cast<std::uint32_t>(bytes.size());
    written_floor = live.front().info.segment;
    return {};
}

Result<> SegmentLog::State::sync_file() {
    if (durable_offset == end) return {};
    DRACO_TRY_VOID(file->sync());
    durable_offset = end;
    durable_floor = written_floor;
    return {};
}

Result<> SegmentLog::State::sync_all() {
    DRACO_TRY_VOID(write_group());
    if (written_floor != live.front().info.segment && fits(kGroupHeadBytes, 1))
        DRACO_TRY_VOID(write_bare_group(GroupKind::Durable));
    DRACO_TRY_VOID(sync_file());
    return remove_dropped();
}

Result<> SegmentLog::State::remove_dropped() {
    while (!dropped.empty() && dropped.front().info.segment < durable_floor) {
        const auto removed = disk.remove(path_of(dropped.front().info.segment));
        if (!removed && removed.error().code != Errc::NotFound) return removed;
        dropped.erase(dropped.begin());
    }
    return {};
}

Result<> SegmentLog::State::protect() {
    DRACO_TRY_VOID(sync_all());
    if (protected_offset == end) return {};
    // append() keeps room for it.
    if (!fits(kGroupHeadBytes, 1)) return {};
    DRACO_TRY_VOID(write_bare_group(GroupKind::Durable));
    protected_offset = end;
    return {};
}

Result<std::shared_ptr<const File>> SegmentLog::State::file_for_reading(
    std::uint64_t segment) const {
    const std::lock_guard lock(reading);
    if (segment < readable_from)
        return fail(Errc::NotFound,
                    options.directory + ": segment " + std::to_string(segment) + " was dropped");
    if (const auto found = read_files.find(segment); found != read_files.end())
        return found->second;
    DRACO_TRY(opened, disk.open(path_of(segment), OpenMode::Read));
    if (read_files.size() >= kReadFilesMax) read_files.erase(read_files.begin());
    std::shared_ptr<const File> shared = std::move(opened);
    read_files.emplace(segment, shared);
    return shared;
}

SegmentLog::SegmentLog(std::unique_ptr<State> state) : state_(std::move(state)) {}

SegmentLog::~SegmentLog() = default;

Result<Position> SegmentLog::append(std::uint64_t mark, ByteView first, ByteView rest) {
    State& log = *state_;
    DRACO_TRY_VOID(log.usable());
    const std::size_t size = first.size() + rest.size();
    if (size > log.options.record_bytes_max)
        return fail(Errc::InvalidArgument,
                    log.options.directory + ": a record of " + std::to_string(size) +
                        " bytes; at most " + std::to_string(log.options.record_bytes_max) +
                        " are allowed");
    const std::uint64_t whole = kRecordHeadBytes + padded(size);
    if (!log.fits(whole + (log.group.empty() ? kGroupHeadBytes : 0), kReservedGroups)) {
        if (log.live.size() >= log.options.segments_max)
            return fail(Errc::Exhausted,
                        log.options.directory + ": all " +
                            std::to_string(log.options.segments_max) +
                            " segments are in use; drop old records, or allow more segments");
        DRACO_TRY_VOID(log.noting_failure(log.rotate()));
    }
    if (log.group.empty()) log.group.resize(kGroupHeadBytes);
    const std::size_t at = log.group.size();
    SegmentInfo& info = log.active().info;
    const Position position{.segment = info.segment,
                            .offset = static_cast<std::uint32_t>(log.end + at),
                            .record_bytes = static_cast<std::uint32_t>(size)};
    const RecordHead head{.bytes = position.record_bytes,
                          .sequence = info.first_sequence + info.records,
                          .mark = mark};
    log.group.resize(at + kRecordHeadBytes);
    log.group.insert(log.group.end(), first.begin(), first.end());
    log.group.insert(log.group.end(), rest.begin(), rest.end());
    log.group.resize(at + whole);
    const MutByteView record = MutByteView(log.group).subspan(at);
    log.group_heads.push_back(log.format.encode(head,
                                                position.segment,
                                                position.offset,
                                                record.subspan(kRecordHeadBytes, size),
                                                record.first(kRecordHeadBytes)));
    info.mark_min = info.records == 0 ? mark : std::min(info.mark_min, mark);
    info.mark_max = std::max(info.mark_max, mark);
    ++info.records;
    if (log.group.size() > log.options.group_bytes_max)
        DRACO_TRY_VOID(log.noting_failure(log.write_group()));
    return position;
}

Result<> SegmentLog::sync() {
    DRACO_TRY_VOID(state_->usable());
    return state_->noting_failure(state_->sync_all());
}

Result<> SegmentLog::protect() {
    DRACO_TRY_VOID(state_->usable());
    return state_->noting_failure(state_->protect());
}

Result<> SegmentLog::seal() {
    DRACO_TRY_VOID(protect());
    return state_->noting_failure(state_->sync_file());
}

void SegmentLog::drop_below(std::uint64_t mark_floor) {
    State& log = *state_;
    while (log.live.size() > 1 &&
           (log.live.front().info.records == 0 || log.live.front().info.mark_max < mark_floor)) {
        log.dropped.push_back(log.live.front());
        log.live.pop_front();
    }
    const std::lock_guard lock(log.reading);
    log.readable_from = log.live.front().info.segment;
    log.read_files.erase(log.read_files.begin(), log.read_files.lower_bound(log.readable_from));
}

Result<Bytes> SegmentLog::read(const Position& position) const {
    const State& log = *state_;
    DRACO_TRY(file, log.file_for_reading(position.segment));
    const auto damaged = [&] {
        return fail(Errc::Corrupt,
                    log.path_of(position.segment) + ": no whole record of " +
                        std::to_string(position.record_bytes) + " bytes at offset " +
                        std::to_string(position.offset) +
                        "; restore the file from a copy, or fetch the record elsewhere");
    };
    if (position.record_bytes > log.options.record_bytes_max) return damaged();
    Bytes bytes(kRecordHeadBytes + padded(position.record_bytes));
    DRACO_TRY(read, file->read_at(position.offset, bytes));
    if (read != bytes.size()) return damaged();
    const auto record = log.format.decode_record(position.segment, position.offset, bytes);
    if (!record || record->value.bytes != position.record_bytes) return damaged();
    bytes.erase(bytes.begin(), bytes.begin() + kRecordHeadBytes);
    bytes.resize(position.record_bytes);
    return bytes;
}

std::vector<SegmentInfo> SegmentLog::segments() const {
    std::vector<SegmentInfo> infos;
    infos.reserve(state_->live.size());
    for (const auto& segment : state_->live) infos.push_back(segment.info);
    return infos;
}

std::uint64_t SegmentLog::next_sequence() const {
    const SegmentInfo& info = state_->active().info;
    return info.first_sequence + info.records;
}

std::uint64_t SegmentLog::disk_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& segment : state_->live) bytes += segment.file_bytes;
    for (const auto& segment : state_->dropped) bytes += segment.file_bytes;
    return bytes;
}

}  // namespace draco::segment_log
