#pragma once
// The Merkle tree of one version of the database, with its hash function chosen at run time.

#include "draco/atomo/engine.hpp"
#include "draco/atomo/state_proof.hpp"
#include "draco/atomo/storage.hpp"
#include "draco/base/bytes.hpp"
#include "draco/base/result.hpp"
#include "draco/sparse_merkle/page_store.hpp"
#include "draco/sparse_merkle/rebuild.hpp"

#include "page_cache.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace draco::atomo {

// Calls the visitor with each authenticated entry, in any order.
using EntryVisitor = std::function<Result<>(ByteView storage_key, ByteView value)>;
using EntrySource = std::function<Result<>(const EntryVisitor&)>;

// Immutable; thread-safe. Reads take the storage snapshot of the same version.
class StateTree {
public:
    struct Update {
        std::shared_ptr<const StateTree> next;
        std::vector<sparse_merkle::PageWrite> writes;  // ascending by id
    };

    virtual ~StateTree() = default;
    virtual const StateRoot& root() const = 0;
    virtual StateHash hash() const = 0;
    // `pages` are of this version; what is read is added to them.
    virtual Result<Update> update(const StorageSnapshot& storage,
                                  PageCache& pages,
                                  const Overlay& overlay,
                                  const TableSet& authenticated) const = 0;
    virtual Result<Bytes> prove(const StorageSnapshot& storage, ByteView storage_key) const = 0;
};

std::shared_ptr<const StateTree> empty_state_tree(StateHash hash);
// Corrupt if the stored pages do not have this root.
Result<std::shared_ptr<const StateTree>> open_state_tree(StateHash hash,
                                                         const StorageSnapshot& storage,
                                                         const StateRoot& root);

// Both hold 64 bytes for each entry while they run.
//
// Checks that the root over the entries is `root`, and every stored page. Corrupt says what is
// wrong.
Result<> verify_state_tree(StateHash hash,
                           const StorageSnapshot& storage,
                           const StateRoot& root,
                           const EntrySource& entries);
// Gives all pages of the tree over the entries to `sink`, never one twice.
Result<std::shared_ptr<const StateTree>> rebuild_state_tree(StateHash hash,
                                                            const EntrySource& entries,
                                                            const sparse_merkle::PageSink& sink);

}  // namespace draco::atomo
