#include "draco/atomo/checkpoint.hpp"

#include "draco/atomo/byte_order.hpp"
#include "draco/base/text_encoding.hpp"
#include "draco/crypto/sha2.hpp"

#include "checkpoint_format.hpp"
#include "commit_batch.hpp"
#include "layout.hpp"
#include "page_cache.hpp"
#include "state_tree.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace draco::atomo {
namespace {

// One commit of a load is at least one of these, or the rest.
constexpr std::size_t kLoadEntries = 32768;
constexpr std::size_t kLoadBytes = std::size_t{4} << 20;
constexpr int kTemporaryNames = 1000;

class Sha256Stream final : public StreamHash {
public:
    void update(ByteView part) override { hash_.update(part); }

    CheckpointHash digest() const override { return CheckpointHash(hash_.digest().bytes); }

private:
    crypto::Sha256 hash_;
};

Result<std::vector<TableInfo>> tables_to_export(const StorageSnapshot& storage,
                                                const std::vector<std::string>& excluded) {
    DRACO_TRY(schema, read_schema(storage));
    if (!schema) return fail(Errc::NotFound, "the storage holds no database");
    for (const std::string& name : excluded) {
        const auto table = std::ranges::find(schema->tables, name, &TableInfo::name);
        if (table == schema->tables.end())
            return fail(Errc::InvalidArgument, "no table is called \"" + name + '"');
        if (table->authenticated == Authenticated::Yes)
            return fail(Errc::InvalidArgument,
                        "table \"" + name +
                            "\" is under the state root; a checkpoint without it "
                            "could not be verified");
        schema->tables.erase(table);
    }
    return std::move(schema->tables);
}

// A file under a name derived from `path` that did not exist.
struct TemporaryFile {
    std::string path;
    std::unique_ptr<File> file;
};

Result<TemporaryFile> create_temporary(Disk& disk, std::string_view path) {
    for (int i = 0; i < kTemporaryNames; ++i) {
        std::string name = std::string(path) + '.' + std::to_string(i) + ".partial";
        auto file = disk.open(name, OpenMode::CreateNew);
        if (file) return TemporaryFile{std::move(name), *std::move(file)};
        if (file.error().code != Errc::AlreadyExists) return std::unexpected(file.error());
    }
    return fail(Errc::Exhausted,
                std::to_string(kTemporaryNames) + " unfinished exports lie beside " +
                    std::string(path) + " (*.partial); remove them");
}

Result<CheckpointReport> write_and_rename(const Version& version,
                                          Disk& disk,
                                          std::string_view path,
                                          TemporaryFile& temporary,
                                          const ExportOptions& options) {
    DRACO_TRY(report, export_checkpoint(version, *temporary.file, options));
    DRACO_TRY_VOID(temporary.file->sync());
    DRACO_TRY_VOID(disk.rename(temporary.path, path));
    const std::size_t slash = path.rfind('/');
    DRACO_TRY_VOID(
        disk.sync_directory(slash == std::string_view::npos ? "" : path.substr(0, slash)));
    return report;
}

Result<> check_hash(const File& file,
                    std::uint64_t size,
                    const CheckpointHash& expected,
                    StreamHash& hash) {
    Bytes buffer(std::min<std::uint64_t>(size, kStreamBufferBytes));
    for (std::uint64_t offset = 0; offset < size;) {
        DRACO_TRY(read, file.read_at(offset, buffer));
        if (read == 0) return fail(Errc::Corrupt, "the checkpoint shrank while it was read");
        hash.update(ByteView(buffer).first(read));
        offset += read;
    }
    if (hash.digest() != expected)
        return fail(Errc::Corrupt,
                    "the checkpoint has the hash " + to_hex(hash.digest().view()) + ", not " +
                        to_hex(expected.view()) + "; fetch it again, elsewhere");
    return {};
}

// Entries and their tree, stored some at a time, under a state record that says it is not finished.
class Loader {
public:
    Loader(Storage& storage, const CheckpointHeader& header)
        : storage_(storage),
          header_(header),
          tree_(empty_state_tree(header.hash)),
          pages_(storage.page_cache_bytes()) {
        for (const TableInfo& table : header.tables)
            authenticated_[table.id] = table.authenticated == Authenticated::Yes;
    }

    Result<> begin() {
        const Bytes schema = encode_schema({.tables = header_.tables});
        const Bytes loading = encode_state(state(StatePhase::Loading));
        const StorageWrite writes[] = {{kSchemaKey, schema}, {kStateKey, loading}};
        return storage_.commit(writes);
    }

    Result<> add(std::uint8_t table, ByteView key, Bytes value) {
        Bytes storage_key{table};
        append(storage_key, key);
        pending_bytes_ += storage_key.size() + value.size();
        pending_.emplace_hint(pending_.end(), std::move(storage_key), std::move(value));
        if (pending_.size() < kLoadEntries && pending_bytes_ < kLoadBytes) return {};
        return store(StatePhase::Loading);
    }

    // The root of all entries added; computes what is pending.
    Result<StateRoot> root() {
        DRACO_TRY_VOID(store(StatePhase::Loading));
        return tree_->root();
    }

