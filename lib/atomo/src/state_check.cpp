#include "draco/atomo/state_check.hpp"

#include "layout.hpp"
#include "state_tree.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace draco::atomo {
namespace {

constexpr std::size_t kDeletesPerCommit = 16384;

struct Stored {
    std::shared_ptr<const StorageSnapshot> snapshot;
    SchemaRecord schema;
    StateRecord state;
};

Result<Stored> read_stored(const Storage& storage) {
    DRACO_TRY(snapshot, storage.snapshot());
    DRACO_TRY(schema, read_schema(*snapshot));
    DRACO_TRY(state, read_state(*snapshot));
    if (!schema || !state) return fail(Errc::NotFound, "the storage holds no database");
    if (state->phase == StatePhase::Loading)
        return fail(Errc::Unavailable,
                    "loading a checkpoint into this database did not finish; discard it and load "
                    "again");
    return Stored{std::move(snapshot), *std::move(schema), *state};
}

// The authenticated entries of a snapshot; counts them.
EntrySource authenticated_entries(const Stored& stored, std::uint64_t& count) {
    return [&](const EntryVisitor& visit) -> Result<> {
        count = 0;
        for (const TableInfo& table : stored.schema.tables) {
            if (table.authenticated == Authenticated::No) continue;
            const std::uint8_t prefix[] = {table.id};
            const auto cursor =
                stored.snapshot->scan(KeyInterval::with_prefix(prefix), Order::Ascending);
            while (true) {
                DRACO_TRY(entry, cursor->next());
                if (!entry) break;
                DRACO_TRY_VOID(visit(entry->key, entry->value));
                ++count;
            }
        }
        return {};
    };
}

Result<> store_state(Storage& storage, const StateRecord& state) {
    const Bytes bytes = encode_state(state);
    const StorageWrite writes[] = {{kStateKey, bytes}};
    DRACO_TRY_VOID(storage.commit(writes));
    return storage.sync();
}

Result<> delete_pages(Storage& storage, const StorageSnapshot& snapshot) {
    const std::uint8_t prefix[] = {kPageSpace};
    const auto cursor = snapshot.scan(KeyInterval::with_prefix(prefix), Order::Ascending);
    std::vector<Bytes> keys;
    while (true) {
        DRACO_TRY(entry, cursor->next());
        if (entry) keys.push_back(to_bytes(entry->key));
        if (keys.size() == kDeletesPerCommit || !entry) {
            std::vector<StorageWrite> writes;
            writes.reserve(keys.size());
            for (const Bytes& key : keys) writes.push_back({key, std::nullopt});
            DRACO_TRY_VOID(storage.commit(writes));
            keys.clear();
        }
        if (!entry) return {};
    }
}

Result<> store_pages(Storage& storage, const std::vector<sparse_merkle::PageWrite>& pages) {
    Overlay overlay;
    for (const auto& [id, page] : pages) overlay.emplace(to_bytes(PageKey(id).view()), page);
    std::vector<StorageWrite> writes;
    for (const auto& [key, page] : overlay) writes.push_back({key, page});
    return storage.commit(writes);
}

}  // namespace

Result<StateReport> verify_state(const Storage& storage) {
    DRACO_TRY(stored, read_stored(storage));
    if (stored.state.phase == StatePhase::Rebuilding)
        return fail(Errc::Unavailable, "a rebuild of the state tree did not finish; run it again");
    StateReport report{.root = stored.state.root};
    DRACO_TRY_VOID(verify_state_tree(stored.state.hash,
                                     *stored.snapshot,
                                     stored.state.root,
                                     authenticated_entries(stored, report.entries)));
    return report;
}

Result<StateReport> rebuild_state(Storage& storage) {
    DRACO_TRY(stored, read_stored(storage));
    stored.state.phase = StatePhase::Rebuilding;
    DRACO_TRY_VOID(store_state(storage, stored.state));
    DRACO_TRY_VOID(delete_pages(storage, *stored.snapshot));
    StateReport report;
    DRACO_TRY(tree,
              rebuild_state_tree(stored.state.hash,
                                 authenticated_entries(stored, report.entries),
                                 [&](const std::vector<sparse_merkle::PageWrite>& pages) {
                                     return store_pages(storage, pages);
                                 }));
    report.root = tree->root();
    stored.state.phase = StatePhase::Ready;
    stored.state.root = report.root;
    DRACO_TRY_VOID(store_state(storage, stored.state));
    return report;
}

}  // namespace draco::atomo
