#pragma once
// The name space of a simulated disk: which name leads to which file now, which would after a
// crash, and the unsynced changes between the two. Not thread-safe. Paths have been checked by the
// caller.
//
// A change assigns one or two slots (a directory and a name in it) and may need earlier changes:
// the last one of each slot it touches; for a move between directories the changes that put the new
// directory where it is; for the removal of a directory all changes of names in it. A change
// survives a crash, or becomes durable, only together with all it needs.

#include "draco/base/disk.hpp"
#include "draco/simulon/seeded_rng.hpp"

#include "file_image.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace draco::simulon {

struct Inode {
    Inode(std::uint64_t number, bool directory, std::uint64_t& used_bytes)
        : id(number), is_directory(directory), image(used_bytes) {}

    const std::uint64_t id;
    const bool is_directory;
    FileImage image;              // empty for a directory
    bool in_doubt = false;        // a sync failed: see DiskOptions::sync_error
    std::uint64_t locked_in = 0;  // the incarnation that holds its lock; 0 is none
};

using InodePtr = std::shared_ptr<Inode>;

class DiskNames {
public:
    // Keeps `used_bytes`, which outlives all inodes, the sum of the sizes of all files.
    explicit DiskNames(std::uint64_t& used_bytes);

    // Null if the path leads nowhere. "" is the root directory.
    InodePtr find(std::string_view path) const;
    Result<InodePtr> create(std::string_view path, bool is_directory);
    Result<> rename(std::string_view from, std::string_view to);
    Result<> remove(std::string_view path, bool is_directory);
    Result<> sync(std::string_view directory);
    Result<std::vector<DirectoryEntry>> list(std::string_view directory) const;
    // Every file that has a name, or would have one after some crash.
    std::vector<InodePtr> files() const;
    // Lets a random part of the unsynced changes survive; the names are then durable.
    void lose_unsynced(Survival survival, SeededRng& rng);

private:
    struct Slot {
        std::uint64_t directory;
        std::string name;
        auto operator<=>(const Slot&) const = default;
    };

    struct Assignment {
        Slot slot;
        InodePtr inode;  // null: the name is free
    };

    struct Change {
        std::vector<Assignment> assignments;  // the last one names the directory that syncs it
        std::vector<std::uint64_t> needs;     // ids of earlier changes; those gone are durable
    };

    using Names = std::map<Slot, InodePtr>;

    Result<Slot> slot_of(std::string_view path) const;
    void need_place_of(std::string_view directory, Change& change) const;
    void need_names_in(std::uint64_t directory, Change& change) const;
    void make(Change change);
    void make_durable(std::uint64_t id);
    static void apply(const Change& change, Names& names);

    std::uint64_t& used_bytes_;
    InodePtr root_;
    std::uint64_t next_inode_ = 1;
    std::uint64_t next_change_ = 0;
    Names visible_;
    Names durable_;
    std::map<std::uint64_t, Change> unsynced_;
    std::map<Slot, std::uint64_t> last_change_;  // of each slot with an unsynced change
};

// The directory part of a path; "" for a name in the root.
std::string_view parent_of(std::string_view path);

}  // namespace draco::simulon
