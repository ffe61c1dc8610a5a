#pragma once
// What is in one segment, group by group, up to the first that is not whole.

#include "draco/base/result.hpp"
#include "draco/segment_log/segment_log.hpp"

#include "format.hpp"

#include <optional>
#include <string>

namespace draco::segment_log {

struct SegmentScan {
    SegmentInfo info;
    std::uint32_t end = 0;  // of the last whole group
    Checksum chain;         // its checksum
    std::uint64_t floor = 0;
    bool ended = false;  // a group of kind End was there; `end` is where it begins
    // If the next group is there in part: where it is damaged, and how.
    std::uint32_t damage_offset = 0;
    std::string damage;
};

// `file` is the whole segment, of header.value.file_bytes. `visit` may be null; records of a group
// are visited only if all of the group is whole.
Result<SegmentScan> scan_segment(const Format& format,
                                 const Checked<SegmentHeader>& header,
                                 ByteView file,
                                 const RecordVisitor* visit);

// The offset of a group behind `end` which says that the log had been durable beyond `end`.
std::optional<std::uint32_t> testimony_beyond(const Format& format,
                                              std::uint64_t segment,
                                              ByteView file,
                                              std::uint32_t end);

}  // namespace draco::segment_log
