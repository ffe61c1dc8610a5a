#include "draco/atomo/engine.hpp"

#include "draco/atomo/byte_order.hpp"
#include "draco/base/assert.hpp"

#include "commit_batch.hpp"
#include "layout.hpp"
#include "page_cache.hpp"
#include "state_tree.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace draco::atomo {
namespace {

// Checks `tables` against those stored; nullopt if nothing has to be written.
Result<std::optional<SchemaRecord>> merge_schema(const std::optional<SchemaRecord>& stored,
                                                 std::vector<TableInfo> tables) {
    if (!stored) return SchemaRecord{.tables = std::move(tables)};
    for (const TableInfo& table : stored->tables) {
        if (std::ranges::find(tables, table) == tables.end())
            return fail(Errc::InvalidArgument,
                        "the database has table " + std::to_string(table.id) + " \"" + table.name +
                            "\", which this schema lacks or declares differently; open it with "
                            "the schema that it was written with");
    }
    if (tables.size() == stored->tables.size()) return std::nullopt;
    return SchemaRecord{.tables = std::move(tables)};
}

Result<StateRecord> check_state(const std::optional<StateRecord>& stored, StateHash hash) {
    if (!stored) return StateRecord{.hash = hash};
    if (stored->phase == StatePhase::Loading)
        return fail(Errc::Unavailable,
                    "loading a checkpoint into this database did not finish; discard it and load "
                    "again");
    if (stored->phase == StatePhase::Rebuilding)
        return fail(Errc::Unavailable,
                    "a rebuild of this database's state tree did not finish; run it again");
    if (stored->hash != hash)
        return fail(Errc::InvalidArgument, "the database was made with another state hash");
    return *stored;
}

// A sync is not tried again after a failure: it could succeed although data is lost.
Result<> check_outcome_known(const std::optional<Error>& poison) {
    if (!poison) return {};
    return fail(Errc::Unavailable,
                "an earlier commit or sync failed and its outcome is unknown; open the database "
                "again. It said: " +
                    to_string(*poison));
}

}  // namespace

const StateRoot& Version::root() const {
    return tree->root();
}

StateHash Version::hash() const {
    return tree->hash();
}

Result<Bytes> Version::prove(ByteView storage_key) const {
    return tree->prove(*storage, storage_key);
}

Result<std::optional<ByteView>> find(const Version& version,
                                     const Overlay* overlay,
                                     ByteView storage_key,
                                     Bytes& scratch) {
    if (overlay != nullptr) {
        const auto pending = overlay->find(storage_key);
        if (pending != overlay->end()) {
            if (!pending->second) return std::nullopt;
            return ByteView(*pending->second);
        }
    }
    return version.storage->get(storage_key, scratch);
}

Result<> find_many(const Version& version,
                   const Overlay* overlay,
                   std::span<const Bytes> keys,
                   const StorageSnapshot::Visitor& visit) {
    std::vector<ByteView> stored;     // what the overlay does not decide
    std::vector<std::size_t> places;  // of these among `keys`
    stored.reserve(keys.size());
    places.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto pending =
            overlay == nullptr ? Overlay::const_iterator() : overlay->find(keys[i]);
        if (overlay != nullptr && pending != overlay->end()) {
            if (pending->second) DRACO_TRY_VOID(visit(i, *pending->second));
            continue;
        }
        stored.emplace_back(keys[i]);
        places.push_back(i);
    }
    return version.storage->get_many(
        stored, [&](std::size_t i, ByteView value) { return visit(places[i], value); });
}

Result<> check_bounds(std::string_view table, std::size_t key_bytes, std::size_t value_bytes) {
    if (key_bytes <= kKeyBytesMax && value_bytes <= kValueBytesMax) return {};
    return fail(Errc::InvalidArgument,
                "table " + std::string(table) + ": a key of " + std::to_string(key_bytes) +
                    " bytes with a value of " + std::to_string(value_bytes) + "; at most " +
                    std::to_string(kKeyBytesMax) + " and " + std::to_string(kValueBytesMax) +
                    " are stored");
}

MergedCursor::MergedCursor(const Version& version,
                           const Overlay* overlay,
                           KeyInterval interval,
                           Order order)
    : overlay_(overlay),
      interval_(std::move(interval)),
      order_(order),
      stored_cursor_(version.storage->scan(interval_, order_)) {}

bool MergedCursor::comes_first(ByteView a, ByteView b) const {
    return order_ == Order::Ascending ? bytes_less(a, b) : bytes_less(b, a);
}

