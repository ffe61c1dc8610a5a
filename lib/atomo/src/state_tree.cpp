#include "state_tree.hpp"

#include "draco/base/text_encoding.hpp"
#include "draco/sparse_merkle/tree.hpp"

#include "layout.hpp"
#include "leaf_hash.hpp"

#include <algorithm>
#include <utility>

namespace draco::atomo {
namespace {

using sparse_merkle::Change;
using sparse_merkle::Leaf;
using sparse_merkle::PageId;
using sparse_merkle::PageStore;
using sparse_merkle::Tree;

class SnapshotPages final : public PageStore {
public:
    explicit SnapshotPages(const StorageSnapshot& storage) : storage_(storage) {}

    Result<> read(std::span<const PageId> ids, const ReadVisitor& visit) const override {
        const std::vector<PageKey> keys(ids.begin(), ids.end());
        std::vector<ByteView> views;
        views.reserve(keys.size());
        for (const PageKey& key : keys) views.push_back(key.view());
        return storage_.get_many(views, visit);
    }

    Result<> scan(std::uint8_t depth, const ScanVisitor& visit) const override {
        const std::uint8_t prefix[] = {kPageSpace, depth};
        const auto cursor = storage_.scan(KeyInterval::with_prefix(prefix), Order::Ascending);
        while (true) {
            DRACO_TRY(entry, cursor->next());
            if (!entry) return {};
            DRACO_TRY(id, PageId::from_bytes(entry->key.subspan(1)));
            DRACO_TRY_VOID(visit(id, entry->value));
        }
    }

private:
    const StorageSnapshot& storage_;
};

// The same pages, read from a cache where it has them.
class CachedPages final : public PageStore {
public:
    CachedPages(const StorageSnapshot& storage, PageCache& cache)
        : stored_(storage), cache_(cache) {}

    Result<> read(std::span<const PageId> ids, const ReadVisitor& visit) const override {
        std::vector<PageId> missing;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (const Bytes* page = cache_.find(ids[i])) {
                DRACO_TRY_VOID(visit(i, *page));
            } else {
                missing.push_back(ids[i]);
                places.push_back(i);
            }
        }
        if (missing.empty()) return {};
        return stored_.read(missing, [&](std::size_t i, ByteView page) -> Result<> {
            cache_.put(missing[i], to_bytes(page));
            return visit(places[i], page);
        });
    }

    Result<> scan(std::uint8_t depth, const ScanVisitor& visit) const override {
        return stored_.scan(depth, visit);
    }

private:
    const SnapshotPages stored_;
    PageCache& cache_;
};

template <class H>
class StateTreeOf final : public StateTree {
public:
    explicit StateTreeOf(Tree<H> tree) : tree_(std::move(tree)) {}

    const StateRoot& root() const override { return tree_.root(); }

    StateHash hash() const override { return LeafHash<H>::kName; }

    Result<Update> update(const StorageSnapshot& storage,
                          PageCache& pages,
                          const Overlay& overlay,
                          const TableSet& authenticated) const override {
        std::vector<Change> changes;
        changes.reserve(overlay.size());
        for (const auto& [key, value] : overlay) {
            if (!authenticated[key.front()]) continue;
            Change& change = changes.emplace_back();
            change.key = leaf_key<H>(key);
            if (value) change.value_hash = leaf_value<H>(*value);
        }
        std::ranges::sort(changes, {}, &Change::key);
        DRACO_TRY(update, tree_.update(CachedPages(storage, pages), changes));
        return Update{std::make_shared<StateTreeOf>(std::move(update.next)),
                      std::move(update.writes)};
    }

    Result<Bytes> prove(const StorageSnapshot& storage, ByteView storage_key) const override {
        return tree_.prove(SnapshotPages(storage), leaf_key<H>(storage_key));
    }

private:
    Tree<H> tree_;
};

template <class H>
Result<std::vector<Leaf>> sorted_leaves(const EntrySource& entries) {
    std::vector<Leaf> leaves;
    DRACO_TRY_VOID(entries([&](ByteView key, ByteView value) -> Result<> {
        leaves.push_back({leaf_key<H>(key), leaf_value<H>(value)});
        return {};
    }));
    std::ranges::sort(leaves, {}, &Leaf::key);
    return leaves;
}

template <class H>
Result<> verify(const StorageSnapshot& storage,
                const StateRoot& root,
                const std::vector<Leaf>& leaves) {
    sparse_merkle::RootBuilder<H> builder;
    for (const Leaf& leaf : leaves) DRACO_TRY_VOID(builder.add(leaf));
    if (builder.root() != root)
        return fail(Errc::Corrupt,
                    "the entries have the state root " + to_hex(builder.root().view()) +
                        ", the stored one is " + to_hex(root.view()) +
                        "; restore a checkpoint, or rebuild if the entries are to be trusted");
    // That the topmost pages have the root, then that each page has the hash its parent says.
    const SnapshotPages pages(storage);
    DRACO_TRY_VOID(Tree<H>::open(pages, root));
    std::size_t next = 0;
    DRACO_TRY_VOID(sparse_merkle::for_each_leaf<H>(pages, [&](const Leaf& leaf) -> Result<> {
        if (next == leaves.size() || leaves[next] != leaf)
            return fail(Errc::Corrupt,
                        "the stored tree has the leaf " + to_hex(leaf.key.view()) +
                            ", which no entry accounts for; rebuild it");
        ++next;
        return {};
    }));
    if (next != leaves.size())
        return fail(
            Errc::Corrupt,
            "the stored tree lacks the leaf " + to_hex(leaves[next].key.view()) + "; rebuild it");
    return {};
}

}  // namespace

std::shared_ptr<const StateTree> empty_state_tree(StateHash hash) {
    return with_hash(hash, []<class H>(H) -> std::shared_ptr<const StateTree> {
        return std::make_shared<StateTreeOf<H>>(Tree<H>());
    });
}

Result<std::shared_ptr<const StateTree>> open_state_tree(StateHash hash,
                                                         const StorageSnapshot& storage,
                                                         const StateRoot& root) {
    return with_hash(hash, [&]<class H>(H) -> Result<std::shared_ptr<const StateTree>> {
        DRACO_TRY(tree, Tree<H>::open(SnapshotPages(storage), root));
        return std::make_shared<StateTreeOf<H>>(std::move(tree));
    });
}

Result<> verify_state_tree(StateHash hash,
                           const StorageSnapshot& storage,
                           const StateRoot& root,
                           const EntrySource& entries) {
    return with_hash(hash, [&]<class H>(H) -> Result<> {
        DRACO_TRY(leaves, sorted_leaves<H>(entries));
        return verify<H>(storage, root, leaves);
    });
}

Result<std::shared_ptr<const StateTree>> rebuild_state_tree(StateHash hash,
                                                            const EntrySource& entries,
                                                            const sparse_merkle::PageSink& sink) {
    return with_hash(hash, [&]<class H>(H) -> Result<std::shared_ptr<const StateTree>> {
        DRACO_TRY(leaves, sorted_leaves<H>(entries));
        const auto source = [&leaves,
                             next = std::size_t{0}]() mutable -> Result<std::optional<Leaf>> {
            if (next == leaves.size()) return std::nullopt;
            return leaves[next++];
        };
        DRACO_TRY(tree, sparse_merkle::rebuild<H>(source, sink));
        return std::make_shared<StateTreeOf<H>>(std::move(tree));
    });
}

}  // namespace draco::atomo
