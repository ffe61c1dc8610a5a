#pragma once
// What one commit writes: entries, pages of the state tree and the state record, in one batch.

#include "draco/atomo/overlay.hpp"
#include "draco/atomo/storage.hpp"
#include "draco/base/bytes.hpp"
#include "draco/sparse_merkle/page_store.hpp"

#include "layout.hpp"

#include <span>
#include <vector>

namespace draco::atomo {

// Refers to the entries and pages that it was made from.
class CommitBatch {
public:
    // `pages` ascend by id.
    CommitBatch(const Overlay& entries,
                std::span<const sparse_merkle::PageWrite> pages,
                const StateRecord& state);
    CommitBatch(const CommitBatch&) = delete;
    CommitBatch& operator=(const CommitBatch&) = delete;

    // Ascending by key.
    std::span<const StorageWrite> writes() const { return writes_; }

private:
    std::vector<PageKey> page_keys_;
    Bytes state_;
    std::vector<StorageWrite> writes_;
};

}  // namespace draco::atomo