// Looked up anew each time, so that the overlay may change between calls.
const Overlay::value_type* MergedCursor::next_pending() const {
    if (overlay_ == nullptr) return nullptr;
    if (order_ == Order::Ascending) {
        const auto found =
            last_ ? overlay_->upper_bound(*last_) : overlay_->lower_bound(interval_.from);
        if (found == overlay_->end()) return nullptr;
        return interval_.to && !bytes_less(found->first, *interval_.to) ? nullptr : &*found;
    }
    auto above = last_          ? overlay_->lower_bound(*last_)
                 : interval_.to ? overlay_->lower_bound(*interval_.to)
                                : overlay_->end();
    if (above == overlay_->begin()) return nullptr;
    --above;
    return bytes_less(above->first, interval_.from) ? nullptr : &*above;
}

Result<std::optional<StorageEntry>> MergedCursor::next() {
    while (true) {
        if (!stored_ && !stored_ended_) {
            DRACO_TRY(entry, stored_cursor_->next());
            stored_ = entry;
            stored_ended_ = !entry;
        }
        const auto* pending = next_pending();
        if (pending == nullptr) {
            const auto entry = std::exchange(stored_, std::nullopt);
            if (entry && overlay_ != nullptr) last_ = to_bytes(entry->key);
            return entry;
        }
        if (stored_ && comes_first(stored_->key, pending->first)) {
            last_ = to_bytes(stored_->key);
            return std::exchange(stored_, std::nullopt);
        }
        if (stored_ && equal(stored_->key, pending->first)) stored_.reset();  // overwritten
        last_ = pending->first;
        if (pending->second) return StorageEntry{pending->first, *pending->second};
    }
}

Engine::Engine(std::unique_ptr<Storage> storage, TableSet authenticated, Version version)
    : storage_(std::move(storage)),
      authenticated_(authenticated),
      pages_(std::make_unique<PageCache>(storage_->page_cache_bytes())),
      latest_(std::make_shared<const Version>(std::move(version))) {}

Engine::~Engine() = default;

Result<std::shared_ptr<Engine>> Engine::open(std::unique_ptr<Storage> storage,
                                             std::vector<TableInfo> tables,
                                             StateHash hash) {
    TableSet authenticated;
    for (const TableInfo& table : tables)
        authenticated[table.id] = table.authenticated == Authenticated::Yes;

    DRACO_TRY(snapshot, storage->snapshot());
    DRACO_TRY(stored_schema, read_schema(*snapshot));
    DRACO_TRY(stored_state, read_state(*snapshot));
    if (stored_schema.has_value() != stored_state.has_value())
        return fail(Errc::Corrupt, "the database has only one of its schema and state records");
    DRACO_TRY(schema, merge_schema(stored_schema, std::move(tables)));
    DRACO_TRY(state, check_state(stored_state, hash));
    if (schema) {
        if (storage->read_only())
            return fail(Errc::InvalidArgument,
                        "the storage is read-only and its database lacks tables of this schema");
        const Bytes schema_bytes = encode_schema(*schema);
        const Bytes state_bytes = encode_state(state);
        const StorageWrite writes[] = {{kSchemaKey, schema_bytes}, {kStateKey, state_bytes}};
        DRACO_TRY_VOID(storage->commit(writes));
        DRACO_TRY_VOID(storage->sync());
        DRACO_TRY(with_schema, storage->snapshot());
        snapshot = with_schema;
    }
    DRACO_TRY(tree, open_state_tree(hash, *snapshot, state.root));
    Version version{state.version, std::move(snapshot), std::move(tree)};
    return std::shared_ptr<Engine>(
        new Engine(std::move(storage), authenticated, std::move(version)));
}

std::shared_ptr<const Version> Engine::latest() const {
    const std::scoped_lock lock(mutex_);
    return latest_;
}

Result<std::shared_ptr<const Version>> Engine::commit(const Overlay& overlay) {
    DRACO_TRY_VOID(check_outcome_known(poison_));
    const auto base = latest();
    DRACO_TRY(update, base->tree->update(*base->storage, *pages_, overlay, authenticated_));
    const std::uint64_t number = base->number + 1;
    const CommitBatch batch(overlay,
                            update.writes,
                            {.hash = base->hash(), .version = number, .root = update.next->root()});

    auto stored = storage_->commit(batch.writes());
    if (stored) {
        auto snapshot = storage_->snapshot();
        if (snapshot) {
            pages_->apply(update.writes);
            auto next = std::make_shared<const Version>(
                Version{number, *std::move(snapshot), std::move(update.next)});
            const std::scoped_lock lock(mutex_);
            latest_ = next;
            return next;
        }
        stored = std::unexpected(std::move(snapshot).error());
    }
    poison_ = stored.error();
    return std::unexpected(std::move(stored).error());
}

Result<> Engine::sync() {
    DRACO_TRY_VOID(check_outcome_known(poison_));
    auto synced = storage_->sync();
    if (!synced) poison_ = synced.error();
    return synced;
}

}  // namespace draco::atomo
