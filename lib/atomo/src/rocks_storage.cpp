#include "draco/atomo/rocks_storage.hpp"

#include "draco/atomo/byte_order.hpp"

#include "rocks_filesystem.hpp"
#include "rocks_log.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace draco::atomo {
namespace {

Error to_error(const rocksdb::Status& status, std::string_view doing) {
    Errc code = Errc::Io;
    if (status.IsCorruption())
        code = Errc::Corrupt;
    else if (status.IsNoSpace())
        code = Errc::Exhausted;
    else if (status.IsNotFound() || status.IsPathNotFound())
        code = Errc::NotFound;
    else if (status.IsInvalidArgument())
        code = Errc::InvalidArgument;
    else if (status.IsBusy())
        code = Errc::Unavailable;
    return {code, std::string(doing) + ": " + status.ToString()};
}

rocksdb::Slice slice(ByteView bytes) {
    if (bytes.empty()) return {};  // RocksDB wants a pointer even to nothing
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ByteView bytes_of(const rocksdb::Slice& from) {
    return as_bytes({from.data(), from.size()});
}

// An open database and what it stands on; the members are destroyed from the last to the first.
struct OpenDb {
    std::unique_ptr<rocksdb::Env> env;
    ContinuousReplay replay;
    std::shared_ptr<LogStarts> log_starts = std::make_shared<LogStarts>();
    std::unique_ptr<rocksdb::DB> db;
};

class RocksCursor final : public StorageCursor {
public:
    RocksCursor(rocksdb::DB& db, rocksdb::ReadOptions options, KeyInterval interval, Order order)
        : interval_(std::move(interval)), order_(order) {
        lower_ = slice(interval_.from);
        options.iterate_lower_bound = &lower_;
        if (interval_.to) {
            upper_ = slice(*interval_.to);
            options.iterate_upper_bound = &upper_;
        }
        iterator_.reset(db.NewIterator(options));
    }

    Result<std::optional<StorageEntry>> next() override {
        const bool ascending = order_ == Order::Ascending;
        if (!started_) {
            ascending ? iterator_->SeekToFirst() : iterator_->SeekToLast();
            started_ = true;
        } else if (iterator_->Valid()) {
            ascending ? iterator_->Next() : iterator_->Prev();
        }
        if (iterator_->Valid())
            return StorageEntry{bytes_of(iterator_->key()), bytes_of(iterator_->value())};
        if (const auto status = iterator_->status(); !status.ok())
            return std::unexpected(to_error(status, "scanning the database"));
        return std::nullopt;
    }

private:
    const KeyInterval interval_;
    const Order order_;
    rocksdb::Slice lower_;
    rocksdb::Slice upper_;
    std::unique_ptr<rocksdb::Iterator> iterator_;
    bool started_ = false;
};

class RocksSnapshot final : public StorageSnapshot {
public:
    explicit RocksSnapshot(std::shared_ptr<const OpenDb> open) : open_(std::move(open)) {
        options_.snapshot = open_->db->GetSnapshot();
    }

    RocksSnapshot(const RocksSnapshot&) = delete;
    RocksSnapshot& operator=(const RocksSnapshot&) = delete;

    ~RocksSnapshot() override { open_->db->ReleaseSnapshot(options_.snapshot); }

    Result<std::optional<ByteView>> get(ByteView key, Bytes& scratch) const override {
        rocksdb::PinnableSlice value;
        const auto status =
            open_->db->Get(options_, open_->db->DefaultColumnFamily(), slice(key), &value);
        if (status.IsNotFound()) return std::nullopt;
        if (!status.ok()) return std::unexpected(to_error(status, "reading the database"));
        const ByteView found = bytes_of(value);
        scratch.assign(found.begin(), found.end());
        return ByteView(scratch);
    }

    Result<> get_many(std::span<const ByteView> keys, const Visitor& visit) const override {
        std::vector<rocksdb::Slice> slices;
        slices.reserve(keys.size());
        for (const ByteView key : keys) slices.push_back(slice(key));
        std::vector<rocksdb::PinnableSlice> values(keys.size());
        std::vector<rocksdb::Status> statuses(keys.size());
        open_->db->MultiGet(options_,
                            open_->db->DefaultColumnFamily(),
                            keys.size(),
                            slices.data(),
                            values.data(),
                            statuses.data(),
                            std::ranges::is_sorted(keys, bytes_less));
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (statuses[i].IsNotFound()) continue;
            if (!statuses[i].ok())
                return std::unexpected(to_error(statuses[i], "reading the database"));
            DRACO_TRY_VOID(visit(i, bytes_of(values[i])));
        }
        return {};
    }

    std::unique_ptr<StorageCursor> scan(const KeyInterval& interval, Order order) const override {
        return std::make_unique<RocksCursor>(*open_->db, options_, interval, order);
    }

private:
    const std::shared_ptr<const OpenDb> open_;
    rocksdb::ReadOptions options_;
};

class RocksStorage final : public Storage {
public:
    RocksStorage(std::shared_ptr<const OpenDb> open, const RocksOptions& options, bool read_only)
        : open_(std::move(open)),
          durability_(options.durability),
          group_commits_(options.group_commits),
          page_cache_bytes_(options.page_cache_bytes),
          read_only_(read_only) {}

    Result<std::shared_ptr<const StorageSnapshot>> snapshot() const override {
        return std::make_shared<RocksSnapshot>(open_);
    }

