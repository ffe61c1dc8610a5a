#pragma once
// Blocks and certificates as records of a segment log, found by height.
//
//   block        u8 1, u64 height, digest, u32 part, u32 parts, then bytes of the encoded
//                ArchivedBlock without certificate; a large one is in several records
//   certificate  u8 2, BCS of the BlockCertificate
// The mark of a record is its block's height. Integers are little-endian.
//
// Threads: one writer; the const calls from any thread beside it.

#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"
#include "draco/interfaces/ledger.hpp"
#include "draco/segment_log/segment_log.hpp"

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace draco::ledger {

inline constexpr std::size_t kPartBytesMax = std::size_t{4} << 20;
inline constexpr std::uint32_t kPartsMax = 1024;

struct ArchiveOptions {
    std::string directory;
    segment_log::LogId id;
    std::uint64_t segment_bytes = 0;
    std::size_t segments_max = 0;
};

class Archive {
public:
    static Result<std::unique_ptr<Archive>> open(Disk& disk, const ArchiveOptions& options);

    // The writer. What was added can be read after the next sync().
    // Precondition: the height is the next one; any after an archive without blocks.
    Result<std::uint64_t> add(const interfaces::BlockWithContent& block);  // bytes
    Result<> add(const types::BlockCertificate& certificate);
    Result<> sync();
    // Blocks above are void. They stay in the log, and those of the same heights that are added
    // later take their places, also when it is opened again.
    void forget_above(types::Height height);

    Result<> protect() { return log_->protect(); }

    Result<> seal() { return log_->seal(); }

    // The highest height in the oldest segment; nullopt if that is the only one.
    std::optional<types::Height> oldest_segment_highest() const;
    // Drops it. Takes effect on the disk with the next sync().
    void drop_oldest_segment();

    std::uint64_t disk_bytes() const { return log_->disk_bytes(); }

    // Any thread. Of what is synced.
    bool empty() const;
    types::Height lowest() const;   // of an empty archive: 1
    types::Height highest() const;  // of an empty archive: 0
    std::size_t blocks() const;
    bool has_certificate(types::Height height) const;
    // BCS of an ArchivedBlock, with its certificate if there is one. nullopt outside [lowest,
    // highest].
    Result<std::optional<Bytes>> read(types::Height height) const;
    Result<std::optional<types::BlockDigest>> digest(types::Height height) const;

    // Of the highest block that has one.
    Result<std::optional<types::BlockCertificate>> newest_certificate() const;

private:
    using Position = segment_log::Position;

    struct Entry {
        Position block;        // its first part
        Position certificate;  // record_bytes 0: none
    };

    // A block of which not all parts were seen.
    struct Assembly {
        types::Height height;
        types::BlockDigest digest;
        std::uint32_t parts = 0;
        std::vector<Position> positions;
    };

    explicit Archive(const ArchiveOptions& options);

    Result<> recover(const segment_log::Record& record);
    Result<> recover_part(const segment_log::Record& record);
    Result<> recover_certificate(const segment_log::Record& record);
    std::unexpected<Error> damaged(const segment_log::Record& record, std::string_view what) const;
    void publish_block(types::Height height, std::vector<Position> positions);
    void publish_certificate(types::Height height, const Position& position);
    std::optional<Entry> find(types::Height height, std::vector<Position>& parts) const;
    std::size_t part_bytes() const;

    const ArchiveOptions options_;
    std::unique_ptr<segment_log::SegmentLog> log_;
    // Of a block that was dropped, written again.
    std::optional<types::BlockCertificate> newest_below_;
    std::optional<Assembly> assembly_;
    // Added since the last sync.
    std::vector<std::pair<types::Height, std::vector<Position>>> new_blocks_;
    std::vector<std::pair<types::Height, Position>> new_certificates_;

    mutable std::mutex mutex_;  // what follows
    std::uint64_t lowest_ = 1;
    std::deque<Entry> entries_;                             // from lowest_ on
    std::map<std::uint64_t, std::vector<Position>> parts_;  // of blocks with more than one
};

// BCS of the ArchivedBlock without certificate, without copying the batches into one.
Bytes encode_archived(const interfaces::BlockWithContent& block);
// Puts the certificate into such an encoding.
void attach_certificate(Bytes& archived, ByteView certificate);

}  // namespace draco::ledger
