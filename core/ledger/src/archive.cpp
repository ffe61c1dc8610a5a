#include "archive.hpp"

#include "draco/base/assert.hpp"
#include "draco/bcs/bcs.hpp"

#include <algorithm>
#include <utility>

namespace draco::ledger {
namespace {

using segment_log::Position;
using segment_log::Record;
using types::BlockDigest;
using types::Height;

constexpr std::uint8_t kBlockPart = 1;
constexpr std::uint8_t kCertificate = 2;
constexpr std::size_t kPartHeadBytes = 1 + 8 + BlockDigest::kSize + 4 + 4;

struct PartHead {
    Height height;
    BlockDigest digest;
    std::uint32_t part = 0;
    std::uint32_t parts = 0;
};

Bytes encode_part(const PartHead& head, ByteView bytes) {
    Bytes record(kPartHeadBytes);
    record[0] = kBlockPart;
    store_le(record.data() + 1, head.height.value());
    std::ranges::copy(head.digest.view(), record.begin() + 9);
    store_le(record.data() + 41, head.part);
    store_le(record.data() + 45, head.parts);
    append(record, bytes);
    return record;
}

std::optional<PartHead> decode_part(ByteView record) {
    if (record.size() < kPartHeadBytes || record[0] != kBlockPart) return std::nullopt;
    const PartHead head{.height = Height(load_le<std::uint64_t>(record.data() + 1)),
                        .digest = BlockDigest(record.subspan(9).first<BlockDigest::kSize>()),
                        .part = load_le<std::uint32_t>(record.data() + 41),
                        .parts = load_le<std::uint32_t>(record.data() + 45)};
    if (head.height.value() == 0 || head.parts == 0 || head.parts > kPartsMax ||
        head.part >= head.parts)
        return std::nullopt;
    return head;
}

bool has(const Position& position) {
    return position.record_bytes != 0;
}

}  // namespace

Bytes encode_archived(const interfaces::BlockWithContent& content) {
    Bytes bytes;
    bcs::BytesSink sink(bytes);
    bcs::Encoder out(sink);
    out.enter();
    bcs::write(out, content.block);
    out.length(content.batches.size());
    for (const auto& batch : content.batches) bcs::write(out, *batch);
    bcs::write(out, std::optional<types::BlockCertificate>());
    out.leave();
    out.flush();
    return bytes;
}

void attach_certificate(Bytes& archived, ByteView certificate) {
    archived.back() = 1;  // the tag of the optional, which comes last
    append(archived, certificate);
}

Archive::Archive(const ArchiveOptions& options) : options_(options) {}

std::size_t Archive::part_bytes() const {
    return std::min<std::size_t>(kPartBytesMax, options_.segment_bytes / 2) - kPartHeadBytes;
}

Result<std::unique_ptr<Archive>> Archive::open(Disk& disk, const ArchiveOptions& options) {
    std::unique_ptr<Archive> archive(new Archive(options));
    const segment_log::Options log_options{
        .directory = options.directory,
        .id = options.id,
        .segment_bytes = options.segment_bytes,
        .segments_max = options.segments_max,
        .record_bytes_max = std::min<std::size_t>(kPartBytesMax, options.segment_bytes / 2)};
    DRACO_TRY(log, segment_log::SegmentLog::open(disk, log_options, [&](const Record& record) {
                  return archive->recover(record);
              }));
    archive->log_ = std::move(log);
    archive->assembly_.reset();
    return archive;
}

std::unexpected<Error> Archive::damaged(const Record& record, std::string_view what) const {
    return fail(Errc::Corrupt,
                "the archive in " + options_.directory + ": the record at offset " +
                    std::to_string(record.position.offset) + " of segment " +
                    std::to_string(record.position.segment) + " " + std::string(what) +
                    "; restore the directory from a copy, or remove it and the state, and let the "
                    "node fetch the chain again");
}

Result<> Archive::recover(const Record& record) {
    if (record.bytes.empty()) return damaged(record, "is empty");
    if (record.bytes[0] == kCertificate) return recover_certificate(record);
    return recover_part(record);
}

Result<> Archive::recover_part(const Record& record) {
    const auto head = decode_part(record.bytes);
    if (!head || head->height.value() != record.mark)
        return damaged(record, "is no part of a block");
    if (head->part == 0) {
        if (!entries_.empty() && head->height.value() > lowest_ + entries_.size())
            return damaged(record, "is of a block that does not follow the one before it");
        assembly_ = Assembly{
            .height = head->height, .digest = head->digest, .parts = head->parts, .positions = {}};
    } else if (!assembly_) {
        // The rest of a block whose first parts were dropped.
        if (entries_.empty()) return {};
        return damaged(record, "continues no block");
    }
    if (head->height != assembly_->height || head->digest != assembly_->digest ||
        head->parts != assembly_->parts || head->part != assembly_->positions.size())
        return damaged(record, "does not continue the block before it");
    assembly_->positions.push_back(record.position);
    if (assembly_->positions.size() < assembly_->parts) return {};
    forget_above(Height(assembly_->height.value() - 1));
    publish_block(assembly_->height, std::move(assembly_->positions));
    assembly_.reset();
    return {};
}

Result<> Archive::recover_certificate(const Record& record) {
    auto certificate = bcs::decode<types::BlockCertificate>(record.bytes.subspan(1));
    if (!certificate) return damaged(record, "is no certificate");
    const Height height = certificate->statement.height;
    publish_certificate(height, record.position);
    if (height.value() < lowest_ && (!newest_below_ || newest_below_->statement.height < height))
        newest_below_ = *std::move(certificate);
    return {};
}

void Archive::publish_block(Height height, std::vector<Position> positions) {
    const std::lock_guard lock(mutex_);
    if (entries_.empty()) lowest_ = height.value();
    DRACO_ASSERT(height.value() == lowest_ + entries_.size(), "blocks are archived in order");
    entries_.push_back({.block = positions.front(), .certificate = {}});
    if (positions.size() > 1) parts_.emplace(height.value(), std::move(positions));
}

void Archive::publish_certificate(Height height, const Position& position) {
    const std::lock_guard lock(mutex_);
    if (height.value() < lowest_ || height.value() - lowest_ >= entries_.size()) return;
    entries_[height.value() - lowest_].certificate = position;
}

Result<std::uint64_t> Archive::add(const interfaces::BlockWithContent& block) {
    const Bytes bytes = encode_archived(block);
    const std::size_t step = part_bytes();
    const std::size_t parts = (bytes.size() + step - 1) / step;
    if (parts > kPartsMax)
        return fail(Errc::Exhausted,
                    "block " + std::to_string(block.block.height.value()) + " has " +
                        std::to_string(bytes.size()) + " bytes, more than the archive takes");
    std::vector<Position> positions;
    for (std::size_t part = 0; part < parts; ++part) {
        const auto piece =
            ByteView(bytes).subspan(part * step, std::min(step, bytes.size() - part * step));
        const PartHead head{.height = block.block.height,
                            .digest = block.digest,
                            .part = static_cast<std::uint32_t>(part),
                            .parts = static_cast<std::uint32_t>(parts)};
        DRACO_TRY(position, log_->append(head.height.value(), encode_part(head, piece)));
        positions.push_back(position);
    }
    new_blocks_.emplace_back(block.block.height, std::move(positions));
    return bytes.size();
}

Result<> Archive::add(const types::BlockCertificate& certificate) {
    Bytes record{kCertificate};
    append(record, bcs::encode(certificate));
    const Height height = certificate.statement.height;
    DRACO_TRY(position, log_->append(height.value(), record));
    new_certificates_.emplace_back(height, position);
    return {};
}

Result<> Archive::sync() {
    DRACO_TRY_VOID(log_->sync());
    for (auto& [height, positions] : std::exchange(new_blocks_, {}))
        publish_block(height, std::move(positions));
    for (const auto& [height, position] : std::exchange(new_certificates_, {}))
        publish_certificate(height, position);
    return {};
}

Result<std::optional<types::BlockCertificate>> Archive::newest_certificate() const {
    Position at;
    {
        const std::lock_guard lock(mutex_);
        const auto found = std::find_if(entries_.rbegin(), entries_.rend(), [](const Entry& entry) {
            return has(entry.certificate);
        });
        if (found == entries_.rend()) return newest_below_;
        at = found->certificate;
    }
    DRACO_TRY(record, log_->read(at));
    auto certificate = bcs::decode<types::BlockCertificate>(ByteView(record).subspan(1));
    if (!certificate)
        return fail(
            Errc::Corrupt,
            "the archive in " + options_.directory + " has no certificate where one should be");
    return *std::move(certificate);
}

void Archive::forget_above(Height height) {
    const std::lock_guard lock(mutex_);
    while (!entries_.empty() && lowest_ + entries_.size() - 1 > height.value()) {
        parts_.erase(lowest_ + entries_.size() - 1);
        entries_.pop_back();
    }
}

std::optional<Height> Archive::oldest_segment_highest() const {
    const auto segments = log_->segments();
    if (segments.size() < 2) return std::nullopt;
    return Height(segments.front().mark_max);
}

void Archive::drop_oldest_segment() {
    const auto highest = oldest_segment_highest();
    if (!highest) return;
    const std::uint64_t floor = highest->value() + 1;
    log_->drop_below(floor);
    const std::lock_guard lock(mutex_);
    while (!entries_.empty() && lowest_ < floor) {
        entries_.pop_front();
        parts_.erase(lowest_);
        ++lowest_;
    }
}

bool Archive::empty() const {
    const std::lock_guard lock(mutex_);
    return entries_.empty();
}

Height Archive::lowest() const {
    const std::lock_guard lock(mutex_);
    return Height(lowest_);
}

Height Archive::highest() const {
    const std::lock_guard lock(mutex_);
    return Height(lowest_ + entries_.size() - 1);
}

std::size_t Archive::blocks() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

std::optional<Archive::Entry> Archive::find(Height height, std::vector<Position>& parts) const {
    const std::lock_guard lock(mutex_);
    if (height.value() < lowest_ || height.value() - lowest_ >= entries_.size())
        return std::nullopt;
    const Entry& entry = entries_[height.value() - lowest_];
    const auto several = parts_.find(height.value());
    parts = several == parts_.end() ? std::vector{entry.block} : several->second;
    return entry;
}

bool Archive::has_certificate(Height height) const {
    std::vector<Position> parts;
    const auto entry = find(height, parts);
    return entry && has(entry->certificate);
}

Result<std::optional<Bytes>> Archive::read(Height height) const {
    std::vector<Position> parts;
    const auto entry = find(height, parts);
    if (!entry) return std::nullopt;
    Bytes bytes;
    for (const Position& position : parts) {
        auto record = log_->read(position);
        // It was dropped meanwhile.
        if (!record && record.error().code == Errc::NotFound) return std::nullopt;
        if (!record) return std::unexpected(std::move(record).error());
        append(bytes, ByteView(*record).subspan(std::min(kPartHeadBytes, record->size())));
    }
    if (bytes.empty() || bytes.back() != 0)
        return fail(Errc::Corrupt,
                    "the archive in " + options_.directory + " has no whole block " +
                        std::to_string(height.value()));
    if (has(entry->certificate)) {
        DRACO_TRY(record, log_->read(entry->certificate));
        attach_certificate(bytes, ByteView(record).subspan(1));
    }
    return bytes;
}

Result<std::optional<BlockDigest>> Archive::digest(Height height) const {
    std::vector<Position> parts;
    const auto entry = find(height, parts);
    if (!entry) return std::nullopt;
    auto record = log_->read(entry->block);
    if (!record && record.error().code == Errc::NotFound) return std::nullopt;
    if (!record) return std::unexpected(std::move(record).error());
    const auto head = decode_part(*record);
    if (!head)
        return fail(Errc::Corrupt,
                    "the archive has no block where block " + std::to_string(height.value()) +
                        " should be");
    return head->digest;
}

}  // namespace draco::ledger
