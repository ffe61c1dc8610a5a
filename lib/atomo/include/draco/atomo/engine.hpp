#pragma once
// The database below its types: versions, the one path by which they change, and reads through a
// version and the writes pending on it. database.hpp is the interface for programs.

#include "draco/atomo/overlay.hpp"
#include "draco/atomo/state_proof.hpp"
#include "draco/atomo/storage.hpp"
#include "draco/atomo/table.hpp"
#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace draco::atomo {

class PageCache;
class StateTree;

using TableSet = std::bitset<256>;  // by table id

// A committed state: data, Merkle tree and root that belong together. Immutable, thread-safe.
struct Version {
    std::uint64_t number = 0;  // of commits; 0 is a new database
    std::shared_ptr<const StorageSnapshot> storage;
    std::shared_ptr<const StateTree> tree;

    const StateRoot& root() const;
    StateHash hash() const;
    // A proof that a storage key is present or absent.
    Result<Bytes> prove(ByteView storage_key) const;
};

// The entries of one interval, of a version with `overlay` (if not null) on top. Both must outlive
// it. It sees writes made to the overlay ahead of its position. Views are valid until the next
// call.
class MergedCursor {
public:
    MergedCursor(const Version& version, const Overlay* overlay, KeyInterval interval, Order order);
    Result<std::optional<StorageEntry>> next();

private:
    const Overlay::value_type* next_pending() const;
    bool comes_first(ByteView a, ByteView b) const;

    const Overlay* overlay_;
    KeyInterval interval_;
    Order order_;
    std::unique_ptr<StorageCursor> stored_cursor_;
    std::optional<StorageEntry> stored_;  // the next one of stored_cursor_
    bool stored_ended_ = false;
    std::optional<Bytes> last_;  // the key at this position: all before it is done
};

// The value of `storage_key` in a version with `overlay` (if not null) on top, as
// StorageSnapshot::get.
Result<std::optional<ByteView>> find(const Version& version,
                                     const Overlay* overlay,
                                     ByteView storage_key,
                                     Bytes& scratch);

// The same for many keys, in any order, repeats allowed: calls visit(i, value) for each keys[i]
// that is present.
Result<> find_many(const Version& version,
                   const Overlay* overlay,
                   std::span<const Bytes> keys,
                   const StorageSnapshot::Visitor& visit);

// InvalidArgument if an encoded key or value is over kKeyBytesMax or kValueBytesMax.
Result<> check_bounds(std::string_view table, std::size_t key_bytes, std::size_t value_bytes);

// Threading: commit and sync from one thread at a time, latest from any.
class Engine {
public:
    // Creates the database in an empty storage, or opens the one that is there. `tables` ascend by
    // id and must contain all stored ones unchanged; new ones are added.
    // Corrupt: the stored pages do not have the stored root, or records do not decode.
    // InvalidArgument: the schema or hash does not match, or read-only and there is no database.
    // Unavailable: a checkpoint load or rebuild did not finish; empty it and load again.
    static Result<std::shared_ptr<Engine>> open(std::unique_ptr<Storage> storage,
                                                std::vector<TableInfo> tables,
                                                StateHash hash);

    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    // The last committed version.
    std::shared_ptr<const Version> latest() const;

    // Computes the next state root, stores data, tree and root in one atomic batch, and publishes
    // the version. An error before the storage was asked leaves everything as it was. After an
    // error of the storage the outcome is unknown: every later commit and sync fails with
    // Unavailable until the database is opened again.
    Result<std::shared_ptr<const Version>> commit(const Overlay& overlay);

    // Makes all commits durable, whatever the Durability of the storage.
    Result<> sync();

private:
    Engine(std::unique_ptr<Storage> storage, TableSet authenticated, Version version);

    const std::unique_ptr<Storage> storage_;
    const TableSet authenticated_;
    const std::unique_ptr<PageCache> pages_;  // of latest_
    std::optional<Error> poison_;             // what the storage said
    mutable std::mutex mutex_;                // of latest_
    std::shared_ptr<const Version> latest_;
};

}  // namespace draco::atomo
