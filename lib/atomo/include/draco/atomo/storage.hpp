#pragma once
// What atomo asks of a storage engine: an ordered map from byte string to byte string with atomic
// batches and stable snapshots. Keys compare as strings of unsigned bytes.
//
// Threading: one thread at a time commits; snapshots are taken, read and dropped from any thread,
// during commits too. A snapshot keeps what it needs alive, so it may outlive the Storage.

#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace draco::atomo {

// Sets (value present) or removes (absent) a key. Views: the caller keeps the bytes.
struct StorageWrite {
    ByteView key;
    std::optional<ByteView> value;
};

struct StorageEntry {
    ByteView key;
    ByteView value;
};

// The keys k with from <= k, and k < to where there is a `to`.
struct KeyInterval {
    Bytes from;
    std::optional<Bytes> to;

    // Every key that begins with `prefix`.
    static KeyInterval with_prefix(ByteView prefix);
};

enum class Order { Ascending, Descending };

class StorageCursor {
public:
    virtual ~StorageCursor() = default;
    // The next entry, or nullopt at the end. Its views are valid until the next call.
    virtual Result<std::optional<StorageEntry>> next() = 0;
};

class StorageSnapshot {
public:
    using Visitor = std::function<Result<>(std::size_t index, ByteView value)>;

    virtual ~StorageSnapshot() = default;
    // The value of `key`: a view of the snapshot or of `scratch`, valid while both are untouched.
    virtual Result<std::optional<ByteView>> get(ByteView key, Bytes& scratch) const = 0;
    // Calls visit(i, value) for each keys[i] that is present, in any order; `keys` are in any order
    // and may repeat. Values are valid during the call only. Ends at the first error that visit
    // returns.
    virtual Result<> get_many(std::span<const ByteView> keys, const Visitor& visit) const = 0;
    // The cursor must not outlive the snapshot.
    virtual std::unique_ptr<StorageCursor> scan(const KeyInterval& interval, Order order) const = 0;
};

class Storage {
public:
    virtual ~Storage() = default;
    virtual Result<std::shared_ptr<const StorageSnapshot>> snapshot() const = 0;
    // All of the writes or none; `writes` ascend strictly by key. On success snapshots taken from
    // now on see them, and they are as durable as the backend's Durability says. After an error the
    // outcome is unknown until the storage is opened again.
    virtual Result<> commit(std::span<const StorageWrite> writes) = 0;
    // Makes everything committed durable.
    virtual Result<> sync() = 0;
    // True if commit and sync fail with InvalidArgument because it was opened so.
    virtual bool read_only() const = 0;
    // The memory in which a writer may keep pages of the state tree; 0 where reading is as cheap.
    virtual std::size_t page_cache_bytes() const = 0;
};

}  // namespace draco::atomo
