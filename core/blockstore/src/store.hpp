#pragma once
// The store: an Index behind a mutex, and the files that follow it.
//
// Locks, in the order in which one thread may take them: scrubbing, pinning, evicting; then the
// lock of one shard; then the mutex of the index, which is never held during a call to the disk.
//
// Within a shard's lock a file and its entry agree: a file gets its final name only if no entry has
// its hash, and its entry follows before the lock is released; a name is removed only if no entry
// has its hash. Thus nobody removes the file of an object that came again.

#include "draco/base/disk.hpp"
#include "draco/blockstore/blockstore.hpp"
#include "draco/log/log.hpp"

#include "format.hpp"
#include "index.hpp"
#include "tail_cache.hpp"

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace draco::blockstore {

class StagedFile;
class StoredObject;

enum class Use : std::uint8_t { Counts, DoesNotCount };

// What an object's file holds beside its blocks or entries.
struct ObjectTail {
    std::vector<blake3_tree::Hash> nodes;
    std::vector<std::uint32_t> offsets;  // of a directory's entries; also stored in its data
};

class Store : public std::enable_shared_from_this<Store> {
public:
    static Result<std::shared_ptr<Store>> open(Disk& disk, const Options& options, log::Log& log);

    Disk& disk() const { return disk_; }

    const Layout& layout() const { return layout_; }

    std::uint64_t unsynced_bytes_max() const { return unsynced_bytes_max_; }

    const log::Logger& logger() const { return log_; }

    bool has(const types::ContentHash& hash) const;
    Result<std::shared_ptr<const StoredObject>> find(const types::ContentHash& hash, Use use);
    std::vector<interfaces::ListedContent> list(const std::optional<types::ContentHash>& after,
                                                std::size_t count_max) const;
    interfaces::StoreUsage usage() const;

    // Evicts as needed.
    Result<> reserve(const Room& room);
    void release(const Room& room);
    // Exhausted if reserve() would find no room, whatever it evicts.
    Result<> check_room(const Room& room) const;

    Result<std::unique_ptr<StagedFile>> stage();
    // Completes the file, whose data is there, and makes it an object. If the object is there
    // already, that one is returned. May be tried again.
    Result<std::shared_ptr<const StoredObject>> commit(StagedFile& staged,
                                                       const types::ContentInfo& info,
                                                       std::uint64_t data_bytes,
                                                       ObjectTail tail);

    Result<> pin(const types::ContentHash& hash);
    Result<> unpin(const types::ContentHash& hash);
    Result<> remove(const types::ContentHash& hash);

    interfaces::ScrubReport scrub(std::uint64_t bytes_max);

    void let_go(Entry& entry);
    // Drops the object, if it is still there, and returns the error to answer with.
    std::unexpected<Error> damaged(Entry& entry, std::string_view what);

private:
    // Where scrub() goes on.
    struct ScrubPosition {
        std::optional<types::ContentHash> object;  // being checked, or the last that was
        bool in_object = false;
        std::uint64_t leaf = 0;
    };

    Store(Disk& disk, const Options& options, log::Log& log);

    // --- opening
    Result<> make_directories();
    Result<std::uint64_t> clean_staging();
    Result<> read_pins();
    Result<> read_objects();
    Result<> read_shard(const std::string& name, std::vector<std::shared_ptr<Entry>>& found);
    Result<std::shared_ptr<Entry>> read_object(const types::ContentHash& hash);
    Result<> evict_excess();
    void report_opened(std::uint64_t unfinished_files) const;

    // --- files
    std::mutex& shard_lock(const types::ContentHash& hash) { return shards_[hash.bytes[0]].mutex; }

    // `known`: its tail, if it was verified before.
    Result<std::shared_ptr<const StoredObject>> load(const std::shared_ptr<Entry>& entry,
                                                     std::shared_ptr<const ObjectTail> known);
    Result<std::shared_ptr<const StoredObject>> publish(StagedFile& staged, ObjectTail& tail);
    Result<> make_shard(const types::ContentHash& hash);
    // False if it was out of the index already.
    bool drop_damaged(Entry& entry, std::string_view what);
    void forget_tail(const types::ContentHash& hash);
    // Of an entry that is out of the index.
    Result<> remove_file(Entry& entry);
    Result<> remove_pin(const types::ContentHash& hash);
    std::unexpected<Error> not_here(const types::ContentHash& hash) const;
    std::unexpected<Error> no_room(const Room& room) const;  // with the index locked

    // --- scrubbing
    std::shared_ptr<Entry> next_to_scrub();
    void scrub_object(const types::ContentHash& hash,
                      std::uint64_t bytes_max,
                      interfaces::ScrubReport& report);

    struct Shard {
        std::mutex mutex;
        bool exists = false;  // durably; guarded by the mutex
    };

    Disk& disk_;
    const Layout layout_;
    const std::uint64_t unsynced_bytes_max_;
    const log::Logger log_;
    std::unique_ptr<DiskLock> lock_;

    std::mutex scrubbing_;
    ScrubPosition scrub_position_;
    std::mutex pinning_;
    std::mutex evicting_;
    std::array<Shard, 256> shards_;
    mutable std::mutex mutex_;  // what follows
    Index index_;
    TailCache tails_;  // of objects that are in the index
    std::uint64_t next_staged_ = 0;
};

// Keeps an entry from eviction. Takes over a hold that the index has counted.
class Hold {
public:
    Hold(std::shared_ptr<Store> store, std::shared_ptr<Entry> entry)
        : store_(std::move(store)), entry_(std::move(entry)) {}

    Hold(Hold&& other) noexcept = default;
    Hold& operator=(Hold&&) = delete;
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    ~Hold() {
        if (entry_) store_->let_go(*entry_);
    }

    Store& store() const { return *store_; }

    Entry& entry() const { return *entry_; }

private:
    std::shared_ptr<Store> store_;
    std::shared_ptr<Entry> entry_;
};

}  // namespace draco::blockstore
