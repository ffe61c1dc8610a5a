#pragma once
// The bytes of a segment file. Integers are little-endian; everything begins at a multiple of 8.
//
//   segment = header, group, group, ..., zeros or remains of groups that were cut off
//   group   = head, record, record, ...
//   record  = head, bytes, zeros up to a multiple of 8
//
// Checksums are keyed with the log's id and cover the segment's number and the offset. Each group's
// covers that of the group before it (the first one's that of the segment's header, that one's that
// of the last group of the segment before): they form a chain, so that a group that was cut off
// never continues what was written over it.

#include "draco/base/bytes.hpp"
#include "draco/blake3_tree/hasher.hpp"
#include "draco/segment_log/segment_log.hpp"

#include <optional>
#include <string>

namespace draco::segment_log {

inline constexpr std::size_t kSegmentHeaderBytes = 120;
inline constexpr std::size_t kGroupHeadBytes = 112;
inline constexpr std::size_t kRecordHeadBytes = 40;
inline constexpr std::size_t kAlignBytes = 8;
inline constexpr std::uint32_t kVersion = 1;

struct ChecksumTag;
using Checksum = FixedBytes<ChecksumTag, 16>;

constexpr std::uint64_t padded(std::uint64_t bytes) {
    return (bytes + kAlignBytes - 1) / kAlignBytes * kAlignBytes;
}

// A place in the log, between groups.
struct LogEnd {
    std::uint64_t segment = 0;
    std::uint32_t offset = 0;

    auto operator<=>(const LogEnd&) const = default;
};

struct SegmentHeader {
    std::uint64_t segment = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t first_sequence = 0;
    std::uint64_t previous_end = 0;  // where the segment before ends
    Checksum previous_chain;         // of its last group
    std::uint64_t floor = 0;         // the lowest segment that was not dropped
};

enum class GroupKind : std::uint32_t {
    Records = 1,
    Opened = 2,   // the log was opened here: what followed before is cut off
    Durable = 3,  // testifies that all before it is durable
    End = 4,      // the log goes on in the next segment
};

struct GroupHead {
    GroupKind kind = GroupKind::Records;
    std::uint64_t segment = 0;
    std::uint32_t offset = 0;
    std::uint32_t body_bytes = 0;
    std::uint32_t records = 0;
    std::uint64_t first_sequence = 0;
    LogEnd durable;           // up to here the log was durable when the group was written
    std::uint64_t floor = 0;  // the lowest segment that was not dropped
    Checksum previous_chain;
    Checksum body;  // of the heads of its records
};

struct RecordHead {
    std::uint32_t bytes = 0;
    std::uint64_t sequence = 0;
    std::uint64_t mark = 0;
};

// A head with its checksum, which is the link of the chain that it forms.
template <class T>
struct Checked {
    T value;
    Checksum chain;
};

class Format {
public:
    explicit Format(const LogId& id);

    const LogId& id() const { return id_; }

    // Each writes as many bytes as its constant says; the checksum is returned.
    Checksum encode(const SegmentHeader& header, MutByteView out) const;
    Checksum encode(const GroupHead& head, MutByteView out) const;
    Checksum encode(const RecordHead& head,
                    std::uint64_t segment,
                    std::uint32_t offset,
                    ByteView payload,
                    MutByteView out) const;

    // nullopt, and `why`, if the bytes are not that.
    std::optional<Checked<SegmentHeader>> decode_segment_header(ByteView bytes,
                                                                std::string& why) const;
    // A group head of any place in any segment of this log.
    std::optional<Checked<GroupHead>> decode_group_head(ByteView bytes) const;
    // `bytes` may be longer than the record.
    std::optional<Checked<RecordHead>> decode_record(std::uint64_t segment,
                                                     std::uint32_t offset,
                                                     ByteView bytes) const;
    Checksum checksum_of_heads(std::span<const Checksum> heads) const;

private:
    LogId id_;
    blake3_tree::Mode mode_;
};

// "00000000000000a3.segment"; nullopt for any other name.
std::string segment_file_name(std::uint64_t segment);
std::optional<std::uint64_t> segment_of_file_name(std::string_view name);

inline constexpr std::string_view kUnfinishedSuffix = ".new";

}  // namespace draco::segment_log
