#include "format.hpp"

#include "draco/base/assert.hpp"

#include <algorithm>
#include <charconv>

namespace draco::segment_log {
namespace {

constexpr std::uint64_t kSegmentMagic = 0x6765735f6f637264;  // "drco_seg"
constexpr std::uint32_t kGroupMagic = 0x70726764;            // "dgrp"
constexpr std::string_view kSuffix = ".segment";
constexpr std::size_t kHexDigits = 16;

// What a checksum is of, so that one kind of bytes never passes for another.
enum class Subject : std::uint64_t { Segment = 1, Group = 2, Record = 3, Heads = 4 };

blake3_tree::Mode mode_of(const LogId& id) {
    Bytes name = to_bytes(as_bytes("draco segment-log 1"));
    append(name, id.view());
    return blake3_tree::Mode::keyed(blake3_tree::Key(blake3_tree::hash(name).bytes));
}

blake3_tree::Hasher hasher_for(const blake3_tree::Mode& mode, Subject subject) {
    blake3_tree::Hasher hasher(mode);
    std::array<std::uint8_t, 8> tag{};
    store_le(tag.data(), static_cast<std::uint64_t>(subject));
    hasher.update(tag);
    return hasher;
}

Checksum checksum_from(const blake3_tree::Hasher& hasher) {
    const auto hash = hasher.finish();
    Checksum made;
    std::ranges::copy(hash.view().first<Checksum::kSize>(), made.bytes.begin());
    return made;
}

Checksum checksum_of(const blake3_tree::Mode& mode, Subject subject, ByteView bytes) {
    auto hasher = hasher_for(mode, subject);
    hasher.update(bytes);
    return checksum_from(hasher);
}

Checksum checksum_of_record(const blake3_tree::Mode& mode,
                            std::uint64_t segment,
                            std::uint32_t offset,
                            ByteView head,
                            ByteView payload) {
    auto hasher = hasher_for(mode, Subject::Record);
    std::array<std::uint8_t, 16> place{};
    store_le(place.data(), segment);
    store_le(place.data() + 8, std::uint64_t{offset});
    hasher.update(place);
    hasher.update(head);
    hasher.update(payload);
    return checksum_from(hasher);
}

void put(MutByteView out, std::size_t at, const Checksum& checksum) {
    std::ranges::copy(checksum.view(), out.begin() + static_cast<std::ptrdiff_t>(at));
}

Checksum checksum_at(ByteView bytes, std::size_t at) {
    return Checksum(bytes.subspan(at).first<Checksum::kSize>());
}

constexpr std::size_t kSegmentSumAt = kSegmentHeaderBytes - Checksum::kSize;
constexpr std::size_t kGroupSumAt = kGroupHeadBytes - Checksum::kSize;
constexpr std::size_t kRecordSumAt = kRecordHeadBytes - Checksum::kSize;

}  // namespace

Format::Format(const LogId& id) : id_(id), mode_(mode_of(id)) {}

Checksum Format::encode(const SegmentHeader& header, MutByteView out) const {
    DRACO_ASSERT(out.size() == kSegmentHeaderBytes, "the header has its size");
    std::ranges::fill(out, std::uint8_t{0});
    store_le(out.data(), kSegmentMagic);
    store_le(out.data() + 8, kVersion);
    std::ranges::copy(id_.view(), out.begin() + 16);
    store_le(out.data() + 48, header.segment);
    store_le(out.data() + 56, header.file_bytes);
    store_le(out.data() + 64, header.first_sequence);
    store_le(out.data() + 72, header.previous_end);
    put(out, 80, header.previous_chain);
    store_le(out.data() + 96, header.floor);
    const auto chain = checksum_of(mode_, Subject::Segment, out.first(kSegmentSumAt));
    put(out, kSegmentSumAt, chain);
    return chain;
}

std::optional<Checked<SegmentHeader>> Format::decode_segment_header(ByteView bytes,
                                                                    std::string& why) const {
    if (bytes.size() < kSegmentHeaderBytes) {
        why = "it is shorter than a segment's header";
        return std::nullopt;
    }
    if (load_le<std::uint64_t>(bytes.data()) != kSegmentMagic) {
        why = "it does not begin as a segment";
        return std::nullopt;
    }
    if (const auto version = load_le<std::uint32_t>(bytes.data() + 8); version != kVersion) {
        why = "its version is " + std::to_string(version) + ", this program reads " +
              std::to_string(kVersion);
        return std::nullopt;
    }
    if (!equal(bytes.subspan(16, LogId::kSize), id_.view())) {
        why = "it belongs to another log";
        return std::nullopt;
    }
    const auto chain = checksum_of(mode_, Subject::Segment, bytes.first(kSegmentSumAt));
    if (chain != checksum_at(bytes, kSegmentSumAt)) {
        why = "the checksum of its header does not match";
        return std::nullopt;
    }
    const SegmentHeader header{.segment = load_le<std::uint64_t>(bytes.data() + 48),
                               .file_bytes = load_le<std::uint64_t>(bytes.data() + 56),
                               .first_sequence = load_le<std::uint64_t>(bytes.data() + 64),
                               .previous_end = load_le<std::uint64_t>(bytes.data() + 72),
                               .previous_chain = checksum_at(bytes, 80),
                               .floor = load_le<std::uint64_t>(bytes.data() + 96)};
    if (header.file_bytes < kSegmentBytesMin || header.file_bytes > kSegmentBytesMax ||
        header.floor > header.segment) {
        why = "its header makes no sense";
        return std::nullopt;
    }
    return Checked<SegmentHeader>{header, chain};
}

Checksum Format::encode(const GroupHead& head, MutByteView out) const {
    DRACO_ASSERT(out.size() == kGroupHeadBytes, "a group's head has its size");
    std::ranges::fill(out, std::uint8_t{0});
    store_le(out.data(), kGroupMagic);
    store_le(out.data() + 4, static_cast<std::uint32_t>(head.kind));
    store_le(out.data() + 8, head.segment);
    store_le(out.data() + 16, head.offset);
    store_le(out.data() + 20, head.body_bytes);
    store_le(out.data() + 24, head.records);
    store_le(out.data() + 32, head.first_sequence);
    store_le(out.data() + 40, head.durable.segment);
    store_le(out.data() + 48, head.durable.offset);
    store_le(out.data() + 56, head.floor);
    put(out, 64, head.previous_chain);
    put(out, 80, head.body);
    const auto chain = checksum_of(mode_, Subject::Group, out.first(kGroupSumAt));
    put(out, kGroupSumAt, chain);
    return chain;
}

std::optional<Checked<GroupHead>> Format::decode_group_head(ByteView bytes) const {
    if (bytes.size() < kGroupHeadBytes) return std::nullopt;
    if (load_le<std::uint32_t>(bytes.data()) != kGroupMagic) return std::nullopt;
    const auto chain = checksum_of(mode_, Subject::Group, bytes.first(kGroupSumAt));
    if (chain != checksum_at(bytes, kGroupSumAt)) return std::nullopt;
    const auto kind = load_le<std::uint32_t>(bytes.data() + 4);
    if (kind < static_cast<std::uint32_t>(GroupKind::Records) ||
        kind > static_cast<std::uint32_t>(GroupKind::End))
        return std::nullopt;
    const GroupHead head{.kind = static_cast<GroupKind>(kind),
                         .segment = load_le<std::uint64_t>(bytes.data() + 8),
                         .offset = load_le<std::uint32_t>(bytes.data() + 16),
                         .body_bytes = load_le<std::uint32_t>(bytes.data() + 20),
                         .records = load_le<std::uint32_t>(bytes.data() + 24),
                         .first_sequence = load_le<std::uint64_t>(bytes.data() + 32),
                         .durable = {.segment = load_le<std::uint64_t>(bytes.data() + 40),
                                     .offset = load_le<std::uint32_t>(bytes.data() + 48)},
                         .floor = load_le<std::uint64_t>(bytes.data() + 56),
                         .previous_chain = checksum_at(bytes, 64),
                         .body = checksum_at(bytes, 80)};
    return Checked<GroupHead>{head, chain};
}

Checksum Format::encode(const RecordHead& head,
                        std::uint64_t segment,
                        std::uint32_t offset,
                        ByteView payload,
                        MutByteView out) const {
    DRACO_ASSERT(out.size() == kRecordHeadBytes, "a record's head has its size");
    store_le(out.data(), head.bytes);
    store_le(out.data() + 4, std::uint32_t{0});
    store_le(out.data() + 8, head.sequence);
    store_le(out.data() + 16, head.mark);
    const auto chain = checksum_of_record(mode_, segment, offset, out.first(kRecordSumAt), payload);
    put(out, kRecordSumAt, chain);
    return chain;
}

std::optional<Checked<RecordHead>> Format::decode_record(std::uint64_t segment,
                                                         std::uint32_t offset,
                                                         ByteView bytes) const {
    if (bytes.size() < kRecordHeadBytes) return std::nullopt;
    const RecordHead head{.bytes = load_le<std::uint32_t>(bytes.data()),
                          .sequence = load_le<std::uint64_t>(bytes.data() + 8),
                          .mark = load_le<std::uint64_t>(bytes.data() + 16)};
    const std::uint64_t whole = kRecordHeadBytes + padded(head.bytes);
    if (bytes.size() < whole) return std::nullopt;
    const auto payload = bytes.subspan(kRecordHeadBytes, head.bytes);
    const auto chain =
        checksum_of_record(mode_, segment, offset, bytes.first(kRecordSumAt), payload);
    if (chain != checksum_at(bytes, kRecordSumAt)) return std::nullopt;
    const auto padding = bytes.first(whole).subspan(kRecordHeadBytes + head.bytes);
    if (std::ranges::any_of(padding, [](std::uint8_t byte) { return byte != 0; }))
        return std::nullopt;
    return Checked<RecordHead>{head, chain};
}

Checksum Format::checksum_of_heads(std::span<const Checksum> heads) const {
    auto hasher = hasher_for(mode_, Subject::Heads);
    for (const Checksum& head : heads) hasher.update(head.view());
    return checksum_from(hasher);
}

std::string segment_file_name(std::uint64_t segment) {
    std::string digits(kHexDigits, '0');
    for (std::size_t i = 0; i < kHexDigits; ++i)
        digits[kHexDigits - 1 - i] = "0123456789abcdef"[(segment >> (4 * i)) & 15U];
    return digits + std::string(kSuffix);
}

std::optional<std::uint64_t> segment_of_file_name(std::string_view name) {
    if (name.size() != kHexDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
    const std::string_view digits = name.substr(0, kHexDigits);
    const char* const digits_begin = digits.data();
    const char* const digits_end = digits_begin + digits.size();
    std::uint64_t segment = 0;
    const auto parsed = std::from_chars(digits_begin, digits_end, segment, 16);
    if (parsed.ec != std::errc{} || parsed.ptr != digits_end) return std::nullopt;
    if (segment_file_name(segment) != name) return std::nullopt;  // upper case
    return segment;
}

}  // namespace draco::segment_log