    Result<> commit(std::span<const StorageWrite> writes) override {
        if (read_only_)
            return fail(Errc::InvalidArgument, "the database was opened for reading only");
        std::size_t bytes = 0;
        for (const auto& [key, value] : writes) bytes += key.size() + (value ? value->size() : 0);
        // 16: a record's tag and lengths, at most.
        rocksdb::WriteBatch batch(bytes + 16 * (writes.size() + 1));
        for (const auto& [key, value] : writes) {
            const auto status =
                value ? batch.Put(slice(key), slice(*value)) : batch.Delete(slice(key));
            if (!status.ok()) return std::unexpected(to_error(status, "building a batch"));
        }
        rocksdb::WriteOptions options;
        options.disableWAL = durability_ == Durability::Unlogged;
        options.sync =
            durability_ == Durability::Sync ||
            (durability_ == Durability::Group && commits_since_sync_ + 1 >= group_commits_);
        const auto status = open_->db->Write(options, &batch);
        if (!status.ok()) return std::unexpected(to_error(status, "writing a commit"));
        commits_since_sync_ = options.sync ? 0 : commits_since_sync_ + 1;
        const bool starts_log = open_->log_starts->take() && !options.disableWAL;
        return starts_log ? sync() : Result<>{};
    }

    Result<> sync() override {
        if (read_only_)
            return fail(Errc::InvalidArgument, "the database was opened for reading only");
        if (commits_since_sync_ == 0) return {};
        const auto status = durability_ == Durability::Unlogged
                                ? open_->db->Flush(rocksdb::FlushOptions())
                                : open_->db->SyncWAL();
        if (!status.ok()) return std::unexpected(to_error(status, "syncing the database"));
        commits_since_sync_ = 0;
        return {};
    }

    bool read_only() const override { return read_only_; }

    std::size_t page_cache_bytes() const override { return page_cache_bytes_; }

private:
    const std::shared_ptr<const OpenDb> open_;
    const Durability durability_;
    const std::uint32_t group_commits_;
    const std::size_t page_cache_bytes_;
    const bool read_only_;
    std::uint64_t commits_since_sync_ = 0;
};

rocksdb::Options rocks_options(const RocksOptions& options, OpenDb& open) {
    rocksdb::Options rocks;
    rocks.create_if_missing = true;
    rocks.write_buffer_size = options.write_buffer_bytes;
    rocks.compression = rocksdb::kNoCompression;    // hashes and keys: nothing to gain
    rocks.allow_concurrent_memtable_write = false;  // there is one writer
    // A commit's keys ascend within each table and the tree: each insertion starts at the last one.
    rocks.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(1));
    rocks.keep_log_file_num = 2;
    rocks.wal_filter = &open.replay;
    rocks.listeners.push_back(open.log_starts);
    if (open.env) {
        rocks.env = open.env.get();
        rocks.info_log = make_silent_logger();
    }
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.cache_index_and_filter_blocks = true;  // so that block_cache_bytes bounds them too
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    rocks.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return rocks;
}

Error open_error(const rocksdb::Status& status, const std::string& path) {
    Error error = to_error(status, "opening \"" + path + '"');
    // Who holds the lock is told in words only.
    if (status.IsIOError() && error.context.contains(path + "/LOCK"))
        error.code = Errc::Unavailable;
    return error;
}

// RocksDB makes all names in its directory durable, but not the directory's own.
Result<> sync_parent_of(const std::string& path) {
    const std::string parent = std::filesystem::absolute(path).parent_path().string();
    std::unique_ptr<rocksdb::Directory> directory;
    auto status = rocksdb::Env::Default()->NewDirectory(parent, &directory);
    if (status.ok()) status = directory->Fsync();
    if (!status.ok()) return std::unexpected(to_error(status, "syncing \"" + parent + '"'));
    return {};
}

Result<std::unique_ptr<Storage>> open(const RocksOptions& options, bool read_only) {
    auto open = std::make_shared<OpenDb>();
    if (options.disk != nullptr)
        open->env = rocksdb::NewCompositeEnv(make_rocks_filesystem(*options.disk));
    const rocksdb::Options rocks = rocks_options(options, *open);
    rocksdb::DB* db = nullptr;
    const auto status = read_only ? rocksdb::DB::OpenForReadOnly(rocks, options.path, &db)
                                  : rocksdb::DB::Open(rocks, options.path, &db);
    open->db.reset(db);
    if (!status.ok()) return std::unexpected(open_error(status, options.path));
    if (!read_only && !open->env) DRACO_TRY_VOID(sync_parent_of(options.path));
    return std::make_unique<RocksStorage>(std::move(open), options, read_only);
}

}  // namespace

Result<std::unique_ptr<Storage>> open_rocks_storage(const RocksOptions& options) {
    if (options.path.empty())
        return fail(Errc::InvalidArgument, "the path of the database is empty");
    if (options.group_commits == 0)
        return fail(Errc::InvalidArgument, "group_commits is 0; a group has at least one commit");
    return open(options, /*read_only=*/false);
}

Result<std::unique_ptr<Storage>> open_rocks_storage_read_only(const RocksOptions& options) {
    if (options.path.empty())
        return fail(Errc::InvalidArgument, "the path of the database is empty");
    return open(options, /*read_only=*/true);
}

}  // namespace draco::atomo
