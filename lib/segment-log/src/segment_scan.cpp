#include "segment_scan.hpp"

#include <algorithm>
#include <vector>

namespace draco::segment_log {
namespace {

struct Body {
    std::vector<Record> records;
    std::optional<std::uint32_t> damaged_at;
};

Body read_body(const Format& format, const Checked<GroupHead>& group, ByteView file) {
    Body body;
    std::vector<Checksum> heads;
    std::uint64_t at = group.value.offset + kGroupHeadBytes;
    const std::uint64_t end = at + group.value.body_bytes;
    const auto damaged = [&] {
        body.damaged_at = static_cast<std::uint32_t>(at);
        return std::move(body);
    };
    while (at < end) {
        const auto bytes = file.subspan(at, end - at);
        const auto record =
            format.decode_record(group.value.segment, static_cast<std::uint32_t>(at), bytes);
        if (!record || record->value.sequence != group.value.first_sequence + heads.size())
            return damaged();
        heads.push_back(record->chain);
        body.records.push_back({.position = {.segment = group.value.segment,
                                             .offset = static_cast<std::uint32_t>(at),
                                             .record_bytes = record->value.bytes},
                                .sequence = record->value.sequence,
                                .mark = record->value.mark,
                                .bytes = bytes.subspan(kRecordHeadBytes, record->value.bytes)});
        at += kRecordHeadBytes + padded(record->value.bytes);
    }
    if (heads.size() != group.value.records || format.checksum_of_heads(heads) != group.value.body)
        return damaged();
    return body;
}

// Whether the group continues what was scanned so far.
bool continues(const SegmentScan& scan, const GroupHead& head, std::uint64_t file_bytes) {
    return head.segment == scan.info.segment && head.offset == scan.end &&
           head.previous_chain == scan.chain &&
           head.first_sequence == scan.info.first_sequence + scan.info.records &&
           head.durable <= LogEnd{head.segment, head.offset} && head.floor >= scan.floor &&
           head.floor <= head.segment &&
           head.body_bytes <= file_bytes - head.offset - kGroupHeadBytes &&
           (head.kind == GroupKind::Records || head.body_bytes == 0);
}

void count(SegmentInfo& info, const Record& record) {
    info.mark_min = info.records == 0 ? record.mark : std::min(info.mark_min, record.mark);
    info.mark_max = std::max(info.mark_max, record.mark);
    ++info.records;
}

}  // namespace

Result<SegmentScan> scan_segment(const Format& format,
                                 const Checked<SegmentHeader>& header,
                                 ByteView file,
                                 const RecordVisitor* visit) {
    SegmentScan scan;
    scan.info.segment = header.value.segment;
    scan.info.first_sequence = header.value.first_sequence;
    scan.end = kSegmentHeaderBytes;
    scan.chain = header.chain;
    scan.floor = header.value.floor;
    while (true) {
        const auto group = format.decode_group_head(file.subspan(scan.end));
        scan.damage_offset = scan.end;
        if (!group || !continues(scan, group->value, file.size())) {
            scan.damage = "no group of the log is there";
            return scan;
        }
        if (group->value.kind == GroupKind::End) {
            scan.floor = group->value.floor;
            scan.ended = true;
            return scan;
        }
        const Body body = read_body(format, *group, file);
        if (body.damaged_at) {
            scan.damage_offset = *body.damaged_at;
            scan.damage = "the record there does not match its checksum";
            return scan;
        }
        for (const Record& record : body.records) {
            if (visit != nullptr) DRACO_TRY_VOID((*visit)(record));
            count(scan.info, record);
        }
        scan.floor = group->value.floor;
        scan.chain = group->chain;
        scan.end += static_cast<std::uint32_t>(kGroupHeadBytes) + group->value.body_bytes;
    }
}

std::optional<std::uint32_t> testimony_beyond(const Format& format,
                                              std::uint64_t segment,
                                              ByteView file,
                                              std::uint32_t end) {
    const LogEnd questioned{segment, end};
    for (std::size_t at = end; at + kGroupHeadBytes <= file.size(); at += kAlignBytes) {
        const auto group = format.decode_group_head(file.subspan(at));
        if (group && group->value.segment == segment && group->value.offset == at &&
            group->value.durable > questioned)
            return static_cast<std::uint32_t>(at);
    }
    return std::nullopt;
}

}  // namespace draco::segment_log