    Result<> finish() {
        DRACO_TRY_VOID(store(StatePhase::Ready));
        return storage_.sync();
    }

private:
    StateRecord state(StatePhase phase) const {
        return {.phase = phase, .hash = header_.hash, .root = tree_->root()};
    }

    Result<> store(StatePhase phase) {
        DRACO_TRY(snapshot, storage_.snapshot());
        DRACO_TRY(update, tree_->update(*snapshot, pages_, pending_, authenticated_));
        tree_ = std::move(update.next);
        const CommitBatch batch(pending_, update.writes, state(phase));
        DRACO_TRY_VOID(storage_.commit(batch.writes()));
        pages_.apply(update.writes);
        pending_.clear();
        pending_bytes_ = 0;
        return {};
    }

    Storage& storage_;
    const CheckpointHeader& header_;
    TableSet authenticated_;
    std::shared_ptr<const StateTree> tree_;
    PageCache pages_;
    Overlay pending_;
    std::size_t pending_bytes_ = 0;
};

Result<std::uint64_t> load_table(CheckpointReader& reader, std::uint8_t table, Loader& loader) {
    Bytes key;
    Bytes last_key;
    Bytes value;
    for (std::uint64_t entries = 0;; ++entries) {
        DRACO_TRY(more, reader.entry(key, value));
        if (!more) return entries;
        if (entries > 0 && !bytes_less(last_key, key)) return reader.corrupt("keys do not ascend");
        DRACO_TRY_VOID(loader.add(table, key, std::move(value)));
        std::swap(last_key, key);
    }
}

Result<> require_empty(const Storage& storage) {
    DRACO_TRY(snapshot, storage.snapshot());
    DRACO_TRY(entry, snapshot->scan({}, Order::Ascending)->next());
    if (!entry) return {};
    return fail(Errc::AlreadyExists,
                "the storage holds data; a checkpoint is loaded into an empty one only");
}

}  // namespace

std::unique_ptr<StreamHash> make_sha256_stream() {
    return std::make_unique<Sha256Stream>();
}

Result<CheckpointReport> export_checkpoint(const Version& version,
                                           File& to,
                                           const ExportOptions& options) {
    DRACO_TRY(old_size, to.size());
    if (old_size != 0) return fail(Errc::InvalidArgument, "the file to export to is not empty");
    DRACO_TRY(tables, tables_to_export(*version.storage, options.excluded_tables));
    const auto hash = options.hash();
    CheckpointWriter writer(to, *hash);
    DRACO_TRY_VOID(writer.header({version.hash(), version.root(), tables}));
    CheckpointReport report;
    for (const TableInfo& table : tables) {
        const std::uint8_t prefix[] = {table.id};
        const auto cursor =
            version.storage->scan(KeyInterval::with_prefix(prefix), Order::Ascending);
        std::uint64_t entries = 0;
        while (true) {
            DRACO_TRY(entry, cursor->next());
            if (!entry) break;
            DRACO_TRY_VOID(writer.entry(entry->key.subspan(1), entry->value));
            ++entries;
        }
        DRACO_TRY_VOID(writer.table_end(entries));
        report.entries += entries;
    }
    DRACO_TRY_VOID(writer.flush());
    report.id = {hash->digest(), version.root()};
    report.bytes = writer.bytes();
    return report;
}

Result<CheckpointReport> export_checkpoint(const Version& version,
                                           Disk& disk,
                                           std::string_view path,
                                           const ExportOptions& options) {
    DRACO_TRY(temporary, create_temporary(disk, path));
    auto report = write_and_rename(version, disk, path, temporary, options);
    // Best effort: what stays behind has a name that nobody takes for a checkpoint.
    if (!report) static_cast<void>(disk.remove(temporary.path));
    return report;
}

Result<CheckpointReport> import_checkpoint(const File& from,
                                           Storage& into,
                                           const CheckpointId& expected,
                                           const StreamHashFactory& hash) {
    DRACO_TRY_VOID(require_empty(into));
    DRACO_TRY(size, from.size());
    DRACO_TRY_VOID(check_hash(from, size, expected.hash, *hash()));

    const auto second_hash = hash();
    CheckpointReader reader(from, size, *second_hash);
    DRACO_TRY(header, reader.header());
    if (header.root != expected.root)
        return reader.corrupt("the state root is " + to_hex(header.root.view()) + ", not " +
                              to_hex(expected.root.view()));
    Loader loader(into, header);
    DRACO_TRY_VOID(loader.begin());
    CheckpointReport report{expected, size, 0};
    for (const TableInfo& table : header.tables) {
        DRACO_TRY(entries, load_table(reader, table.id, loader));
        report.entries += entries;
    }
    DRACO_TRY_VOID(reader.finish());
    DRACO_TRY(root, loader.root());
    if (root != expected.root)
        return fail(Errc::Corrupt,
                    "the checkpoint's entries have the state root " + to_hex(root.view()) +
                        ", not " + to_hex(expected.root.view()) + "; discard the storage");
    if (second_hash->digest() != expected.hash)
        return fail(Errc::Corrupt,
                    "the checkpoint changed while it was loaded; discard the storage");
    DRACO_TRY_VOID(loader.finish());
    return report;
}

}  // namespace draco::atomo
