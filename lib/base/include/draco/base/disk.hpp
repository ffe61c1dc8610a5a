#pragma once
// Durable storage as a capability: the operating system's files (lib/io), or a simulated disk that
// tears writes and loses what was not synced (lib/simulon).
//
// Durability contract, the same for both. Data written is durable once File::sync() has returned. A
// file's name (its creation, rename or removal) is durable once Disk::sync_directory() of its
// directory has returned. After a crash, each write since the last sync may be present whole, in
// part (torn at sector borders) or not at all, in any combination; each unsynced name change may
// have happened or not. A rename is atomic.
//
// Paths are relative to the Disk's root, with '/' between components, without "." or ".." or a
// leading '/'; anything else is InvalidArgument. Errors: NotFound, AlreadyExists, InvalidArgument,
// Exhausted (no space), Io. After an Io error from sync() the state of the file is unknown: reopen
// and verify, never just retry.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace draco {

enum class OpenMode {
    Read,       // must exist; writes are refused with InvalidArgument
    ReadWrite,  // must exist
    Create,     // created if absent, kept if present
    CreateNew,  // must not exist
    Truncate,   // created if absent, emptied if present
};

// Thread-safe: positional reads and writes from several threads may overlap in time.
class File {
public:
    virtual ~File() = default;
    // Reads up to out.size() bytes at `offset`; fewer only at the end of the file, where 0 is
    // returned.
    virtual Result<std::size_t> read_at(std::uint64_t offset, MutByteView out) const = 0;
    // Writes all of `data`, growing the file (with zeros between, if offset is past the end).
    virtual Result<> write_at(std::uint64_t offset, ByteView data) = 0;

    // A hint, before other threads have the file: hardly anybody reads what will be written, so the
    // system need not keep it in memory. Changes no result.
    virtual void expect_no_readers() {}

    virtual Result<> truncate(std::uint64_t size_bytes) = 0;
    // Reserves space without changing what read_at returns below the old size; a file shorter than
    // size_bytes becomes size_bytes long, zero-filled.
    virtual Result<> preallocate(std::uint64_t size_bytes) = 0;
    virtual Result<> sync() = 0;
    virtual Result<std::uint64_t> size() const = 0;
};

struct DirectoryEntry {
    std::string name;
    bool is_directory = false;

    auto operator<=>(const DirectoryEntry&) const = default;
};

// Held exclusively by one process (in a simulation: one running node) while it lives.
class DiskLock {
public:
    virtual ~DiskLock() = default;
};

class Disk {
public:
    virtual ~Disk() = default;
    virtual Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) = 0;
    virtual Result<> rename(std::string_view from,
                            std::string_view to) = 0;    // replaces `to` if it is a file
    virtual Result<> remove(std::string_view path) = 0;  // a file
    virtual Result<> create_directory(
        std::string_view path) = 0;  // with its parents; no error if present
    virtual Result<> remove_directory(std::string_view path) = 0;  // must be empty
    virtual Result<> sync_directory(std::string_view path) = 0;    // "" is the root
    virtual Result<std::vector<DirectoryEntry>> list(
        std::string_view path) const = 0;  // sorted by name
    virtual Result<bool> exists(std::string_view path) const = 0;
    // Unavailable if somebody holds it. The lock file is created if absent and stays.
    virtual Result<std::unique_ptr<DiskLock>> lock(std::string_view path) = 0;
};

}  // namespace draco
