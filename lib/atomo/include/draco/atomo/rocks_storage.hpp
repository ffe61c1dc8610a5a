#pragma once
// Storage in a RocksDB database: one column family, so that the write-ahead log alone makes a batch
// atomic. RocksDB's checksums are verified on every read; a mismatch is Errc::Corrupt.

#include "draco/atomo/storage.hpp"
#include "draco/base/disk.hpp"
#include "draco/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace draco::atomo {

// What a crash may take. "Power" stands for anything that stops the machine; a crash of the process
// alone takes only what Unlogged takes. What remains is a prefix of the commits. To that end the
// first commit into a new log (after an open and after each write_buffer_bytes) waits for the
// medium under every policy but Unlogged.
enum class Durability {
    Sync,      // nothing: each commit waits until the log is on the medium
    Group,     // power: up to group_commits - 1 of the last commits, back to the last sync()
    Buffered,  // power: the commits since the last sync(); the log is written, never waited for
    Unlogged,  // process or power: all since the last sync(), which writes the memtable out
};

struct RocksOptions {
    // Of the database's directory, created if absent: a path on `disk`, or of the operating system.
    std::string path;
    // Null: the operating system's files. Otherwise must outlive the storage and its snapshots.
    Disk* disk = nullptr;
    Durability durability = Durability::Sync;
    std::uint32_t group_commits = 64;  // Durability::Group waits on each commit of this number
    std::size_t block_cache_bytes = std::size_t{256} << 20;
    // Of the writer, for pages of the state tree: about 100 bytes per key hold them all.
    std::size_t page_cache_bytes = std::size_t{128} << 20;
    std::size_t write_buffer_bytes = std::size_t{64} << 20;
};

// Unavailable: another process (or another Storage) has it open. Corrupt: RocksDB refuses the
// files. InvalidArgument: the path.
Result<std::unique_ptr<Storage>> open_rocks_storage(const RocksOptions& options);

// A database that nobody has open for writing, unchanged by this. NotFound if there is none.
Result<std::unique_ptr<Storage>> open_rocks_storage_read_only(const RocksOptions& options);

}  // namespace draco::atomo
